# shellcheck shell=bash
# Packages laid out like those of pkgs.k8s.io, and a flat signed repository.

# package NAME VERSION DEPENDS TREE TO [ARCHITECTURE]
package() {
    local name=$1 version=$2 depends=$3 tree=$4 to=$5
    mkdir -p "$tree/DEBIAN"
    {
        echo "Package: $name"
        echo "Version: $version"
        echo "Architecture: $(dpkg --print-architecture)"
        echo "Maintainer: kdiy test lab <lab@kdiy.invalid>"
        [ -z "$depends" ] || echo "Depends: $depends"
        echo "Section: net"
        echo "Priority: optional"
        echo "Description: $name for the hosts of the kdiy test lab"
    } >"$tree/DEBIAN/control"
    # Light compression: many hosts unpack it, one machine holds it.
    dpkg-deb --build --root-owner-group -Zgzip -z1 "$tree" "$to" >/dev/null
}

kube_packages() {
    local kube=$1 version=$2 to=$3 work=$4 full=$2-$PACKAGE_REVISION
    local unit=usr/lib/systemd/system
    install -D -m 755 "$kube/kubeadm" "$work/kubeadm/usr/bin/kubeadm"
    install -D -m 644 "$LAB_DIR/packages/10-kubeadm.conf" \
        "$work/kubeadm/$unit/kubelet.service.d/10-kubeadm.conf"
    package kubeadm "$full" 'cri-tools (>= 1.19.0)' "$work/kubeadm" "$to"

    install -D -m 755 "$kube/kubelet" "$work/kubelet/usr/bin/kubelet"
    install -D -m 644 "$LAB_DIR/packages/kubelet.service" "$work/kubelet/$unit/kubelet.service"
    mkdir -p "$work/kubelet/etc/kubernetes/manifests"
    install -d "$work/kubelet/DEBIAN"
    install -D -m 644 /dev/stdin "$work/kubelet/etc/default/kubelet" <<<'KUBELET_EXTRA_ARGS='
    echo /etc/default/kubelet >"$work/kubelet/DEBIAN/conffiles"
    local script
    for script in postinst prerm postrm; do
        install -m 755 "$LAB_DIR/packages/kubelet.$script" "$work/kubelet/DEBIAN/$script"
    done
    package kubelet "$full" \
        'kubernetes-cni (>= 0.8.6), iptables (>= 1.4.21), iproute2, mount, util-linux, ethtool, socat, conntrack, ebtables' \
        "$work/kubelet" "$to"

    install -D -m 755 "$kube/kubectl" "$work/kubectl/usr/bin/kubectl"
    package kubectl "$full" '' "$work/kubectl" "$to"
    rm -r "$work/kubeadm" "$work/kubelet" "$work/kubectl"
}

# Release, InRelease, Release.key; and as wrong.key a key that signed nothing.
# The keys stay in the cache, so that hosts that trust the repository still do
# after a rebuild.
sign_repository() (
    dir=$1
    home=$CACHE/gnupg
    gpg=(gpg --homedir "$home" --batch --quiet --no-tty)
    trap 'gpgconf --homedir "$home" --kill all' EXIT
    mkdir -p "$home"
    chmod 700 "$home"
    for who in lab wrong; do
        "${gpg[@]}" --list-secret-keys "$who@kdiy.invalid" >/dev/null 2>&1 ||
            "${gpg[@]}" --passphrase '' --quick-gen-key "kdiy $who <$who@kdiy.invalid>" rsa2048 sign never
    done
    cd "$dir"
    apt-ftparchive packages amd64 >Packages
    gzip -k9 Packages
    apt-ftparchive -o APT::FTPArchive::Release::Origin=kdiy-lab \
        -o APT::FTPArchive::Release::Label=kdiy-lab release . >../Release
    mv ../Release Release
    "${gpg[@]}" --local-user lab@kdiy.invalid --clearsign --output InRelease Release
    "${gpg[@]}" --local-user lab@kdiy.invalid --armor --detach-sign --output Release.gpg Release
    "${gpg[@]}" --armor --export lab@kdiy.invalid >Release.key
    "${gpg[@]}" --armor --export wrong@kdiy.invalid >wrong.key
)

make_repository() {
    local to=$1 work=$1.work version
    mkdir -p "$work" "$to/apt/amd64"
    for version in "$KUBE_PREVIOUS" "$KUBE_VERSION"; do
        kube_packages "$KUBE/$version" "$version" "$to/apt/amd64" "$work"
    done
    install -D -m 755 "$TOOLS/crictl" "$work/cri/usr/bin/crictl"
    package cri-tools 1.20.0-1.1 '' "$work/cri" "$to/apt/amd64"
    mkdir -p "$work/cni/opt/cni"
    cp -r "$UNPACKED/usr/lib/cni" "$work/cni/opt/cni/bin"
    package kubernetes-cni 1.1.1-1.1 '' "$work/cni" "$to/apt/amd64"
    sign_repository "$to/apt"
    rm -rf "$work"
}
