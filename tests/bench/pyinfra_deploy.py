"""What kdiy looks at on a host, as pyinfra operations for a dry run."""

from io import StringIO

from pyinfra.operations import apt, files, server

FILES = [
    "/etc/modules-load.d/kdiy.conf",
    "/etc/sysctl.d/zz-kdiy.conf",
    "/etc/containerd/config.toml",
    "/etc/containerd/certs.d/registry.k8s.io/hosts.toml",
    "/etc/crictl.yaml",
    "/usr/local/libexec/kdiy/bridge-cni",
    "/etc/systemd/system/kdiy-bridge-cni.service",
    "/etc/apt/keyrings/kdiy-kubernetes.asc",
    "/etc/apt/sources.list.d/kdiy-kubernetes.list",
]
SYSCTLS = ["net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding"]
PACKAGES = """ca-certificates conntrack curl ebtables ethtool iproute2 iptables kmod socat
containerd kubeadm kubectl kubelet""".split()

for path in FILES:
    files.put(name=path, src=StringIO("text\n"), dest=path, mode="644", create_remote_dir=False,
              _sudo=True)
for module in ["overlay", "br_netfilter"]:
    server.modprobe(name=module, module=module, _sudo=True)
for key in SYSCTLS:
    server.sysctl(name=key, key=key, value=1, _sudo=True)
apt.packages(name="packages", packages=PACKAGES, _sudo=True)
