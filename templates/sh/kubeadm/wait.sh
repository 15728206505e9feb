# shellcheck shell=sh
# Comes after ready.sh.

# kdiy_wait_for_api WHAT URL: until an API server is ready; exit code 77 where it is
# not in time.
kdiy_wait_for_api() { kdiy_poll 240 "$1" kdiy_api_ready "$2"; }
