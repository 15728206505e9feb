# shellcheck shell=sh
# Comes after note-kubelet.sh. What the kubelet was last given, and its files now.
if [ -s /var/lib/kdiy/last-applied/kubelet ]; then
cat /var/lib/kdiy/last-applied/kubelet
echo now
kdiy_kubelet_sums
fi
