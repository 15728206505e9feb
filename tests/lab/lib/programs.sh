# shellcheck shell=bash
# Everything else that is built from Go modules.

# lab_go MODULE WORDS… : go in the folder of a locked module. The machine's own
# settings take no part, but where modules come from.
lab_go() {
    local dir=$LAB_DIR/go/$1
    shift
    env -C "$dir" GOFLAGS=-buildvcs=false GOWORK=off GOCACHE="$CACHE/go-build" \
        CGO_ENABLED="${CGO_ENABLED:-0}" go "$@"
}

# go_build MODULE TO LDFLAGS PACKAGE… : static programs, named as their packages.
go_build() {
    local module=$1 to=$2 flags=$3
    shift 3
    lab_go "$module" build -mod=readonly -trimpath -ldflags "$flags" -o "$to" "$@"
}

make_programs() {
    local to=$1 version name
    mkdir -p "$to"/{cni,containerd}
    for version in "${ETCD_VERSIONS[@]}"; do
        mkdir -p "$to/etcd-$version"
        go_build "etcd-$version" "$to/etcd-$version/" '-s -w' \
            go.etcd.io/etcd/server/v3 go.etcd.io/etcd/etcdctl/v3 go.etcd.io/etcd/etcdutl/v3
        mv "$to/etcd-$version/server" "$to/etcd-$version/etcd"
    done
    go_build coredns "$to/" '-s -w' github.com/coredns/coredns
    go_build cri-tools "$to/" "-s -w -X sigs.k8s.io/cri-tools/pkg/version.Version=v$CRI_TOOLS_VERSION" \
        sigs.k8s.io/cri-tools/cmd/crictl
    go_build cni-plugins "$to/cni/" \
        "-s -w -X github.com/containernetworking/plugins/pkg/utils/buildversion.BuildVersion=v$CNI_PLUGINS_VERSION" \
        tool
    go_build containerd "$to/containerd/" "-s -w -X github.com/containerd/containerd/v2/version.Version=$CONTAINERD_VERSION" \
        tool
    go_build flannel-cni "$to/cni/" '-s -w' tool
    make_flanneld "$to"
    make_pause "$to"
    for name in probe fileserver; do
        env GO111MODULE=off GOFLAGS='' CGO_ENABLED=0 GOCACHE="$CACHE/go-build" \
            go build -ldflags '-s -w' -o "$to/$name" "$LAB_DIR/src/$name/main.go"
    done
}

# Where the sources of a module are: fetched, since building need not have done so.
module_dir() { lab_go "$1" mod download -json "$2" | jq -er .Dir; }

# One cloud's SDK cannot be had, and so not the backend that needs it; the main
# program that names all backends is built without that line.
make_flanneld() {
    local to=$1 work=$1.flannel
    cp -r "$LAB_DIR/go/flannel" "$work"
    flannel_main "$(module_dir flannel github.com/flannel-io/flannel)" >"$work/main.go"
    env -C "$work" GOFLAGS=-buildvcs=false GOWORK=off GOCACHE="$CACHE/go-build" CGO_ENABLED=1 \
        go build -mod=readonly -trimpath -o "$to/flanneld" -ldflags \
        "-s -w -linkmode external -extldflags -static -X github.com/flannel-io/flannel/pkg/version.Version=v$FLANNEL_VERSION" .
    rm -r "$work"
    go_build flannel "$to/" '-s -w' github.com/flannel-io/flannel/cmd/install_conf
    mkdir -p "$to/manifests"
    install -m 644 "$(module_dir flannel github.com/flannel-io/flannel)/Documentation/kube-flannel.yml" \
        "$to/manifests/kube-flannel.yml"
}

flannel_main() { grep -v '/pkg/backend/tencentvpc"' "$1/main.go"; }

# The real one: kubeadm's upgrade runs it as a Job, and waits for its end.
make_pause() {
    local to=$1 source tag
    source=$(module_dir "kubernetes-$KUBE_VERSION" k8s.io/kubernetes)/build/pause/linux/pause.c
    for tag in "${PAUSE_TAGS[@]}"; do
        mkdir -p "$to/pause-$tag"
        gcc -Os -Wall -static -DVERSION="v$tag" -o "$to/pause-$tag/pause" "$source"
    done
}
