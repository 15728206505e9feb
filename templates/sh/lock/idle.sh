# shellcheck shell=sh
# kdiy_wait_until_idle SECONDS: waits for the step that is at work on this host;
# exit code 79 where it does not come to its end.
kdiy_wait_until_idle() {
exec 9>>/run/kdiy/at-work
flock -w "$1" 9 || { echo 'a step of an earlier run does not come to its end' >&2; exit 79; }
}
