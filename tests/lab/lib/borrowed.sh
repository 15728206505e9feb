# shellcheck shell=bash
# Programs that no registry of packages has. Whoever has built them names them
# by a variable each, and the lab makes of them what upstream hands out:
#
#   KDIY_LAB_KUBE_VIP     the program: an image, kube-vip/kube-vip:TAG
#   KDIY_LAB_CRI_DOCKERD  the program: a package
#   KDIY_LAB_CRIO         a folder with crio, pinns and conmon: a repository

borrowed_hash() {
    local borrowed
    for borrowed in "${KDIY_LAB_KUBE_VIP:-}" "${KDIY_LAB_CRI_DOCKERD:-}" "${KDIY_LAB_CRIO:+$KDIY_LAB_CRIO/crio}"; do
        [ -z "$borrowed" ] || sha256sum -- "$borrowed"
    done
}

# borrowed_packages TO WORK
borrowed_packages() {
    local to=$1 work=$2
    [ -z "${KDIY_LAB_CRI_DOCKERD:-}" ] || cri_dockerd_package "$to/cri-dockerd" "$work"
    if [ -n "${KDIY_LAB_CRIO:-}" ]; then
        crio_package "$to/isv:/cri-o:/stable:/v$(minor_of "$KUBE_VERSION")/deb" "$work"
    fi
}

# Upstream's package has the socket unit enabled and the service by it.
cri_dockerd_package() {
    local to=$1 work=$2 version unit
    version=$("$KDIY_LAB_CRI_DOCKERD" --version 2>&1 | grep -oE '[0-9]+\.[0-9]+\.[0-9]+' | head -1)
    install -D -m 755 "$KDIY_LAB_CRI_DOCKERD" "$work/usr/bin/cri-dockerd"
    for unit in service socket; do
        install -D -m 644 "$LAB_DIR/packages/cri-docker.$unit" \
            "$work/usr/lib/systemd/system/cri-docker.$unit"
    done
    mkdir -p "$work/DEBIAN"
    install -m 755 "$LAB_DIR/packages/cri-dockerd.postinst" "$work/DEBIAN/postinst"
    package cri-dockerd "${version:-0.0.0}-0" '' "$work" "$to"
    mv "$to"/cri-dockerd_*.deb "$to/cri-dockerd.deb"
    (cd "$to" && sha256sum cri-dockerd.deb >SHA256SUMS)
    rm -r "${work:?}"/*
}

crio_package() {
    local to=$1 work=$2 version program
    version=$("$KDIY_LAB_CRIO/crio" --version 2>&1 | grep -oE '[0-9]+\.[0-9]+\.[0-9]+' | head -1)
    for program in crio pinns; do
        install -D -m 755 "$KDIY_LAB_CRIO/$program" "$work/usr/bin/$program"
    done
    # Upstream's has runc beside it, too; hosts of the lab may have to look for
    # theirs, see runtime/runc.
    install -D -m 755 "$KDIY_LAB_CRIO/conmon" "$work/usr/libexec/crio/conmon"
    install -D -m 644 "$LAB_DIR/packages/crio.service" "$work/usr/lib/systemd/system/crio.service"
    install -D -m 644 "$LAB_DIR/packages/crio.conf" "$work/etc/crio/crio.conf.d/10-crio.conf"
    install -D -m 644 "$LAB_DIR/packages/crio-policy.json" "$work/etc/containers/policy.json"
    mkdir -p "$work/DEBIAN"
    printf '/etc/crio/crio.conf.d/10-crio.conf\n/etc/containers/policy.json\n' >"$work/DEBIAN/conffiles"
    package cri-o "$version-1.1" 'libc6, libglib2.0-0 | libglib2.0-0t64, libseccomp2, runc' "$work" "$to/$(dpkg --print-architecture)"
    sign_repository "$to"
    rm -r "${work:?}"/*
}
