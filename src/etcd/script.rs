//! What members are started, joined and waited for with. Everything is asked
//! of members that answer, over the gateway for JSON: a host need not have
//! etcdctl.

use crate::cluster::{Node, ResolvedCluster, Role};
use crate::etcd::member::{self, DATA, MARKER, USER};
use crate::etcd::{Client, ask};
use crate::resource::Service;
use crate::shell::{Script, sh};

/// Defines `kdiy_start STATE MEMBERS` and `kdiy_end_start`.
const START: &str = sh!("etcd/start.sh");

/// Defines `kdiy_etcd_healthy CURL-WORD…`.
pub const HEALTH: &str = sh!("etcd/health.sh");

/// Defines `kdiy_mark TEXT` and `kdiy_etcd_failed`.
const MARK: &str = sh!("etcd/mark.sh");

/// Defines `kdiy_find_member URL…` and `kdiy_join NAME PEER-URL OWN-URL LOST`.
const JOIN: &str = sh!("etcd/join.sh");

/// Defines `kdiy_put_aside`: data of a member that was removed are kept, but
/// never used again.
pub const PUT_ASIDE: &str = sh!("etcd/put-aside.sh");

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
    Script::of(MARK).lit(START).then(&completed(authority))
}

fn completed(authority: &str) -> Script {
    mark("member", authority).lit("kdiy_end_start\n")
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
        .call("kdiy_start", ["new", &members.join(",")])
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
    Script::of(HEALTH).then(&health(node, client)).lit("\n")
}

fn health(node: &Node, client: &Client) -> Script {
    let what = format!("the etcd member of {} to be healthy", node.name);
    Script::of("kdiy_poll 240 ")
        .arg(what)
        .lit(" kdiy_etcd_healthy ")
        .args(client.options())
        .lit(" ")
        .arg(format!("{}/health", client.url))
}

/// Waits for a member that was started, and notes that its cluster stands.
#[must_use]
pub fn finish(node: &Node, client: &Client, authority: &str) -> Script {
    Script::of(MARK)
        .lit(START)
        .then(&finished(node, client, authority))
}

fn finished(node: &Node, client: &Client, authority: &str) -> Script {
    Script::of(HEALTH)
        .then(&health(node, client))
        .lit(" || kdiy_etcd_failed\n")
        .then(&completed(authority))
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
    let others: Vec<_> = others.collect();
    let find = ["60", "a healthy member of etcd", "kdiy_find_member"];
    let find = find.into_iter().chain(others.iter().map(String::as_str));
    let peer = member::peer_url(resolved.address(node));
    prepare(resolved)
        .then(&ask::functions(&client))
        .lit(PUT_ASIDE)
        .lit(JOIN)
        .call("kdiy_poll", find)
        .call("kdiy_find_member", &others)
        .then(&mark("member", authority))
        .call(
            "kdiy_join",
            [node.name.as_str(), &peer, &client.url, &lost.join(" ")],
        )
        .then(&finished(node, &client, authority))
        .then(&service.stamped())
}

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
        .lit(MARK)
}

/// Notes beside the data whose it is.
fn mark(state: &str, authority: &str) -> Script {
    Script::new().call("kdiy_mark", [noted(state, authority)])
}

fn noted(state: &str, authority: &str) -> String {
    format!("{state} {}", member::token(authority))
}
