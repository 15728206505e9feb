# shellcheck shell=sh
kdiy_drop_in=/usr/lib/systemd/system/kubelet.service.d/10-kubeadm.conf
kdiy_drop_in() { [ -f "$kdiy_drop_in" ] && [ ! -L "$kdiy_drop_in" ]; }
kdiy_modes() {
[ "$(stat -c %a /var/lib/kubelet/config.yaml)" = 600 ] || return 1
if kdiy_drop_in; then [ "$(stat -c %a "$kdiy_drop_in")" = 600 ]; fi
}
