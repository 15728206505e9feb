# shellcheck shell=sh
# kdiy_stamp UNIT STAMP: notes that a unit has taken up its files.
kdiy_stamp() {
install -d -m 0755 /var/lib/kdiy/last-applied
printf '%s\n' "$2" > "/var/lib/kdiy/last-applied/$1"
}
