# shellcheck shell=sh
# Comes after stamp.sh.

# kdiy_start_again STAMP: starts a member that has its data; does not wait. One that
# runs is left alone, and has not taken up what changed in the meantime.
kdiy_start_again() {
systemctl daemon-reload
systemctl enable --quiet kdiy-etcd.service
if ! systemctl is-active --quiet kdiy-etcd.service; then
systemctl restart --no-block kdiy-etcd.service
kdiy_stamp kdiy-etcd.service "$1"
fi
}
