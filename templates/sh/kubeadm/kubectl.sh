# shellcheck shell=sh
# kdiy_server is the URL of an API server, set before.
# shellcheck disable=SC2154

# kdiy_kubectl WORD...: as the cluster's administrator on a control plane, asking that
# control plane's own API server; not longer than a minute for each answer.
kdiy_kubectl() {
kubectl --kubeconfig /etc/kubernetes/admin.conf --server "$kdiy_server" --request-timeout=60s "$@"
}
