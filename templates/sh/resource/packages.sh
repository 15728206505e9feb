# shellcheck shell=sh
# kdiy_packages PACKAGE...: what is wanted of each, what is, and its version.
kdiy_packages() {
dpkg-query -W -f '${Package} ${db:Status-Abbrev} ${Version}\n' -- "$@" 2>/dev/null
}
