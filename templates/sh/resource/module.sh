# shellcheck shell=sh
# kdiy_has_path PATH
kdiy_has_path() { [ -e "$1" ]; }
# kdiy_has_file_system NAME: a line of /proc/filesystems, which the shell reads by
# itself: a program costs a host more.
kdiy_has_file_system() {
while read -r kdiy_dev kdiy_fs; do
[ "${kdiy_fs:-$kdiy_dev}" != "$1" ] || return 0
done </proc/filesystems
return 1
}
# kdiy_tell_module NAME TEST WORD: TEST is one of the above.
kdiy_tell_module() { "$2" "$3" && echo "$1 present"; }
# kdiy_load_module NAME TEST WORD: exit code 78 where the kernel has none.
kdiy_load_module() {
if "$2" "$3"; then return; fi
modprobe -- "$1"
"$2" "$3" || { echo "the kernel has no $1" >&2; return 78; }
}
