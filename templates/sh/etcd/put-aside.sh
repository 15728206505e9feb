# shellcheck shell=sh
# kdiy_put_aside: data of a member that was removed are kept, but never used again.
kdiy_put_aside() {
  [ -d /var/lib/etcd/member ] || return 0
  kdiy_n=1
  while [ -e "/var/lib/etcd/member.removed-$kdiy_n" ]; do kdiy_n=$((kdiy_n + 1)); done
  echo "putting the data of the removed member aside as /var/lib/etcd/member.removed-$kdiy_n"
  mv -- /var/lib/etcd/member "/var/lib/etcd/member.removed-$kdiy_n"
}
