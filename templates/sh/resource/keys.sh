# shellcheck shell=sh
# kdiy_primary FILE: fingerprints of the primary keys in a keyring file.
kdiy_primary() {
gpg --batch --show-keys --with-colons -- "$1" 2>/dev/null | {
  p=
  while IFS=: read -r t _ _ _ _ _ _ _ _ f _; do
    case $t in
    pub) p=1 ;;
    fpr) [ -z "$p" ] || echo "$f"; p= ;;
    esac
  done
}
}
