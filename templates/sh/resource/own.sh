# shellcheck shell=sh
# kdiy_own PATH SUM LINE: whether kdiy wrote the file that is there, whose hash
# this is. Files of kdiy are known by the line; not every format has comments, so
# the hash of what was written is noted, too.
kdiy_own() {
[ "$(cat -- "/var/lib/kdiy/written$1" 2>/dev/null)" = "$2" ] || head -n 2 -- "$1" 2>/dev/null | grep -qxF -- "$3"
}
