# shellcheck shell=sh
# kdiy_alone FILE: one at a time.
kdiy_alone() {
umask 077
mkdir -p "${1%/*}"
exec 8>"$1.guard"
flock -w 10 8 || { echo 'the lock itself is locked' >&2; return 1; }
}
