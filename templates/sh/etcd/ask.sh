# shellcheck shell=sh
# Asks a member over its JSON gateway; comes after client.sh and the step's poll.sh.
# Whoever uses it sets kdiy_url.
# shellcheck disable=SC2154

# kdiy_ask PATH BODY: prints what the member answers. What it refuses is told on
# standard error, and is a failure as silence is.
kdiy_ask() {
kdiy_said=$(kdiy_etcd 10 -w '\n%{http_code}' -d "$2" "$kdiy_url$1") || return 1
case $kdiy_said in
*'
200') printf '%s\n' "${kdiy_said%????}" ;;
*) echo "etcd refuses $1: $kdiy_said" >&2; return 1 ;;
esac
}
# kdiy_members: the members, one a line.
kdiy_members() {
kdiy_list=$(kdiy_ask /v3/cluster/member/list '{}') || return 1
printf %s "$kdiy_list" | tr -d ' \n' | tr '{' '\n' | grep '^"ID":'
}
# kdiy_field ENTRY KEY: a text, or the first of a list of texts, of such a line.
kdiy_field() { expr "$1" : ".*\"$2\":\[*\"\([^\"]*\)\"" || :; }
kdiy_try_remove() {
! kdiy_removed=$(kdiy_ask /v3/cluster/member/remove "{\"ID\":\"$1\"}" 2>&1) || return 0
# It is gone, by a request whose answer was lost.
case $kdiy_removed in *'member not found'*) return 0 ;; esac
echo "$kdiy_removed"
return 1
}
# kdiy_remove ID NAME: removes a member. etcd refuses that for some seconds after an
# election, so it is asked for a while; exit code 77 after it.
kdiy_remove() { kdiy_poll 30 "etcd to remove $2" kdiy_try_remove "$1"; }
# kdiy_lives ENTRY: whether the member of such a line has a vote and answers where
# the others reach it, which kdiy_at is then.
kdiy_lives() {
case $1 in *'"isLearner":true'*) return 1 ;; esac
kdiy_at=$(kdiy_field "$1" clientURLs)
[ -n "$kdiy_at" ] || return 1
kdiy_status=$(kdiy_etcd 10 --connect-timeout 3 -f -d '{}' "$kdiy_at/v3/maintenance/status" 2>/dev/null | tr -d ' \n') || return 1
[ "$(kdiy_field "$kdiy_status" member_id)" = "$(kdiy_field "$1" ID)" ]
}
