# shellcheck shell=sh
# kdiy_listens PORT: whether something does.
kdiy_listens() { ss -Hltn "sport = :$1" | grep -q .; }
# kdiy_wait_for_port PROGRAM PORT: exit code 77 where it does not in time.
kdiy_wait_for_port() { kdiy_poll 30 "$1 to listen on port $2" kdiy_listens "$2"; }
