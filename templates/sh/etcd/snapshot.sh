# shellcheck shell=sh
# Comes after client.sh; kdiy_url, kdiy_need (KiB) and kdiy_programs are set before.
# shellcheck disable=SC2154
set -eu
umask 077
kdiy_tmp=$(mktemp -d /var/tmp/kdiy-etcd.XXXXXXXX)
trap 'rm -rf -- "$kdiy_tmp"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 141' PIPE
trap 'exit 143' TERM
kdiy_fail() { echo "$1" >&2; exit 1; }
kdiy_free=$(df -Pk /var/tmp | { read -r _; read -r _ _ _ kdiy_kib _; echo "$kdiy_kib"; })
[ "$kdiy_free" -ge "$kdiy_need" ] || kdiy_fail "/var/tmp has $kdiy_free KiB free, a snapshot needs $kdiy_need KiB"
# Where etcd is a static pod, its programs are beside it. Of all processes that
# call themselves etcd only the one that holds the member's port is believed:
# what is beside it is run as root.
[ -n "$kdiy_programs" ] || kdiy_programs=$(ss -Hltnp | while read -r _ _ _ kdiy_at _ kdiy_by; do
  case $kdiy_at in "${kdiy_url#https://}"|'*:2379'|'0.0.0.0:2379'|'[::]:2379') ;; *) continue;; esac
  kdiy_by=${kdiy_by#*pid=}
  kdiy_root=/proc/${kdiy_by%%,*}/root
  echo "$kdiy_root/usr/local/bin $kdiy_root/usr/bin $kdiy_root/bin"
done)
kdiy_tool() {
  for kdiy_folder in $kdiy_programs; do
    [ ! -x "$kdiy_folder/$1" ] || { echo "$kdiy_folder/$1"; return; }
  done
  command -v "$1"
}
kdiy_clean() { env -i PATH="$PATH" HOME=/root "$@"; }
# etcdctl saves; what is in a snapshot only etcdutl says.
kdiy_need_tool() { kdiy_tool "$1" || kdiy_fail "there is no $1, neither on the host nor beside the etcd that runs"; }
kdiy_ctl=$(kdiy_need_tool etcdctl)
kdiy_utl=$(kdiy_need_tool etcdutl)
kdiy_file=$kdiy_tmp/snapshot
kdiy_clean "$kdiy_ctl" --endpoints "$kdiy_url" --cacert "$kdiy_ca" --cert "$kdiy_cert" --key "$kdiy_key" snapshot save "$kdiy_file" >&2
kdiy_holds=$(kdiy_clean "$kdiy_utl" snapshot status "$kdiy_file" -w json)
kdiy_sum=$(sha256sum <"$kdiy_file")
printf 'kdiy-snapshot %s %s %s\n' "$(stat -c %s "$kdiy_file")" "${kdiy_sum%% *}" "$(printf %s "$kdiy_holds" | tr -d '\n')"
cat "$kdiy_file"
