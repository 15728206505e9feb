# shellcheck shell=sh
# kdiy_etcd_healthy CURL-WORD...: whether a member says that it is healthy.
kdiy_etcd_healthy() {
curl -fsS --noproxy '*' --max-time 5 "$@" | grep -q '"health":"true"'
}
# kdiy_wait_for_etcd NODE CURL-WORD...: exit code 77 where it is not in time.
kdiy_wait_for_etcd() {
kdiy_node=$1; shift
kdiy_poll 240 "the etcd member of $kdiy_node to be healthy" kdiy_etcd_healthy "$@"
}
