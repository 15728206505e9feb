# shellcheck shell=sh
# Comes after section.sh and client.sh, which sets kdiy_cert.
# shellcheck disable=SC2154

kdiy_say() { kdiy_etcd 4 "$@" 2>&1 | head -c 262144; }
# kdiy_gateway: what the member at kdiy_url says of itself, in sections; its URL
# alone where the host has no certificate for clients of etcd.
kdiy_gateway() {
kdiy_section url "$kdiy_url"
[ -e "$kdiy_cert" ] || return 0
kdiy_said=$(kdiy_say -d '{}' "$kdiy_url/v3/maintenance/status")
kdiy_section status "$kdiy_said"
case $kdiy_said in *'"raftTerm"'*) ;; *) return 0 ;; esac
kdiy_members=$(kdiy_say -d '{"linearizable":false}' "$kdiy_url/v3/cluster/member/list")
case $kdiy_members in
*'"members"'*) ;;
*) kdiy_members=$(kdiy_say -d '{}' "$kdiy_url/v3/cluster/member/list") ;;
esac
kdiy_section members "$kdiy_members"
# Both need a quorum and would only wait for it.
case $kdiy_said in *'no leader'*) return 0 ;; esac
kdiy_section health "$(kdiy_say "$kdiy_url/health")"
kdiy_section alarms "$(kdiy_say -d '{"action":"GET"}' "$kdiy_url/v3/maintenance/alarm")"
}
