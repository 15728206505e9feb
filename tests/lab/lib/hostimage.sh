# shellcheck shell=bash
# The image of the hosts: a Debian that boots, as a provider would hand it
# out. Nothing of Kubernetes is in it.

HOST_PACKAGES=(systemd systemd-sysv dbus openssh-server sudo iproute2 iptables kmod
    procps ca-certificates curl gnupg iputils-ping)

make_host() {
    local to=$1 root=$1.root mirror proxy
    mkdir -p "$to"
    mirror=$(debian_sources | awk '$2 == "bookworm" { print $1; exit }')
    [ -n "$mirror" ] || die "apt of this machine knows no Debian 12 source"
    proxy=$(apt-config dump --format '%v%n' Acquire::http::Proxy)
    # Its own mount namespace: a killed run leaves no /proc mounted in the cache.
    http_proxy=${proxy:-${http_proxy:-}} unshare --mount debootstrap --variant=minbase \
        --include="$(IFS=,; echo "${HOST_PACKAGES[*]}")" bookworm "$root" "$mirror"
    write_sources "$root/etc/apt/sources.list" deb
    apt_access >"$root/etc/apt/apt.conf.d/90lab"
    cp "$LAB_DIR/host/apt.conf" "$root/etc/apt/apt.conf.d/80lab"
    # Throw-away hosts need no fsync for every unpacked file.
    echo force-unsafe-io >"$root/etc/dpkg/dpkg.cfg.d/lab"
    host_users "$root"
    host_boot "$root"
    cp /etc/resolv.conf "$root/etc/resolv.conf"
    chroot "$root" apt-get update
    rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/etc/ssh/ssh_host_* \
        "$root"/var/log/*.log "$root/etc/resolv.conf" "$root/etc/hostname"
    # Every host gets its own at first boot.
    : >"$root/etc/machine-id"
    rm -f "$root/var/lib/dbus/machine-id"
    tar -C "$root" --numeric-owner -cf "$to/root.tar" .
    rm -rf "$root"
}

# ops may do everything, opspw must give the password "lab" for it, nosudo
# may do nothing.
host_users() {
    local root=$1 user
    for user in ops opspw nosudo; do
        chroot "$root" useradd --create-home --shell /bin/bash "$user"
        echo "$user:lab" | chroot "$root" chpasswd
    done
    echo 'ops ALL=(ALL:ALL) NOPASSWD: ALL' >"$root/etc/sudoers.d/ops"
    echo 'opspw ALL=(ALL:ALL) ALL' >"$root/etc/sudoers.d/opspw"
    chmod 440 "$root"/etc/sudoers.d/ops*
    cp "$LAB_DIR/host/sshd.conf" "$root/etc/ssh/sshd_config.d/lab.conf"
}

host_boot() {
    local root=$1 unit
    install -m 755 "$LAB_DIR/host/lab-cgroups" "$root/usr/local/sbin/lab-cgroups"
    for unit in lab-cgroups lab-hostkeys; do
        install -m 644 "$LAB_DIR/host/$unit.service" "$root/etc/systemd/system/$unit.service"
        chroot "$root" systemctl enable "$unit.service"
    done
    mkdir -p "$root/etc/systemd/journald.conf.d"
    printf '[Journal]\nStorage=volatile\nRuntimeMaxUse=32M\nRateLimitBurst=0\n' \
        >"$root/etc/systemd/journald.conf.d/lab.conf"
    # Devices and consoles belong to the machine outside.
    chroot "$root" systemctl mask getty.target console-getty.service \
        systemd-udevd.service systemd-udev-trigger.service systemd-udevd-kernel.socket \
        systemd-udevd-control.socket systemd-logind.service \
        apt-daily.timer apt-daily-upgrade.timer
    chroot "$root" systemctl set-default multi-user.target
}

import_host_image() {
    docker_ready
    "$DOCKER" image inspect "$HOST_IMAGE" >/dev/null 2>&1 && return
    note "importing $HOST_IMAGE"
    "$DOCKER" import --change 'CMD ["/sbin/init"]' --change 'ENV container=docker' \
        "$HOST_ROOT/root.tar" "$HOST_IMAGE" >/dev/null
}
