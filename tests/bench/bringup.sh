# shellcheck shell=bash
# A highly available cluster brought up by kdiy, and by tests/lab/by-hand: a
# plain script that runs the same kubeadm commands one after the other. Once
# with etcd on the control planes, once with etcd on three hosts of its own.
#
# Both work on the very same hosts, in turn. `kdiy apply` prepares them once,
# uncounted: packages, container runtime, kernel, load balancer, images. Before
# each bring-up the hosts are reset to just that state, so all images are there
# for both, and nothing but the bring-up is left to do. What is counted is all
# that a person waits for, from the command to all nodes Ready: for kdiy also
# the look at all hosts and the plan. Of etcd on hosts of its own only the
# packages are there: certificates, configuration and start count on both sides.

BALANCER=(lb-1=172.29.5.10)
NODES=(cp-1=172.29.5.11 cp-2=172.29.5.12 cp-3=172.29.5.13 w-1=172.29.5.21 w-2=172.29.5.22)
ETCD=(etcd-1=172.29.5.31 etcd-2=172.29.5.32 etcd-3=172.29.5.33)

bringup() {
    bring_up stacked
    bring_up external
}

# bring_up TOPOLOGY
bring_up() {
    local rounds=${KDIY_BENCH_BRINGUPS:-2} round name=bringup_vs_by_hand
    TOPOLOGY=$1
    SITE=$WORK/$TOPOLOGY
    [ "$TOPOLOGY" = stacked ] || name+=_$TOPOLOGY
    "$LAB" down bench
    local hosts=("${BALANCER[@]}" "${NODES[@]}")
    [ "$TOPOLOGY" = stacked ] || hosts+=("${ETCD[@]}")
    "$LAB" up bench "${hosts[@]}"
    bringup_inventory
    note "$TOPOLOGY: preparing hosts (minutes)"
    timed prepare "$KDIY" apply -i "$SITE/kdiy.yaml" --yes
    [ "$TOPOLOGY" != stacked ] || cluster_plan
    for ((round = 1; round <= rounds; round++)); do
        note "$TOPOLOGY: bring-up, round $round of $rounds"
        # Who goes first changes, so that neither has the machine warmer.
        if ((round % 2)); then
            by_kdiy
            by_hand
        else
            by_hand
            by_kdiy
        fi
    done
    ratio "$name" "kdiy-$TOPOLOGY" "hand-$TOPOLOGY"
    bringup_timeline
    [ -n "${KDIY_BENCH_KEEP:-}" ] || "$LAB" down bench
}

# The lab's inventory with other addresses, and without the leader election that
# it asks for: by-hand leaves that to kubeadm, and it decides how soon the first
# controller manager serves.
bringup_inventory() {
    local pair
    mkdir "$SITE"
    ln -s "$LABS/bench" "$SITE/lab"
    curl -fsS --noproxy '*' -o "$SITE/lab.asc" http://172.29.0.1:8700/docker/Release.key
    sed 's/^name: demo$/name: bench/; s/172\.29\.1\./172.29.5./g; /^controlPlane:/,$d' \
        "$ROOT/inventories/lab/kdiy.yaml" >"$SITE/kdiy.yaml"
    grep -q '^name: bench$' "$SITE/kdiy.yaml" || die "inventories/lab/kdiy.yaml has another name"
    [ "$TOPOLOGY" != stacked ] || return 0
    for pair in "${ETCD[@]}"; do
        sed -i "/^nodes:/a\\  - {name: ${pair%=*}, ssh: ${pair#*=}, role: etcd}" "$SITE/kdiy.yaml"
    done
    echo 'topology: external' >>"$SITE/kdiy.yaml"
}

# everywhere SCRIPT HOST=ADDRESS… : side by side, as root, past SSH.
everywhere() {
    local script=$1 pair pids=() pid
    shift
    for pair; do
        "$LAB" exec bench "${pair%=*}" bash -euc "$script" >>"$WORK/nodes.log" 2>&1 &
        pids+=($!)
    done
    for pid in "${pids[@]}"; do
        wait "$pid" || {
            tail -20 "$WORK/nodes.log" >&2
            die "the hosts cannot be reset"
        }
    done
}

# Back to prepared hosts, and nothing left of a cluster or of its network.
# kdiy's unit that keeps routes is part of what kdiy prepares; by-hand makes its
# own routes, so the unit only runs where kdiy's turn is.
bringup_reset() {
    everywhere 'systemctl stop kdiy-bridge-cni.service' "${NODES[@]}"
    # kdiy masks the unit of etcd's package and brings its own; by-hand takes
    # the package's.
    [ "$TOPOLOGY" = stacked ] || everywhere 'systemctl disable --quiet --now kdiy-etcd.service 2>/dev/null || true
        rm -rf /etc/systemd/system/kdiy-etcd.service /var/lib/kdiy/last-applied/kdiy-etcd.service
        systemctl unmask --quiet etcd.service
        systemctl daemon-reload' "${ETCD[@]}"
    "$ROOT/tests/lab/by-hand" bench reset >"$WORK/reset.log" 2>&1 || {
        tail -20 "$WORK/reset.log" >&2
        die "the hosts cannot be reset"
    }
    everywhere 'rm -rf /var/lib/kdiy/unfinished /var/lib/kdiy-bridge-cni/*
        ip route flush proto 171
        iptables -t nat -F KDIY-BRIDGE
        iptables -F KDIY-BRIDGE' "${NODES[@]}"
}

by_kdiy() {
    local run
    bringup_reset
    everywhere 'systemctl start kdiy-bridge-cni.service' "${NODES[@]}"
    [ "$TOPOLOGY" = stacked ] || everywhere 'systemctl mask --quiet etcd.service' "${ETCD[@]}"
    timed bringup "$KDIY" apply -i "$SITE/kdiy.yaml" --yes
    # Only what a bring-up consists of may have been counted.
    if grep -E 'done +(prepare the kernel|install |configure the |add the package)' "$WORK/out" "$WORK/err" >&2; then
        die "kdiy prepared hosts while it was timed"
    fi
    tail -n 1 "$WORK/bringup.times" >>"$WORK/kdiy-$TOPOLOGY.times"
    # Names of runs are moments: the last is the newest.
    run=$(find "$SITE/.kdiy/bench/runs" -name journal.jsonl | sort | tail -n 1)
    cp "$run" "$WORK/kdiy-$TOPOLOGY.jsonl"
    note "kdiy: $(last_seconds "kdiy-$TOPOLOGY") s"
}

# The load balancer that kdiy set up only believes API servers whose certificate
# is of kdiy's authority, so kubeadm finds that one instead of making its own;
# the key in the older form, the only one that kubeadm's --upload-certs takes.
by_hand() {
    local pki=$SITE/.kdiy/bench/pki
    bringup_reset
    everywhere 'install -d /etc/kubernetes/pki' "${NODES[@]}"
    "$LAB" exec bench cp-1 install -m 644 /dev/stdin /etc/kubernetes/pki/ca.crt <"$pki/ca.crt"
    openssl ec -in "$pki/ca.key" 2>/dev/null |
        "$LAB" exec bench cp-1 install -m 600 /dev/stdin /etc/kubernetes/pki/ca.key
    rm -f "$WORK/hand-$TOPOLOGY.steps"
    timed "hand-$TOPOLOGY" env "KDIY_LAB_TIMES=$WORK/hand-$TOPOLOGY.steps" \
        "$ROOT/tests/lab/by-hand" bench bringup
    note "by hand: $(last_seconds "hand-$TOPOLOGY") s"
}

last_seconds() { tail -n 1 "$WORK/$1.times" | awk '{ printf "%.1f\n", $1 / 1000000 }'; }

# The last bring-up of each, step by step.
bringup_timeline() {
    local picture=${CARGO_TARGET_DIR:-$ROOT/target}/bench/bringup-$TOPOLOGY.svg
    mkdir -p "${picture%/*}"
    python3 "$BENCH_DIR/timeline.py" "Bring-up of a cluster, etcd $TOPOLOGY" "$picture" \
        "$WORK/kdiy-$TOPOLOGY.jsonl" "$(last_seconds "kdiy-$TOPOLOGY")" \
        "$WORK/hand-$TOPOLOGY.steps" "$(last_seconds "hand-$TOPOLOGY")"
    note "drawn: $picture"
}

# A cluster that stands, with systemd and API servers to ask: the second plan.
cluster_plan() {
    local round
    for ((round = 0; round < 5; round++)); do
        bare_ssh cluster_bare bench
        timed cluster_plan "$KDIY" plan -i "$SITE/kdiy.yaml" --detailed-exitcode
    done
    ratio cluster_plan_vs_bare_ssh cluster_plan cluster_bare
}
