# shellcheck shell=sh
# kdiy_stat PATH...: mode, owner and kind of each.
kdiy_stat() { stat -c '%n %a %u:%g %F' -- "$@" 2>/dev/null; }
# kdiy_sum PATH...: the SHA-256 of each as an answer, and in kdiy_sums.
kdiy_sum() {
kdiy_sums=$(sha256sum -- "$@" 2>/dev/null)
kdiy_section sum "$kdiy_sums"
}
