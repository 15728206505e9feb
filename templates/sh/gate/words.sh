# shellcheck shell=sh
# Comes after section.sh and kubectl.sh.

kdiy_log() { kdiy_kubectl logs --tail=20 --limit-bytes=65536 "$@" 2>/dev/null; }
# kdiy_words_of_container PLACE NAMESPACE POD CONTAINER: the last words of one that
# ended, else of the one that runs.
kdiy_words_of_container() {
kdiy_section "words-$1" "$({ kdiy_log --previous "--namespace=$2" "--container=$4" -- "$3" | grep . ||
  kdiy_log "--namespace=$2" "--container=$4" -- "$3"; } | tail -n 20 | cut -c 1-1000)"
}
# kdiy_words_about_pod PLACE NAMESPACE POD: its warnings.
kdiy_words_about_pod() {
kdiy_section "words-$1" "$(kdiy_kubectl get events -o json "--namespace=$2" --field-selector "involvedObject.name=$3,type=Warning" 2>/dev/null | head -c 262144)"
}
