# shellcheck shell=bash
# Every version that the lab builds or serves, in one place. After a change:
# `lab lock`, which writes go.mod and go.sum of each module under go/ anew.
# shellcheck disable=SC2034  # read by the files under lib/

# Kubernetes: what is built and served. Others that have a lock under go/ can be
# asked for: KDIY_LAB_KUBERNETES="1.34.4 1.35.4".
KUBE_VERSION=1.37.2
KUBE_PREVIOUS=1.36.3
KUBE_LOCKED=(1.34.4 1.35.4 1.36.3 1.37.2)
PACKAGE_REVISION=1.1

# etcd under upstream's own versions; kubeadm's image tags are these with "-0".
ETCD_VERSIONS=(3.6.8 3.6.16 3.7.0)

COREDNS_VERSION=1.14.6
# The tags that the kubeadms of KUBE_LOCKED ask for. The module proxy has no
# other CoreDNS than the one above for them.
COREDNS_TAGS=(v1.12.1 v1.13.1 v1.14.2 v1.14.6)
PAUSE_TAGS=(3.10.1 3.10.2)

CRI_TOOLS_VERSION=1.37.0
CNI_PLUGINS_VERSION=1.10.0
CONTAINERD_VERSION=2.4.2
FLANNEL_VERSION=0.28.10
# The last release of the CNI plugins that still had flannel's among them.
FLANNEL_CNI_VERSION=0.9.1
# As flannel's own manifest names it.
FLANNEL_CNI_TAG=v1.9.1-flannel3
