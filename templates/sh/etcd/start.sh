# shellcheck shell=sh
# kdiy_prepare FOLDER USER PROGRAM: the data directory, and the path of etcd.
kdiy_prepare() {
install -d -o "$2" -g "$2" -m 0700 "$1"
kdiy_program=$3
}
# kdiy_start STATE MEMBERS: starts a member of a cluster that is `new` or
# `existing`; does not wait.
kdiy_start() {
install -d -m 0755 /run/systemd/system/kdiy-etcd.service.d
{ grep -v -e '^initial-cluster:' -e '^initial-cluster-state:' /etc/etcd/kdiy.yaml
printf "initial-cluster: '%s'\ninitial-cluster-state: %s\n" "$2" "$1"; } > /run/kdiy-etcd-start.yaml
printf '[Service]\nExecStart=\nExecStart=%s --config-file /run/kdiy-etcd-start.yaml\n' "$kdiy_program" > /run/systemd/system/kdiy-etcd.service.d/start.conf
systemctl daemon-reload
systemctl enable --quiet kdiy-etcd.service
systemctl restart --no-block kdiy-etcd.service
}
# kdiy_end_start: takes back what kdiy_start left: from now on the unit's own
# configuration holds.
kdiy_end_start() {
rm -rf -- /run/systemd/system/kdiy-etcd.service.d /run/kdiy-etcd-start.yaml
systemctl daemon-reload
}
# kdiy_is_start_complete MARK: whether nothing of kdiy_start is left, and the note
# beside the data is this one.
kdiy_is_start_complete() {
[ ! -e /run/systemd/system/kdiy-etcd.service.d ] && [ "$(cat /var/lib/etcd/kdiy-cluster)" = "$1" ]
}
