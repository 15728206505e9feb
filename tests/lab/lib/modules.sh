# shellcheck shell=bash
# What is built from Go modules: for each a folder go/NAME with a go.mod that
# names one release and the programs of it, and a go.sum that pins every byte.

# modules : a line for each, NAME MODULE VERSION PACKAGE…
modules() {
    local version
    for version in "${KUBE_LOCKED[@]}"; do
        echo "kubernetes-$version k8s.io/kubernetes v$version $(kube_packages_of "$version")"
    done
    for version in "${ETCD_VERSIONS[@]}"; do
        echo "etcd-$version go.etcd.io/etcd/server/v3 v$version go.etcd.io/etcd/server/v3" \
            "go.etcd.io/etcd/etcdctl/v3 go.etcd.io/etcd/etcdutl/v3"
    done
    echo "coredns github.com/coredns/coredns v$COREDNS_VERSION github.com/coredns/coredns"
    echo "cri-tools sigs.k8s.io/cri-tools v$CRI_TOOLS_VERSION sigs.k8s.io/cri-tools/cmd/crictl"
    echo "cni-plugins github.com/containernetworking/plugins v$CNI_PLUGINS_VERSION" \
        github.com/containernetworking/plugins/plugins/{main/{bridge,host-device,ipvlan,loopback,macvlan,ptp,vlan},ipam/{dhcp,host-local,static},meta/{bandwidth,firewall,portmap,sbr,tuning,vrf}}
    echo "containerd github.com/containerd/containerd/v2 v$CONTAINERD_VERSION" \
        github.com/containerd/containerd/v2/cmd/{containerd,containerd-shim-runc-v2,ctr}
    echo "flannel github.com/flannel-io/flannel v$FLANNEL_VERSION" \
        github.com/flannel-io/flannel/cmd/install_conf
    echo "flannel-cni github.com/containernetworking/plugins v$FLANNEL_CNI_VERSION" \
        github.com/containernetworking/plugins/plugins/meta/flannel
}

# The conformance suite is built of the newest release only.
kube_packages_of() {
    local packages=(k8s.io/kubernetes/cmd/{kubeadm,kubelet,kubectl,kube-apiserver,kube-controller-manager,kube-scheduler,kube-proxy})
    if [ "$1" = "$KUBE_VERSION" ]; then
        packages+=(k8s.io/kubernetes/test/images/agnhost k8s.io/kubernetes/test/e2e
            github.com/onsi/ginkgo/v2/ginkgo)
    fi
    echo "${packages[*]}"
}

# lab_lock [NAME…] : go.mod and go.sum of every module, or of these, anew.
lab_lock() {
    local name module version packages
    while read -r name module version packages; do
        [ $# -eq 0 ] || [[ " $* " == *" $name "* ]] || continue
        note "locking $name"
        # shellcheck disable=SC2086  # a list of packages
        lock_module "$LAB_DIR/go/$name" "$module" "$version" $packages
    done < <(modules)
}

# lock_module DIR MODULE VERSION PACKAGE…
lock_module() (
    dir=$1 module=$2 version=$3
    shift 3
    rm -rf "$dir"
    mkdir -p "$dir"
    cd "$dir"
    upstream=$(go mod download -json "$module@$version" | jq -r .GoMod)
    {
        echo "module kdiy.invalid/lab"
        echo
        go mod edit -json "$upstream" | jq -r '"go \(.Go)", "", "require \($m) \($v)", "",
            # Kubernetes replaces its staging modules by folders; published they
            # have the version v0.MINOR.PATCH.
            (.Replace // [] | .[] | select(.New.Path | startswith("./staging/"))
                | "replace \(.Old.Path) => \(.Old.Path) \($v | sub("^v1"; "v0"))"),
            (.Replace // [] | .[] | select(.New.Version)
                | "replace \(.Old.Path) => \(.New.Path) \(.New.Version)"),
            (.Exclude // [] | .[] | "exclude \(.Path) \(.Version)")' \
            --arg m "$module" --arg v "$version"
        printf 'tool %s\n' "$@"
    } >go.mod
    # etcd is several modules of one version.
    case $module in
        go.etcd.io/etcd/*) printf 'require go.etcd.io/etcd/%s/v3 %s\n' etcdctl "$version" etcdutl "$version" >>go.mod ;;
    esac
    if [ "$module" = github.com/flannel-io/flannel ]; then
        flannel_main "$(go env GOMODCACHE)/$module@$version" >main.go
    fi
    GOFLAGS=-mod=mod GOWORK=off go mod tidy
    rm -f main.go
)
