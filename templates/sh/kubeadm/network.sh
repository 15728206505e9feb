# shellcheck shell=sh
# Comes after fetch.sh and kubectl.sh; kdiy_tmp is the private folder of every step.
# shellcheck disable=SC2154

# kdiy_apply_network URL HASH: applies a manifest. What was applied is kept in the
# cluster, so that any laptop knows it.
kdiy_apply_network() {
kdiy_fetch "$1" "$kdiy_tmp/cni.yaml"
kdiy_kubectl apply -f "$kdiy_tmp/cni.yaml"
kdiy_kubectl -n kube-system create configmap kdiy --dry-run=client -o yaml --from-literal=cni="$2" | kdiy_kubectl apply -f -
}
