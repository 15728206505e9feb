# shellcheck shell=sh
# Comes after apt.sh, fetch.sh and keys.sh.

# kdiy_give_key FILE TEXT: the key of a repository, beside its place.
kdiy_give_key() {
install -d -m 0755 /etc/apt/keyrings
printf %s "$2" > "$1.kdiy-new"
}
# kdiy_fetch_key FILE URL FINGERPRINT: the same from a URL; exit code 78 where
# another key is there.
kdiy_fetch_key() {
install -d -m 0755 /etc/apt/keyrings
kdiy_fetch "$2" "$1.kdiy-new"
kdiy_fpr=$(kdiy_primary "$1.kdiy-new")
if [ "$kdiy_fpr" != "$3" ]; then
  rm -f -- "$1.kdiy-new"
  echo "the key has the fingerprint $kdiy_fpr, not $3" >&2
  return 78
fi
}
# kdiy_add_repository KEY-FILE LIST-FILE SETTING TRIED LIST: the new key and list are
# tried by themselves first (TRIED names the key beside its place), so that a
# repository that apt refuses never gets into its sources. apt only warns about a
# signature that it cannot verify when it has older lists, so warnings count as
# errors. Exit code 100, which is apt's.
kdiy_add_repository() {
kdiy_key=$1.kdiy-new kdiy_try=${2%.list}.kdiy-new
chmod 0644 "$kdiy_key"
printf %s "$4" > "$kdiy_try"
if ! kdiy_apt update -o Dir::Etc::sourcelist="$kdiy_try" -o Dir::Etc::sourceparts=- -o APT::Get::List-Cleanup=0 -o APT::Update::Error-Mode=any; then
  rm -f -- "$kdiy_try" "$kdiy_key"
  echo "apt does not take the repository, for the reason above; $3.repository and $3.key say which it is" >&2
  return 100
fi
rm -f -- "$kdiy_try"
mv -f -- "$kdiy_key" "$1"
printf %s "$5" > "$2.kdiy-new"
mv -f -- "$2.kdiy-new" "$2"
kdiy_apt update -o Dir::Etc::sourcelist="$2" -o Dir::Etc::sourceparts=- -o APT::Get::List-Cleanup=0
}
