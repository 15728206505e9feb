# shellcheck shell=sh
# kdiy_poll SECONDS WHAT COMMAND...: every half second, until the command succeeds.
# Exit code 77 where it does not in time.
kdiy_poll() {
kdiy_limit=$1 kdiy_what=$2; shift 2
kdiy_until=$(( $(date +%s) + kdiy_limit ))
kdiy_told=
until kdiy_said=$("$@" 2>&1); do
  if [ "$(date +%s)" -ge "$kdiy_until" ]; then
    echo "waited $kdiy_limit s in vain for $kdiy_what; last answer: $kdiy_said" >&2
    return 77
  fi
  [ -n "$kdiy_told" ] || echo "waiting for $kdiy_what" >&2
  kdiy_told=1
  sleep 0.5
done
}
