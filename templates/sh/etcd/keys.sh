# shellcheck shell=sh
# Comes after client.sh; kdiy_url is set before.
# shellcheck disable=SC2154

# kdiy_range BODY: what the member answers about a range of keys.
kdiy_range() { kdiy_etcd 30 -d "$1" "$kdiy_url/v3/kv/range"; }
