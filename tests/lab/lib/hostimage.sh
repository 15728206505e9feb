# shellcheck shell=bash
# The images of the hosts: a Debian that boots, as a provider would hand it
# out. Nothing of Kubernetes is in it.

# The systems, and Debian's names for them. The first is the default.
SYSTEMS=(debian12 debian13)
declare -A SUITE_OF=([debian12]=bookworm [debian13]=trixie)
declare -A HOST_ROOT HOST_IMAGE

HOST_PACKAGES=(systemd systemd-sysv dbus openssh-server sudo iproute2 iptables kmod
    procps ca-certificates curl gnupg iputils-ping)

make_host() {
    local to=$1 system=$2 root=$1.root mirror proxy suite
    suite=${SUITE_OF[$system]}
    mkdir -p "$to"
    # One mirror has all suites.
    mirror=$(debian_sources | awk '$2 == "bookworm" || $2 == "trixie" { print $1; exit }')
    [ -n "$mirror" ] || die "apt of this machine knows no source of Debian 12 or 13"
    proxy=$(apt-config dump --format '%v%n' Acquire::http::Proxy)
    # Its own mount namespace: a killed run leaves no /proc mounted in the cache.
    http_proxy=${proxy:-${http_proxy:-}} unshare --mount debootstrap --variant=minbase \
        --include="$(IFS=,; echo "${HOST_PACKAGES[*]}")" "$suite" "$root" "$mirror"
    host_sources "$suite" >"$root/etc/apt/sources.list"
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

# This machine's own sources, as the suite of the host has them.
host_sources() {
    local suite=$1 uri of components
    debian_sources | while read -r uri of components; do
        echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $uri $suite${of#"${of%%-*}"} $components"
    done | sort -u
}

import_host_image() {
    local system=$1 init='["/sbin/init"]'
    docker_ready
    "$DOCKER" image inspect "${HOST_IMAGE[$system]}" >/dev/null 2>&1 && return
    # systemd 256 and later wants to be told that version 1 will do.
    if [ "$system" = debian13 ] && [ "$(stat -fc %T /sys/fs/cgroup)" != cgroup2fs ]; then
        init='["/sbin/init", "SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1", "systemd.unified_cgroup_hierarchy=0"]'
    fi
    note "importing ${HOST_IMAGE[$system]}"
    "$DOCKER" import --change "CMD $init" --change 'ENV container=docker' \
        "${HOST_ROOT[$system]}/root.tar" "${HOST_IMAGE[$system]}" >/dev/null
}
