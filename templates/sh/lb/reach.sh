# shellcheck shell=sh
# bash expands the words itself.
# shellcheck disable=SC2016
# kdiy_reach HOST PORT: whether a host is there; it may refuse.
kdiy_reach() {
kdiy_said=$(LC_ALL=C timeout 3 bash -c 'exec 3<>"/dev/tcp/$0/$1"' "$@" 2>&1) && return 0
case $kdiy_said in *refused*) return 0 ;; esac
echo "${kdiy_said:-no answer within 3 s}"
return 1
}
