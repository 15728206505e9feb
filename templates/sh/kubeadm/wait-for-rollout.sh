# shellcheck shell=sh
# kdiy_tmp is the private folder of every step.
# Names of logs have no odd letters.
# shellcheck disable=SC2012,SC2154
kdiy_manifests=/etc/kubernetes/manifests
kdiy_pids() {
kdiy_planes | while read -r p c; do
[ "$c" != "$(printf %.15s "$1")" ] || echo "$p"
done
}
# kdiy_put_back COMPONENT: its manifest of before, whole.
kdiy_put_back() {
[ -e "$kdiy_tmp/$1.before" ] || return 0
cp -p "$kdiy_tmp/$1.before" "/etc/kubernetes/.$1.kdiy-new"
mv -f "/etc/kubernetes/.$1.kdiy-new" "$kdiy_manifests/$1.yaml"
}
for c in kube-apiserver kube-controller-manager kube-scheduler; do
[ ! -e "$kdiy_manifests/$c.yaml" ] || cp -p "$kdiy_manifests/$c.yaml" "$kdiy_tmp/$c.before"
kdiy_pids "$c" > "$kdiy_tmp/$c.old"
done
kdiy_taken() {
kdiy_now=$(kdiy_pids "$1")
[ -n "$kdiy_now" ] || { echo "it does not run"; return 1; }
for p in $kdiy_now; do
! grep -qxF "$p" "$kdiy_tmp/$1.old" || { echo "the process of before still runs"; return 1; }
tr '\0' '\n' < "/proc/$p/cmdline" > "$kdiy_tmp/$1.has" || return 1
while IFS= read -r w; do
grep -qxF -e "$w" "$kdiy_tmp/$1.has" || { echo "it runs without $w"; return 1; }
done < "$kdiy_tmp/want-$1"
done
curl -fsSk --noproxy '*' --max-time 5 --cert /etc/kubernetes/pki/apiserver-kubelet-client.crt \
  --key /etc/kubernetes/pki/apiserver-kubelet-client.key "$2"
}
# kdiy_wait_for_rollout NAME URL: until the component runs with all that it should, after
# its manifest changed as a new process, and is healthy; exit code 77 where it is not in
# time, and the manifests of before are back.
kdiy_wait_for_rollout() {
if cmp -s "$kdiy_tmp/$1.before" "$kdiy_manifests/$1.yaml"; then : > "$kdiy_tmp/$1.old"; fi
kdiy_poll 240 "$1 to run with its new settings" kdiy_taken "$1" "$2" && return 0
kdiy_log=$(ls -t /var/log/pods/kube-system_"$1"-*/*/*.log 2>/dev/null | head -n 1)
[ -z "$kdiy_log" ] || grep -iE -m 3 'error|unknown|invalid|fatal|panic' "$kdiy_log" >&2 || tail -n 3 "$kdiy_log" >&2
for c in kube-apiserver kube-controller-manager kube-scheduler; do
[ ! -e "$kdiy_tmp/$c.before" ] || cmp -s "$kdiy_tmp/$c.before" "$kdiy_manifests/$c.yaml" || kdiy_put_back "$c"
done
echo "the static pods of before were put back; look at the settings of $1 in the inventory" >&2
return 77
}
