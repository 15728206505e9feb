# shellcheck shell=sh
# Comes after state.sh, which sets kdiy_old.
# shellcheck disable=SC2154

# kdiy_release FILE NUMBER: takes away what is ours.
kdiy_release() {
[ -d "${1%/*}" ] || return 0
kdiy_alone "$1" || return 1
kdiy_read "$1"
[ "$kdiy_old" != "$2" ] || rm -f "$1"
}
