# shellcheck shell=sh
# kdiy_server is the URL of an API server, set before.
# shellcheck disable=SC2154

# kdiy_kubectl WORD...: as the cluster's administrator on a control plane, asking its
# own API server, which has to be quick.
kdiy_kubectl() {
kubectl --kubeconfig /etc/kubernetes/admin.conf --request-timeout=10s --server "$kdiy_server" "$@"
}
