# shellcheck shell=sh
# kdiy_is_masked: whether the package's own unit never starts.
kdiy_is_masked() { [ "$(systemctl is-enabled etcd.service 2>/dev/null)" = masked ]; }
# kdiy_mask: sees to that; exit code 78 where the unit runs.
kdiy_mask() {
if systemctl is-active --quiet etcd.service; then
echo 'etcd.service runs here: a member that kdiy did not make' >&2
return 78
fi
systemctl mask --quiet etcd.service
}
# kdiy_is_new_enough OLDEST
kdiy_is_new_enough() {
kdiy_etcd=$(dpkg-query -W -f '${Version}' etcd-server)
dpkg --compare-versions "$kdiy_etcd" ge "$1"
}
# kdiy_check_version OLDEST WANTED: exit code 78 where the package is too old.
kdiy_check_version() {
if ! kdiy_is_new_enough "$1"; then
echo "etcd $kdiy_etcd is too old: kubeadm takes $1 and later; set \`controlPlane.etcd.source: release\` for $2" >&2
return 78
fi
}
# kdiy_has_user: whether there are a user and a group etcd.
kdiy_has_user() { getent passwd etcd && getent group etcd; }
