# shellcheck shell=sh
# Comes after stamp.sh.

# kdiy_enable UNIT
kdiy_enable() {
systemctl daemon-reload
systemctl enable --quiet -- "$1"
}
# kdiy_take_up UNIT VERB STAMP: has a unit take up its files, by a restart or a
# reload, and shows its own words where it does not.
kdiy_take_up() {
if ! systemctl "$2" -- "$1"; then
  journalctl --no-pager -n 20 -u "$1" >&2 || true
  return 1
fi
kdiy_stamp "$1" "$3"
}
