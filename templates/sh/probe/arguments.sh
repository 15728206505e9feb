# shellcheck shell=sh
# The name of the kernel is read to keep it from the number.
# shellcheck disable=SC2034
kdiy_planes | while read -r p c; do
tr '\0' '\n' < "/proc/$p/cmdline" | { read -r n && echo "process ${n##*/}" && sed 's/^/argument /'; }
done 2>/dev/null
