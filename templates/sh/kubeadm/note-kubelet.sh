# shellcheck shell=sh
# kdiy_kubelet_sums: hashes of the files that kubeadm makes of a kubelet's settings.
kdiy_kubelet_sums() {
sha256sum /var/lib/kubelet/config.yaml /var/lib/kubelet/kubeadm-flags.env 2>/dev/null || :
}
# kdiy_note_kubelet SETTINGS: keeps, for root alone, what kubeadm was last given
# for the kubelet, and what it made of it.
kdiy_note_kubelet() {
install -d -m 0755 /var/lib/kdiy/last-applied
(umask 077; { printf '%s\n' "$1"; kdiy_kubelet_sums; } > /var/lib/kdiy/last-applied/kubelet.new)
mv -f /var/lib/kdiy/last-applied/kubelet.new /var/lib/kdiy/last-applied/kubelet
}
