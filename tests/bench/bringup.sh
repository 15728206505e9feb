# shellcheck shell=bash
# A highly available cluster brought up by kdiy, and by tests/lab/by-hand: a
# plain script that runs the same kubeadm commands one after the other.
#
# Both work on the very same hosts, in turn. `kdiy apply` prepares them once,
# uncounted: packages, container runtime, kernel, load balancer, images. Before
# each bring-up the hosts are reset to just that state, so all images are there
# for both, and nothing but the bring-up is left to do. What is counted is all
# that a person waits for, from the command to all nodes Ready: for kdiy also
# the look at all hosts and the plan.

BRINGUP_HOSTS=(lb-1=172.29.5.10 cp-1=172.29.5.11 cp-2=172.29.5.12 cp-3=172.29.5.13
    w-1=172.29.5.21 w-2=172.29.5.22)

bringup() {
    local rounds=${KDIY_BENCH_BRINGUPS:-2} round
    "$LAB" down bench
    "$LAB" up bench "${BRINGUP_HOSTS[@]}"
    bringup_inventory
    note "preparing hosts (minutes)"
    timed prepare "$KDIY" apply -i "$WORK/bringup/kdiy.yaml" --yes
    cluster_plan
    for ((round = 1; round <= rounds; round++)); do
        note "bring-up, round $round of $rounds"
        # Who goes first changes, so that neither has the machine warmer.
        if ((round % 2)); then
            by_kdiy
            by_hand
        else
            by_hand
            by_kdiy
        fi
    done
    ratio bringup_vs_by_hand kdiy hand
    [ -n "${KDIY_BENCH_KEEP:-}" ] || "$LAB" down bench
}

# The lab's inventory with other addresses, and without the leader election that
# it asks for: by-hand leaves that to kubeadm, and it decides how soon the first
# controller manager serves.
bringup_inventory() {
    mkdir "$WORK/bringup"
    ln -s "$LABS/bench" "$WORK/bringup/lab"
    curl -fsS --noproxy '*' -o "$WORK/bringup/lab.asc" http://172.29.0.1:8700/apt/Release.key
    sed 's/^name: demo$/name: bench/; s/172\.29\.1\./172.29.5./g; /^controlPlane:/,$d' \
        "$ROOT/inventories/lab/kdiy.yaml" >"$WORK/bringup/kdiy.yaml"
    grep -q '^name: bench$' "$WORK/bringup/kdiy.yaml" || die "inventories/lab/kdiy.yaml has another name"
}

# nodes SCRIPT : on all nodes at once, as root, past SSH.
nodes() {
    local host pids=() pid
    for host in cp-1 cp-2 cp-3 w-1 w-2; do
        "$LAB" exec bench "$host" bash -euc "$1" >>"$WORK/nodes.log" 2>&1 &
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
    nodes 'systemctl stop kdiy-bridge-cni.service'
    "$ROOT/tests/lab/by-hand" bench reset >"$WORK/reset.log" 2>&1 || {
        tail -20 "$WORK/reset.log" >&2
        die "the hosts cannot be reset"
    }
    nodes 'rm -rf /var/lib/kdiy/unfinished /var/lib/kdiy-bridge-cni/*
        ip route flush proto 171
        iptables -t nat -F KDIY-BRIDGE
        iptables -F KDIY-BRIDGE'
}

by_kdiy() {
    bringup_reset
    nodes 'systemctl start kdiy-bridge-cni.service'
    timed bringup "$KDIY" apply -i "$WORK/bringup/kdiy.yaml" --yes
    # Only what a bring-up consists of may have been counted.
    if grep -E 'done +(prepare the kernel|install packages|configure)' "$WORK/out" "$WORK/err" >&2; then
        die "kdiy prepared hosts while it was timed"
    fi
    tail -n 1 "$WORK/bringup.times" >>"$WORK/kdiy.times"
    note "kdiy: $(tail -n 1 "$WORK/kdiy.times" | awk '{ print $1 / 1000000 }') s"
}

# The load balancer that kdiy set up only believes API servers whose certificate
# is of kdiy's authority, so kubeadm finds that one instead of making its own;
# the key in the older form, the only one that kubeadm's --upload-certs takes.
by_hand() {
    local pki=$WORK/bringup/.kdiy/bench/pki
    bringup_reset
    nodes 'install -d /etc/kubernetes/pki'
    "$LAB" exec bench cp-1 install -m 644 /dev/stdin /etc/kubernetes/pki/ca.crt <"$pki/ca.crt"
    openssl ec -in "$pki/ca.key" 2>/dev/null |
        "$LAB" exec bench cp-1 install -m 600 /dev/stdin /etc/kubernetes/pki/ca.key
    timed hand "$ROOT/tests/lab/by-hand" bench bringup
    note "by hand: $(tail -n 1 "$WORK/hand.times" | awk '{ print $1 / 1000000 }') s"
}

# A cluster that stands, with systemd and API servers to ask: the second plan.
cluster_plan() {
    local round
    for ((round = 0; round < 5; round++)); do
        bare_ssh cluster_bare bench
        timed cluster_plan "$KDIY" plan -i "$WORK/bringup/kdiy.yaml" --detailed-exitcode
    done
    ratio cluster_plan_vs_bare_ssh cluster_plan cluster_bare
}
