# shellcheck shell=sh
# bash expands the words itself; the loop only counts.
# shellcheck disable=SC2016,SC2034
# kdiy_holder ADDRESS PORT: who answers for an address that this host does not have. A
# neighbour that was heard of some time ago is no proof: the kernel is given the time to
# ask it again.
kdiy_holder() {
if ip -o addr show to "$1" | grep -q . || ! command -v bash >/dev/null; then return; fi
kdiy_code=0
kdiy_said=$(timeout 1 bash -c 'exec 3<>"/dev/tcp/$0/$1"' "$1" "$2" 2>&1) || kdiy_code=$?
for kdiy_try in 1 2 3 4 5 6 7 8 9; do
  kdiy_neighbour=$(ip neigh show to "$1")
  case $kdiy_code:$kdiy_said:$kdiy_neighbour in
  0:*|*refused*) break ;;
  *DELAY*|*PROBE*) sleep 1 ;;
  *) break ;;
  esac
done
case $kdiy_code:$kdiy_said:$kdiy_neighbour in
0:*|*refused*|*REACHABLE*)
  case $kdiy_neighbour in
  *lladdr*) kdiy_neighbour=${kdiy_neighbour#*lladdr }; echo "vip ${kdiy_neighbour%% *}" ;;
  *) echo "vip a host beyond a router" ;;
  esac ;;
esac
}
