# shellcheck shell=sh
# Comes after other-cluster.sh.

# kdiy_check_endpoint HOST PORT: exit code 78 where another cluster answers there.
kdiy_check_endpoint() {
kdiy_found=$(kdiy_other_cluster /etc/kubernetes/pki/ca.crt "$1" "$2")
if [ -n "$kdiy_found" ]; then
  echo "another cluster's API server answers at the endpoint $1:$2: $kdiy_found" >&2
  return 78
fi
}
