# shellcheck shell=sh
# kdiy_tmp is the private folder of every step.
# shellcheck disable=SC2154

# kdiy_phase FILE WORD...: a phase of `kubeadm init`, with this configuration.
kdiy_phase() {
kdiy_config=$1; shift
kubeadm init phase "$@" --config "$kdiy_tmp/$kdiy_config"
}
# kdiy_phase_again FILE WORD...: the same after kdiy_resume, which sets kdiy_again.
kdiy_phase_again() { kdiy_phase "$@" ${kdiy_again:+"$kdiy_again"}; }
