# shellcheck shell=bash
# The images that upstream's conformance tests run, beside the cluster's own.
# Those of upstream are made of Alpine, whose packages cannot be had here: these
# have the same programs from Debian.

SUITE_PACKAGES=(bash curl bind9-dnsutils netcat-openbsd iproute2 socat nginx-light)

# Programs of the suite as image tags of upstream's manifest.go have them.
suite_tag() {
    local manifest tag
    manifest=$(module_dir "kubernetes-$KUBE_VERSION" k8s.io/kubernetes)/test/utils/image/manifest.go
    tag=$(sed -n "s/.*configs\[$1\] = Config{list.PromoterE2eRegistry, \"\(.*\)\", \"\(.*\)\"}.*/\1:\2/p" "$manifest")
    [ -n "$tag" ] || die "no image $1 in $manifest"
    echo "e2e-test-images/$tag"
}

make_suite_registry() {
    local to=$1
    cp -a "$REGISTRY" "$to"
    registry_build "$to" suite_images
}

suite_images() {
    local root=$WORK/suite upstream mirror name
    upstream=$(module_dir "kubernetes-$KUBE_VERSION" k8s.io/kubernetes)/test/images
    mirror=$(debian_sources | awk '$2 == "bookworm" { print $1; exit }')
    unshare --mount debootstrap --variant=minbase \
        --include="$(IFS=,; echo "${SUITE_PACKAGES[*]}")" bookworm "$root" "$mirror"
    rm -rf "$root"/var/{cache/apt,lib/apt/lists,log}/* "$root"/usr/share/{doc,man,locale}
    # Names that agnhost's tests look for.
    install -m 755 "$SUITE/agnhost" "$root/agnhost"
    ln -s agnhost "$root/agnhost-2"
    mkdir "$root/uploads"
    cp "$upstream"/agnhost/porter/localhost.{crt,key} "$root/"
    chroot "$root" groupadd --gid 50000 group-defined-in-image
    chroot "$root" useradd --uid 1000 --create-home --groups group-defined-in-image user-defined-in-image
    printf 'daemon off;\nevents {}\nhttp { server { listen 80; root /var/www/html; } }\n' >"$root/etc/nginx/nginx.conf"
    lab_go "kubernetes-$KUBE_VERSION" build -mod=readonly -o "$root/usr/local/bin/nnp" \
        k8s.io/kubernetes/test/images/nonewprivs
    chmod u+s "$root/usr/local/bin/nnp"

    # One root, and so one layer for all of these.
    tar -C "$root" --numeric-owner --sort=name -cf "$WORK/suite.tar" .
    push_suite '["/agnhost"]' '["pause"]' "$(suite_tag Agnhost)" "$(suite_tag AgnhostPrev)"
    push_suite '["nginx"]' '[]' "$(suite_tag Nginx)" "$(suite_tag NginxNew)"
    push_suite '[]' '["nnp"]' "$(suite_tag Nonewprivs)"
    push_suite '[]' '["bash"]' "$(suite_tag GlibcDnsTesting)"
    for name in Kitten Nautilus; do push_pet "$name" "$upstream/${name,}/html"; done

    root=$WORK/busybox
    busybox_root "$root"
    push "$root" '' "$(suite_tag BusyBox)"
}

# push_suite ENTRYPOINT CMD NAME:TAG…
push_suite() {
    local entrypoint=$1 cmd=$2 image
    shift 2
    for image; do
        "$DOCKER" import --change "ENTRYPOINT $entrypoint" --change "CMD $cmd" \
            --change 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' \
            "$WORK/suite.tar" "$REGISTRY_BUILD/$image" >/dev/null
        "$DOCKER" push --quiet "$REGISTRY_BUILD/$image" >/dev/null
        [ "$image" = "$(suite_tag Agnhost)" ] || "$DOCKER" rmi "$REGISTRY_BUILD/$image" >/dev/null
    done
}

# A web server with a picture, which the tests of rolling updates look at.
push_pet() {
    local image
    image=$REGISTRY_BUILD/$(suite_tag "$1")
    printf 'FROM %s\nCOPY . /\nCMD ["test-webserver"]\n' "$REGISTRY_BUILD/$(suite_tag Agnhost)" |
        "$DOCKER" build --quiet --tag "$image" --file - "$2" >/dev/null
    "$DOCKER" push --quiet "$image" >/dev/null
}

busybox_root() {
    local root=$1 applet
    mkdir -p "$root"/{bin,etc,root,proc,sys,dev,var}
    install -d -m 1777 "$root/tmp"
    install -m 755 "$UNPACKED/bin/busybox" "$root/bin/busybox"
    while read -r applet; do
        [ "$applet" = busybox ] || ln -s busybox "$root/bin/$applet"
    done < <("$root/bin/busybox" --list)
    echo 'root:x:0:0:root:/root:/bin/sh' >"$root/etc/passwd"
    echo 'root:x:0:' >"$root/etc/group"
}
