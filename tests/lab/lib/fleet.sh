# shellcheck shell=bash
# Many small hosts: the same Debian, but only an sshd in it, no systemd.

# lab_fleet N [EACH] : N containers, each with EACH hosts: an sshd with an
# address, a key, a name and a machine-id of its own. The first is the
# container's own.
lab_fleet() {
    local count=${1:-} each=${2:-1} number address running=0
    [[ $count =~ ^[0-9]+$ && $count -ge 1 && $count -le 400 ]] ||
        die "usage: lab fleet N [EACH] (1 to 400 containers)"
    [[ $each =~ ^[0-9]+$ && $each -ge 1 && $each -le 20 && ($each -eq 1 || $count -le 200) ]] ||
        die "EACH is 1 to 20 hosts in a container, of 200 containers at most"
    build_paths
    docker_ready
    network_ready
    lab_state fleet
    FLAGS=(--memory 256m --init)
    for ((number = 1; number <= count; number++)); do
        address=172.29.$((8 + number / 200)).$((10 + number % 200))
        fleet_container "$(printf 'n%02d' "$number")" "$address" "$each" &
        # Enough to keep both cores and the engine busy.
        if ((++running % 8 == 0)); then wait; fi
    done
    wait
    [ "$(wc -l <"$STATE/fleet/hosts")" -ge $((count * each)) ] ||
        die "not every host of the fleet came up"
    note "fleet: $STATE/fleet"
}

# fleet_container NAME ADDRESS EACH
fleet_container() {
    local name=$1 address=$2 each=$3 host further key
    # Each sshd keeps to its address, or there was none left for the others.
    # shellcheck disable=SC2016  # expands on the host
    bring fleet "$name" "$address" "${SYSTEMS[0]}" sh -c \
        '[ -e /etc/ssh/ssh_host_ed25519_key ] || ssh-keygen -q -t ed25519 -N "" -f /etc/ssh/ssh_host_ed25519_key
         mkdir -p /run/sshd; exec /usr/sbin/sshd -D -e -o "ListenAddress=$0"' "$address"
    [ "$each" -gt 1 ] || return 0
    further_hosts "$name" "${address##*.}" "$each" >"$STATE/fleet/$name.keys" ||
        die "$name: its further hosts do not start"
    while read -r host further key; do
        remember_key fleet "$host" "$further" "$key"
        poll 60 sshd_answers "$further" || die "$host: sshd does not answer at $further"
    done <"$STATE/fleet/$name.keys"
}

# further_hosts CONTAINER LAST EACH : starts those that do not run; HOST ADDRESS
# KEY of each. Their mounts and names are their own, for which they need more
# rights than the container has.
further_hosts() {
    local pid
    pid=$("$DOCKER" inspect --format '{{.State.Pid}}' "$(container fleet "$1")")
    # shellcheck disable=SC2016  # expands in the container
    nsenter --target "$pid" --mount --net --pid --uts --ipc sh -euc '
        mkdir -p /etc/ssh/fleet
        touch /etc/machine-id
        place=1
        while [ "$((place += 1))" -le "$3" ]; do
            host=$1-$place address=172.29.$((9 + place)).$2 key=/etc/ssh/fleet/$1-$place
            [ -e "$key" ] || ssh-keygen -q -t ed25519 -N "" -f "$key"
            [ -e "$key.machine-id" ] || tr -d - </proc/sys/kernel/random/uuid >"$key.machine-id"
            grep -q " $host\$" /etc/hosts || echo "$address $host" >>/etc/hosts
            ip address replace "$address/16" dev eth0
            if [ -z "$(ss -Hltn "src $address")" ]; then
                unshare --mount --uts sh -euc "
                    mount --make-rprivate /
                    mount --bind $key.machine-id /etc/machine-id
                    hostname $host
                    exec /usr/sbin/sshd -h $key -o ListenAddress=$address -o PidFile=none"
            fi
            read -r type public _ <"$key.pub"
            echo "$host $address $type $public"
        done
    ' sh "$1" "$2" "$3" </dev/null
}
