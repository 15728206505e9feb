# shellcheck shell=bash
# The cluster's images in the storage of a docker-registry, at the paths that
# a mirror of k8s.gcr.io has.

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

# push ROOT NAME:TAG ENTRYPOINT : a directory becomes an image in the registry.
push() {
    local root=$1 image=$REGISTRY_BUILD/$2 entrypoint=$3
    tar -C "$root" --owner=0 --group=0 --sort=name -c . |
        "$DOCKER" import --change "ENTRYPOINT [\"$entrypoint\"]" \
            --change 'ENV PATH=/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/bin' - "$image" >/dev/null
    "$DOCKER" push --quiet "$image" >/dev/null
    "$DOCKER" rmi "$image" >/dev/null
}

kube_images() {
    local work=$1 name root version
    for version in "$KUBE_VERSION" "$KUBE_PREVIOUS"; do
        for name in kube-apiserver kube-controller-manager kube-scheduler; do
            root=$work/$name-$version
            install -D -m 755 "$KUBE/$version/$name" "$root/usr/local/bin/$name"
            push "$root" "$name:v$version" "/usr/local/bin/$name"
        done
        root=$work/kube-proxy-$version
        kube_proxy_root "$root"
        install -D -m 755 "$KUBE/$version/kube-proxy" "$root/usr/local/bin/kube-proxy"
        push "$root" "kube-proxy:v$version" /usr/local/bin/kube-proxy
    done
}

# kube-proxy drives iptables-nft, as Debian's hosts do: both flavours at once
# on one host do not see each other's rules.
kube_proxy_root() {
    local root=$1 name
    mkdir -p "$root/usr/sbin" "$root/usr/lib" "$root/tmp" "$root/run" "$root/etc"
    ln -s usr/sbin "$root/sbin"
    ln -s usr/lib "$root/lib"
    mkdir -p "$root/usr/lib64"
    ln -s usr/lib64 "$root/lib64"
    install -m 755 "$UNPACKED/usr/sbin/xtables-nft-multi" "$UNPACKED/usr/sbin/conntrack" "$root/usr/sbin/"
    for name in iptables iptables-save iptables-restore ip6tables ip6tables-save ip6tables-restore; do
        ln -s xtables-nft-multi "$root/usr/sbin/$name"
    done
    local triplet
    triplet=$(gcc -print-multiarch)
    mkdir -p "$root/usr/lib/$triplet"
    cp -r "$UNPACKED/usr/lib/$triplet/xtables" "$root/usr/lib/$triplet/"
    with_libraries "$root" "$root/usr/sbin/xtables-nft-multi" "$root/usr/sbin/conntrack" \
        "$root/usr/lib/$triplet/xtables"/*.so
    # Libraries of unpacked packages came with their path in the cache.
    if [ -d "$root$UNPACKED" ]; then
        cp -r "$root$UNPACKED/." "$root/"
        rm -r "${root:?}/${UNPACKED#/}"
    fi
}

make_registry() (
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
    UNPACKED_LIBRARIES=$UNPACKED/usr/lib/$(gcc -print-multiarch)
    install -D -m 755 "$TOOLS/pause" "$work/pause/pause"
    push "$work/pause" "pause:$PAUSE_TAG" /pause
    install -D -m 755 "$TOOLS/probe" "$work/probe/probe"
    push "$work/probe" lab/probe:1 /probe
    mkdir -p "$work/etcd/tmp" "$work/etcd/var/lib/etcd"
    install -D -m 755 "$UNPACKED/usr/bin/etcd" "$work/etcd/usr/local/bin/etcd"
    install -D -m 755 "$UNPACKED/usr/bin/etcdctl" "$work/etcd/usr/local/bin/etcdctl"
    with_libraries "$work/etcd" "$UNPACKED/usr/bin/etcd" "$UNPACKED/usr/bin/etcdctl"
    push "$work/etcd" "etcd:$ETCD_TAG" /usr/local/bin/etcd
    kube_images "$work"
)

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
