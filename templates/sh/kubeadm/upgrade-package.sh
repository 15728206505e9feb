# shellcheck shell=sh
# Comes after apt.sh.
# kdiy_fetch_package NAME=VERSION: into apt's cache, installing nothing.
kdiy_fetch_package() {
kdiy_apt_try "$1" || kdiy_apt update
kdiy_apt install --no-install-recommends --allow-change-held-packages --download-only -- "$1"
}
# kdiy_upgrade_package NAME NAME=VERSION hold|unhold
kdiy_upgrade_package() {
kdiy_apt_install "$2"
apt-mark "$3" -- "$1" > /dev/null
}
