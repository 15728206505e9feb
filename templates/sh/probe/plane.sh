# shellcheck shell=sh
# Comes after kubectl.sh.

# kdiy_last_applied: what was last applied to the components.
kdiy_last_applied() {
[ ! -r /var/lib/kdiy/last-applied/control-plane ] || cat /var/lib/kdiy/last-applied/control-plane
}
# kdiy_reached: where admin.conf reaches the API. kubelet.conf is no witness: from
# 1.33 on kubeadm has the kubelet of a control plane ask its own API server.
kdiy_reached() {
sed -n 's|^ *server: https://||p' /etc/kubernetes/admin.conf 2>/dev/null | head -n 1
}
# kdiy_encrypted: how all secrets were rewritten. Nothing was encrypted where this
# file never was.
kdiy_encrypted() {
[ ! -e /etc/kubernetes/pki/kdiy-encryption.yaml ] || kdiy_kubectl -n kube-system get configmap kdiy -o 'jsonpath={.data.encryption}' 2>/dev/null
}
# kdiy_binding NAME: role and users of a cluster role binding.
kdiy_binding() {
[ ! -s /etc/kubernetes/admin.conf ] || kdiy_kubectl get clusterrolebinding --ignore-not-found -o 'jsonpath={.roleRef.name} {.subjects[*].name}' "$1" 2>/dev/null
}
# kdiy_server_certificate: what the API server serves with; it is no secret.
kdiy_server_certificate() { cat /etc/kubernetes/pki/apiserver.crt 2>/dev/null || :; }
