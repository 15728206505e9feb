# shellcheck shell=sh
# Comes after state.sh, which sets kdiy_old and kdiy_beat.
# shellcheck disable=SC2154

# kdiy_take FILE NUMBER REPLACED SECONDS OWNER: puts down an owner, unless another
# is there that was not silent for so many seconds. One with the number REPLACED
# is replaced at once.
kdiy_take() {
kdiy_alone "$1" || return 1
kdiy_read "$1"
case $kdiy_old in
''|"$2"|"$3") ;;
*) if [ "$(($(cut -d. -f1 /proc/uptime) - kdiy_beat))" -lt "$4" ]; then kdiy_tell_held; return; fi ;;
esac
kdiy_put_owner "$1" "$2" "$5"
kdiy_busy=
[ ! -e "${1%/*}/at-work" ] || { exec 7<"${1%/*}/at-work"; flock -n 7 || kdiy_busy=1; exec 7<&-; }
echo "taken $(kdiy_boot)${kdiy_busy:+ busy}"
}
