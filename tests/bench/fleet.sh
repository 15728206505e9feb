# shellcheck shell=bash
# Thirty hosts: a plan against logging in to each by ssh, and pyinfra beside it.
#
# The hosts have an sshd but no systemd and nothing of Kubernetes, so kdiy
# plans everything and says that such hosts cannot be used: exit code 5. It
# has looked at all of them and compared everything by then.

HOSTS=30
PLANNED='0 5'

fleet() {
    local rounds=${KDIY_BENCH_ROUNDS:-5} round
    FLEET=$LABS/fleet
    note "starting $HOSTS hosts"
    "$LAB" down fleet
    "$LAB" fleet "$HOSTS"
    fleet_hosts
    fleet_inventory fleet <"$FLEET/hosts"
    pyinfra_install
    # The first of each fills caches, and makes the cluster's authorities.
    bare_ssh first fleet
    fleet_plan first
    fleet_pyinfra first
    fleet_is_whole fleet "$HOSTS"
    for ((round = 1; round <= rounds; round++)); do
        note "fleet, round $round of $rounds"
        # There and back, so that each follows itself as often as the other.
        bare_ssh bare fleet
        fleet_plan plan
        fleet_plan plan
        bare_ssh bare fleet
        fleet_pyinfra pyinfra
        # Its sessions take the hosts a while to clear away.
        sleep 2
    done
    ratio fleet_plan_vs_bare_ssh plan bare
    ratio pyinfra_vs_bare_ssh pyinfra bare
    fleet_round_trips
    printf 'fleet_peak_memory_mib: %s\n' \
        "$(MAY=$PLANNED peak "$KDIY" plan -i "$WORK/fleet/kdiy.yaml")"
    [ -n "${KDIY_BENCH_KEEP:-}" ] || "$LAB" down fleet
}

# fleet_plan LABEL [INVENTORY]
fleet_plan() { MAY=$PLANNED timed "$1" "$KDIY" plan -i "$WORK/${2:-fleet}/kdiy.yaml"; }

# What hosts have that boot, and a log of every exec.
fleet_hosts() {
    local host
    while read -r host _; do
        [[ $host != *-* ]] || continue
        # shellcheck disable=SC2016  # expands on the host
        "$LAB" exec fleet "$host" sh -c '
            [ -s /etc/machine-id ] || systemd-machine-id-setup >/dev/null 2>&1
            [ -e /etc/ssh/sshd_config.d/bench.conf ] || {
                echo LogLevel VERBOSE >/etc/ssh/sshd_config.d/bench.conf
                kill -HUP "$(cat /run/sshd.pid)"
            }' </dev/null
    done <"$FLEET/hosts"
}

# fleet_inventory NAME <HOSTS : three control planes, a load balancer, all others
# workers. The range of pods has room for hundreds of them.
fleet_inventory() {
    local host address role count=0 hosts
    mapfile -t hosts
    mkdir "$WORK/$1"
    ln -s "$LABS/fleet" "$WORK/$1/lab"
    curl -fsS --noproxy '*' -o "$WORK/$1/lab.asc" http://172.29.0.1:8700/docker/Release.key
    {
        cat <<YAML
apiVersion: kdiy/v1alpha1
name: $1
version: 1.37.2
endpoint: ${hosts[-1]#* }:6443
ssh: {user: ops, identity: lab/id_ed25519, knownHosts: lab/known_hosts}
network: {cni: bridge, podCIDR: 10.244.0.0/15}
packages: {repository: "http://172.29.0.1:8700/core:/stable:/v{minor}/deb/", key: lab.asc}
images: {mirrors: {registry.k8s.io: ["http://172.29.0.1:5000"]}}
nodes:
YAML
        while read -r host address; do
            role=worker
            [ $((++count)) -gt 3 ] || role=control-plane
            [ "$count" -lt ${#hosts[@]} ] || role=load-balancer
            printf '  - {name: %s, ssh: %s, role: %s}\n' "$host" "$address" "$role"
        done < <(printf '%s\n' "${hosts[@]}")
    } >"$WORK/$1/kdiy.yaml"
}

# fleet_is_whole INVENTORY HOSTS : a plan that left hosts out would be fast.
fleet_is_whole() {
    local hosts
    MAY=$PLANNED timed whole "$KDIY" plan -i "$WORK/$1/kdiy.yaml" --output json
    hosts=$(python3 -c 'import json, sys; print(json.load(sys.stdin)["counts"]["hosts"])' <"$WORK/out")
    [ "$hosts" -eq "$2" ] || die "the plan is for $hosts hosts of $2"
}

# What sshd itself logs during one plan. A connection costs the round trips of
# TCP, key exchange and login, an exec those of a channel and of the script.
# A host that is in no cluster yet also says whether it reaches the others; only
# tries of their SSH port are seen here.
fleet_round_trips() {
    local since log
    since=$(date +%s.%N)
    fleet_plan counted
    log=$(while read -r host _; do
        "$DOCKER" logs --since "$since" "kdiy-fleet-$host" 2>&1
    done <"$FLEET/hosts")
    printf 'round_trips_per_host: %s execs over %s connections, %s SSH connections from other hosts\n' \
        "$(quotient "$(grep -c 'Starting session: command' <<<"$log")" "$HOSTS")" \
        "$(quotient "$(grep -c 'Accepted publickey' <<<"$log")" "$HOSTS")" \
        "$(quotient "$(grep 'Connection from' <<<"$log" | grep -vc 'from 172.29.0.1 ')" "$HOSTS")"
}

pyinfra_install() {
    PYINFRA=$CACHE/pyinfra/bin/pyinfra
    [ -x "$PYINFRA" ] || {
        note "installing pyinfra from PyPI"
        python3 -m venv "$CACHE/pyinfra"
        "$CACHE/pyinfra/bin/pip" install --quiet --disable-pip-version-check pyinfra
    }
    note "$("$PYINFRA" --version)"
}

fleet_pyinfra() {
    local hosts=$WORK/fleet/pyinfra_hosts.py
    [ -e "$hosts" ] || sed 's/.*/"&",/; 1i hosts = [' "$WORK/addresses" | sed '$a ]' >"$hosts"
    timed "$1" "$PYINFRA" --dry --parallel 32 --user ops --key "$FLEET/id_ed25519" \
        --data "ssh_known_hosts_file=$FLEET/known_hosts" \
        --data ssh_strict_host_key_checking=yes \
        "$hosts" "$BENCH_DIR/pyinfra_deploy.py"
}
