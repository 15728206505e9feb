# shellcheck shell=sh
# kdiy_tell_done NAME: whether nothing is left to do for a command, as kdiy_is_done
# says; in a shell of its own, as it may end that.
kdiy_tell_done() {
if (kdiy_is_done) >/dev/null 2>&1 </dev/null; then echo "$1 done"; fi
}
