# shellcheck shell=sh
# kdiy_tmp is the private folder of every step.
# shellcheck disable=SC2154

# kdiy_keepalived FILE: whether keepalived takes a file. 2.2 ends itself when it checks
# one with scripts of another user than its own: it takes the shell for a parent that
# went away.
kdiy_keepalived() {
sed 's/^  script_user nobody$/  script_user root/' "$1" > "$kdiy_tmp/keepalived.conf"
keepalived -t -l -f "$kdiy_tmp/keepalived.conf"
}
