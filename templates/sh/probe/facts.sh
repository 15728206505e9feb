# shellcheck shell=sh
# The file is the host's own.
# shellcheck disable=SC1091
echo "clock $(date +%s.%N)"
[ -r /etc/os-release ] && . /etc/os-release
echo "os ${ID:-unknown}"
echo "os-version ${VERSION_ID:-unknown}"
echo "os-codename ${VERSION_CODENAME:-unknown}"
kdiy_line() { v=; [ -r "$2" ] && { read -r v < "$2" || [ -n "$v" ]; } && echo "$1 $v"; }
kdiy_line arch /proc/sys/kernel/arch || echo "arch $(uname -m)"
kdiy_line hostname /proc/sys/kernel/hostname
kdiy_line machine-id /etc/machine-id
kdiy_line product-uuid /sys/class/dmi/id/product_uuid
echo "cpus $(nproc)"
while read -r k v _; do [ "$k" = MemTotal: ] && echo "memory $v" && break; done < /proc/meminfo
while read -r k v _; do [ "$k" = CapBnd: ] && echo "capabilities $v" && break; done < /proc/self/status
df -Pk /var | { read -r _; read -r _ _ _ v _; echo "disk $v"; }
[ -d /run/systemd/system ] && echo systemd yes
[ -x /usr/bin/apt-get ] && echo apt yes
v=$(stat -f -c %T /sys/fs/cgroup 2>/dev/null) && echo "cgroups $v"
[ -e /run/systemd/resolve/resolv.conf ] && echo resolved yes
[ -s /etc/kubernetes/kubelet.conf ] && echo kubelet yes
[ -s /var/lib/kubelet/pki/kubelet-client-current.pem ] && echo kubelet-client yes
[ -e /etc/kubernetes/manifests/kube-apiserver.yaml ] && echo api-server yes
kdiy_ca() { v=$(sed -n 's/^ *certificate-authority-data: *//p' "$1" 2>/dev/null | head -n 1) && [ -n "$v" ] && printf %s "$v" | base64 -d 2>/dev/null; }
v=$({ kdiy_ca /etc/kubernetes/kubelet.conf || cat /etc/kubernetes/pki/ca.crt 2>/dev/null; } | tr -d ' \r\n' | sha256sum) && echo "ca ${v%% *}"
[ -r /var/lib/kubelet/config.yaml ] && grep -q '^serverTLSBootstrap: true' /var/lib/kubelet/config.yaml && echo signed-serving yes
[ -r /var/lib/kdiy/unfinished ] && echo "unfinished $(tr '\n' ' ' < /var/lib/kdiy/unfinished)"
[ ! -d /run/kdiy/out-of-rotation ] || echo "out-of-rotation $(find /run/kdiy/out-of-rotation -type f -printf '%f ')"
