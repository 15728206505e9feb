# shellcheck shell=sh
# Makes this host a member of the running cluster. Comes after ask.sh, start.sh,
# mark.sh and put-aside.sh; kdiy_tmp is the private folder of every step, and kdiy_ask
# reads kdiy_url.
# shellcheck disable=SC2034,SC2154

# kdiy_find_member URL...: sets kdiy_url to the member that is asked, a voter
# that sees the quorum. A learner calls itself healthy from 3.6 on, and one
# without room does not.
kdiy_find_member() {
  for kdiy_url; do
    if kdiy_ask /v3/cluster/member/list '{"linearizable":true}' >/dev/null; then return 0; fi
  done
  return 1
}
# kdiy_add: adds this host as a learner, whose ID is in a file of its own.
kdiy_add() {
  kdiy_added=$(kdiy_ask /v3/cluster/member/add "{\"peerURLs\":[\"$kdiy_peer\"],\"isLearner\":true}") || return 1
  kdiy_id=$(kdiy_field "$(printf %s "$kdiy_added" | tr -d ' \n' | sed 's/.*"member":{//; s/}.*//')" ID)
  if [ -z "$kdiy_id" ]; then echo "$kdiy_added"; return 1; fi
  echo "$kdiy_id" > "$kdiy_tmp/id"
}
# kdiy_promote: gives the learner its vote.
kdiy_promote() {
  ! kdiy_promoted=$(kdiy_ask /v3/cluster/member/promote "{\"ID\":\"$kdiy_id\"}" 2>&1) || return 0
  # It votes already.
  case $kdiy_promoted in *'can only promote a learner member"'*) return 0;; esac
  echo "$kdiy_promoted"
  return 1
}
# kdiy_join NAME PEER-URL OWN-URL LOST: who votes and is healthy by now was
# helped by another run, and stays so. An entry that has lost its data (LOST are
# names with blanks between them), or whose peer URL is another's by now, is
# removed: it would count against the quorum, and etcd adds nobody while a voter
# is away. Old data of a member that was removed is put aside, never deleted.
kdiy_join() {
kdiy_name=$1 kdiy_peer=$2 kdiy_own=$3 kdiy_lost=$4
kdiy_id=
kdiy_members > "$kdiy_tmp/members"
while read -r kdiy_entry; do
  [ "$(kdiy_field "$kdiy_entry" peerURLs)" = "$kdiy_peer" ] || continue
  case $kdiy_entry in *'"isLearner":true'*) ;; *)
    if [ -d /var/lib/etcd/member ] && [ "$(kdiy_field "$kdiy_entry" name)" = "$kdiy_name" ] &&
      kdiy_etcd 10 "$kdiy_own/health" </dev/null | grep -q '"health":"true"'; then
      kdiy_id=$(kdiy_field "$kdiy_entry" ID)
    fi
    continue;;
  esac
  if [ -d /var/lib/etcd/member ] || [ -z "$(kdiy_field "$kdiy_entry" name)" ]; then
    kdiy_id=$(kdiy_field "$kdiy_entry" ID)
  fi
done < "$kdiy_tmp/members"
if [ -z "$kdiy_id" ]; then
  systemctl daemon-reload
  systemctl stop kdiy-etcd.service
  kdiy_put_aside
  while read -r kdiy_entry; do
    kdiy_entry_name=$(kdiy_field "$kdiy_entry" name)
    if [ "$(kdiy_field "$kdiy_entry" peerURLs)" = "$kdiy_peer" ] || case " $kdiy_lost " in *" ${kdiy_entry_name:-?} "*) [ "$kdiy_entry" = "${kdiy_entry%\"isLearner\":true*}" ] || [ "$kdiy_entry_name" = "$kdiy_name" ];; *) false;; esac; then
      kdiy_old=$(kdiy_field "$kdiy_entry" ID)
      if [ "$kdiy_entry_name" != "$kdiy_name" ] && kdiy_lives "$kdiy_entry" </dev/null; then
        echo "the member $kdiy_old ($kdiy_entry_name) has a vote and answers at $kdiy_at: it stays"
        continue
      fi
      echo "removing the member $kdiy_old (${kdiy_entry_name:-never started}), whose data is lost"
      kdiy_remove "$kdiy_old" "${kdiy_entry_name:-it}"
    fi
  done < "$kdiy_tmp/members"
  echo 'adding it as a learner'
  kdiy_poll 60 'etcd to take a learner' kdiy_add
  read -r kdiy_id < "$kdiy_tmp/id"
fi
if [ ! -d /var/lib/etcd/member ] || ! systemctl is-active --quiet kdiy-etcd.service; then
  kdiy_cluster=
  kdiy_members > "$kdiy_tmp/members"
  while read -r kdiy_entry; do
    kdiy_entry_url=$(kdiy_field "$kdiy_entry" peerURLs)
    kdiy_entry_name=$(kdiy_field "$kdiy_entry" name)
    [ "$kdiy_entry_url" != "$kdiy_peer" ] || kdiy_entry_name=$kdiy_name
    kdiy_cluster="$kdiy_cluster${kdiy_cluster:+,}${kdiy_entry_name:-unnamed}=$kdiy_entry_url"
  done < "$kdiy_tmp/members"
  kdiy_start existing "$kdiy_cluster"
fi
kdiy_poll 600 'the learner to have all data' kdiy_promote || kdiy_etcd_failed $?
echo 'it votes'
}
