# shellcheck shell=bash
# Kubernetes, from upstream's own module.

# Which releases are built and served.
read -ra KUBE_VERSIONS <<<"${KDIY_LAB_KUBERNETES:-$KUBE_PREVIOUS $KUBE_VERSION}"

minor_of() { cut -d. -f1,2 <<<"$1"; }

# The stamps that upstream's Makefile gives.
kube_stamps() {
    local version=$1 package=k8s.io/component-base/version
    printf -- '-s -w -X %s.gitVersion=v%s -X %s.gitMajor=%s -X %s.gitMinor=%s -X %s.gitTreeState=clean' \
        "$package" "$version" "$package" "${version%%.*}" \
        "$package" "$(cut -d. -f2 <<<"$version")" "$package"
}

make_kube() {
    local to=$1 version=$2
    mkdir -p "$to"
    go_build "kubernetes-$version" "$to/" "$(kube_stamps "$version")" \
        k8s.io/kubernetes/cmd/{kubeadm,kubelet,kubectl,kube-apiserver,kube-controller-manager,kube-scheduler,kube-proxy}
}

# Upstream's suite, and the program that runs in most of its pods.
make_suite() {
    local to=$1 stamps name=kubernetes-$KUBE_VERSION
    stamps=$(kube_stamps "$KUBE_VERSION")
    mkdir -p "$to"
    go_build "$name" "$to/" "$stamps" k8s.io/kubernetes/test/images/agnhost \
        github.com/onsi/ginkgo/v2/ginkgo
    # Upstream vets it.
    lab_go "$name" test -c -vet=off -mod=readonly -trimpath -ldflags "$stamps" -o "$to/e2e.test" \
        k8s.io/kubernetes/test/e2e
}
