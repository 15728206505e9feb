# shellcheck shell=sh
# Either header may be the one that is missing. kdiy_known has a line for each node:
# its requestor, and what its kubelet asks for; it is set before.
# shellcheck disable=SC2015,SC2154
kdiy_expected() {
printf '%s\n' "$kdiy_known" | while read -r kdiy_who kdiy_asks; do
[ "$kdiy_who" != "$1" ] || { echo "$kdiy_asks"; break; }
done
}
kdiy_skip() { kdiy_hex=$(printf %s "$kdiy_hex" | cut -c "$(( $1 + 1 ))-"); }
kdiy_cut() { printf %s "$kdiy_hex" | cut -c "$1"; }
kdiy_open() {
case $kdiy_hex in
3082*) kdiy_skip 8 ;; 3081*) kdiy_skip 6 ;; 30[0-7]*) kdiy_skip 4 ;; *) return 1 ;;
esac
}
# kdiy_judge USAGES GROUPS REQUEST REQUESTOR: `good`, or what is wrong with it.
kdiy_judge() {
case $1 in *x*) echo usages; return ;; u-*d*) ;; *) echo usages; return ;; esac
case $1 in u-*s*) ;; *) echo usages; return ;; esac
case $2 in g-n*) ;; *) echo groups; return ;; esac
kdiy_want=$(kdiy_expected "$4")
[ -n "$kdiy_want" ] || { echo stranger; return; }
kdiy_pem=$(printf %s "$3" | base64 -d 2>/dev/null | tr -d '\0')
[ "$(printf '%s\n' "$kdiy_pem" | base64 -w 0)" = "$3" ] || { echo form; return; }
case $kdiy_pem in
'-----BEGIN CERTIFICATE REQUEST-----
'*'
-----END CERTIFICATE REQUEST-----') ;;
*) echo form; return ;;
esac
kdiy_pem=$(printf '%s\n' "$kdiy_pem" | sed '1d;$d')
[ -z "$(printf %s "$kdiy_pem" | tr -d 'A-Za-z0-9+/=\n')" ] || { echo form; return; }
kdiy_hex=$(printf '%s\n' "$kdiy_pem" | base64 -d 2>/dev/null | od -An -v -tx1 | tr -d ' \n')
kdiy_open && kdiy_open || { echo form; return; }
kdiy_subject=${kdiy_want%% *}
case $kdiy_hex in "020100$kdiy_subject"*) ;; *) echo subject; return ;; esac
kdiy_skip "$(( ${#kdiy_subject} + 6 ))"
case $kdiy_hex in
3082*) kdiy_skip "$(( 0x$(kdiy_cut 5-8) * 2 + 8 ))" ;;
3081*) kdiy_skip "$(( 0x$(kdiy_cut 5-6) * 2 + 6 ))" ;;
30[0-7]*) kdiy_skip "$(( 0x$(kdiy_cut 3-4) * 2 + 4 ))" ;;
*) echo form; return ;;
esac
for kdiy_one in ${kdiy_want#* }; do
case $kdiy_hex in "${kdiy_one}30"*) echo good; return ;; esac
done
echo names
}
