//! Asking etcd's members, each on its own host. Their data is not changed.

use std::io::Write;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;
use tokio::time::Instant;
use zeroize::Zeroizing;

use super::Event;
use super::survey::{self, Connections, HostError, ask};
use crate::cluster::{AddressSpec, Cluster, Node, Topology};
use crate::etcd::keys::{self, Ask, Page, Range};
use crate::etcd::snapshot::{self, Head, IntegrityError, Receiver};
use crate::etcd::status::Host;
use crate::etcd::{Answer, gateway};
use crate::transport::{Connection, Connector, Exit, Output, Request, User};

/// How long taking and fetching a snapshot may take.
const SNAPSHOT: Duration = Duration::from_secs(60 * 60);
/// How much of what etcd's tools say is kept, in bytes.
const KEEP: usize = 64 * 1024;
/// Keys that are asked for at a time: their answer has its bounds.
const PAGE: usize = 2000;

/// Why a snapshot could not be had.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// The host could not be asked, or the file not be written here.
    #[error(transparent)]
    Transport(#[from] crate::transport::Error),
    /// It could not be taken.
    #[error("the host ended with {exit:?}: {output}")]
    Failed {
        /// Exit code or signal of the script.
        exit: Exit,
        /// The last lines that it said.
        output: String,
    },
    /// What came is not to be trusted.
    #[error(transparent)]
    Integrity(#[from] IntegrityError),
}

/// Asks all members of the inventory, side by side, one exec for each host;
/// a host that cannot be asked is among the answers.
pub async fn members<C: Connector>(
    cluster: &Cluster,
    connector: &C,
    width: usize,
    events: &UnboundedSender<Event>,
) -> (Vec<Host>, Connections<C::Connection>) {
    let nodes: Vec<_> = cluster.etcd_members().collect();
    let (connections, mut host_errors) = survey::connect(connector, &nodes, width, events).await;
    let reached: Vec<_> = nodes
        .iter()
        .copied()
        .filter(|node| connections.contains_key(&node.name))
        .collect();
    let results = survey::side_by_side(&reached, width, async |node: &&Node| {
        let began = Instant::now();
        let script = gateway::script(&cluster.topology, &node.address);
        let output = ask(connections[&node.name].as_ref(), &script, User::Root).await?;
        let answer = Answer::parse(&output)?;
        let (host, took) = (node.name.clone(), began.elapsed());
        let _ = events.send(Event::Observed { host, took });
        Ok((node.name.clone(), answer))
    })
    .await;
    let (mut answers, more) = survey::split(&reached, results);
    host_errors.extend(more);
    let hosts = nodes.iter().map(|node| Host {
        name: node.name.clone(),
        address: match node.address {
            AddressSpec::Fixed(address) => Some(address),
            AddressSpec::Interface(_) => None,
        },
        answer: match answers.remove(&node.name) {
            Some(answer) => Ok(answer),
            None => Err(host_errors
                .get(&node.name)
                .map_or_else(String::new, with_hint)),
        },
    });
    (hosts.collect(), connections)
}

/// A fault, and what to do about it.
fn with_hint(host_error: &HostError) -> String {
    match host_error.hint() {
        Some(hint) => format!("{host_error}; {hint}"),
        None => host_error.to_string(),
    }
}

/// The first keys of a range, at most so many, all of one revision; also how
/// many there are.
///
/// # Errors
/// When the host cannot be asked, or its member does not answer.
pub async fn keys<C: Connection>(
    connection: &C,
    topology: &Topology,
    address: &AddressSpec,
    range: &Range,
    limit: usize,
) -> Result<Page, HostError> {
    let page = async |range: &Range, ask_for, revision| {
        let script = keys::script(topology, address, range, ask_for, revision);
        let output = ask(connection, &script, User::Root).await?;
        let page = Page::parse(&String::from_utf8_lossy(&output))?;
        Ok::<_, HostError>(page)
    };
    let first = match limit {
        0 => Ask::Count,
        _ => Ask::Keys(limit.min(PAGE)),
    };
    let mut whole = page(range, first, 0).await?;
    while let Some(last) = whole.keys.last()
        && whole.keys.len() < limit
        && (whole.keys.len() as u64) < whole.count
    {
        let most = (limit - whole.keys.len()).min(PAGE);
        let next = page(&range.after(last), Ask::Keys(most), whole.revision).await?;
        if next.keys.is_empty() {
            break;
        }
        whole.keys.extend(next.keys);
    }
    whole.keys.truncate(limit);
    Ok(whole)
}

/// Takes a snapshot of the member on a host, whose database has `size` bytes,
/// and writes it down here, checked.
///
/// # Errors
/// When it cannot be taken, fetched or trusted; the host keeps nothing of it.
pub async fn snapshot<C: Connection, W: Write + Send>(
    connection: &C,
    topology: &Topology,
    address: &AddressSpec,
    size: u64,
    out: &mut W,
    progress: &mut (dyn FnMut(u64, u64) + Send),
) -> Result<Head, SnapshotError> {
    let script = snapshot::script(topology, address, size);
    let script = Zeroizing::new(script.as_str().to_owned());
    let request = Request {
        script: &script,
        user: User::Root,
        limit: SNAPSHOT,
        keep: KEEP,
    };
    let mut receiver = Receiver::new(out, progress);
    let Output { exit, stderr, .. } = connection.stream(request, &mut receiver).await?;
    if exit != Exit::Code(0) {
        let said = String::from_utf8_lossy(&stderr);
        let lines: Vec<_> = said.lines().collect();
        let output = lines[lines.len().saturating_sub(3)..].join("\n");
        return Err(SnapshotError::Failed { exit, output });
    }
    Ok(receiver.finish()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine as _;
    use tokio::sync::mpsc::unbounded_channel;

    use crate::cluster::{Login, Name};
    use crate::etcd::status::{EtcdStatus, Verdict};
    use crate::transport::Error;
    use crate::transport::fake::{Answer as Says, Fake};

    fn name(text: &str) -> Name {
        Name::try_from(text.to_owned()).unwrap()
    }

    fn cluster() -> Cluster {
        let text = "apiVersion: kdiy/v1alpha1\nname: test\nversion: 1.34.1\n\
            endpoint: 10.0.0.9:6443\nloadBalancer: external\nnodes:\n\
            - {name: cp-1, ssh: 10.0.0.1, role: control-plane}\n\
            - {name: cp-2, ssh: 10.0.0.2, role: control-plane}\n\
            - {name: cp-3, ssh: 10.0.0.3, role: control-plane}\n\
            network: {cni: bridge}\n";
        let read = |_: &std::path::Path| Err(std::io::ErrorKind::NotFound.into());
        let loaded = crate::inventory::load(text, &read);
        loaded
            .cluster
            .unwrap_or_else(|| panic!("{:?}", loaded.findings))
    }

    /// The answer of a member that knows itself only.
    fn alone() -> String {
        let sections = [
            ("url", "https://10.0.0.1:2379"),
            (
                "status",
                r#"{"header":{"cluster_id":"1","member_id":"2"},"version":"3.5.21","leader":"2","raftTerm":"5"}"#,
            ),
            ("members", r#"{"members":[{"ID":"2","name":"cp-1"}]}"#),
            ("health", r#"{"health":"true"}"#),
        ];
        let section = |(name, text): &(&str, &str)| format!("@{name} {}\n{text}\n", text.len());
        sections.iter().map(section).collect()
    }

    #[tokio::test]
    async fn hosts_that_cannot_be_asked_are_among_the_answers() {
        let fake = Fake::default();
        fake.always(&name("cp-1"), "maintenance/status", Says::output(&alone()));
        let refused = Error::Lost {
            address: "10.0.0.2:22".to_owned(),
            why: "test".to_owned(),
        };
        fake.reject(&name("cp-2"), refused);
        fake.always(&name("cp-3"), "kdiy_section", Says::output("nonsense"));
        let (events, _) = unbounded_channel();
        let (hosts, connections) = members(&cluster(), &fake, 32, &events).await;
        let names: Vec<_> = hosts.iter().map(|host| host.name.as_str()).collect();
        assert_eq!(names, ["cp-1", "cp-2", "cp-3"]);
        assert_eq!(connections.len(), 2);
        for host in ["cp-1", "cp-3"] {
            assert_eq!(fake.runs(&name(host)).len(), 1, "one exec");
        }
        let etcd_status = EtcdStatus::of(&hosts);
        assert_eq!(etcd_status.verdict, Verdict::Degraded);
        let problems: Vec<_> = etcd_status.members.iter().map(|row| &row.problem).collect();
        assert_eq!(problems[0], &None);
        assert!(
            problems[1]
                .as_ref()
                .unwrap()
                .contains("run the same command again")
        );
        assert!(
            problems[2]
                .as_ref()
                .unwrap()
                .contains("not in the probe's form")
        );
    }

    #[tokio::test]
    async fn keys_are_asked_for_page_by_page_of_one_revision() {
        let fake = Fake::default();
        let key = |number: usize| format!("/k/{number:05}");
        let page = |numbers: std::ops::Range<usize>, count: usize| {
            let encode = |text: String| base64::engine::general_purpose::STANDARD.encode(text);
            let kvs: Vec<_> = numbers
                .map(|number| format!(r#"{{"key":"{}"}}"#, encode(key(number))))
                .collect();
            let kvs = kvs.join(",");
            Says::output(&format!(
                r#"{{"header":{{"revision":"77"}},"kvs":[{kvs}],"count":"{count}"}}"#
            ))
        };
        let cp = name("cp-1");
        fake.once(&cp, r#""revision":"0""#, page(0..PAGE, 2500));
        fake.once(
            &cp,
            r#""revision":"77","keys_only":true,"limit":"400""#,
            page(PAGE..2400, 500),
        );
        let link = fake.connect(&cp, &Login::to("")).await.unwrap();
        let address = AddressSpec::Fixed([10, 0, 0, 1].into());
        let range = Range::prefix(b"/k");
        let page = keys(&link, &Topology::Stacked, &address, &range, 2400).await;
        let page = page.unwrap();
        assert_eq!((page.keys.len(), page.count), (2400, 2500));
        assert_eq!(page.keys[2399], key(2399).into_bytes());
    }

    #[tokio::test]
    async fn a_snapshot_that_was_not_taken_says_why() {
        let fake = Fake::default();
        let said = "one\ntwo\nthree\n/var/tmp has 7 KiB free";
        fake.always(&name("cp-1"), "snapshot save", Says::exits(1, "", said));
        let link = fake.connect(&name("cp-1"), &Login::to("")).await.unwrap();
        let address = AddressSpec::Fixed([10, 0, 0, 1].into());
        let (mut out, mut come) = (Vec::new(), |_, _| {});
        let stacked = Topology::Stacked;
        let taken = snapshot(&link, &stacked, &address, 1, &mut out, &mut come).await;
        let error = taken.unwrap_err().to_string();
        assert!(
            error.contains("KiB free") && !error.contains("one"),
            "{error}"
        );
    }
}
