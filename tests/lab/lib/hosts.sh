# shellcheck shell=bash
# Labs: containers that behave as VMs, and the files that an SSH client needs.

valid_name() { [[ $1 =~ ^[a-z0-9]([a-z0-9-]*[a-z0-9])?$ ]]; }

container() { printf 'kdiy-%s-%s' "$1" "$2"; }

# Flags for a container in which systemd, containerd and a kubelet run.
vm_flags() {
    FLAGS=(--cgroupns=private --tmpfs /run --tmpfs /tmp:exec --stop-signal SIGRTMIN+3
        -v /var/lib/containerd -v /var/lib/containers -v /var/lib/docker -v /var/lib/etcd
        --memory "${KDIY_LAB_MEMORY:-4g}" --memory-swap -1)
    local bounding
    bounding=$((16#$(awk '/^CapBnd/ { print $2 }' /proc/self/status)))
    if ((bounding >> 24 & 1)); then
        FLAGS+=(--privileged)
        return
    fi
    # Without CAP_SYS_RESOURCE an engine cannot give --privileged, but nearly
    # all that it consists of.
    local cap
    for cap in AUDIT_CONTROL AUDIT_READ AUDIT_WRITE BLOCK_SUSPEND CHOWN DAC_OVERRIDE \
        DAC_READ_SEARCH FOWNER FSETID IPC_LOCK IPC_OWNER KILL LEASE LINUX_IMMUTABLE \
        MAC_ADMIN MAC_OVERRIDE MKNOD NET_ADMIN NET_BIND_SERVICE NET_BROADCAST NET_RAW \
        SETFCAP SETGID SETPCAP SETUID SYSLOG SYS_ADMIN SYS_BOOT SYS_CHROOT SYS_MODULE \
        SYS_NICE SYS_PACCT SYS_PTRACE SYS_RAWIO SYS_TIME SYS_TTY_CONFIG WAKE_ALARM; do
        FLAGS+=(--cap-add "$cap")
    done
    # Docker has no setting for hosts that cannot lower OOM scores.
    FLAGS+=(-v "$LAB_DIR/runtime/runc:/usr/local/sbin/runc:ro")
    FLAGS+=(--security-opt seccomp=unconfined --security-opt apparmor=unconfined
        --security-opt systempaths=unconfined --device-cgroup-rule 'a *:* rwm')
    local device
    for device in /dev/kmsg /dev/fuse; do
        [ ! -e "$device" ] || FLAGS+=(--device "$device")
    done
}

lab_state() {
    local dir=$STATE/$1
    # Only the keys' directory is private; hosts mount the public key from it.
    mkdir -p "$dir"
    chmod 700 "$dir"
    [ -e "$dir/id_ed25519" ] || ssh-keygen -q -t ed25519 -N '' -C "kdiy-lab-$1" -f "$dir/id_ed25519"
    [ -e "$dir/authorized_keys" ] || install -m 644 "$dir/id_ed25519.pub" "$dir/authorized_keys"
    touch "$dir/known_hosts" "$dir/hosts"
    resolv_conf >"$dir/resolv.conf"
    chmod 644 "$dir/resolv.conf"
}

# Hosts ask the machine's name servers themselves. The engine's own resolver
# lives in NAT rules, and would be lost with the first `iptables -t nat -F`.
# Empty if the machine only knows a server on its loopback.
resolv_conf() {
    local file
    for file in /etc/resolv.conf /run/systemd/resolve/resolv.conf; do
        [ -r "$file" ] || continue
        if grep '^nameserver' "$file" | grep -v ' 127\.'; then return; fi
    done
}

# create NAME HOST ADDRESS SYSTEM [CMD…]
create() {
    local name=$1 host=$2 address=$3 system=$4
    shift 4
    local flags=("${FLAGS[@]}")
    [ ! -s "$STATE/$name/resolv.conf" ] ||
        flags+=(-v "$STATE/$name/resolv.conf:/etc/resolv.conf:ro")
    "$DOCKER" create --name "$(container "$name" "$host")" --hostname "$host" \
        --label "kdiy-lab=$name" --label "kdiy-host=$host" --label "kdiy-address=$address" \
        --label "kdiy-system=$system" \
        --network "$NETWORK" --ip "$address" \
        -v "$STATE/$name/authorized_keys:/etc/ssh/lab_authorized_keys:ro" \
        "${flags[@]}" "${HOST_IMAGE[$system]}" "$@" >/dev/null
}

exists() { "$DOCKER" container inspect "$1" >/dev/null 2>&1; }

sshd_answers() {
    local line
    exec 8<>"/dev/tcp/$1/22" || return 1
    read -r -t 5 line <&8
    exec 8>&-
    [[ $line == SSH-* ]]
}

# The host's true key, not by asking the network.
host_keys() {
    "$DOCKER" exec "$(container "$1" "$2")" sh -c 'cat /etc/ssh/ssh_host_*_key.pub'
}

# remember NAME HOST ADDRESS : the host in hosts and known_hosts, once.
remember() {
    remember_key "$1" "$2" "$3" "$(host_keys "$1" "$2")"
}

# remember_key NAME HOST ADDRESS PUBLIC-KEYS
remember_key() {
    local host=$2 address=$3 dir=$STATE/$1 keys
    keys=$(awk -v a="$address" '{ print a, $1, $2 }' <<<"$4")
    (
        flock 7
        { awk -v a="$address" '$1 != a' "$dir/known_hosts" && echo "$keys"; } >"$dir/known_hosts.new"
        mv "$dir/known_hosts.new" "$dir/known_hosts"
        { awk -v h="$host" '$1 != h' "$dir/hosts" && echo "$host $address"; } | sort -V >"$dir/hosts.new"
        mv "$dir/hosts.new" "$dir/hosts"
    ) 7>"$dir/lock"
}

label_of() { "$DOCKER" inspect --format "{{index .Config.Labels \"$2\"}}" "$1"; }

# bring NAME HOST ADDRESS SYSTEM [CMD…] : a running host that answers.
bring() {
    local name=$1 host=$2 address=$3 system=$4 box
    box=$(container "$name" "$host")
    if exists "$box"; then
        local have
        have="$(label_of "$box" kdiy-address) $(label_of "$box" kdiy-system)"
        [ "$have" = "$address $system" ] || die "$host is up as $have, not as $address $system"
    else
        create "$@"
    fi
    "$DOCKER" start "$box" >/dev/null
    poll 60 sshd_answers "$address" || die "$host: sshd does not answer at $address"
    remember "$name" "$host" "$address"
}

lab_up() {
    [ $# -ge 2 ] || die "usage: lab up NAME HOST=ADDRESS[/SYSTEM]…"
    local name=$1 pair pids=() pid failed=0 address system
    shift
    valid_name "$name" || die "not a name: $name"
    for pair; do
        [[ $pair =~ ^[a-z0-9-]+=[0-9.]+(/[a-z0-9]+)?$ ]] || die "not HOST=ADDRESS[/SYSTEM]: $pair"
        [[ $pair != */* || -n ${SUITE_OF[${pair#*/}]:-} ]] || die "no such system: ${pair#*/} (there are: ${SYSTEMS[*]})"
    done
    build_paths
    docker_ready
    network_ready
    inotify_ready
    lab_state "$name"
    vm_flags
    for pair; do
        address=${pair#*=}
        system=${SYSTEMS[0]}
        [[ $address != */* ]] || system=${address#*/}
        bring "$name" "${pair%%=*}" "${address%%/*}" "$system" &
        pids+=($!)
    done
    for pid in "${pids[@]}"; do wait "$pid" || failed=1; done
    [ "$failed" -eq 0 ] || die "not every host of $name came up"
    note "$name: $STATE/$name"
}

# What another program (the Vagrantfile) needs to create hosts of a lab by
# itself: image, key, and arguments of `docker run`. `lab down NAME` removes
# what it made and forgot. The first NIC is behind a NAT, as in VirtualBox; the
# second one is the caller's.
lab_docker_args() {
    [ $# -eq 1 ] || die "usage: lab docker-args NAME"
    valid_name "$1" || die "not a name: $1"
    build_paths
    docker_ready
    network_ready
    inotify_ready
    import_host_image "${SYSTEMS[0]}"
    lab_state "$1"
    vm_flags
    FLAGS+=(--label "kdiy-lab=$1"
        -v "$STATE/$1/authorized_keys:/etc/ssh/lab_authorized_keys:ro"
        -v "$LAB_DIR/nat/lab-nat:/usr/local/sbin/lab-nat:ro"
        -v "$LAB_DIR/nat/lab-nat.conf:/etc/systemd/system/ssh.service.d/lab-nat.conf:ro")
    [ ! -s "$STATE/$1/resolv.conf" ] ||
        FLAGS+=(-v "$STATE/$1/resolv.conf:/etc/resolv.conf:ro")
    jq --null-input --arg image "${HOST_IMAGE[${SYSTEMS[0]}]}" --arg key "$STATE/$1/id_ed25519" \
        '{image: $image, user: "ops", key: $key, network: "172.29.6", args: $ARGS.positional}' \
        --args -- "${FLAGS[@]}"
}

lab_down() {
    local name=${1:-} boxes filter=label=kdiy-lab
    if [ "$name" != --all ]; then
        valid_name "$name" || die "usage: lab down NAME | lab down --all"
        filter=label=kdiy-lab=$name
    fi
    if engine_answers; then
        mapfile -t boxes < <("$DOCKER" ps --all --quiet --filter "$filter")
        # Side by side: the engine takes a second or two for each.
        [ ${#boxes[@]} -eq 0 ] ||
            printf '%s\n' "${boxes[@]}" | xargs -P 8 -n 4 "$DOCKER" rm --force --volumes >/dev/null
    fi
    if [ "$name" = --all ]; then rm -rf "$STATE"; else rm -rf "${STATE:?}/$name"; fi
}

lab_exec() {
    [ $# -ge 3 ] || die "usage: lab exec NAME HOST CMD…"
    local box
    box=$(container "$1" "$2")
    shift 2
    exec "$DOCKER" exec --interactive "$box" "$@"
}

# kill is a power cut; start is the power coming back.
lab_power() {
    [ $# -eq 3 ] || die "usage: lab $1 NAME HOST"
    local box address
    box=$(container "$2" "$3")
    if [ "$1" = pause ]; then
        # runc gives up where processes come faster than it freezes them.
        poll 30 "$DOCKER" pause "$box" || die "$3: it cannot be frozen"
        return 0
    fi
    "$DOCKER" "$1" "$box" >/dev/null
    [ "$1" = start ] || return 0
    address=$(label_of "$box" kdiy-address)
    poll 60 sshd_answers "$address" || die "$3: sshd does not answer"
}

lab_ps() {
    [ $# -eq 1 ] || die "usage: lab ps NAME"
    "$DOCKER" ps --all --filter "label=kdiy-lab=$1" \
        --format '{{.Label "kdiy-host"}} {{.Label "kdiy-address"}} {{.Label "kdiy-system"}} {{.State}}' | sort -V
}

# As if the disk was replaced; with the host's old SSH key unless --new-key.
lab_reset_host() {
    [ $# -ge 2 ] || die "usage: lab reset-host NAME HOST [--new-key]"
    local name=$1 host=$2 box address keys system
    box=$(container "$name" "$host")
    exists "$box" || die "no host $host in lab $name"
    build_paths
    vm_flags
    address=$(label_of "$box" kdiy-address)
    system=$(label_of "$box" kdiy-system)
    keys=$(mktemp -d)
    if [ "${3:-}" != --new-key ]; then
        "$DOCKER" cp "$box:/etc/ssh" "$keys/" >/dev/null
    fi
    "$DOCKER" rm --force --volumes "$box" >/dev/null
    create "$name" "$host" "$address" "$system"
    if [ "${3:-}" != --new-key ]; then
        local key
        for key in "$keys"/ssh/ssh_host_*; do
            "$DOCKER" cp "$key" "$box:/etc/ssh/" >/dev/null
        done
    fi
    rm -rf "$keys"
    bring "$name" "$host" "$address" "$system"
}
