# shellcheck shell=sh
# kdiy_configure_kubelet WORD...: takes the kubelet's configuration from the cluster.
kdiy_configure_kubelet() {
kubeadm upgrade node phase kubelet-config "$@"
systemctl restart kubelet.service
}
