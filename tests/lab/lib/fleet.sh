# shellcheck shell=bash
# Many small hosts: the same Debian, but only an sshd in it, no systemd.

lab_fleet() {
    local count=${1:-} number address
    [[ $count =~ ^[0-9]+$ && $count -ge 1 && $count -le 400 ]] ||
        die "usage: lab fleet N (1 to 400)"
    build_paths
    docker_ready
    network_ready
    lab_state fleet
    FLAGS=(--memory 256m --init)
    local running=0
    for ((number = 1; number <= count; number++)); do
        address=172.29.$((8 + number / 200)).$((10 + number % 200))
        bring fleet "$(printf 'n%02d' "$number")" "$address" sh -c \
            '[ -e /etc/ssh/ssh_host_ed25519_key ] || ssh-keygen -q -t ed25519 -N "" -f /etc/ssh/ssh_host_ed25519_key
             mkdir -p /run/sshd; exec /usr/sbin/sshd -D -e' &
        # Enough to keep both cores and the engine busy.
        if ((++running % 8 == 0)); then wait; fi
    done
    wait
    [ "$(wc -l <"$STATE/fleet/hosts")" -ge "$count" ] || die "not every host of the fleet came up"
    note "fleet: $STATE/fleet"
}
