# shellcheck shell=sh
# kdiy_held VIP URL PEER-URL...: a host that holds the address reaches each other one in
# its name: one that holds it too would take the answer for itself. A host that does not
# reaches whoever does.
kdiy_held() {
kdiy_vip=$1 kdiy_url=$2; shift 2
if ip -o addr show to "$kdiy_vip" | grep -q .; then
  for kdiy_peer; do
    kdiy_connects "$kdiy_peer" --interface "$kdiy_vip" || {
      echo "this host holds $kdiy_vip, and $kdiy_peer does not answer it: it may hold it too. VRRP (IP protocol 112) has to pass between them"
      return 1
    }
  done
else
  kdiy_connects "$kdiy_url" || { echo "nobody answers at $kdiy_vip"; return 1; }
fi
}
# kdiy_connects URL [CURL-WORD...]: whether anything answers there.
kdiy_connects() {
kdiy_code=0
curl -sS -o /dev/null --noproxy '*' --connect-timeout 2 --max-time 4 "$@" || kdiy_code=$?
# Refused or unreachable, no answer, not from this address. All else was an answer.
case $kdiy_code in 7|28|45) return 1 ;; esac
}
