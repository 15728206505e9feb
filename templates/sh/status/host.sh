# shellcheck shell=sh
# Comes after section.sh and beside.sh.

# kdiy_tell_host: its clock, and whether its kubelet has joined.
kdiy_tell_host() {
kdiy_section clock "$(date +%s)"
[ ! -s /etc/kubernetes/kubelet.conf ] || kdiy_section joined yes
}
