//! What members are started, joined and waited for with. Everything is asked
//! of members that answer, over the gateway for JSON: a host need not have
//! etcdctl.

use crate::cluster::{Node, ResolvedCluster, Role};
use crate::etcd::member::{self, DATA, MARKER, USER};
use crate::etcd::{Client, ask};
use crate::resource::Service;
use crate::shell::Script;

/// `kdiy_start STATE MEMBERS`: starts the member with an initial cluster, by
/// a configuration for this one start; does not wait for it.
const START: &str = r#"kdiy_start() {
install -d -m 0755 /run/systemd/system/kdiy-etcd.service.d
{ grep -v -e '^initial-cluster:' -e '^initial-cluster-state:' /etc/etcd/kdiy.yaml
printf "initial-cluster: '%s'\ninitial-cluster-state: %s\n" "$2" "$1"; } > /run/kdiy-etcd-start.yaml
printf '[Service]\nExecStart=\nExecStart=%s --config-file /run/kdiy-etcd-start.yaml\n' "$kdiy_program" > /run/systemd/system/kdiy-etcd.service.d/start.conf
systemctl daemon-reload
systemctl enable --quiet kdiy-etcd.service
systemctl restart --no-block kdiy-etcd.service
}
"#;

/// Takes back what `START` left: from now on the unit's own configuration
/// holds.
const END_START: &str = "rm -rf -- /run/systemd/system/kdiy-etcd.service.d /run/kdiy-etcd-start.yaml\n\
systemctl daemon-reload\n";

/// After a command that may fail: shows what the member itself says then.
const OR_JOURNAL: &str =
    " || {\njournalctl --no-pager -n 20 -u kdiy-etcd.service >&2 || :\nexit 1\n}\n";

/// Whether a member that serves was started to the end: nothing of `START`
/// is left, and its cluster is no longer noted as being bootstrapped.
#[must_use]
pub fn is_start_complete(authority: &str) -> Script {
    Script::of("[ ! -e /run/systemd/system/kdiy-etcd.service.d ] && [ \"$(cat ")
        .lit(MARKER)
        .lit(")\" = ")
        .arg(noted("member", authority))
        .lit(" ]")
}

/// Brings the start of a member that serves to its end.
#[must_use]
pub fn complete_start(authority: &str) -> Script {
    mark("member", authority).lit(END_START)
}

/// Starts the members of a new cluster; does not wait, since each waits for
/// the others.
#[must_use]
pub fn bootstrap(resolved: &ResolvedCluster, authority: &str, service: &Service) -> Script {
    let members = resolved.with_role(Role::Etcd);
    let members: Vec<_> = members
        .map(|node| format!("{}={}", node.name, member::peer_url(resolved.address(node))))
        .collect();
    prepare(resolved)
        .then(&mark("bootstrapping", authority))
        .lit("kdiy_start new ")
        .arg(members.join(","))
        .lit("\n")
        .then(&service.stamped())
}

/// Starts a member that has its data; does not wait. One that runs is left
/// alone, and has not taken up what changed in the meantime.
#[must_use]
pub fn start(service: &Service) -> Script {
    Script::of("systemctl daemon-reload\nsystemctl enable --quiet kdiy-etcd.service\n")
        .lit("if ! systemctl is-active --quiet kdiy-etcd.service; then\n")
        .lit("systemctl restart --no-block kdiy-etcd.service\n")
        .then(&service.stamped())
        .lit("fi\n")
}

/// Waits until the member on this host is healthy.
#[must_use]
pub fn wait(node: &Node, client: &Client) -> Script {
    health(node, client).lit("\n")
}

fn health(node: &Node, client: &Client) -> Script {
    Script::of("kdiy_etcd() { curl -fsS --noproxy '*' --max-time 5")
        .then(&client.curl())
        .arg(format!("{}/health", client.url))
        .lit(" | grep -q '\"health\":\"true\"'; }\nkdiy_poll 240 ")
        .arg(format!("the etcd member of {} to be healthy", node.name))
        .lit(" kdiy_etcd")
}

/// Waits for a member that was started, and notes that its cluster stands.
#[must_use]
pub fn finish(node: &Node, client: &Client, authority: &str) -> Script {
    health(node, client)
        .lit(OR_JOURNAL)
        .then(&complete_start(authority))
}

/// Makes this host a member of the running cluster: as a learner first, which
/// votes once it has all data. Asks how far an earlier try came and goes on
/// from there. `lost` are this host and those that join after it: their voting
/// members have lost their data.
#[must_use]
pub fn join(
    resolved: &ResolvedCluster,
    node: &Node,
    lost: &[&str],
    authority: &str,
    service: &Service,
) -> Script {
    let client = Client::of(&resolved.cluster.topology, resolved.address(node));
    let others = resolved.with_role(Role::Etcd);
    let others = others.filter(|other| other.name != node.name);
    let others = others.map(|other| member::client_url(resolved.address(other)));
    prepare(resolved)
        .lit("kdiy_lost=")
        .arg(lost.join(" "))
        .lit("\nkdiy_name=")
        .arg(node.name.as_str())
        .lit("\nkdiy_peer=")
        .arg(member::peer_url(resolved.address(node)))
        .lit("\nkdiy_own=")
        .arg(&client.url)
        .lit("\n")
        .then(&ask::functions(&client))
        .lit("kdiy_live() { for kdiy_url in ")
        .args(others)
        .lit(JOIN_ASK)
        .then(&mark("member", authority))
        .lit(PUT_ASIDE)
        .lit(JOIN)
        .lit(OR_JOURNAL)
        .lit("echo 'it votes'\n")
        .then(&finish(node, &client, authority))
        .then(&service.stamped())
}

/// Finds the member that is asked: a voter that sees the quorum. A learner
/// calls itself healthy from 3.6 on, and one without room does not.
const JOIN_ASK: &str = r#"; do
if kdiy_ask /v3/cluster/member/list '{"linearizable":true}' >/dev/null; then return 0; fi
done; return 1; }
kdiy_poll 60 'a healthy member of etcd' kdiy_live
kdiy_live
"#;

/// Defines `kdiy_put_aside`: data of a member that was removed are kept, but
/// never used again.
pub const PUT_ASIDE: &str = r#"kdiy_put_aside() {
  [ -d /var/lib/etcd/member ] || return 0
  kdiy_n=1
  while [ -e "/var/lib/etcd/member.removed-$kdiy_n" ]; do kdiy_n=$((kdiy_n + 1)); done
  echo "putting the data of the removed member aside as /var/lib/etcd/member.removed-$kdiy_n"
  mv -- /var/lib/etcd/member "/var/lib/etcd/member.removed-$kdiy_n"
}
"#;

/// Who votes and is healthy by now was helped by another run, and stays so. An
/// entry that has lost its data, or whose peer URL is another's by now, is
/// removed: it would count against the quorum, and etcd adds nobody while a
/// voter is away. Old data of a member that was removed is put aside, never
/// deleted.
const JOIN: &str = r#"kdiy_id=
kdiy_add() {
  kdiy_added=$(kdiy_ask /v3/cluster/member/add "{\"peerURLs\":[\"$kdiy_peer\"],\"isLearner\":true}") || return 1
  kdiy_id=$(kdiy_field "$(printf %s "$kdiy_added" | tr -d ' \n' | sed 's/.*"member":{//; s/}.*//')" ID)
  if [ -z "$kdiy_id" ]; then echo "$kdiy_added"; return 1; fi
  echo "$kdiy_id" > "$kdiy_tmp/id"
}
kdiy_members > "$kdiy_tmp/members"
while read -r kdiy_entry; do
  [ "$(kdiy_field "$kdiy_entry" peerURLs)" = "$kdiy_peer" ] || continue
  case $kdiy_entry in *'"isLearner":true'*) ;; *)
    if [ -d /var/lib/etcd/member ] && [ "$(kdiy_field "$kdiy_entry" name)" = "$kdiy_name" ] &&
      kdiy_curl "$kdiy_own/health" </dev/null | grep -q '"health":"true"'; then
      kdiy_id=$(kdiy_field "$kdiy_entry" ID)
    fi
    continue;;
  esac
  if [ -d /var/lib/etcd/member ] || [ -z "$(kdiy_field "$kdiy_entry" name)" ]; then
    kdiy_id=$(kdiy_field "$kdiy_entry" ID)
  fi
done < "$kdiy_tmp/members"
if [ -z "$kdiy_id" ]; then
  systemctl daemon-reload
  systemctl stop kdiy-etcd.service
  kdiy_put_aside
  while read -r kdiy_entry; do
    kdiy_entry_name=$(kdiy_field "$kdiy_entry" name)
    if [ "$(kdiy_field "$kdiy_entry" peerURLs)" = "$kdiy_peer" ] || case " $kdiy_lost " in *" ${kdiy_entry_name:-?} "*) [ "$kdiy_entry" = "${kdiy_entry%\"isLearner\":true*}" ] || [ "$kdiy_entry_name" = "$kdiy_name" ];; *) false;; esac; then
      kdiy_old=$(kdiy_field "$kdiy_entry" ID)
      if [ "$kdiy_entry_name" != "$kdiy_name" ] && kdiy_lives "$kdiy_entry" </dev/null; then
        echo "the member $kdiy_old ($kdiy_entry_name) has a vote and answers at $kdiy_at: it stays"
        continue
      fi
      echo "removing the member $kdiy_old (${kdiy_entry_name:-never started}), whose data is lost"
      kdiy_remove "$kdiy_old" "${kdiy_entry_name:-it}"
    fi
  done < "$kdiy_tmp/members"
  echo 'adding it as a learner'
  kdiy_poll 60 'etcd to take a learner' kdiy_add
  read -r kdiy_id < "$kdiy_tmp/id"
fi
if [ ! -d /var/lib/etcd/member ] || ! systemctl is-active --quiet kdiy-etcd.service; then
  kdiy_cluster=
  kdiy_members > "$kdiy_tmp/members"
  while read -r kdiy_entry; do
    kdiy_entry_url=$(kdiy_field "$kdiy_entry" peerURLs)
    kdiy_entry_name=$(kdiy_field "$kdiy_entry" name)
    [ "$kdiy_entry_url" != "$kdiy_peer" ] || kdiy_entry_name=$kdiy_name
    kdiy_cluster="$kdiy_cluster${kdiy_cluster:+,}${kdiy_entry_name:-unnamed}=$kdiy_entry_url"
  done < "$kdiy_tmp/members"
  kdiy_start existing "$kdiy_cluster"
fi
kdiy_promote() {
  ! kdiy_promoted=$(kdiy_ask /v3/cluster/member/promote "{\"ID\":\"$kdiy_id\"}" 2>&1) || return 0
  # It votes already.
  case $kdiy_promoted in *'can only promote a learner member"'*) return 0;; esac
  echo "$kdiy_promoted"
  return 1
}
kdiy_poll 600 'the learner to have all data' kdiy_promote"#;

/// The data directory, and how the program is called.
fn prepare(resolved: &ResolvedCluster) -> Script {
    Script::of("install -d -o ")
        .lit(USER)
        .lit(" -g ")
        .lit(USER)
        .lit(" -m 0700 ")
        .lit(DATA)
        .lit("\nkdiy_program=")
        .arg(member::program(resolved, "etcd"))
        .lit("\n")
        .lit(START)
}

/// Notes beside the data whose it is.
fn mark(state: &'static str, authority: &str) -> Script {
    // In one go: without it the data would be taken for somebody else's.
    Script::of("printf '%s\\n' ")
        .arg(noted(state, authority))
        .lit(" > ")
        .lit(MARKER)
        .lit(".new\nmv -f -- ")
        .lit(MARKER)
        .lit(".new ")
        .lit(MARKER)
        .lit("\n")
}

fn noted(state: &str, authority: &str) -> String {
    format!("{state} {}", member::token(authority))
}
