# shellcheck shell=sh
# Comes after fetch.sh; kdiy_tmp is the private folder of every step.
# shellcheck disable=SC2154

# kdiy_for_this_machine URL: with Debian's word for this machine as {arch}.
kdiy_for_this_machine() {
printf %s "$1" | sed "s/{arch}/$(dpkg --print-architecture)/g"
}
# kdiy_check_sum FILE SHA256 WHO: ends the step, with exit code 78, where WHO says
# another sum.
kdiy_check_sum() {
if ! printf '%s  %s\n' "$2" "$1" | sha256sum --check --status -; then
  echo "what $kdiy_url gives has another sha256 than $3 says" >&2
  exit 78
fi
}
# kdiy_download URL NAME SHA256: to $kdiy_tmp/NAME; kdiy_url is what it came from.
kdiy_download() {
kdiy_url=$(kdiy_for_this_machine "$1")
kdiy_fetch "$kdiy_url" "$kdiy_tmp/$2"
kdiy_check_sum "$kdiy_tmp/$2" "$3" 'the inventory'
}
# kdiy_note_sum NAME SHA256: notes of which download NAME is.
kdiy_note_sum() {
install -d -m 0755 /var/lib/kdiy
printf '%s\n' "$2" > "/var/lib/kdiy/$1.sha256"
}
