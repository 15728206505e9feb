# shellcheck shell=sh
# Names of logs have no odd letters.
# shellcheck disable=SC2012

# kdiy_kubelet: of its journal only errors matter: klog begins them with E or F and
# the date.
kdiy_kubelet() {
kdiy_section kubelet "$(systemctl is-active kubelet.service 2>/dev/null)"
kdiy_section journal "$(journalctl --no-pager -q -o cat -n 500 -u kubelet.service 2>/dev/null | grep -E '^[EF][0-9]{4} ' | tail -n 20 | cut -c 1-1000)"
}
# kdiy_pod NAME: the log of a static pod, read from its file, since a runtime that is
# not well has no say in it.
kdiy_pod() {
[ -e "/etc/kubernetes/manifests/$1.yaml" ] || return 0
kdiy_log=$(ls -t /var/log/pods/kube-system_"$1"-*/"$1"/*.log 2>/dev/null | head -n 1)
if [ -n "$kdiy_log" ]; then kdiy_section "log-$1" "$(tail -n 20 "$kdiy_log" | cut -c 1-1000)"
else kdiy_section "nolog-$1" ''
fi
}
