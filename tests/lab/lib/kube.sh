# shellcheck shell=bash
# Kubernetes from Debian's source package, which holds the whole vendored
# tree: no registry that the lab may count on carries kubeadm.

KUBE_NODE_BINARIES=(kubeadm kubelet kubectl)
KUBE_IMAGE_BINARIES=(kube-apiserver kube-controller-manager kube-scheduler kube-proxy)

# Unpacks and patches the source into DIR/kubernetes.
kube_source() {
    local dir=$1 tree
    (
        cd "$dir"
        private_apt --quiet=2 source kubernetes
    )
    tree=$(find "$dir" -maxdepth 1 -type d -name 'kubernetes-*')
    mv "$tree" "$dir/kubernetes"
    # The vendored reflect2 panics when built by Go 1.18 or later.
    rm -r "$dir/kubernetes/vendor/github.com/modern-go/reflect2"
    cp -r "$UNPACKED/usr/share/gocode/src/github.com/modern-go/reflect2" \
        "$dir/kubernetes/vendor/github.com/modern-go/reflect2"
    local patch
    for patch in "$LAB_DIR"/patches/*.patch; do
        patch --directory "$dir/kubernetes" --strip 1 --batch <"$patch"
    done
}

# kube_make SOURCE VERSION TO : builds every binary, stamped VERSION. `make`
# rather than `go build` because the API server needs generated OpenAPI.
kube_make() {
    local source=$1 version=$2 to=$3 binary targets=()
    for binary in "${KUBE_NODE_BINARIES[@]}" "${KUBE_IMAGE_BINARIES[@]}"; do
        targets+=("cmd/$binary")
    done
    cat >"$source/version.lab" <<STAMP
KUBE_GIT_COMMIT='0000000000000000000000000000000000000000'
KUBE_GIT_TREE_STATE='clean'
KUBE_GIT_VERSION='v$version'
KUBE_GIT_MAJOR='${version%%.*}'
KUBE_GIT_MINOR='$(cut -d. -f2 <<<"$version")'
STAMP
    env PATH="/usr/lib/go-1.19/bin:$PATH" GO111MODULE=off GOFLAGS='' \
        GOCACHE="$source/../go-cache" GOPATH="$source/../gopath" \
        KUBE_GIT_VERSION_FILE="$source/version.lab" \
        KUBE_STATIC_OVERRIDES='kubelet kubectl kubeadm' \
        make -C "$source" GOLDFLAGS='-s -w' WHAT="${targets[*]}"
    mkdir -p "$to"
    cp "$source/_output/local/bin/linux/"*/kube* "$to/"
}

# Both versions from the same source. The older one is 1.20.2 with the stamp
# of 1.20.1, so that tests can tell "the newest patch" from "a patch" and
# walk through an upgrade; it shares every compiled package, so it is cheap.
make_kube() {
    local to=$1 work=$1.work
    mkdir -p "$work"
    kube_source "$work"
    kube_make "$work/kubernetes" "$KUBE_VERSION" "$to/$KUBE_VERSION"
    kube_make "$work/kubernetes" "$KUBE_PREVIOUS" "$to/$KUBE_PREVIOUS"
    rm -rf "$work"
}
