# shellcheck shell=sh
# Comes after processes.sh and put-aside.sh.

kdiy_ended() { [ -z "$(kdiy_planes etcd)" ]; }
# kdiy_undo_join: static pods outlive their kubelet, so they are ended after it. Data of
# a member that is forgotten are never used again, and put aside all the same. Exit code
# 77 where the processes do not end.
kdiy_undo_join() {
systemctl stop kubelet.service
kdiy_planes etcd | cut -d ' ' -f 1 | xargs -r kill -- || :
kdiy_poll 60 'the processes of the join that broke off to end' kdiy_ended
for p in etcd kube-apiserver kube-controller-manager kube-scheduler; do
rm -f -- "/etc/kubernetes/manifests/$p.yaml"
done
kdiy_put_aside
}
