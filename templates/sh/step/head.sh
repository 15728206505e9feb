# shellcheck shell=sh
set -eu
umask 022
install -d -m 0700 /run/kdiy
exec 9>>/run/kdiy/at-work
if ! flock -n 9; then
  echo "waiting for an earlier step on this host to end, 600 s at most" >&2
  if ! flock -w 600 9; then
    echo "an earlier step has been at work on this host for 600 s" >&2
    exit 79
  fi
fi
rm -rf -- /run/kdiy/tmp.*
kdiy_tmp=$(mktemp -d /run/kdiy/tmp.XXXXXXXX)
trap 'rm -rf -- "$kdiy_tmp"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap '' HUP
mkfifo -m 0600 "$kdiy_tmp/out" "$kdiy_tmp/err"
kdiy_relay() (
trap '' HUP INT PIPE TERM
cat 2>/dev/null || cat >/dev/null
)
kdiy_relay <"$kdiy_tmp/out" 9>&- &
kdiy_relay <"$kdiy_tmp/err" >&2 9>&- &
exec >"$kdiy_tmp/out" 2>"$kdiy_tmp/err"
