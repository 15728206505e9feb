# shellcheck shell=bash
# How often kdiy waits for a far host: a plan with nothing to do, of a cluster
# of one control plane, through a relay that delays each way by 50 ms and counts
# round trips. `ssh HOST true` beside it is the yardstick: two of its round trips
# are the session and the command, the others are its handshake.
#
# Time says the same: a round trip takes 100 ms more than through a relay without
# delay, and what both take besides falls out, on a machine that is quiet.

DELAY=0.05
SESSION_AND_COMMAND=2

latency() {
    local rounds=$((${KDIY_BENCH_ROUNDS:-5} * 2)) delay round plan ssh
    "$LAB" down bench
    "$LAB" up bench cp-1=172.29.5.11
    mkdir "$WORK/latency"
    ln -s "$LABS/bench" "$WORK/latency/lab"
    curl -fsS --noproxy '*' -o "$WORK/latency/lab.asc" http://172.29.0.1:8700/docker/Release.key
    latency_inventory near 172.29.5.11 lab/known_hosts
    note "a control plane (a minute or two)"
    timed single "$KDIY" apply -i "$WORK/latency/near.yaml" --yes
    for delay in 0 "$DELAY"; do
        latency_relay plan "$delay"
        latency_relay ssh "$delay"
    done
    for ((round = 0; round < rounds; round++)); do
        for delay in 0 "$DELAY"; do
            latency_ssh "$delay"
            # 2, something is to be done, is a failure here.
            timed "plan-$delay" "$KDIY" plan -i "$WORK/latency/plan-$delay.yaml" --detailed-exitcode
        done
    done
    plan=$(counted plan) ssh=$(counted ssh)
    printf 'noop_plan_round_trips: %s   (handshake of ssh %s, and %s; ssh HOST true: %s)\n' \
        "$plan" "$((ssh - SESSION_AND_COMMAND))" "$((plan - ssh + SESSION_AND_COMMAND))" "$ssh"
    printf 'noop_plan_round_trips_by_time: %s   (ssh HOST true: %s)\n' "$(by_time plan)" "$(by_time ssh)"
    [ -n "${KDIY_BENCH_KEEP:-}" ] || "$LAB" down bench
}

# latency_inventory NAME SSH KNOWN-HOSTS : one cluster, by way of that address.
latency_inventory() {
    cat >"$WORK/latency/$1.yaml" <<YAML
apiVersion: kdiy/v1alpha1
name: latency
version: 1.37.2
endpoint: 172.29.5.11:6443
ssh: {user: ops, identity: lab/id_ed25519, knownHosts: $3}
nodes:
  - {name: cp-1, ssh: "$2", address: 172.29.5.11, roles: [control-plane, worker]}
YAML
    # The rest is as everywhere in the lab: mirrors, and what containers need.
    sed -n '/^network:/,/^controlPlane:/p' "$ROOT/inventories/lab/kdiy.yaml" |
        sed '/^controlPlane:/d' >>"$WORK/latency/$1.yaml"
}

# latency_relay WHO DELAY : a relay to the host, which is known under its port,
# and an inventory by way of it.
latency_relay() {
    local name=$1-$2 port
    python3 "$BENCH_DIR/relay.py" 172.29.5.11:22 "$2" "$WORK/latency/counts-$name" \
        >"$WORK/latency/port-$name" &
    RELAYS+=($!)
    until [ -s "$WORK/latency/port-$name" ]; do sleep 0.05; done
    port=$(cat "$WORK/latency/port-$name")
    awk -v host="[127.0.0.1]:$port" '$1 == "172.29.5.11" { print host, $2, $3 }' \
        "$LABS/bench/known_hosts" >>"$WORK/latency/known_hosts"
    latency_inventory "$name" "127.0.0.1:$port" known_hosts
}

latency_ssh() {
    timed "ssh-$1" ssh -F none -n -o BatchMode=yes -o IdentitiesOnly=yes \
        -i "$LABS/bench/id_ed25519" -o "UserKnownHostsFile=$WORK/latency/known_hosts" \
        -p "$(cat "$WORK/latency/port-ssh-$1")" ops@127.0.0.1 true
}

# counted WHO : round trips of a connection, in most runs.
counted() {
    cut -d' ' -f1 "$WORK/latency/counts-$1-$DELAY" | sort | uniq -c | sort -rn | awk 'NR == 1 { print $2 }'
}

# by_time WHO : by the shortest run of each, since a busy machine only adds.
by_time() {
    local near far
    near=$(sort -n "$WORK/$1-0.times" | head -n 1)
    far=$(sort -n "$WORK/$1-$DELAY.times" | head -n 1)
    awk -v t=$((far - near)) -v d="$DELAY" 'BEGIN { printf "%.1f\n", t / (d * 2 * 1000000) }'
}
