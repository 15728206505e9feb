# shellcheck shell=sh
echo "kernel $(uname -r)"
kdiy_said() { echo "$1 $("$@" 2>/dev/null | head -n 1)"; }
command -v systemd-detect-virt >/dev/null && kdiy_said systemd-detect-virt
read -r v _ < /proc/uptime && echo "uptime ${v%%.*}"
while read -r k v _; do
case $k in MemAvailable:) echo "available $v" ;; SwapTotal:) echo "swap $v" ;; esac
done < /proc/meminfo
df -Pk /var | { read -r _; read -r _ v _; echo "size $v"; }
command -v kubelet >/dev/null && kdiy_said kubelet --version
command -v kubeadm >/dev/null && kdiy_said kubeadm version -o short
for c in containerd docker crio; do
command -v "$c" >/dev/null && kdiy_said "$c" --version
done
:
