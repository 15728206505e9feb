# shellcheck shell=bash
# Packages laid out like those of pkgs.k8s.io and of Docker, each repository
# flat and signed; and release archives as upstream's pages have them.

# package NAME VERSION DEPENDS TREE TO [FIELD…]
package() {
    local name=$1 version=$2 depends=$3 tree=$4 to=$5 field
    shift 5
    mkdir -p "$tree/DEBIAN" "$to"
    {
        echo "Package: $name"
        echo "Version: $version"
        echo "Architecture: $(dpkg --print-architecture)"
        echo "Maintainer: kdiy test lab <lab@kdiy.invalid>"
        [ -z "$depends" ] || echo "Depends: $depends"
        for field; do echo "$field"; done
        echo "Section: net"
        echo "Priority: optional"
        echo "Description: $name for the hosts of the kdiy test lab"
    } >"$tree/DEBIAN/control"
    # Light compression: many hosts unpack it, one machine holds it.
    dpkg-deb --build --root-owner-group -Zgzip -z1 "$tree" "$to" >/dev/null
}

# As upstream's since 1.32: kubeadm brings nothing along, and crictl is a
# package of its own in the same repository.
kube_packages() {
    local kube=$1 version=$2 to=$3 work=$4 full=$2-$PACKAGE_REVISION
    local unit=usr/lib/systemd/system
    install -D -m 755 "$kube/kubeadm" "$work/kubeadm/usr/bin/kubeadm"
    install -D -m 644 "$LAB_DIR/packages/10-kubeadm.conf" \
        "$work/kubeadm/$unit/kubelet.service.d/10-kubeadm.conf"
    package kubeadm "$full" '' "$work/kubeadm" "$to"

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
    package kubelet "$full" 'iptables, kubernetes-cni, mount, util-linux' "$work/kubelet" "$to"

    install -D -m 755 "$kube/kubectl" "$work/kubectl/usr/bin/kubectl"
    package kubectl "$full" '' "$work/kubectl" "$to"

    install -D -m 755 "$PROGRAMS/crictl" "$work/cri-tools/usr/bin/crictl"
    package cri-tools "$CRI_TOOLS_VERSION-$PACKAGE_REVISION" '' "$work/cri-tools" "$to"

    mkdir -p "$work/cni/opt/cni/bin"
    cp "$PROGRAMS"/cni/* "$work/cni/opt/cni/bin/"
    # flannel brings its own plugin, in an image.
    rm -f "$work/cni/opt/cni/bin/flannel"
    package kubernetes-cni "$CNI_PLUGINS_VERSION-$PACKAGE_REVISION" '' "$work/cni" "$to"
    rm -r "${work:?}"/*
}

# As Docker's containerd.io: runc in it, a configuration that turns CRI off.
containerd_package() {
    local to=$1 work=$2 program
    for program in "$PROGRAMS"/containerd/* "$UNPACKED/usr/sbin/runc"; do
        install -D -m 755 "$program" "$work/usr/bin/${program##*/}"
    done
    install -D -m 644 "$LAB_DIR/packages/containerd.service" \
        "$work/usr/lib/systemd/system/containerd.service"
    install -D -m 644 /dev/stdin "$work/etc/containerd/config.toml" <<<'disabled_plugins = ["cri"]'
    mkdir -p "$work/DEBIAN"
    echo /etc/containerd/config.toml >"$work/DEBIAN/conffiles"
    install -m 755 "$LAB_DIR/packages/containerd.postinst" "$work/DEBIAN/postinst"
    package containerd.io "$CONTAINERD_VERSION-1" 'libc6, libseccomp2' "$work" "$to" \
        'Provides: containerd, runc' 'Conflicts: containerd, runc' 'Replaces: containerd, runc'
    rm -r "${work:?}"/*
}

# etcd_archive VERSION TO WORK
etcd_archive() {
    local version=$1 to=$2/etcd/v$1 work=$3 name
    name=etcd-v$version-linux-$(dpkg --print-architecture)
    mkdir -p "$to" "$work/$name"
    cp "$PROGRAMS/etcd-$version"/* "$work/$name/"
    tar -C "$work" --owner=0 --group=0 -czf "$to/$name.tar.gz" "$name"
    (cd "$to" && sha256sum -- *.tar.gz >SHA256SUMS)
    rm -r "${work:?}"/*
}

containerd_archive() {
    local to=$1/containerd/v$CONTAINERD_VERSION work=$2 name
    name=containerd-$CONTAINERD_VERSION-linux-$(dpkg --print-architecture).tar.gz
    mkdir -p "$to" "$work/bin"
    cp "$PROGRAMS"/containerd/* "$work/bin/"
    tar -C "$work" --owner=0 --group=0 -czf "$to/$name" bin
    (cd "$to" && sha256sum "$name" >"$name.sha256sum")
    rm -r "${work:?}"/*
}

# sign_repository DIR : Packages, Release, InRelease, Release.key; and as
# wrong.key a key that signed nothing. The keys stay in the cache, so that hosts
# that trust a repository still do after a rebuild.
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
    apt-ftparchive packages . | sed 's|^Filename: \./|Filename: |' >Packages
    gzip -k9 Packages
    apt-ftparchive -o APT::FTPArchive::Release::Origin=kdiy-lab \
        -o APT::FTPArchive::Release::Label=kdiy-lab release . >../Release
    mv ../Release Release
    "${gpg[@]}" --local-user lab@kdiy.invalid --clearsign --output InRelease Release
    "${gpg[@]}" --local-user lab@kdiy.invalid --armor --detach-sign --output Release.gpg Release
    "${gpg[@]}" --armor --export lab@kdiy.invalid >Release.key
    "${gpg[@]}" --armor --export wrong@kdiy.invalid >wrong.key
)

# The newest release without crictl, as a mirror that somebody has picked for
# kubeadm alone.
incomplete_repository() {
    local to=$1 whole
    whole=$to/core:/stable:/v$(minor_of "$KUBE_VERSION")/deb
    mkdir -p "$to/without-cri-tools/deb"
    cp -al "$whole/$(dpkg --print-architecture)" "$to/without-cri-tools/deb/"
    rm "$to"/without-cri-tools/deb/*/cri-tools_*
    sign_repository "$to/without-cri-tools/deb"
}

# One repository for each minor version, as upstream has.
make_repository() {
    local to=$1 work=$1.work version repository
    mkdir -p "$work"
    for version in "${KUBE_VERSIONS[@]}"; do
        repository=$to/core:/stable:/v$(minor_of "$version")/deb
        kube_packages "$CACHE/$(kube_stage "$version")" "$version" \
            "$repository/$(dpkg --print-architecture)" "$work"
        sign_repository "$repository"
    done
    incomplete_repository "$to"
    containerd_package "$to/docker/$(dpkg --print-architecture)" "$work"
    sign_repository "$to/docker"
    for version in "${ETCD_VERSIONS[@]}"; do etcd_archive "$version" "$to" "$work"; done
    containerd_archive "$to" "$work"
    mkdir -p "$to/flannel"
    cp "$PROGRAMS/manifests/kube-flannel.yml" "$to/flannel/"
    borrowed_packages "$to" "$work"
    rm -rf "$work"
}
