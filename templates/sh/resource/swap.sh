# shellcheck shell=sh
while read -r dev _; do [ "$dev" = Filename ] || echo "active $dev"; done < /proc/swaps
if [ -r /etc/fstab ]; then
while read -r dev _ type _; do
case $dev in "#"*|"") ;; *) [ "$type" = swap ] && echo "fstab $dev" ;; esac
done < /etc/fstab
fi
for unit in $(kdiy_swap_services); do echo "service $unit"; done
