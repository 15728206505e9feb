# shellcheck shell=bash
# Daemons of the lab: the engine if none runs, the apt repository, the
# registry. Each has a pid file with its start time, so that a pid that was
# given to somebody else is never killed.

RUN=$CACHE/run

# started PID : the kernel's start time of a process, or nothing.
started() { [ ! -r "/proc/$1/stat" ] || sed 's/.*) //' "/proc/$1/stat" | cut -d' ' -f20; }

# alive NAME : the daemon that we started is still that process.
alive() {
    local pid time
    [ -s "$RUN/$1.pid" ] || return 1
    read -r pid time <"$RUN/$1.pid"
    [ -n "$time" ] && [ "$(started "$pid")" = "$time" ]
}

# daemon NAME CMD… : starts it detached, its output in a log.
daemon() {
    local name=$1 pid
    shift
    mkdir -p "$RUN"
    setsid "$@" >>"$RUN/$name.log" 2>&1 </dev/null 9>&- &
    pid=$!
    printf '%s %s\n' "$pid" "$(started "$pid")" >"$RUN/$name.pid"
    printf '%s\n' "$*" >"$RUN/$name.command"
}

stop_daemon() {
    local name=$1 pid
    if alive "$name"; then
        read -r pid _ <"$RUN/$name.pid"
        kill "$pid" 2>/dev/null || true
        poll 30 dead "$name" || kill -9 "$pid" 2>/dev/null || true
    fi
    rm -f "$RUN/$name.pid" "$RUN/$name.command"
}
dead() { ! alive "$1"; }

# ensure NAME CMD… : running with exactly this command.
ensure() {
    local name=$1
    shift
    if alive "$name" && [ "$(cat "$RUN/$name.command")" = "$*" ]; then return; fi
    stop_daemon "$name"
    daemon "$name" "$@"
}

engine_answers() { "$DOCKER" version --format '{{.Server.Version}}' >/dev/null 2>&1; }

docker_ready() {
    engine_answers && return
    [ "$(id -u)" -eq 0 ] || die "no docker engine answers; start it, or run this as root"
    [ -z "${DOCKER_HOST:-}" ] || die "DOCKER_HOST is set but no engine answers there"
    alive dockerd || {
        note "starting dockerd (log: $RUN/dockerd.log)"
        daemon dockerd dockerd
    }
    poll 60 engine_answers || {
        tail -5 "$RUN/dockerd.log" >&2
        die "dockerd does not answer"
    }
}

# Every host's systemd, containerd and kubelet watch files, and all are root of
# one kernel: the usual 128 instances last for about six hosts, then kubelets
# die of "inotify_init: too many open files".
INOTIFY=/proc/sys/fs/inotify/max_user_instances
INOTIFY_WANTED=8192

inotify_ready() {
    local have
    have=$(cat "$INOTIFY")
    [ "$have" -lt "$INOTIFY_WANTED" ] || return 0
    mkdir -p "$RUN"
    [ -e "$RUN/inotify.before" ] || echo "$have" >"$RUN/inotify.before"
    echo "$INOTIFY_WANTED" >"$INOTIFY" || die "cannot raise $INOTIFY; as root: echo $INOTIFY_WANTED >$INOTIFY"
}

inotify_restore() {
    [ ! -e "$RUN/inotify.before" ] || cat "$RUN/inotify.before" >"$INOTIFY"
    rm -f "$RUN/inotify.before"
}

network_ready() {
    "$DOCKER" network inspect "$NETWORK" >/dev/null 2>&1 ||
        "$DOCKER" network create --subnet "$SUBNET" --gateway "$GATEWAY" "$NETWORK" >/dev/null
}

# What leaves a host for the service network is refused, as a gateway would: a
# machine's own network may answer for any address, and then an address that is
# no service seems to be one.
SERVICES=10.96.0.0/12
service_rule() { iptables -w "$1" DOCKER-USER -s "$SUBNET" -d "$SERVICES" -j REJECT; }
services_refused() { service_rule -C 2>/dev/null || service_rule -I; }

lab_serve() {
    local registry
    lock serve
    build_paths
    # With the images of the conformance suite, where they were built.
    registry=$SUITE_REGISTRY
    [ -d "$registry" ] || registry=$REGISTRY
    [[ -d $REPOSITORY && -d $registry ]] || die "nothing built yet; run: lab build"
    docker_ready
    network_ready
    services_refused
    inotify_ready
    ensure fileserver "$PROGRAMS/fileserver" "$GATEWAY:$APT_PORT" "$REPOSITORY"
    mkdir -p "$RUN"
    write_registry_config "$RUN/registry.yml" "$registry" "$GATEWAY:$REGISTRY_PORT"
    ensure registry "$UNPACKED/usr/bin/docker-registry" serve "$RUN/registry.yml"
    # A registry of an older build has the same command but other storage.
    if ! cmp -s "$RUN/registry.yml" "$RUN/registry.served"; then
        stop_daemon registry
        ensure registry "$UNPACKED/usr/bin/docker-registry" serve "$RUN/registry.yml"
        cp "$RUN/registry.yml" "$RUN/registry.served"
    fi
    poll 20 curl -fsS "http://$GATEWAY:$APT_PORT/docker/InRelease" ||
        die "the apt repository does not answer; see $RUN/fileserver.log"
    poll 20 curl -fsS "http://$GATEWAY:$REGISTRY_PORT/v2/" ||
        die "the registry does not answer; see $RUN/registry.log"
    unlock
}

lab_unserve() {
    lock serve
    stop_daemon fileserver
    stop_daemon registry
    rm -f "$RUN/registry.served"
    if alive dockerd; then
        if [ -n "$("$DOCKER" ps --quiet)" ]; then
            note "containers still run: dockerd stays (lab down --all first)"
        else
            service_rule -D 2>/dev/null || true
            "$DOCKER" network rm "$NETWORK" >/dev/null 2>&1 || true
            stop_daemon dockerd
        fi
    fi
    inotify_restore
    unlock
}
