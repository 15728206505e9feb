# shellcheck shell=sh
# bash expands the words itself; the rest of a line is read and left.
# shellcheck disable=SC2016,SC2034
# kdiy_nginx FILE: whether the servers that a configuration names take connections.
kdiy_nginx() {
while read -r a b c; do
case $a:$b in
'#:'*) n=$b ;;
server:*:*) (
  h=${b%:*}; h=${h#\[}; h=${h%\]}
  if out=$(timeout 3 bash -c 'exec 3<>"/dev/tcp/$0/$1"' "$h" "${b##*:}" 2>&1); then echo "$n up"
  else out=${out##*: }; echo "$n down ${out:-no answer in 3 s}"; fi ) & ;;
esac
done < "$1"
wait
}
