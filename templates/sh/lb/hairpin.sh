# shellcheck shell=sh
# kdiy_tmp is the private folder of every step.
# shellcheck disable=SC2154

# kdiy_stand_in PORT: a listener with a certificate made for this one question stands in
# for the API server. It ends with the script, and by itself if the script is killed. It
# does not keep the lock of the run.
kdiy_stand_in() {
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=kdiy \
  -keyout "$kdiy_tmp/hairpin.key" -out "$kdiy_tmp/hairpin.crt" 2>/dev/null
kdiy_own=$(openssl x509 -in "$kdiy_tmp/hairpin.crt" -noout -fingerprint -sha256)
timeout 180 openssl s_server -quiet -www -accept "$1" -cert "$kdiy_tmp/hairpin.crt" \
  -key "$kdiy_tmp/hairpin.key" </dev/null >/dev/null 2>&1 9>&- &
kdiy_server=$!
trap 'kdiy_end; rm -rf -- "$kdiy_tmp"' EXIT
}
kdiy_end() { kill "$kdiy_server" 2>/dev/null || true; wait "$kdiy_server" 2>/dev/null || true; }
# kdiy_hairpin HOST:PORT: whether the stand-in answers there.
kdiy_hairpin() {
kdiy_found=$(timeout 5 openssl s_client -connect "$1" -servername kubernetes </dev/null 2>/dev/null |
  openssl x509 -noout -fingerprint -sha256 -subject 2>/dev/null) || { echo 'no TLS server answered'; return 1; }
case $kdiy_found in "$kdiy_own"*) ;; *) echo "another server answered: $kdiy_found"; return 1 ;; esac
}
# kdiy_try_hairpin PORT WHAT HOST:PORT: whether the balancer there brings a host that
# calls it back to itself, where no API server runs yet. Exit code 77 where it does not.
kdiy_try_hairpin() {
if ss -Hltn "sport = :$1" | grep -q .; then
  echo 'the API server runs already'
  return
fi
kdiy_stand_in "$1"
kdiy_poll 90 "$2" kdiy_hairpin "$3"
kdiy_end
}
