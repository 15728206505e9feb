# shellcheck shell=sh
# Comes after client.sh, which sets kdiy_key; kdiy_url is set before.
# shellcheck disable=SC2154

# kdiy_tell_etcd: what the member at kdiy_url answers.
kdiy_tell_etcd() {
[ -s "$kdiy_key" ] && command -v curl >/dev/null || return 0
echo "status $(kdiy_etcd 4 -d '{}' "$kdiy_url/v3/maintenance/status" 2>/dev/null | tr -d '\n')"
echo "members $(kdiy_etcd 4 -d '{}' "$kdiy_url/v3/cluster/member/list" 2>/dev/null | tr -d '\n')"
}
# kdiy_data: whether a member's data is there.
kdiy_data() { [ -d /var/lib/etcd/member ] && echo data yes; }
