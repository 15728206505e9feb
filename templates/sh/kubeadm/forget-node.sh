# shellcheck shell=sh
# Comes after kubectl.sh.

# kdiy_forget_node NAME: removes the Node of a control plane, and its etcd's pod.
kdiy_forget_node() {
kdiy_kubectl delete node --ignore-not-found "$1"
kdiy_kubectl -n kube-system delete pod --ignore-not-found --force --grace-period=0 "etcd-$1"
}
