# shellcheck shell=sh
# kdiy_other_cluster CA-FILE HOST PORT: says why the server there is not one that this
# authority vouches for. It says nothing about a server that is none of TLS, refuses, or
# is not there, and nothing when the chain is right but another name or time is not.
kdiy_other_cluster() {
kdiy_code=0
kdiy_said=$(kdiy_curl "$2" "$3" --cacert "$1" 2>&1) || kdiy_code=$?
case $kdiy_code:$kdiy_said in
*expired*|*'not yet valid'*|*'subject name'*) ;;
60:*) printf '%s\n' "$kdiy_said" | { read -r kdiy_line; echo "${kdiy_line#curl: (60) }"; } ;;
# Two authorities of one name and without key identifiers: the signature is wrong, and
# curl calls that a broken handshake. Without authorities it is none.
35:*) if kdiy_curl "$2" "$3" -k 2>/dev/null; then echo "SSL certificate problem: signature of another authority"; fi ;;
esac
}
kdiy_curl() {
kdiy_host=$1 kdiy_port=$2; shift 2
curl -sS -o /dev/null --noproxy '*' --connect-timeout 2 --max-time 4 "$@" \
  --connect-to "kubernetes:$kdiy_port:$kdiy_host:$kdiy_port" "https://kubernetes:$kdiy_port/version"
}
