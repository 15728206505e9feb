# shellcheck shell=sh
# kdiy_api_ready URL: asks an API server whether it is ready, by the certificate by
# which a control plane is known to it, also where it answers nobody else
# (--anonymous-auth=false).
kdiy_api_ready() {
curl -fsS --noproxy '*' --max-time 5 --cacert /etc/kubernetes/pki/ca.crt \
  --cert /etc/kubernetes/pki/apiserver-kubelet-client.crt \
  --key /etc/kubernetes/pki/apiserver-kubelet-client.key "$1"
}
