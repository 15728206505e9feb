# shellcheck shell=sh
kdiy_etcd=$(dpkg-query -W -f '${db:Status-Status} ${Version}' etcd-server 2>/dev/null)
case $kdiy_etcd in
"installed "*) echo "installed ${kdiy_etcd#* }" ;;
*) apt-cache policy etcd-server 2>/dev/null | sed -n 's/^ *Candidate: */offered /p' ;;
esac
