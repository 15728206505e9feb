# shellcheck shell=sh
# Comes after other-cluster.sh.

# kdiy_at_endpoint CA HOST PORT: whether another cluster is at the endpoint, asked of a
# host that is in no cluster yet. CA is the text of the certificate.
kdiy_at_endpoint() {
if [ -s /etc/kubernetes/kubelet.conf ] || ! command -v curl >/dev/null; then return; fi
kdiy_ca=$(mktemp) || return
printf %s "$1" > "$kdiy_ca"
kdiy_found=$(kdiy_other_cluster "$kdiy_ca" "$2" "$3")
rm -f -- "$kdiy_ca"
[ -z "$kdiy_found" ] || echo "other_cluster $kdiy_found"
}
