# shellcheck shell=sh
# Comes after state.sh, which reads kdiy_old, kdiy_beat and kdiy_owner.
# shellcheck disable=SC2154

# kdiy_put_owner FILE NUMBER OWNER: writes an owner down.
kdiy_put_owner() {
printf '%s\n' "$2" >"${1%/*}/last-owner.new"
mv -f "${1%/*}/last-owner.new" "${1%/*}/last-owner"
printf '%s\n%s\n%s\n' "$2" "$(cut -d. -f1 /proc/uptime)" "$3" >"$1.new"
mv -f "$1.new" "$1"
}
# kdiy_tell_held: tells who has it.
kdiy_tell_held() {
printf 'held %s %s %s\n' "$kdiy_old" "$(($(cut -d. -f1 /proc/uptime) - kdiy_beat))" "$kdiy_owner"
}
