# shellcheck shell=sh
# bash expands the words itself.
# shellcheck disable=SC2016

# kdiy_peers ADDRESS/PORT...: addresses of hosts that are not reached, asked only of a
# host that is in no cluster yet. bash is the only shell that can connect. First one
# bash tries the API server's port of all in turn: where nothing listens yet the
# kernel answers, while a try of the SSH port costs the other host a process, and
# sshd counts those that do not log in. Whoever did not answer so is tried at the SSH
# port, by one bash for each, side by side. Refused counts as reached: the host
# answered.
kdiy_peers() {
if [ -s /etc/kubernetes/kubelet.conf ] || [ -d /var/lib/etcd/member ] || ! command -v bash >/dev/null; then return; fi
said=$(timeout 1 bash -c 'for a; do a=${a%/*}; { :; } 3<>"/dev/tcp/$a/6443" && echo "/dev/tcp/$a/6443: open"; done' bash "$@" 2>&1)
for t; do
case $said in *"/dev/tcp/${t%/*}/6443: open"*|*"/dev/tcp/${t%/*}/6443: Connection refused"*) continue ;; esac
(
out=$(timeout 3 bash -c "exec 3<>/dev/tcp/$t" 2>&1) || {
  s=$?
  case $s:$out in 124:*|*unreachable*|*"No route"*) echo "${t%/*}" ;; esac
}
) &
done
wait
}
