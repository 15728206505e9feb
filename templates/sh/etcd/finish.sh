# shellcheck shell=sh
# Comes after mark.sh, start.sh and health.sh.

# kdiy_complete_start MARK: brings the start of a member that serves to its end.
kdiy_complete_start() {
kdiy_mark "$1"
kdiy_end_start
}
# kdiy_finish MARK NODE CURL-WORD...: waits for a member that was started, and notes
# that its cluster stands. Exit code 77 where it is not healthy in time.
kdiy_finish() {
kdiy_stands=$1; shift
kdiy_wait_for_etcd "$@" || kdiy_etcd_failed $?
kdiy_complete_start "$kdiy_stands"
}
