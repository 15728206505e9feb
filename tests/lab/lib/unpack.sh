# shellcheck shell=bash
# Debian packages whose files the lab uses without installing them: installed
# they would start services on this machine or clutter it.

UNPACK=(docker-registry runc busybox-static
    # The contents of kube-proxy's image.
    iptables conntrack nftables libip4tc2 libip6tc2 libxtables12 libmnl0 libnftnl11
    libnetfilter-conntrack3 libnfnetlink0 libnftables1 libjansson4 libedit2 libbsd0 libmd0
    libgmp10 libtinfo6)

make_unpacked() {
    local to=$1 deb
    private_apt_setup
    mkdir -p "$to/debs"
    (
        cd "$to/debs"
        private_apt download --quiet=2 "${UNPACK[@]}"
    )
    for deb in "$to"/debs/*.deb; do
        dpkg-deb -x "$deb" "$to"
    done
}
