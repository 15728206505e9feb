# shellcheck shell=sh
# kdiy_etcd_healthy CURL-WORD...: whether a member says that it is healthy.
kdiy_etcd_healthy() {
curl -fsS --noproxy '*' --max-time 5 "$@" | grep -q '"health":"true"'
}
