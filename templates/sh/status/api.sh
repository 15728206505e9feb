# shellcheck shell=sh
# kdiy_own is the API server's host and port, set before.
# shellcheck disable=SC2154
kdiy_curl() { curl -gsS --noproxy '*' --connect-timeout 2 --max-time 5 "$@"; }
# kdiy_api PATH [CURL-WORD...]: asks it by the certificate that it has for kubelets.
kdiy_api() {
kdiy_path=$1; shift
kdiy_curl --cacert /etc/kubernetes/pki/ca.crt --cert /etc/kubernetes/pki/apiserver-kubelet-client.crt \
  --key /etc/kubernetes/pki/apiserver-kubelet-client.key "$@" "https://$kdiy_own$kdiy_path"
}
kdiy_ready() { kdiy_api '/readyz?verbose=true' -w '\n%{http_code}'; }
kdiy_nodes() {
kdiy_api '/api/v1/nodes?pretty=true' |
  sed -e '/^        "\(images\|managedFields\)": \[$/,/^        \],\{0,1\}$/{//!d;}'
}
kdiy_leases() {
kubectl --kubeconfig /etc/kubernetes/admin.conf --server "https://$kdiy_own" --request-timeout=5s \
  get --raw /apis/coordination.k8s.io/v1/namespaces/kube-system/leases
}
kdiy_healthz() { kdiy_curl -k -w '\n%{http_code}' "https://127.0.0.1:$1/healthz"; }
kdiy_endpoint() { kdiy_curl --cacert /etc/kubernetes/pki/ca.crt -w '\n%{http_code}' "https://$1/readyz"; }
