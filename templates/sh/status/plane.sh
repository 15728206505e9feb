# shellcheck shell=sh
# Comes after beside.sh and api.sh, which reads kdiy_own; kdiy_address is set before.
# shellcheck disable=SC2034,SC2154

# kdiy_plane HOST:PORT CONTROLLER-MANAGER-PORT SCHEDULER-PORT: the API server at this
# place, and the others beside it. Without a host it is at kdiy_address.
kdiy_plane() {
[ -s /etc/kubernetes/pki/apiserver-kubelet-client.crt ] || return 0
kdiy_own=$1
case $1 in :*)
  case $kdiy_address in
  *:*) kdiy_own="[$kdiy_address]$1" ;;
  *) kdiy_own=$kdiy_address$1 ;;
  esac ;;
esac
kdiy_beside ready kdiy_ready
kdiy_beside nodes kdiy_nodes
kdiy_beside leases kdiy_leases
kdiy_beside controller-manager kdiy_healthz "$2"
kdiy_beside scheduler kdiy_healthz "$3"
}
# kdiy_tell_endpoint SECTION HOST:PORT: where the host knows whom to trust.
kdiy_tell_endpoint() {
[ ! -s /etc/kubernetes/pki/ca.crt ] || kdiy_beside "$1" kdiy_endpoint "$2"
}
# kdiy_etcd_beside: what kdiy_gateway says. Several sections at once, so the last line
# break has to be kept.
kdiy_etcd_beside() {
{ kdiy_out=$(kdiy_gateway; echo .)
flock 9; printf %s "${kdiy_out%.}"; } 9</bin/sh &
}
