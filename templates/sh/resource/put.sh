# shellcheck shell=sh
# Comes after own.sh.

# kdiy_put PATH MODE SEEN NEW LINE TEXT [CHECKER WORD...]: puts a text, whose hash
# is NEW, at a path: checks again that the file is as it was seen (or already as
# wanted; exit code 75 otherwise), writes beside it, has it checked (exit code 78
# where it is refused), renames.
#
# With LINE, by which files of kdiy are known, what somebody else wrote is kept
# first. The note is made before the file is there, for the case that the run ends
# in between. printf is a builtin of every sh: its words are on no command line.
kdiy_put() {
kdiy_now=absent
if [ -e "$1" ] || [ -L "$1" ]; then
  if kdiy_now=$(sha256sum -- "$1" 2>/dev/null); then kdiy_now=${kdiy_now%% *}; else kdiy_now=unreadable; fi
fi
case $kdiy_now,$3${5:+keep} in
"$3,"*|"$4,"*|*,absentkeep) ;;
*) echo "$1 has changed since the plan was made; run kdiy plan again" >&2; return 75 ;;
esac
kdiy_dir=${1%/*} kdiy_new=$1.kdiy-new
[ -d "$kdiy_dir" ] || install -d -o 0 -g 0 -m 0755 -- "$kdiy_dir"
(umask 077; printf %s "$6" > "$kdiy_new")
chmod "$2" "$kdiy_new"
chown 0:0 "$kdiy_new"
if ! (shift 6; [ $# -eq 0 ] || "$@" "$kdiy_new"); then
  rm -f -- "$kdiy_new"
  echo "the new $1 was refused by its checker; the old one stays" >&2
  return 78
fi
if [ -n "$5" ]; then
  kdiy_note=/var/lib/kdiy/written$1
  if [ "$kdiy_now" != absent ] && [ ! -e "$1.before-kdiy" ] && ! kdiy_own "$1" "$kdiy_now" "$5"; then
    cp -a -- "$1" "$1.before-kdiy"
  fi
  install -d -m 0755 /var/lib/kdiy
  (umask 077; mkdir -p -- "${kdiy_note%/*}"; printf '%s\n' "$4" > "$kdiy_note")
fi
mv -f -- "$kdiy_new" "$1"
}
