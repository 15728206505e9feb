# shellcheck shell=sh
# Comes after ask.sh; kdiy_tmp is the private folder of every step.
# shellcheck disable=SC2154

# kdiy_forget NAME: removes the member of this name, if there is one. One that has
# never started has no name, and stays. So does one that has a vote and answers,
# whatever the plan was made from: exit code 78.
kdiy_forget() {
kdiy_members > "$kdiy_tmp/members" || return 1
while read -r kdiy_entry; do
[ "$(kdiy_field "$kdiy_entry" name)" = "$1" ] || continue
if kdiy_lives "$kdiy_entry"; then
echo "the member $1 of etcd has a vote and answers at $kdiy_at: it lives, and nothing of it is removed" >&2
return 78
fi
kdiy_remove "$(kdiy_field "$kdiy_entry" ID)" "$1" || return
done < "$kdiy_tmp/members"
}
