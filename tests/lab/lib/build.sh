# shellcheck shell=bash
# Everything slow, once: each stage makes one directory of the cache, named by
# the hash of what makes it, written aside and renamed when it is complete.

# stage STAGE FUNCTION WORDS… : STAGE is NAME-HASH.
stage() {
    local out=$CACHE/$1 name=${1%-*} started=$SECONDS function=$2 failed
    shift 2
    [ -e "$out" ] && return
    note "building $name (log: $CACHE/$name.log)"
    rm -rf "$out".part*
    # A plain command, not a condition: errexit must hold inside.
    set +e
    (
        set -e
        "$function" "$out.part" "$@"
    ) >"$CACHE/$name.log" 2>&1 </dev/null
    failed=$?
    set -e
    [ "$failed" -eq 0 ] || die "building $name failed; the end of $CACHE/$name.log:
$(tail -n 15 "$CACHE/$name.log")"
    mv "$out.part" "$out"
    note "built $name in $((SECONDS - started)) s"
}

# kube_stage VERSION : its programs' stage. Only what makes them is in the key:
# nobody builds Kubernetes again because CoreDNS has a new version.
kube_stage() {
    local key
    key=$(cat "$LAB_DIR/go/kubernetes-$1"/go.* "$LAB_DIR"/lib/{kube,programs}.sh | sha256sum | cut -c1-12)
    echo "kube_$1-$key"
}

# Where the stages' results are. Cheap: only hashes.
build_paths() {
    local lib=$LAB_DIR/lib key kube system
    kube=$(for version in "${KUBE_VERSIONS[@]}"; do kube_stage "$version"; done)
    UNPACKED=$CACHE/unpacked-$(hash_of "$lib/unpack.sh")
    PROGRAMS=$CACHE/programs-$(hash_of "$lib/programs.sh" "$LAB_DIR"/src/*/main.go "$LAB_DIR"/go/*/go.mod)
    SUITE=$CACHE/suite-$(hash_of "$lib"/{kube,programs}.sh "$LAB_DIR/go/kubernetes-$KUBE_VERSION/go.mod")
    key=$({ printf '%s ' "$kube" "$PROGRAMS" "$UNPACKED" && borrowed_hash; } |
        hash_of "$lib"/{packages,borrowed}.sh "$LAB_DIR"/packages/* -)
    REPOSITORY=$CACHE/repository-$key
    key=$({ printf '%s ' "$kube" "$PROGRAMS" "$UNPACKED" && borrowed_hash; } | hash_of "$lib/images.sh" -)
    REGISTRY=$CACHE/registry-$key
    key=$(printf '%s ' "$REGISTRY" "$SUITE" | hash_of "$lib/conformance.sh" -)
    SUITE_REGISTRY=$CACHE/suite_registry-$key
    for system in "${SYSTEMS[@]}"; do
        key=$(hash_of "$lib/hostimage.sh" "$LAB_DIR"/host/*)
        # shellcheck disable=SC2004  # arrays by name, declared in hostimage.sh
        HOST_ROOT[$system]=$CACHE/host_$system-$key
        # shellcheck disable=SC2004
        HOST_IMAGE[$system]=kdiy-lab-$system:$key
    done
}

# lab_build [all] : what clusters need; with `all` the conformance suite, too.
lab_build() {
    local missing system hosts=() host version
    missing=$(missing_deps | sed '/^$/d' | tr '\n' ' ')
    [ -z "$missing" ] || die "missing: $missing- run: lab deps"
    [ "$(id -u)" -eq 0 ] || die "build needs root: debootstrap and the engine do"
    find_go
    lock build
    build_paths
    stage "${UNPACKED##*/}" make_unpacked
    # debootstrap waits for the network and the disk while Go compiles.
    for system in "${SYSTEMS[@]}"; do
        stage "$(basename "${HOST_ROOT[$system]}")" make_host "$system" &
        hosts+=($!)
    done
    for version in "${KUBE_VERSIONS[@]}"; do stage "$(kube_stage "$version")" make_kube "$version"; done
    stage "${PROGRAMS##*/}" make_programs
    [ "${1:-}" != all ] || stage "${SUITE##*/}" make_suite
    stage "${REPOSITORY##*/}" make_repository
    stage "${REGISTRY##*/}" make_registry
    [ "${1:-}" != all ] || stage "${SUITE_REGISTRY##*/}" make_suite_registry
    for host in "${hosts[@]}"; do wait "$host"; done
    for system in "${SYSTEMS[@]}"; do import_host_image "$system"; done
    remove_stale
    # What was compiled on the way takes 11 GB, and kubelets want a seventh of
    # the disk free. Who works on the lab keeps it.
    [ -n "${KDIY_LAB_KEEP_COMPILED:-}" ] || rm -rf "$CACHE/go-build"
    unlock
}

# Results of older scripts, and what a killed run left behind; not what the
# daemons still serve, that goes after the next `serve`.
remove_stale() {
    local path served keep version
    served=$(cat "$RUN"/*.command "$RUN/registry.served" 2>/dev/null || true)
    keep=" $UNPACKED $PROGRAMS $SUITE $REPOSITORY $REGISTRY $SUITE_REGISTRY ${HOST_ROOT[*]} "
    # Releases that only some runs ask for cost minutes.
    for version in "${KUBE_LOCKED[@]}"; do keep+="$CACHE/$(kube_stage "$version") "; done
    for path in "$CACHE"/*-????????????; do
        [[ $keep == *" $path "* || $served == *"$path"* ]] || rm -rf "$path"
    done
}

# lab_program NAME [VERSION] : where a program that was built is. Without a
# version, of the newest.
lab_program() {
    [ $# -ge 1 ] || die "usage: lab program NAME [VERSION]"
    local name=$1 path
    build_paths
    for path in "$CACHE/$(kube_stage "${2:-$KUBE_VERSION}")" "$PROGRAMS/etcd-${2:-${ETCD_VERSIONS[-1]}}" \
        "$PROGRAMS" "$SUITE"; do
        if [ -x "$path/$name" ]; then
            echo "$path/$name"
            return
        fi
    done
    die "no $name ${2:-}yet; run: lab build"
}

# A client for the lab's clusters, on a machine that has none.
lab_kubectl() {
    local kubectl
    kubectl=$(lab_program kubectl)
    exec "$kubectl" "$@"
}
