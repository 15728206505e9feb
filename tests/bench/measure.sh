# shellcheck shell=bash
# Times of commands, their medians and ratios of those.

note() { printf 'bench: %s\n' "$*" >&2; }
die() {
    note "$*"
    exit 1
}

# timed LABEL CMD… : notes how long it took. What it says is kept for the case
# that it fails; a status in $MAY (default: 0) counts as success.
timed() {
    local label=$1 start end status=0
    shift
    start=${EPOCHREALTIME/[.,]/}
    "$@" </dev/null >"$WORK/out" 2>"$WORK/err" || status=$?
    end=${EPOCHREALTIME/[.,]/}
    if [[ " ${MAY:-0} " != *" $status "* ]]; then
        tail -20 "$WORK/err" >&2
        die "$* ended with $status"
    fi
    echo $((end - start)) >>"$WORK/$label.times"
}

# bare_ssh LABEL LAB : the usual way to run something on many hosts. Same key
# and known hosts as kdiy, a connection for each, nobody's own settings.
bare_ssh() {
    local state=$LABS/$2
    cut -d' ' -f2 "$state/hosts" >"$WORK/addresses"
    timed "$1" xargs -a "$WORK/addresses" -P 16 -I '{}' ssh -F none -n -o BatchMode=yes \
        -o IdentitiesOnly=yes -i "$state/id_ed25519" -o "UserKnownHostsFile=$state/known_hosts" \
        'ops@{}' true
}

# median LABEL : in microseconds.
median() {
    sort -n "$WORK/$1.times" | awk '
        { time[NR] = $1 }
        END { middle = int((NR + 1) / 2); print (time[middle] + time[NR + 1 - middle]) / 2 }'
}

quotient() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f\n", a / b }'; }
milliseconds() { quotient "$(median "$1")" 1000; }
seconds() { quotient "$(median "$1")" 1000000; }

# ratio NAME LABEL BASE : one line, with both medians.
ratio() {
    printf '%s: %s   (%s s / %s s, medians of %s)\n' "$1" \
        "$(quotient "$(median "$2")" "$(median "$3")")" \
        "$(seconds "$2")" "$(seconds "$3")" "$(wc -l <"$WORK/$2.times")"
}

# peak CMD… : the most memory that it had, in MiB. Statuses as for timed.
peak() {
    MAY=${MAY:-0} python3 - "$@" <<'PYTHON'
import os, resource, subprocess, sys
status = subprocess.run(sys.argv[1:], stdin=subprocess.DEVNULL,
                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode
if str(status) not in os.environ["MAY"].split():
    sys.exit(f"{sys.argv[1:]} ended with {status}")
print(f"{resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024:.1f}")
PYTHON
}
