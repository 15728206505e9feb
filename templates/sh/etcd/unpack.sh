# shellcheck shell=sh
# Comes after download.sh; kdiy_tmp is the private folder of every step.
# shellcheck disable=SC2154

# kdiy_sum_beside: sets kdiy_sum to the hash of the archive at kdiy_url, as the
# file beside it says.
kdiy_sum_beside() {
kdiy_by=${kdiy_url%/*}/SHA256SUMS
kdiy_fetch "$kdiy_by" "$kdiy_tmp/SHA256SUMS"
while read -r kdiy_hash kdiy_file _; do
  [ "${kdiy_file#\*}" != "${kdiy_url##*/}" ] || kdiy_sum=$kdiy_hash
done < "$kdiy_tmp/SHA256SUMS"
if [ -z "$kdiy_sum" ]; then
  echo "$kdiy_by does not name ${kdiy_url##*/}" >&2
  exit 78
fi
}
# kdiy_install_etcd URL VERSION FOLDER SHA256: unpacks the archive, if it has
# that hash (or, where it is empty, that of the file beside it) and version; exit
# code 78 otherwise.
kdiy_install_etcd() {
kdiy_url=$(kdiy_for_this_machine "$1")
kdiy_version=$2 kdiy_folder=$3 kdiy_sum=$4 kdiy_by='the inventory'
[ -n "$kdiy_sum" ] || kdiy_sum_beside
kdiy_fetch "$kdiy_url" "$kdiy_tmp/etcd.tar.gz"
kdiy_check_sum "$kdiy_tmp/etcd.tar.gz" "$kdiy_sum" "$kdiy_by"
mkdir "$kdiy_tmp/etcd"
tar -xzf "$kdiy_tmp/etcd.tar.gz" --no-same-owner -C "$kdiy_tmp/etcd"
rm -rf -- "$kdiy_folder.kdiy-new"
install -d -m 0755 "$kdiy_folder.kdiy-new"
for kdiy_program in etcd etcdctl etcdutl; do
  find "$kdiy_tmp/etcd" -type f -name "$kdiy_program" -exec install -m 0755 -t "$kdiy_folder.kdiy-new" {} +
  if [ ! -x "$kdiy_folder.kdiy-new/$kdiy_program" ]; then
    echo "there is no program $kdiy_program in $kdiy_url" >&2
    exit 78
  fi
done
kdiy_has=$("$kdiy_folder.kdiy-new/etcd" --version | sed -n 's/^etcd Version: *//p')
if [ "$kdiy_has" != "$kdiy_version" ]; then
  echo "$kdiy_url holds etcd $kdiy_has, not $kdiy_version" >&2
  exit 78
fi
rm -rf -- "$kdiy_folder"
mv -T -- "$kdiy_folder.kdiy-new" "$kdiy_folder"
}
