# shellcheck shell=sh
# Comes after section.sh.

# kdiy_machine: what a machine is that somebody else made. Needs no root.
kdiy_machine() {
PATH=$PATH:/usr/sbin:/sbin
kdiy_section host-name "$(uname -n)"
kdiy_section machine-id "$(cat /etc/machine-id 2>/dev/null)"
kdiy_section addresses "$(ip -o addr show scope global)"
kdiy_section routes "$(ip -4 route show default; ip -6 route show default 2>/dev/null)"
}
