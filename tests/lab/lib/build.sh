# shellcheck shell=bash
# Everything slow, once: each stage makes one directory of the cache, named by
# the hash of what makes it, written aside and renamed when it is complete.

# stage NAME HASH FUNCTION
stage() {
    local name=$1 out=$CACHE/$1-$2 function=$3 started=$SECONDS
    [ -e "$out" ] && return
    note "building $name (log: $CACHE/$name.log)"
    rm -rf "$out".part*
    # A plain command, not a condition: errexit must hold inside.
    ("$function" "$out.part") >"$CACHE/$name.log" 2>&1 </dev/null
    mv "$out.part" "$out"
    note "built $name in $((SECONDS - started)) s"
}

# Where the stages' results are. Cheap: only hashes.
build_paths() {
    local lib=$LAB_DIR/lib key
    key=$(hash_of "$lib/unpack.sh")
    UNPACKED=$CACHE/unpacked-$key
    key=$(hash_of "$lib/kube.sh" "$LAB_DIR"/patches/*)
    KUBE=$CACHE/kube-$key
    key=$(hash_of "$lib/kube.sh" "$lib/tools.sh" "$LAB_DIR"/src/*/main.go)
    TOOLS=$CACHE/tools-$key
    key=$(printf '%s ' "$KUBE" "$TOOLS" "$UNPACKED" | hash_of "$lib/packages.sh" "$LAB_DIR"/packages/* -)
    REPOSITORY=$CACHE/repository-$key
    key=$(printf '%s ' "$KUBE" "$TOOLS" "$UNPACKED" | hash_of "$lib/images.sh" -)
    REGISTRY=$CACHE/registry-$key
    key=$(hash_of "$lib/hostimage.sh" "$LAB_DIR"/host/*)
    HOST_ROOT=$CACHE/host-$key
    HOST_IMAGE=kdiy-lab-host:$key
}

lab_build() {
    local missing
    missing=$(missing_deps | sed '/^$/d' | tr '\n' ' ')
    [ -z "$missing" ] || die "missing: $missing- run: lab deps"
    [ "$(id -u)" -eq 0 ] || die "build needs root: debootstrap and the engine do"
    lock build
    build_paths
    stage unpacked "${UNPACKED##*-}" make_unpacked
    # debootstrap waits for the network and the disk while Go compiles.
    stage host "${HOST_ROOT##*-}" make_host &
    local host=$!
    stage kube "${KUBE##*-}" make_kube
    stage tools "${TOOLS##*-}" make_tools
    stage repository "${REPOSITORY##*-}" make_repository
    stage registry "${REGISTRY##*-}" make_registry
    wait "$host"
    import_host_image
    remove_stale
    unlock
}

# Results of older scripts, and what a killed run left behind; not what the
# daemons still serve, that goes after the next `serve`.
remove_stale() {
    local path served
    served=$(cat "$RUN"/*.command "$RUN/registry.served" 2>/dev/null || true)
    for path in "$CACHE"/{unpacked,kube,tools,repository,registry,host}-*; do
        case $path in
            "$UNPACKED" | "$KUBE" | "$TOOLS" | "$REPOSITORY" | "$REGISTRY" | "$HOST_ROOT") ;;
            *) [[ $served == *"$path"* ]] || rm -rf "$path" ;;
        esac
    done
}

# A client for the lab's clusters, on a machine that has none.
lab_kubectl() {
    build_paths
    local kubectl=$KUBE/$KUBE_VERSION/kubectl
    [ -x "$kubectl" ] || die "no kubectl yet; run: lab build"
    exec "$kubectl" "$@"
}
