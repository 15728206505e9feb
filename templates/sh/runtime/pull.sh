# shellcheck shell=sh
# kdiy_tmp is the private folder of every step.
# shellcheck disable=SC2154

# kdiy_pull: images that standard input names, a line each. It works before there is a
# kubelet. Every runtime's socket is there by then, that of cri-dockerd too, and no
# client of Docker is needed.
kdiy_pull() { xargs -r -P 4 -n 1 crictl pull; }
# kdiy_pull_these IMAGE...
kdiy_pull_these() { printf '%s\n' "$@" | kdiy_pull; }
# kdiy_pull_control_plane: those that kubeadm names.
kdiy_pull_control_plane() {
kubeadm config images list --config "$kdiy_tmp/kubeadm.yaml" 2>/dev/null > "$kdiy_tmp/images"
kdiy_pull < "$kdiy_tmp/images"
}
