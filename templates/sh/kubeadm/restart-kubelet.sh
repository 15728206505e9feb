# shellcheck shell=sh
# kdiy_tmp is the private folder of every step.
# shellcheck disable=SC2154
kdiy_kubelet=/var/lib/kubelet
kdiy_kubelet_serves() {
systemctl is-active --quiet kubelet.service || { systemctl is-active kubelet.service; return 1; }
[ -z "$1" ] || curl -fsS --noproxy '*' --max-time 5 "$1"
}
# kdiy_start_kubelet: has kubeadm write the kubelet's files and restart it.
kdiy_start_kubelet() { kubeadm init phase kubelet-start --config "$kdiy_tmp/kubeadm.yaml"; }
# kdiy_start_worker: likewise, where kubeadm alone sees no /etc/kubernetes/pki:
# it takes a worker, which has the CA without its key, for a control plane whose
# certificates somebody else makes, and wants those. The words are for the inner
# shell.
# shellcheck disable=SC2016
kdiy_start_worker() {
unshare --mount sh -euc 'mount -t tmpfs -o size=4k none /etc/kubernetes/pki
exec kubeadm init phase kubelet-start --config "$1"' sh "$kdiy_tmp/kubeadm.yaml"
}
# kdiy_restart_kubelet URL COMMAND...: runs the command, which writes the
# kubelet's files and restarts it, and waits until it says at the URL that it is
# well; no URL, no question. Fails, with the files of before in their places,
# where it does not: with the exit code of the command, or 77.
kdiy_restart_kubelet() {
kdiy_url=$1; shift
mkdir "$kdiy_tmp/before"
for f in config.yaml kubeadm-flags.env; do
[ ! -e "$kdiy_kubelet/$f" ] || cp -p "$kdiy_kubelet/$f" "$kdiy_tmp/before/$f"
done
kdiy_since=$(date '+%F %T')
kdiy_code=0
{ "$@" && kdiy_poll 60 'the kubelet to be well with its new settings' kdiy_kubelet_serves "$kdiy_url"; } || kdiy_code=$?
[ "$kdiy_code" -ne 0 ] || return 0
journalctl -u kubelet.service --since "$kdiy_since" -o cat --no-pager | grep -iE 'error|fail|invalid|unknown' | tail -n 3 >&2
cp -p "$kdiy_tmp/before/." "$kdiy_kubelet" -R
systemctl restart kubelet.service
echo 'the settings of before were put back, and the kubelet was restarted with them; look at the section kubelet of the inventory' >&2
return "$kdiy_code"
}
