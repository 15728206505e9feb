# shellcheck shell=sh
# kdiy_program is the path of etcd, set before.
# shellcheck disable=SC2154
kdiy_start() {
install -d -m 0755 /run/systemd/system/kdiy-etcd.service.d
{ grep -v -e '^initial-cluster:' -e '^initial-cluster-state:' /etc/etcd/kdiy.yaml
printf "initial-cluster: '%s'\ninitial-cluster-state: %s\n" "$2" "$1"; } > /run/kdiy-etcd-start.yaml
printf '[Service]\nExecStart=\nExecStart=%s --config-file /run/kdiy-etcd-start.yaml\n' "$kdiy_program" > /run/systemd/system/kdiy-etcd.service.d/start.conf
systemctl daemon-reload
systemctl enable --quiet kdiy-etcd.service
systemctl restart --no-block kdiy-etcd.service
}
# Takes back what kdiy_start left: from now on the unit's own configuration
# holds.
kdiy_end_start() {
rm -rf -- /run/systemd/system/kdiy-etcd.service.d /run/kdiy-etcd-start.yaml
systemctl daemon-reload
}
