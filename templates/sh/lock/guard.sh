# shellcheck shell=sh
# kdiy_guard FILE NUMBER BOOT: stops who has lost the host, with exit code 76.
kdiy_guard() {
kdiy_read "$1"
! kdiy_ours "$1" "$2" "$3" || return 0
echo 'this run does not have this host any more: another kdiy has taken it' >&2
exit 76
}
