# shellcheck shell=sh
# kdiy_has_sum NAME SHA256: whether this download of the name was put in place.
kdiy_has_sum() { read -r v < "/var/lib/kdiy/$1.sha256" && [ "$v" = "$2" ]; }
# kdiy_has_program PATH NAME SHA256
kdiy_has_program() { [ -x "$1" ] && kdiy_has_sum "$2" "$3"; }
# kdiy_has_package NAME SHA256
kdiy_has_package() {
[ "$(dpkg-query -W -f '${db:Status-Status}' "$1")" = installed ] && kdiy_has_sum "$1" "$2"
}
