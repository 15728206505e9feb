# shellcheck shell=sh
# Comes after judge.sh, requests.sh and kubectl.sh; kdiy_tmp is the private folder of
# every step.
# shellcheck disable=SC2154

# kdiy_served NODE URL: approves the good requests of a node and tells whether its
# kubelet, at the URL, serves with a certificate of the cluster's.
kdiy_served() {
kdiy_requests > "$kdiy_tmp/requests" || return 1
while read -r n u g r w; do
[ "$w" = "\"system:node:$1\"" ] || continue
kdiy_word=$(kdiy_judge "$u" "$g" "$r" "$w")
if [ "$kdiy_word" = good ]; then kdiy_kubectl certificate approve "$n"
else echo "the request $n was left alone: $kdiy_word"; fi
done < "$kdiy_tmp/requests"
curl -sS --noproxy '*' --max-time 5 -o /dev/null --cacert /etc/kubernetes/pki/ca.crt "$2"
}
# kdiy_wait_for_serving NODE URL: exit code 77 where it does not in time.
kdiy_wait_for_serving() {
kdiy_poll 180 "the kubelet of $1 to serve with a certificate of the cluster" kdiy_served "$1" "$2"
}
