# shellcheck shell=sh
# kdiy_units UNIT...: how units are. Where systemd does not run it would only look
# for it.
kdiy_units() {
[ ! -d /run/systemd/system ] || systemctl show -p Id,ActiveState,UnitFileState -- "$@" 2>/dev/null
}
# kdiy_stamps UNIT...: what units last took up.
kdiy_stamps() {
for u; do
[ -r "/var/lib/kdiy/last-applied/$u" ] && read -r v < "/var/lib/kdiy/last-applied/$u" && echo "$u $v"
done
}
