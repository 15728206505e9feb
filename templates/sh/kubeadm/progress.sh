# shellcheck shell=sh
# How far a parallel bootstrap has come on this host, on the disk before anything else
# is.

kdiy_onto_the_disk() { sync /var/lib/kdiy /var/lib/kdiy/unfinished; }
# kdiy_begin NOTE: begins the note, unless it is begun.
kdiy_begin() {
kdiy_begun=
[ ! -e /var/lib/kdiy/unfinished ] || read -r kdiy_begun < /var/lib/kdiy/unfinished || :
[ "$kdiy_begun" = "$1" ] || echo "$1" > /var/lib/kdiy/unfinished
kdiy_onto_the_disk
}
# kdiy_progress WORD HASH
kdiy_progress() {
echo "$1 $2" >> /var/lib/kdiy/unfinished
kdiy_onto_the_disk
}
# kdiy_end_progress
kdiy_end_progress() { rm -f /var/lib/kdiy/unfinished; }
