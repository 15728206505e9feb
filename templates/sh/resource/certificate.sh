# shellcheck shell=sh
# kdiy_clock: the host's, which ends are compared with.
kdiy_clock() { echo "now $(date +%s)"; }
# kdiy_certificate CERTIFICATE KEY [-L]: mode and owner of both, whether they are a
# pair (the public keys are compared, none travels), and the certificate itself,
# without a key that is in the same file. -L makes stat follow a link.
kdiy_certificate() {
[ -s "$1" ] || return 0
[ ! -L "$1" ] || echo "link $1 yes"
echo "crt $1 $(stat ${3:+"$3"} -c '%a %U:%G %F' -- "$1")"
[ ! -e "$2" ] || echo "key $1 $(stat ${3:+"$3"} -c '%a %U:%G %F' -- "$2")"
k=$(openssl pkey -in "$2" -pubout 2>/dev/null </dev/null) && [ -n "$k" ] && [ "$k" = "$(openssl x509 -in "$1" -noout -pubkey 2>/dev/null)" ] && echo "pair $1 yes"
s=$(sha256sum -- "$1"); echo "sum $1 ${s%% *}"
echo "pem $1 $(sed -n '/^-----BEGIN CERT/,/^-----END CERT/p' -- "$1" | head -c 16384 | tr '\n' '|')"
}
