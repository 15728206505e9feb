# shellcheck shell=sh
# kdiy_swap_services: services that make swap at boot, without a unit of their swap;
# of zram-tools, dphys-swapfile, zram-config, zram-swap-config and swapspace.
kdiy_swap_services() {
for unit in zramswap dphys-swapfile zram-config zram-swap zram_swap swapspace; do
  case $(systemctl is-enabled -- "$unit.service" 2>/dev/null) in enabled*) echo "$unit.service" ;; esac
done
}
