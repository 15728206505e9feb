# shellcheck shell=sh
if [ -r /etc/fstab ] && grep -Eq '^[^#[:space:]]+[[:space:]]+[^[:space:]]+[[:space:]]+swap[[:space:]]' /etc/fstab; then
  cp -p /etc/fstab /etc/fstab.kdiy-new
  sed -E 's|^([^#[:space:]]+[[:space:]]+[^[:space:]]+[[:space:]]+swap[[:space:]])|#kdiy# \1|' /etc/fstab > /etc/fstab.kdiy-new
  mv -f /etc/fstab.kdiy-new /etc/fstab
  systemctl daemon-reload
fi
# They take their swap away when they stop. One of /etc cannot be masked.
for unit in $(kdiy_swap_services); do
  systemctl disable --now -- "$unit"
  systemctl mask -- "$unit" || :
done
swapoff -a
# Units that make swap again after a reboot (zram, gpt-auto).
for unit in $(systemctl list-units --type=swap --all --plain --no-legend | cut -d' ' -f1); do
  systemctl mask --now -- "$unit"
done
