# shellcheck shell=sh
# Comes after modes.sh, which sets kdiy_drop_in.
# shellcheck disable=SC2154
chmod 0600 /var/lib/kubelet/config.yaml
dpkg -L kubeadm 2>/dev/null | grep '/kubelet\.service\.d/10-kubeadm\.conf$' | while read -r kdiy_file; do
if dpkg-statoverride --list "$kdiy_file" >/dev/null; then dpkg-statoverride --remove "$kdiy_file"; fi
dpkg-statoverride --update --add root root 0600 "$kdiy_file"
done
if kdiy_drop_in; then chmod 0600 "$kdiy_drop_in"; fi
if ! kdiy_modes; then
stat -c 'others can still read %n: its mode is %a' /var/lib/kubelet/config.yaml "$kdiy_drop_in" >&2
exit 78
fi
