# shellcheck shell=sh
# Comes after ready.sh.

# kdiy_tell_ready URL: whether an API server is ready.
kdiy_tell_ready() {
if kdiy_api_ready "$1" >/dev/null; then echo ready; else echo no; fi
}
