# shellcheck shell=bash
# Names, places and small helpers that every part of the lab shares.
# shellcheck disable=SC2034  # the constants are read by the other files

CACHE=${KDIY_LAB_CACHE:-$HOME/.cache/kdiy-lab}
STATE=${KDIY_LAB_STATE:-$CACHE/state}

NETWORK=kdiy-lab
SUBNET=172.29.0.0/16
GATEWAY=172.29.0.1
APT_PORT=8700
REGISTRY_PORT=5000

# shellcheck source=tests/lab/versions.sh
. "$LAB_DIR/versions.sh"

note() { printf 'lab: %s\n' "$*" >&2; }
die() {
    note "$*"
    exit 1
}

# The client that belongs to the engine: another, newer client earlier in PATH
# may refuse to talk to Debian's daemon.
if [ -x /usr/bin/docker ]; then DOCKER=/usr/bin/docker; else DOCKER=docker; fi

# The lock holder's children must not inherit the lock, or a daemon that we
# start would hold it for ever: every long-lived child is started with 9>&-.
lock() {
    mkdir -p "$CACHE"
    exec 9>"$CACHE/$1.lock"
    flock 9
}
unlock() { exec 9>&-; }

# hash_of FILE… : one key of the files' contents and of all versions.
hash_of() { cat -- "$LAB_DIR/versions.sh" "$@" | sha256sum | cut -c1-12; }

# poll SECONDS CMD… : until CMD succeeds, or fail after SECONDS.
poll() {
    local end=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$end" ] || return 1
        sleep 0.1
    done
}
