# shellcheck shell=sh
# kdiy_pki NAME...: what a control plane has of these below its PKI's folder.
kdiy_pki() {
for f; do
[ ! -s "/etc/kubernetes/pki/$f" ] || kdiy_section "$f" "$(cat "/etc/kubernetes/pki/$f")"
done
}
# kdiy_first FILE...: the first that is there, as the answer `key`.
kdiy_first() {
for f; do
if [ -s "$f" ]; then kdiy_section key "$(cat "$f")"; return; fi
done
}
