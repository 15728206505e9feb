//! What members are started, joined and waited for with. Everything is asked
//! of members that answer, over the gateway for JSON: a host need not have
//! etcdctl.

use crate::cluster::{Node, ResolvedCluster, Role};
use crate::etcd::member::{self, DATA, USER};
use crate::etcd::{Client, ask};
use crate::resource::{STAMP_FUNCTION, Service};
use crate::shell::{Script, sh};

/// Defines `kdiy_prepare`, `kdiy_start`, `kdiy_end_start` and
/// `kdiy_is_start_complete`.
const START: &str = sh!("etcd/start.sh");

/// Defines `kdiy_etcd_healthy CURL-WORD…` and `kdiy_wait_for_etcd NODE
/// CURL-WORD…`.
pub const HEALTH: &str = sh!("etcd/health.sh");

/// Defines `kdiy_mark TEXT` and `kdiy_etcd_failed CODE`.
const MARK: &str = sh!("etcd/mark.sh");

/// Defines `kdiy_complete_start MARK` and `kdiy_finish MARK NODE CURL-WORD…`.
const FINISH: &str = sh!("etcd/finish.sh");

/// Defines `kdiy_find_member URL…` and `kdiy_join NAME PEER-URL OWN-URL LOST`.
const JOIN: &str = sh!("etcd/join.sh");

/// Defines `kdiy_put_aside`.
pub const PUT_ASIDE: &str = sh!("etcd/put-aside.sh");

/// Whether a member that serves was started to the end: nothing of `START`
/// is left, and its cluster is no longer noted as being bootstrapped.
#[must_use]
pub fn is_start_complete(authority: &str) -> Script {
    Script::of(START).call("kdiy_is_start_complete", [noted("member", authority)])
}

/// Brings the start of a member that serves to its end.
#[must_use]
pub fn complete_start(authority: &str) -> Script {
    Script::of(MARK)
        .with(START)
        .with(FINISH)
        .call("kdiy_complete_start", [noted("member", authority)])
}

/// Starts the members of a new cluster; does not wait, since each waits for
/// the others.
#[must_use]
pub fn bootstrap(resolved: &ResolvedCluster, authority: &str, service: &Service) -> Script {
    let members = resolved.with_role(Role::Etcd);
    let members: Vec<_> = members
        .map(|node| format!("{}={}", node.name, member::peer_url(resolved.address(node))))
        .collect();
    Script::of(START)
        .with(MARK)
        .with(STAMP_FUNCTION)
        .then(&prepare(resolved))
        .call("kdiy_mark", [noted("bootstrapping", authority)])
        .call("kdiy_start", ["new", &members.join(",")])
        .then(&service.stamped())
}

/// Starts a member that has its data; does not wait. One that runs is left
/// alone, and has not taken up what changed in the meantime.
#[must_use]
pub fn start(service: &Service) -> Script {
    Script::of(STAMP_FUNCTION)
        .with(sh!("etcd/start-again.sh"))
        .call("kdiy_start_again", [&service.stamp])
}

/// Waits until the member on this host is healthy.
#[must_use]
pub fn wait(node: &Node, client: &Client) -> Script {
    Script::of(HEALTH).call("kdiy_wait_for_etcd", health(node, client))
}

/// What `kdiy_wait_for_etcd` is called with.
fn health(node: &Node, client: &Client) -> impl Iterator<Item = String> {
    let name = [node.name.to_string()].into_iter();
    let options = client.options().map(str::to_owned);
    name.chain(options)
        .chain([format!("{}/health", client.url)])
}

/// Waits for a member that was started, and notes that its cluster stands.
#[must_use]
pub fn finish(node: &Node, client: &Client, authority: &str) -> Script {
    Script::of(MARK)
        .with(START)
        .with(HEALTH)
        .with(FINISH)
        .then(&finished(node, client, authority))
}

fn finished(node: &Node, client: &Client, authority: &str) -> Script {
    let words = [noted("member", authority)].into_iter();
    Script::new().call("kdiy_finish", words.chain(health(node, client)))
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
    ask::functions(&client)
        .with(START)
        .with(MARK)
        .with(HEALTH)
        .with(FINISH)
        .with(STAMP_FUNCTION)
        .with(PUT_ASIDE)
        .with(JOIN)
        .then(&prepare(resolved))
        .call("kdiy_poll", find)
        .call("kdiy_find_member", &others)
        .call("kdiy_mark", [noted("member", authority)])
        .call(
            "kdiy_join",
            [node.name.as_str(), &peer, &client.url, &lost.join(" ")],
        )
        .then(&finished(node, &client, authority))
        .then(&service.stamped())
}

/// The data directory, and how the program is called.
fn prepare(resolved: &ResolvedCluster) -> Script {
    let program = member::program(resolved, "etcd");
    Script::new().call("kdiy_prepare", [DATA, USER, &program])
}

fn noted(state: &str, authority: &str) -> String {
    format!("{state} {}", member::token(authority))
}
