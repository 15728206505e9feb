# shellcheck shell=sh
# nodes holds lines that begin with `node NAME`, set before.
# shellcheck disable=SC2154
# kdiy_all_nodes NAME...: whether all of these are among them.
kdiy_all_nodes() {
for n; do case $nodes in *"node $n "*) ;; *) return 1 ;; esac; done
}
