# shellcheck shell=bash
# shellcheck disable=SC2030,SC2031  # WORK is of the subshell that pushes, and meant so
# The cluster's images in the storage of a docker-registry, at the paths that
# a mirror of registry.k8s.io has.

# with_libraries ROOT PROGRAM… : copies programs of this machine or of the
# unpacked packages with the shared libraries that they need.
with_libraries() {
    local root=$1 program library
    shift
    for program; do
        while read -r library; do
            [ -e "$root$library" ] || install -D -m 755 "$library" "$root$library"
        done < <(LD_LIBRARY_PATH=$UNPACKED_LIBRARIES ldd "$program" 2>/dev/null | grep -o '/[^ )]*')
    done
}

# push ROOT ENTRYPOINT NAME:TAG… : a directory becomes an image in the registry,
# under each of these names.
push() {
    local root=$1 entrypoint=$2 image first=$REGISTRY_BUILD/$3
    shift 2
    tar -C "$root" --owner=0 --group=0 --sort=name -c . |
        "$DOCKER" import ${entrypoint:+--change "ENTRYPOINT [\"$entrypoint\"]"} \
            --change 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' - "$first" >/dev/null
    for image; do
        [ "$REGISTRY_BUILD/$image" = "$first" ] || "$DOCKER" tag "$first" "$REGISTRY_BUILD/$image"
        "$DOCKER" push --quiet "$REGISTRY_BUILD/$image" >/dev/null
    done
    "$DOCKER" rmi "${@/#/$REGISTRY_BUILD/}" >/dev/null
}

# push_program FILE NAME:TAG… : an image of one static program.
push_program() {
    local file=$1 root name
    shift
    name=${file##*/}
    root=$(mktemp -d "$WORK/image.XXXXXX")
    chmod 755 "$root"
    install -D -m 755 "$file" "$root/usr/local/bin/$name"
    push "$root" "/usr/local/bin/$name" "$@"
    rm -r "$root"
}

kube_images() {
    local version name root kube
    for version in "${KUBE_VERSIONS[@]}"; do
        kube=$CACHE/$(kube_stage "$version")
        for name in kube-apiserver kube-controller-manager kube-scheduler; do
            push_program "$kube/$name" "$name:v$version"
        done
        root=$WORK/kube-proxy
        kube_proxy_root "$root"
        install -D -m 755 "$kube/kube-proxy" "$root/usr/local/bin/kube-proxy"
        push "$root" /usr/local/bin/kube-proxy "kube-proxy:v$version"
        rm -r "$root"
    done
}

# kube-proxy drives iptables-nft, as Debian's hosts do: both flavours at once
# on one host do not see each other's rules. nft is for its nftables mode.
kube_proxy_root() {
    local root=$1 name
    mkdir -p "$root/usr/sbin" "$root/usr/lib" "$root/tmp" "$root/run" "$root/etc"
    ln -s usr/sbin "$root/sbin"
    ln -s usr/lib "$root/lib"
    mkdir -p "$root/usr/lib64"
    ln -s usr/lib64 "$root/lib64"
    install -m 755 "$UNPACKED"/usr/sbin/{xtables-nft-multi,conntrack,nft} "$root/usr/sbin/"
    for name in iptables iptables-save iptables-restore ip6tables ip6tables-save ip6tables-restore; do
        ln -s xtables-nft-multi "$root/usr/sbin/$name"
    done
    local triplet
    triplet=$(gcc -print-multiarch)
    mkdir -p "$root/usr/lib/$triplet"
    cp -r "$UNPACKED/usr/lib/$triplet/xtables" "$root/usr/lib/$triplet/"
    with_libraries "$root" "$root"/usr/sbin/{xtables-nft-multi,conntrack,nft} \
        "$root/usr/lib/$triplet/xtables"/*.so
    # Libraries of unpacked packages came with their path in the cache.
    if [ -d "$root$UNPACKED" ]; then
        cp -r "$root$UNPACKED/." "$root/"
        rm -r "${root:?}/${UNPACKED#/}"
    fi
}

# Under the tags of upstream, which are kubeadm's, too; the releases between are
# those that the kubeadms of 1.34 and 1.35 ask for.
etcd_images() {
    local version root tags
    for version in "${ETCD_VERSIONS[@]}"; do
        root=$WORK/etcd
        mkdir -p "$root/tmp" "$root/var/lib/etcd"
        install -D -m 755 -t "$root/usr/local/bin" "$PROGRAMS/etcd-$version"/*
        tags=("etcd:$version-0")
        [ "$version" != 3.6.8 ] || tags+=(etcd:3.6.5-0 etcd:3.6.6-0)
        push "$root" /usr/local/bin/etcd "${tags[@]}"
        rm -r "$root"
    done
}

addon_images() {
    local tag root tags=()
    # A mirror of registry.k8s.io has CoreDNS in a folder; a registry that is
    # kubeadm's image repository has not.
    for tag in "${COREDNS_TAGS[@]}"; do tags+=("coredns/coredns:$tag" "coredns:$tag"); done
    push_program "$PROGRAMS/coredns" "${tags[@]}"
    for tag in "${PAUSE_TAGS[@]}"; do
        root=$WORK/pause
        install -D -m 755 "$PROGRAMS/pause-$tag/pause" "$root/pause"
        push "$root" /pause "pause:$tag"
        rm -r "$root"
    done
    push_program "$PROGRAMS/probe" lab/probe:1
    [ -z "${KDIY_LAB_KUBE_VIP:-}" ] ||
        push_program "$KDIY_LAB_KUBE_VIP" "kube-vip/kube-vip:${KDIY_LAB_KUBE_VIP_TAG:-v1.0.0}"
}

# registry_build TO FUNCTION : lets it push into a registry whose storage is TO.
registry_build() (
    to=$1 work=$1.work port=5099
    mkdir -p "$work" "$to"
    docker_ready
    write_registry_config "$work/config.yml" "$to" "127.0.0.1:$port"
    "$UNPACKED/usr/bin/docker-registry" serve "$work/config.yml" >"$work/log" 2>&1 9>&- &
    pid=$!
    trap 'kill "$pid" 2>/dev/null || true; rm -rf "$work"' EXIT
    poll 20 curl -fsS "http://127.0.0.1:$port/v2/" || {
        cat "$work/log" >&2
        die "docker-registry did not start"
    }
    REGISTRY_BUILD=127.0.0.1:$port
    WORK=$work
    UNPACKED_LIBRARIES=$UNPACKED/usr/lib/$(gcc -print-multiarch)
    "$2"
)

make_registry() { registry_build "$1" registry_images; }

registry_images() {
    addon_images
    etcd_images
    flannel_images
    kube_images
}

# flanneld with what it calls, and its CNI plugin, which its DaemonSet copies to
# the hosts, as upstream's two images have them.
flannel_images() {
    local root=$WORK/flannel
    kube_proxy_root "$root"
    shell_root "$root"
    install -m 755 -D "$PROGRAMS/flanneld" "$root/opt/bin/flanneld"
    install -m 755 -D "$PROGRAMS/install_conf" "$root/opt/bin/install-conf"
    push "$root" /opt/bin/flanneld "flannel-io/flannel:v$FLANNEL_VERSION"
    rm -r "$root"
    shell_root "$root"
    install -m 755 -D "$PROGRAMS/cni/flannel" "$root/flannel"
    push "$root" '' "flannel-io/flannel-cni-plugin:$FLANNEL_CNI_TAG"
    rm -r "$root"
}

# A shell and the programs that manifests call.
shell_root() {
    local root=$1 name
    mkdir -p "$root/bin" "$root/tmp"
    install -m 755 "$UNPACKED/bin/busybox" "$root/bin/busybox"
    for name in sh cp cat ls mkdir rm sleep; do ln -sf busybox "$root/bin/$name"; done
}

# write_registry_config FILE STORAGE ADDRESS
write_registry_config() {
    cat >"$1" <<CONF
version: 0.1
log:
  level: warn
  accesslog:
    disabled: true
storage:
  filesystem:
    rootdirectory: $2
  delete:
    enabled: false
http:
  addr: $3
CONF
}
