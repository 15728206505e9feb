# shellcheck shell=sh
# Runs of kubeadm, with a note on the host while they last: files alone do not tell
# whether one came to its end. kdiy_tmp is the private folder of every step.
# shellcheck disable=SC2154

# kdiy_resume WHAT IGNORED: sets kdiy_again where something was begun and did not end:
# what kubeadm's preflight is to pass over then. IGNORED is empty where it passes over
# everything: kubeadm refuses names beside `all`.
kdiy_resume() {
install -d -m 0755 /var/lib/kdiy
kdiy_again=
[ -e /var/lib/kdiy/unfinished ] || return 0
echo "taking up $1"
[ -z "$2" ] || kdiy_again=--ignore-preflight-errors=$2
}
# kdiy_kubeadm VERB NODE LABEL: `init` or `join`. One that ended after its connection
# was cut is not run twice: the cluster is asked whether the node has its label.
kdiy_kubeadm() {
if [ -z "$kdiy_again" ] && [ -s /etc/kubernetes/kubelet.conf ] &&
  kubectl --kubeconfig /etc/kubernetes/kubelet.conf --request-timeout=10s get node "$2" -o 'jsonpath={.metadata.labels}' | grep -qE "$3"; then
  echo 'kubeadm has come to its end meanwhile'
else
  echo "$1" > /var/lib/kdiy/unfinished
  kubeadm "$1" --config "$kdiy_tmp/kubeadm.yaml" ${kdiy_again:+"$kdiy_again"}
  rm -f /var/lib/kdiy/unfinished
fi
}
