# shellcheck shell=sh
# Comes after put.sh.

# kdiy_put_pair PATH SEEN NEW CERTIFICATE KEY-PATH KEY-MODE KEY-OWNER KEY: a
# certificate, whose hash is NEW, and its key in a file each; exit codes of kdiy_put.
kdiy_put_pair() {
kdiy_dir=${5%/*}
[ -d "$kdiy_dir" ] || install -d -m 0755 -- "$kdiy_dir"
(umask 077; printf %s "$8" > "$5.kdiy-new")
chown "$7" -- "$5.kdiy-new"
chmod "$6" -- "$5.kdiy-new"
kdiy_put "$1" 0644 "$2" "$3" '' "$4"
mv -f -- "$5.kdiy-new" "$5"
}
# kdiy_put_linked LINK FILE NEW TEXT: both in one file, and the link turned to it.
kdiy_put_linked() {
kdiy_put "$2" 0600 absent "$3" '' "$4"
ln -sfn -- "$2" "$1.kdiy-new"
mv -fT -- "$1.kdiy-new" "$1"
}
