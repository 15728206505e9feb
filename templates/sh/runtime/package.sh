# shellcheck shell=sh
# Comes after apt.sh, fetch.sh and download.sh; kdiy_tmp is the private folder of every
# step.
# shellcheck disable=SC2154

# kdiy_install_package URL SHA256: a package that is downloaded.
kdiy_install_package() {
kdiy_download "$1" package.deb "$2"
kdiy_apt_install "$kdiy_tmp/package.deb"
}
