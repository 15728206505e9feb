# shellcheck shell=sh
# kdiy_beat FILE NUMBER BOOT OWNER: says that the owner is still there, where it is
# ours; it takes nothing from nobody.
kdiy_beat() {
kdiy_alone "$1" || return 1
kdiy_read "$1"
if kdiy_ours "$1" "$2" "$3"; then
kdiy_put_owner "$1" "$2" "$4"
echo ours
elif [ -n "$kdiy_old" ]; then kdiy_tell_held
else echo gone
fi
}
