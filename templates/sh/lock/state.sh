# shellcheck shell=sh
# Who has a host, as its file says. kdiy_old, kdiy_beat and kdiy_owner are the
# number of its run, when it was last there, and who that is, for others.
# shellcheck disable=SC2034

# kdiy_boot: what tells one boot of a host from all others. The first process has
# begun anew also where the kernel has not: in a container.
kdiy_boot() {
kdiy_first=$(cat /proc/1/stat)
# The fields are words.
# shellcheck disable=SC2086
set -- ${kdiy_first##*) }
echo "$(cat /proc/sys/kernel/random/boot_id)-${20}"
}
# kdiy_read FILE
kdiy_read() {
kdiy_old='' kdiy_beat='' kdiy_owner=''
if [ -f "$1" ]; then
{ IFS= read -r kdiy_old && IFS= read -r kdiy_beat && IFS= read -r kdiy_owner; } <"$1" || :
fi
case $kdiy_beat in ''|*[!0-9]*) kdiy_beat=0 ;; esac
}
# kdiy_ours FILE NUMBER BOOT: whether it is ours, once it was read; BOOT is the
# boot in which it was taken. An owner who is gone is not us: we may have been
# taken for dead, and who took it has given it back. After a reboot nobody is
# there; it is ours as long as nobody else took it since.
kdiy_ours() {
[ "$kdiy_old" != "$2" ] || return 0
[ -z "$kdiy_old" ] && [ ! -e "${1%/*}/last-owner" ] && [ "$(kdiy_boot)" != "$3" ]
}
