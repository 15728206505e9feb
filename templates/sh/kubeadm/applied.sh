# shellcheck shell=sh
# kdiy_note_applied TEXT: notes what was last applied to a control plane.
kdiy_note_applied() {
kdiy_applied=/var/lib/kdiy/last-applied/control-plane
install -d -m 0755 /var/lib/kdiy/last-applied
(umask 077; printf '%s\n' "$1" > "$kdiy_applied.new")
mv -f "$kdiy_applied.new" "$kdiy_applied"
}
