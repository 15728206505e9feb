# shellcheck shell=sh
# Comes after etcd-member.sh.

# kdiy_program: the version of the program that the unit of a member with data would
# start.
kdiy_program() {
[ -d /var/lib/etcd/member ] || return 0
kdiy_program=$(sed -n 's/^ExecStart=\([^ ]*\).*/\1/p' /etc/systemd/system/kdiy-etcd.service 2>/dev/null)
[ -x "$kdiy_program" ] && "$kdiy_program" --version 2>/dev/null | sed -n 's/^etcd Version: */program /p'
}
# kdiy_member: the member on this host, and what it answers where it runs.
kdiy_member() {
echo asked
kdiy_data
[ -r /var/lib/etcd/kdiy-cluster ] && read -r v < /var/lib/etcd/kdiy-cluster && echo "marker $v"
[ "$(systemctl is-active etcd.service 2>/dev/null)" = active ] && echo distribution yes
kdiy_program
case $(systemctl is-active kdiy-etcd.service 2>/dev/null) in active|activating|reloading)
  echo runs yes
  kdiy_tell_etcd ;;
esac
}
