# shellcheck shell=sh
# The sh of every supported system knows -ef.
# shellcheck disable=SC3013
# kdiy_planes [etcd]: processes of the control plane in the host's network, their numbers
# and the names that the kernel has for them, which it cuts; with stacked etcd's.
kdiy_planes() {
for p in /proc/[0-9]*; do
read -r c < "$p/comm" || continue
case $c in
kube-apiserver|kube-controller|kube-scheduler) ;;
etcd) [ "${1-}" = etcd ] || continue ;;
*) continue ;;
esac
[ "$p/ns/net" -ef /proc/self/ns/net ] && echo "${p#/proc/} $c"
done 2>/dev/null
}
