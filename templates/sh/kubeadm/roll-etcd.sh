# shellcheck shell=sh
# Comes after etcd's functions and wait-for-rollout.sh; kdiy_tmp is the private folder
# of every step.
# shellcheck disable=SC2154
# kdiy_others_serve NAME: whether all members but this one have a vote and
# answer; kdiy_other is one of them then.
kdiy_others_serve() {
kdiy_other=
kdiy_members > "$kdiy_tmp/members" || return 1
while read -r kdiy_entry; do
kdiy_name=$(kdiy_field "$kdiy_entry" name)
[ "$kdiy_name" != "$1" ] || continue
kdiy_lives "$kdiy_entry" || { echo "the member ${kdiy_name:-that has not started yet} does not answer, or has no vote"; return 1; }
kdiy_other=$(kdiy_field "$kdiy_entry" ID)
done < "$kdiy_tmp/members"
}
# kdiy_give_leadership_away ID: where the member of this host leads.
kdiy_give_leadership_away() {
kdiy_status=$(kdiy_ask /v3/maintenance/status '{}' | tr -d ' \n') || return 1
[ "$(kdiy_field "$kdiy_status" leader)" = "$(kdiy_field "$kdiy_status" member_id)" ] || return 0
kdiy_ask /v3/maintenance/transfer-leadership "{\"targetID\":\"$1\"}" > /dev/null
}
kdiy_etcd_pids() { kdiy_planes etcd | sed -n 's/ etcd$//p'; }
# kdiy_etcd_renewed CURL-WORD...: whether another process than before serves.
kdiy_etcd_renewed() {
kdiy_now=$(kdiy_etcd_pids)
[ -n "$kdiy_now" ] || { echo 'it does not run'; return 1; }
for p in $kdiy_now; do
! grep -qxF "$p" "$kdiy_tmp/etcd.old" || { echo 'the process of before still runs'; return 1; }
done
kdiy_etcd_healthy "$@" || { echo 'it is not healthy'; return 1; }
}
kdiy_stopped() { [ -z "$(kdiy_pids "$1")" ] || { echo 'it still runs'; return 1; }; }
# kdiy_roll_etcd NAME CURL-WORD...: has kubeadm write the manifest anew, and
# waits for the member. Fails before any change where another member does not
# serve; puts the manifest of before back where the new one does not come up
# with the same image: what another version has written is not read by the old.
# The API server beside it stops before, until the static pods are written: it
# could not answer without etcd, and the kubelet would wait for half a minute
# for its answer before it starts the new etcd.
# Exit code 77 where something was waited for in vain.
kdiy_roll_etcd() {
kdiy_own=$1; shift
kdiy_poll 60 'the other members of etcd to answer' kdiy_others_serve "$kdiy_own" || return
kdiy_others_serve "$kdiy_own" || return 1
[ -z "$kdiy_other" ] || kdiy_give_leadership_away "$kdiy_other" || return 1
cp -p "$kdiy_manifests/etcd.yaml" "$kdiy_tmp/etcd.before"
kdiy_etcd_pids > "$kdiy_tmp/etcd.old"
rm -f "$kdiy_manifests/kube-apiserver.yaml"
kdiy_code=0
kdiy_poll 90 'the API server beside etcd to stop' kdiy_stopped kube-apiserver || kdiy_code=$?
[ "$kdiy_code" -ne 0 ] || kubeadm init phase etcd local --config "$kdiy_tmp/kubeadm.yaml" || kdiy_code=$?
if [ "$kdiy_code" -ne 0 ]; then
kdiy_put_back kube-apiserver
return "$kdiy_code"
fi
! cmp -s "$kdiy_tmp/etcd.before" "$kdiy_manifests/etcd.yaml" || return 0
kdiy_poll 240 'etcd to serve with its new settings' kdiy_etcd_renewed "$@" && return 0
# Names of logs have no odd letters.
# shellcheck disable=SC2012
kdiy_log=$(ls -t /var/log/pods/kube-system_etcd-*/*/*.log 2>/dev/null | head -n 1)
[ -z "$kdiy_log" ] || tail -n 3 "$kdiy_log" >&2
if [ "$(grep ' image: ' "$kdiy_tmp/etcd.before")" = "$(grep ' image: ' "$kdiy_manifests/etcd.yaml")" ]; then
kdiy_put_back etcd
echo 'the manifest of before was put back; look at controlPlane.etcd in the inventory' >&2
fi
kdiy_put_back kube-apiserver
return 77
}
