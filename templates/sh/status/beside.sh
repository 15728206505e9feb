# shellcheck shell=sh
# kdiy_beside SECTION COMMAND...: asks in the background.
kdiy_beside() {
{ kdiy_name=$1; shift; kdiy_out=$("$@" 2>&1 </dev/null | head -c 3000000)
flock 9; kdiy_section "$kdiy_name" "$kdiy_out"; } 9</bin/sh &
}
