# shellcheck shell=sh
# kdiy_is_aside PATH
kdiy_is_aside() { [ ! -e "$1" ]; }
# kdiy_disable PATH: puts a file aside.
kdiy_disable() { mv -f -- "$1" "$1.kdiy-disabled"; }
# kdiy_use_packaged_containerd: after the unit of an archive is aside.
kdiy_use_packaged_containerd() {
systemctl daemon-reload
systemctl reenable containerd.service
systemctl restart containerd.service
}
