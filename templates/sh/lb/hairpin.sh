# shellcheck shell=sh
# kdiy_tmp is the private folder of every step; kdiy_port is set before.
# shellcheck disable=SC2154
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=kdiy \
  -keyout "$kdiy_tmp/hairpin.key" -out "$kdiy_tmp/hairpin.crt" 2>/dev/null
kdiy_own=$(openssl x509 -in "$kdiy_tmp/hairpin.crt" -noout -fingerprint -sha256)
kdiy_end() { kill "$kdiy_server" 2>/dev/null || true; wait "$kdiy_server" 2>/dev/null || true; }
timeout 180 openssl s_server -quiet -www -accept "$kdiy_port" -cert "$kdiy_tmp/hairpin.crt" \
  -key "$kdiy_tmp/hairpin.key" </dev/null >/dev/null 2>&1 9>&- &
kdiy_server=$!
trap 'kdiy_end; rm -rf -- "$kdiy_tmp"' EXIT
kdiy_hairpin() {
kdiy_found=$(timeout 5 openssl s_client -connect "$1" -servername kubernetes </dev/null 2>/dev/null |
  openssl x509 -noout -fingerprint -sha256 -subject 2>/dev/null) || { echo 'no TLS server answered'; return 1; }
case $kdiy_found in "$kdiy_own"*) ;; *) echo "another server answered: $kdiy_found"; return 1 ;; esac
}
