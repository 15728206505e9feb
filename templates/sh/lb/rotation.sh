# shellcheck shell=sh
# Comes after step/poll.sh.
kdiy_out=/run/kdiy/out-of-rotation
# kdiy_haproxy_say COMMAND: by its own socket, whose answer is printed.
# perl expands the words itself.
# shellcheck disable=SC2016
kdiy_haproxy_say() {
timeout 4 perl -MIO::Socket::UNIX -e '
  my $s = IO::Socket::UNIX->new(Peer => "/run/haproxy/admin.sock") or die "admin.sock: $!\n";
  print $s "$ARGV[0]\n"; print while <$s>' "$1"
}
# kdiy_haproxy_do COMMAND: one that answers nothing where it is done.
kdiy_haproxy_do() {
kdiy_said=$(kdiy_haproxy_say "$1" | tr -d '\n') || return 1
[ -z "$kdiy_said" ] || { echo "haproxy says to \"$1\": $kdiy_said" >&2; return 1; }
}
# kdiy_servers_up: names of the servers that it sends connections to, a line each.
kdiy_servers_up() {
kdiy_haproxy_say 'show stat -1 4 -1' | while IFS=, read -r kdiy_backend kdiy_server kdiy_rest; do
[ "$kdiy_backend" = control-planes ] || continue
case ,$kdiy_rest, in *,UP,*) echo "$kdiy_server" ;; esac
done
}
# kdiy_take_out NAME: no new connection goes to the server; those that are there
# end by themselves, since nobody asks any more how it is. Not where no other
# server is left. /run forgets it as haproxy does.
kdiy_take_out() {
kdiy_servers_up | grep -qvxF "$1" || { echo "haproxy has no server but $1 that is up" >&2; return 1; }
install -d -m 0700 /run/kdiy "$kdiy_out"
: > "$kdiy_out/$1"
kdiy_haproxy_do "disable health control-planes/$1" && kdiy_haproxy_do "set server control-planes/$1 state drain"
}
kdiy_is_up() { kdiy_servers_up | grep -qxF "$1" || { echo 'it is not up'; return 1; }; }
# kdiy_put_in NAME: connections go to the server again; 77 where haproxy does not
# find it ready.
kdiy_put_in() {
kdiy_haproxy_do "enable health control-planes/$1" || return 1
kdiy_haproxy_do "set server control-planes/$1 state ready" || return 1
kdiy_poll 60 "haproxy to find $1 ready" kdiy_is_up "$1" || return
rm -f "$kdiy_out/$1"
}
