# shellcheck shell=sh
# kdiy_tmp is the private folder of every step.
# shellcheck disable=SC2154

# kdiy_is_done, where it is defined, succeeds when nothing is left to do; it runs in
# a shell of its own, as it may end that.

# kdiy_input NAME TEXT: a file for the command alone.
kdiy_input() { (umask 077; printf %s "$2" > "$kdiy_tmp/$1"); }
# kdiy_do_unless_done: runs kdiy_command where something is left to do.
kdiy_do_unless_done() {
if ! (kdiy_is_done) >/dev/null 2>&1; then kdiy_command; fi
}
