# shellcheck shell=sh
# kdiy_mark TEXT: notes beside the data whose it is. In one go: without it the
# data would be taken for somebody else's.
kdiy_mark() {
printf '%s\n' "$1" > /var/lib/etcd/kdiy-cluster.new
mv -f -- /var/lib/etcd/kdiy-cluster.new /var/lib/etcd/kdiy-cluster
}
# kdiy_etcd_failed CODE: shows what the member itself says, and ends the step.
kdiy_etcd_failed() {
journalctl --no-pager -n 20 -u kdiy-etcd.service >&2 || :
exit "$1"
}
