//! What `plan` and `apply` both begin with: connect, look, compare.

use std::collections::BTreeSet;

use secrecy::ExposeSecret as _;
use time::OffsetDateTime;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use super::source::Source;
use super::{CliError, ConnectionArgs, Exit, connector};
use crate::api::Credentials;
use crate::cluster::{Cluster, Name, ResolvedCluster};
use crate::execute::Event;
use crate::execute::compare::{self, Comparison};
use crate::execute::survey::{self, Connections, HostErrors, ResolveError};
use crate::execute::trust::{self, EncryptionKey, Origin};
use crate::pki::{BootstrapToken, ClusterCas};
use crate::plan::install::Trust;
use crate::plan::preflight::Problem;
use crate::plan::{Plan, bootstrap};
use crate::secret_store::SecretStore;
use crate::state::State;
use crate::transport::Connector;
use crate::transport::ssh::Link;
use crate::ui::progress::Renderer;
use crate::ui::{Ui, problems, progress};

/// Names in a hint at most.
const NAMED: usize = 12;

/// Everything that is known before the first change.
pub struct Survey<C> {
    /// The cluster, with what its hosts answered.
    pub resolved: ResolvedCluster,
    /// Connections to its hosts.
    pub connections: Connections<C>,
    /// What has to be done; `None` when something on the hosts must not be
    /// replaced, which is among the problems.
    pub plan: Option<Plan>,
    /// Reasons not to begin.
    pub problems: Vec<Problem>,
    /// Secrets of this run.
    pub secrets: SecretStore,
    /// The cluster's authorities.
    pub cas: ClusterCas,
    /// Where those came from.
    pub origin: Origin,
    encryption: Option<EncryptionKey>,
    trust: Trust,
    comparison: Comparison,
    /// What is kept beside the inventory.
    pub state: State,
    /// Hosts outside the limit that could not be looked at.
    pub missing: HostErrors,
    /// What keeps nobody from beginning, and should be known.
    pub advice: Vec<Problem>,
    /// What is left alone and should be looked at.
    pub warnings: Vec<String>,
}

impl<C> Survey<C> {
    /// Hosts that the plan is about: those within the limit.
    #[must_use]
    pub fn hosts(&self, limit: &[Name]) -> usize {
        let hosts = self.connections.keys();
        hosts
            .filter(|host| limit.is_empty() || limit.contains(host))
            .count()
    }

    /// Makes what the plan says is to be made, keeps it, and fills the plan
    /// with it. To be called once hosts may be changed, and before.
    ///
    /// # Errors
    /// When it cannot be kept.
    pub fn make_authorities(&mut self, limit: &[Name], ui: &Ui) -> Result<(), CliError> {
        let key = self.encryption.as_ref().filter(|key| key.made);
        if self.origin != Origin::Made && key.is_none() {
            return Ok(());
        }
        let now = OffsetDateTime::now_utc();
        if self.origin == Origin::Made {
            self.state.save_cas(&self.cas, now)?;
            ui.note(&format!(
                "The cluster's authorities were made and are kept in {}: keep that folder safe.",
                self.state.root().display()
            ));
        }
        if let Some(key) = key {
            self.state.save_secretbox_key(&key.key)?;
        }
        let limit = (!limit.is_empty()).then(|| limit.iter().cloned().collect());
        let mut secrets = SecretStore::new();
        let plan = { &mut self.comparison }
            .plan(&self.resolved, &self.trust, limit.as_ref(), &mut secrets)
            .map_err(|_| anyhow::anyhow!("what was to be made is refused"))?;
        secrets.set_token(BootstrapToken::generate()?.whole().expose_secret());
        trust::issue(&plan, &self.cas, &mut secrets, now)?;
        (self.plan, self.secrets) = (Some(plan), secrets);
        Ok(())
    }
}

/// Connects to all hosts, looks at them and compares, with signs of life
/// through `renderer`. What shall be so `before` anything is looked at is done
/// over the same connections.
///
/// # Errors
/// When a host cannot be looked at (outside a limit that is tolerated), the
/// authorities cannot be had, or something there must not be replaced.
pub async fn survey(
    source: &Source,
    connection_args: &ConnectionArgs,
    limit: &[Name],
    ui: &Ui,
    mut renderer: Box<dyn Renderer>,
    before: impl AsyncFnOnce(&Connections<Link>) -> Result<(), CliError>,
) -> Result<Survey<Link>, CliError> {
    let connector = connector::ssh(connection_args, ui)?;
    let (events, received) = unbounded_channel();
    let watched = tokio::spawn(async move {
        progress::follow(received, renderer.as_mut()).await;
    });
    let surveyed = gather(source, &connector, connection_args, limit, &events, before).await;
    drop(events);
    watched.await?;
    let survey = surveyed?;
    for (name, host_error) in &survey.missing {
        ui.warn(&format!("{name} is left out: {host_error}"));
    }
    for warning in &survey.warnings {
        ui.warn(warning);
    }
    for warning in problems::advice(&survey.advice) {
        ui.warn(&warning);
    }
    match &survey.origin {
        Origin::Kept => {}
        Origin::ReadBack(host) => ui.note(&format!(
            "The cluster's authorities were read back from {host} into {}.",
            survey.state.root().display()
        )),
        Origin::Made => ui.note(&format!(
            "The cluster's authorities are to be made by kdiy apply, and kept in {}.",
            survey.state.root().display()
        )),
    }
    Ok(survey)
}

async fn gather<C>(
    source: &Source,
    connector: &C,
    connection_args: &ConnectionArgs,
    limit: &[Name],
    events: &UnboundedSender<Event>,
    before: impl AsyncFnOnce(&Connections<C::Connection>) -> Result<(), CliError>,
) -> Result<Survey<C::Connection>, CliError>
where
    C: Connector,
    C::Connection: 'static,
{
    let cluster = &source.cluster;
    let limit = limit_of(source, limit)?;
    let width = connection_args.width();
    let nodes: Vec<_> = cluster.nodes.iter().collect();
    let (connections, mut missing) = survey::connect(connector, &nodes, width, events).await;
    tolerate(&missing, cluster, limit.as_ref())?;
    before(&connections).await?;
    let resolved = survey::resolve(cluster, &connections, width)
        .await
        .map_err(|error| match error {
            ResolveError::HostErrors(host_errors) => failed(&host_errors),
            ResolveError::Unresolved(why) => CliError::new(Exit::Preflight, why)
                .hint("look at `version`, `packages` and `interface` in the inventory"),
        })?;
    let now = OffsetDateTime::now_utc();
    let state = State::open(&source.folder, &cluster.name)?;
    let (cas, origin) = trust::cas(&state, cluster, &connections, now)
        .await
        .map_err(untrusted)?;
    let encryption = trust::encryption_key(&state, cluster, &connections)
        .await
        .map_err(untrusted)?;
    let trust = trust::trust(&cas, encryption.as_ref().map(|key| &key.key));
    let makes_key = encryption.as_ref().is_some_and(|key| key.made);
    let planned = match (&origin, makes_key) {
        (Origin::Made, _) => trust::to_be_made(&trust),
        (_, true) => trust::with_key_to_be_made(&trust),
        (_, false) => trust.clone(),
    };

    let credentials = Credentials::issue(&cas.kubernetes, now)?;
    let (mut comparison, host_errors) =
        compare::look(&resolved, &trust, &credentials, &connections, width, events).await;
    tolerate(&host_errors, cluster, limit.as_ref())?;
    missing.extend(host_errors);
    let cluster_state = &comparison.observed.cluster_state;
    let bootstrap_nodes = bootstrap::required_hosts(&resolved, cluster_state);
    if let Some(limit) = &limit
        && let Some(first) = bootstrap_nodes
            .iter()
            .find(|bootstrap_node| !limit.contains(**bootstrap_node))
    {
        return Err(bootstrap_host_left_out(first, &bootstrap_nodes));
    }
    let etcd = &cluster_state.etcd;
    let left_out = limit.as_ref().map(|limit| etcd.left_out(limit));
    if let Some([first, ..]) = left_out.as_deref() {
        let what = format!(
            "etcd is to be bootstrapped by all its hosts together, and --limit leaves out {first}"
        );
        return Err(CliError::message(Exit::Preflight, what)
            .hint("run kdiy apply without --limit, or with all hosts of etcd in it"));
    }
    let mut secrets = SecretStore::new();
    let planned = comparison.plan(&resolved, &planned, limit.as_ref(), &mut secrets);
    secrets.set_token(BootstrapToken::generate()?.whole().expose_secret());
    let problems = std::mem::take(&mut comparison.problems);
    let (plan, problems) = match planned {
        Ok(plan) => {
            if origin != Origin::Made {
                trust::issue(&plan, &cas, &mut secrets, now)?;
            }
            (Some(plan), problems)
        }
        // Problems too: all reasons not to begin are shown together.
        Err(refused) => {
            let refused = problems::of_errors(&refused);
            (None, problems.into_iter().chain(refused).collect())
        }
    };
    Ok(Survey {
        resolved,
        connections,
        plan,
        problems,
        secrets,
        cas,
        origin,
        encryption,
        trust,
        state,
        missing,
        advice: std::mem::take(&mut comparison.advice),
        warnings: std::mem::take(&mut comparison.warnings),
        comparison,
    })
}

/// There is no cluster yet, and `--limit` leaves out a host that bootstraps it.
fn bootstrap_host_left_out(left_out: &Name, bootstrap_nodes: &[&Name]) -> CliError {
    let names: Vec<_> = bootstrap_nodes.iter().map(|name| name.as_str()).collect();
    let what = match names.len() {
        1 => format!("there is no cluster to join yet, and --limit leaves out {left_out}"),
        _ => format!(
            "there is no cluster yet; its control planes start together, and --limit leaves out \
             {left_out}"
        ),
    };
    CliError::message(Exit::Preflight, what).hint(format!(
        "run kdiy apply without --limit, or with {} in it",
        names.join(", ")
    ))
}

fn limit_of(source: &Source, limit: &[Name]) -> Result<Option<BTreeSet<Name>>, CliError> {
    let known: Vec<_> = source.cluster.nodes.iter().map(|node| &node.name).collect();
    if let Some(unknown) = limit.iter().find(|name| !known.contains(name)) {
        let known: Vec<_> = known.iter().map(|name| name.as_str()).collect();
        return Err(CliError::message(
            Exit::Usage,
            format!("--limit names {unknown}, which is no node of the inventory"),
        )
        .hint(format!("its nodes are {}", known.join(", "))));
    }
    Ok((!limit.is_empty()).then(|| limit.iter().cloned().collect()))
}

/// Fails for hosts inside the limit.
fn tolerate(
    host_errors: &HostErrors,
    cluster: &Cluster,
    limit: Option<&BTreeSet<Name>>,
) -> Result<(), CliError> {
    let inside: HostErrors = host_errors
        .iter()
        .filter(|(name, _)| limit.is_none_or(|limit| limit.contains(name)))
        .map(|(name, host_error)| (name.clone(), host_error.clone()))
        .collect();
    if inside.is_empty() {
        Ok(())
    } else {
        let others = cluster
            .nodes
            .iter()
            .map(|node| &node.name)
            .filter(|name| !host_errors.contains_key(*name))
            .filter(|name| limit.is_none_or(|limit| limit.contains(*name)))
            .map(Name::as_str)
            .collect::<Vec<_>>();
        Err(match &others[..] {
            [] => unreachable(&inside).hint("when that is fixed, run it again"),
            _ => unreachable(&inside).hint(left_out(&others)),
        })
    }
}

/// Hosts that could not be asked fail as any others do.
pub(super) fn untrusted(error: trust::Error) -> CliError {
    match error {
        trust::Error::Asked(host_errors) => failed(&host_errors),
        other => CliError::new(Exit::Error, other),
    }
}

/// What leaves out the hosts that cannot be reached. The names are there to
/// be copied, unless they are too many.
fn left_out(others: &[&str]) -> String {
    match others.len() {
        ..=NAMED => format!("--limit {} goes on with the others alone", others.join(",")),
        _ => "--limit NODE,... goes on with the others alone".to_owned(),
    }
}

pub(super) fn failed(host_errors: &HostErrors) -> CliError {
    unreachable(host_errors).hint("--limit NODE,... goes on with the others alone")
}

/// What failed on which host, and what to do about it: once for all hosts
/// that need the same.
pub(super) fn unreachable(host_errors: &HostErrors) -> CliError {
    let mut alike: Vec<(String, Vec<String>, Option<String>)> = Vec::new();
    for (name, host_error) in host_errors {
        let (line, hint) = (
            format!("{name}: {host_error} [{}]", host_error.code()),
            host_error.hint(),
        );
        let same = kind(hint.as_deref().unwrap_or_default());
        match alike.iter_mut().find(|(other, ..)| *other == same) {
            Some((_, lines, _)) => lines.push(line),
            None => alike.push((same, vec![line], hint)),
        }
    }
    let lines = alike.into_iter().flat_map(|(_, mut lines, hint)| {
        lines.extend(hint.map(|hint| format!("  {hint}")));
        lines
    });
    CliError::message(Exit::Unreachable, lines.collect::<Vec<_>>().join("\n"))
}

/// A hint without addresses, by which those of several hosts differ.
fn kind(hint: &str) -> String {
    let digit = |c: char| c.is_ascii_digit();
    let words = hint.split_whitespace().filter(|word| !word.contains(digit));
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_to_do_is_written_once_for_all_hosts() {
        use crate::execute::survey::HostError;

        let refused = |host: &str| {
            HostError::from(crate::transport::Error::Authentication {
                address: format!("192.0.2.{host}:22"),
                user: "ops".to_owned(),
                attempts: Vec::new(),
            })
        };
        let name = |name: &str| Name::try_from(name.to_owned()).unwrap();
        let host_errors = [("cp-1", "1"), ("cp-2", "2")];
        let host_errors = host_errors.map(|(host, last)| (name(host), refused(last)));
        let text = unreachable(&host_errors.into()).error.to_string();
        assert_eq!(text.lines().count(), 3, "{text}");
        assert_eq!(text.matches("ssh-add").count(), 1, "{text}");
    }

    #[test]
    fn names_to_go_on_with_are_there_to_be_copied() {
        assert_eq!(
            left_out(&["lb-1", "cp-1"]),
            "--limit lb-1,cp-1 goes on with the others alone"
        );
        assert!(left_out(&["w"; NAMED + 1]).starts_with("--limit NODE,..."));
    }
}
