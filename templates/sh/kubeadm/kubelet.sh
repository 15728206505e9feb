# shellcheck shell=sh
# What a kubelet logs in with where kdiy issued it. kdiy_tmp is the private folder of
# every step; kubelet.conf and ca.crt are in it.
# shellcheck disable=SC2154

kdiy_current=/var/lib/kubelet/pki/kubelet-client-current.pem

# kdiy_take_authority_away: kubeadm takes a host with the authority but without its key
# for a control plane whose certificates somebody else makes, and wants those. Exit code
# 78 where it is another cluster's.
kdiy_take_authority_away() {
[ ! -e /etc/kubernetes/pki/ca.crt ] || cmp -s "$kdiy_tmp/ca.crt" /etc/kubernetes/pki/ca.crt || {
  echo "/etc/kubernetes/pki/ca.crt is of another cluster; if this is the right host, reset it first (kubeadm reset)" >&2
  return 78
}
rm -f /etc/kubernetes/pki/ca.crt
}
# kdiy_place_authority: kubeadm has started the kubelet, which has nothing yet to log in
# with.
kdiy_place_authority() {
systemctl stop kubelet.service
install -D -m 0644 "$kdiy_tmp/ca.crt" /etc/kubernetes/pki/ca.crt
}
kdiy_place_kubeconfig() { install -m 0600 "$kdiy_tmp/kubelet.conf" /etc/kubernetes/kubelet.conf; }
# kdiy_begin_join: and takes away what kubeadm's join keeps a token in while it lasts.
kdiy_begin_join() {
echo join > /var/lib/kdiy/unfinished
rm -f /etc/kubernetes/bootstrap-kubelet.conf
kdiy_place_kubeconfig
}
# kdiy_place_kubeconfig_again: exit code 78 where its certificate is gone, too.
kdiy_place_kubeconfig_again() {
[ -s "$kdiy_current" ] || {
  echo "$kdiy_current is gone, too: nothing is left by which this kubelet could log in. Drain the node, run \`kubeadm reset\` on its host and kdiy apply again" >&2
  return 78
}
kdiy_place_kubeconfig
}
kdiy_patch_node() {
curl -fsS -o /dev/null --noproxy '*' --max-time 5 --cacert /etc/kubernetes/pki/ca.crt --cert "$kdiy_current" --key "$kdiy_current" \
  -X PATCH -H 'content-type: application/merge-patch+json' -d "$1" "$2"
}
# kdiy_register NODE PATCH URL: restarts the kubelet, and waits until its Node is there:
# by then nothing of its join is left to do. Exit code 77 where it is not in time.
kdiy_register() {
systemctl restart kubelet.service
kdiy_poll 240 "the kubelet to register $1 (its own words: journalctl -u kubelet)" kdiy_patch_node "$2" "$3"
rm -f /var/lib/kdiy/unfinished
}
