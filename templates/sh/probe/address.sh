# shellcheck shell=sh
# kdiy_find_address FAMILY INTERFACE VIP: addresses of an interface, of the family
# that pods have. Addresses that come and go with time, and those beside another of
# their network, are not meant; nor is a virtual one, which may be there, but is no
# node's own.
kdiy_find_address() {
ip -o "$1" addr show scope global primary -deprecated dev "$2" | grep -vF -- " ${3:-none}/"
}
# kdiy_own_address [FAMILY INTERFACE VIP]: tells it, and leaves the first in
# kdiy_address.
kdiy_own_address() {
kdiy_address=
[ $# -eq 0 ] || kdiy_address=$(kdiy_find_address "$@")
kdiy_section address "$kdiy_address"
# Its words are wanted.
# shellcheck disable=SC2086
set -- $kdiy_address
kdiy_address=${4%%/*}
}
# kdiy_installed: the version of kubeadm, if it is there.
kdiy_installed() { dpkg-query -W -f '${Version}\n' kubeadm 2>/dev/null; }
