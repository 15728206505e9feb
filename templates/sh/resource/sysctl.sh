# shellcheck shell=sh
# kdiy_set_parameter PATH VALUE: sets a kernel parameter.
kdiy_set_parameter() { printf '%s\n' "$2" > "$1"; }
