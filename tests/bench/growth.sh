# shellcheck shell=bash
# Ten times as many hosts: what a plan of three hundred costs beside one of
# thirty. Thirty containers hold ten hosts each; of the thirty each is in a
# container of its own.

EACH=10

growth() {
    local rounds=${KDIY_BENCH_ROUNDS:-5} round all=$((HOSTS * EACH))
    FLEET=$LABS/fleet
    note "starting $all hosts in $HOSTS containers"
    "$LAB" fleet "$HOSTS" "$EACH"
    fleet_hosts
    fleet_inventory thirty < <(grep -v -- - "$FLEET/hosts")
    fleet_inventory all <"$FLEET/hosts"
    # The first of each fills caches, and makes the cluster's authorities.
    fleet_plan first thirty
    fleet_plan first all
    fleet_is_whole thirty "$HOSTS"
    fleet_is_whole all "$all"
    for ((round = 1; round <= rounds; round++)); do
        note "growth, round $round of $rounds"
        # Before and after, so that what the machine does besides falls on both.
        fleet_plan thirty thirty
        fleet_plan all all
        fleet_plan thirty thirty
    done
    ratio fleet_growth_300_over_30 all thirty
    printf 'fleet_growth_memory_mib: %s at %s hosts, %s at %s\n' \
        "$(MAY=$PLANNED peak "$KDIY" plan -i "$WORK/all/kdiy.yaml")" "$all" \
        "$(MAY=$PLANNED peak "$KDIY" plan -i "$WORK/thirty/kdiy.yaml")" "$HOSTS"
    [ -n "${KDIY_BENCH_KEEP:-}" ] || "$LAB" down fleet
}
