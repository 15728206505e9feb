# shellcheck shell=sh
# kdiy_url, the member that is asked, is set by whoever asks.
# shellcheck disable=SC2034

# kdiy_client CA CERTIFICATE KEY: the files by which members are asked.
kdiy_client() { kdiy_ca=$1 kdiy_cert=$2 kdiy_key=$3; }
# kdiy_etcd SECONDS CURL-WORD...
kdiy_etcd() {
kdiy_time=$1; shift
curl -sS --noproxy '*' --max-time "$kdiy_time" --cacert "$kdiy_ca" --cert "$kdiy_cert" --key "$kdiy_key" "$@"
}
# kdiy_member_of INTERFACE: sets kdiy_url to the member at the interface's address.
kdiy_member_of() {
kdiy_found=$(ip -o addr show scope global dev "$1")
# Its words are wanted.
# shellcheck disable=SC2086
set -- $kdiy_found
kdiy_url=${4%%/*}
case $kdiy_url in *:*) kdiy_url="[$kdiy_url]" ;; esac
kdiy_url=https://$kdiy_url:2379
}
