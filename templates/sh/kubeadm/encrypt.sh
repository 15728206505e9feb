# shellcheck shell=sh
# Comes after kubectl.sh; kdiy_tmp is the private folder of every step.
# shellcheck disable=SC2154

# What the command prints is not wanted, and what it says is.
# shellcheck disable=SC2069
kdiy_rewrite() {
kdiy_kubectl get secrets --all-namespaces -o json > "$kdiy_tmp/secrets" &&
  kdiy_kubectl replace -f "$kdiy_tmp/secrets" 2>&1 >/dev/null
}
# kdiy_encrypt_secrets PATCH: rewrites all secrets, and has the cluster remember it by
# this patch of its ConfigMap. A secret that changes meanwhile is encrypted anyway, but
# makes a run fail: the next one takes it as it is. Exit code 77 where none succeeds.
kdiy_encrypt_secrets() {
kdiy_poll 120 'all secrets to be rewritten' kdiy_rewrite
kdiy_kubectl -n kube-system get configmap kdiy >/dev/null 2>&1 ||
  kdiy_kubectl -n kube-system create configmap kdiy
kdiy_kubectl -n kube-system patch configmap kdiy --type merge -p "$1"
}
