# shellcheck shell=sh
# Comes after own.sh and paths.sh, which sets kdiy_sums.
# shellcheck disable=SC2154

# kdiy_texts LINE BYTES WANTED... -- WANTED...: the first bytes of each file that is
# not as wanted. WANTED is a line of sha256sum. Files of the second list are told
# only where kdiy wrote them, which LINE shows.
kdiy_texts() {
kdiy_notice=$1 kdiy_most=$2 kdiy_all=yes; shift 2
for want; do
case $want in --) kdiy_all=; continue ;; esac
case $kdiy_sums in *"$want"*) continue ;; esac
path=${want#*  }
[ -f "$path" ] || continue
if [ -z "$kdiy_all" ]; then
sum=$(sha256sum -- "$path")
kdiy_own "$path" "${sum%% *}" "$kdiy_notice" || continue
fi
text=$(head -c "$kdiy_most" -- "$path"; printf x)
text=${text%x}
printf '%s %d\n%s\n' "$path" "${#text}" "$text"
done
# The shell takes newlines from the end of an answer: not the texts' own.
echo end
}
