# shellcheck shell=sh
# kdiy_tmp is the private folder of every step.
# shellcheck disable=SC2154

# kdiy_put_kube_vip NAME PATH: the manifest of this name. kubelet reads the folder at
# any time: a file appears there as a whole.
kdiy_put_kube_vip() {
install -D -m 0644 "$kdiy_tmp/$1" /etc/kubernetes/.kube-vip.yaml
install -d -m 0755 /etc/kubernetes/manifests
mv -f /etc/kubernetes/.kube-vip.yaml "$2"
}
