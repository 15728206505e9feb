# shellcheck shell=sh
# Comes after poll.sh; kdiy_tmp is the private folder of every step.
# shellcheck disable=SC2154
kdiy_pki=/etc/kubernetes/pki
# kdiy_serves NAME ADDRESS PORT: whether the API server at the address has a
# certificate for the name. Any answer will do.
kdiy_serves() {
curl -sS -o /dev/null --noproxy '*' --max-time 5 --cacert "$kdiy_pki/ca.crt" --connect-to "$1:$3:$2:$3" "https://$1:$3/livez"
}
# kdiy_make_certificate: anew, by kubeadm, of the CA that is there. What was is
# kept until then, and put back where it fails.
kdiy_make_certificate() {
mkdir "$kdiy_tmp/certificate"
cp -p "$kdiy_pki/apiserver.crt" "$kdiy_pki/apiserver.key" "$kdiy_tmp/certificate"
rm -f "$kdiy_pki/apiserver.crt" "$kdiy_pki/apiserver.key"
kubeadm init phase certs apiserver --config "$kdiy_tmp/kubeadm.yaml" && return 0
cp -p "$kdiy_tmp/certificate/apiserver.crt" "$kdiy_tmp/certificate/apiserver.key" "$kdiy_pki"
return 1
}
