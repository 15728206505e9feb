# shellcheck shell=sh
# Comes after fetch.sh and keys.sh.

# kdiy_expired FILE: whether a key in a keyring file has.
kdiy_expired() {
gpg --batch --show-keys --with-colons -- "$1" 2>/dev/null | {
  while IFS=: read -r t _ _ _ _ _ end _; do
    [ "$t" != pub ] || [ -z "$end" ] || [ "$end" -gt "$(date +%s)" ] || exit 0
  done
  exit 1
}
}
# kdiy_renewed FILE URL NAME FINGERPRINT: says so where a key has expired and the
# one at the URL has not: what signs a repository is given a later end from time to
# time, under the same fingerprint. The URL is asked only where the key has expired.
kdiy_renewed() {
kdiy_expired "$1" && kdiy_new=$(mktemp -d) || return 0
if kdiy_fetch "$2" "$kdiy_new/key" timeout 20 >/dev/null 2>&1 \
  && [ "$(kdiy_primary "$kdiy_new/key")" = "$4" ] && ! kdiy_expired "$kdiy_new/key"; then
  echo "renewed $3"
fi
rm -rf -- "$kdiy_new"
}
# kdiy_tell_key FILE URL NAME FINGERPRINT: the keys that are there, and whether the
# wanted one is to be fetched again.
kdiy_tell_key() {
for f in $(kdiy_primary "$1"); do echo "fpr $3 $f"; done
kdiy_renewed "$@"
}
