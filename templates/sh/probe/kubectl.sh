# shellcheck shell=sh
# kdiy_server is the URL of an API server, set before.
# shellcheck disable=SC2154

# kdiy_kubectl WORD...: as the cluster's administrator, for questions that must not
# hang.
kdiy_kubectl() {
timeout 10 kubectl --kubeconfig /etc/kubernetes/admin.conf --request-timeout=8s --server "$kdiy_server" "$@"
}
