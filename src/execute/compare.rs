//! Hosts beside what the inventory says: all that is known before a plan.

use std::collections::{BTreeMap, BTreeSet};

use tokio::sync::mpsc::UnboundedSender;

use super::Event;
use super::api_views;
use super::drains;
use super::survey::{self, Connections, HostErrors};
use crate::api::Credentials;
use crate::cluster::{Name, ResolvedCluster};
use crate::plan::install::{self, Observed, Trust};
use crate::plan::preflight::{self, Problem};
use crate::plan::{
    ClusterState, Observation, Plan, PlanError, serving, settings_kept, unlisted, unwell,
    version_step,
};
use crate::secret_store::SecretStore;
use crate::transport::Connection;

/// What was seen of the hosts that could be looked at.
pub struct Comparison {
    seen: BTreeMap<Name, Observation>,
    /// Facts of the hosts, and the state of the cluster.
    pub observed: Observed,
    /// Reasons not to begin.
    pub problems: Vec<Problem>,
    /// What keeps nobody from beginning, and should be known.
    pub advice: Vec<Problem>,
    /// What is left alone and should be looked at.
    pub warnings: Vec<String>,
}

/// Looks at all connected hosts, and asks the API servers; hosts that could not
/// be looked at are among the faults.
pub async fn look<C: Connection + 'static>(
    resolved: &ResolvedCluster,
    trust: &Trust,
    credentials: &Credentials,
    connections: &Connections<C>,
    width: usize,
    events: &UnboundedSender<Event>,
) -> (Comparison, HostErrors) {
    let mut secrets = SecretStore::new();
    let asked = install::blueprint(resolved, trust, &Observed::default(), &mut secrets);
    let ca = &trust.ca_certificate;
    let servers = api_views::servers(resolved, connections);
    let ((mut seen, host_errors), mut views) = tokio::join!(
        survey::observe(resolved, ca, &asked, connections, width, events),
        api_views::ask(servers, credentials)
    );
    for (name, seen) in &mut seen {
        seen.facts.api = views.remove(name).unwrap_or_default();
    }
    let mut comparison = Comparison::of(resolved, trust, seen);
    let drained = version_step::drained(resolved, &comparison.observed.cluster_state);
    if !drained.is_empty() {
        let client = api_views::client(resolved, connections, credentials);
        let blocked = async { drains::problems(&client?, &drained).await };
        match blocked.await {
            Ok(problems) => comparison.problems.extend(problems),
            Err(error) => comparison.warnings.push(format!(
                "what would stand in the way of drains is not known: {error}"
            )),
        }
    }
    (comparison, host_errors)
}

impl Comparison {
    /// What the observations of the hosts come to.
    #[must_use]
    pub fn of(
        resolved: &ResolvedCluster,
        trust: &Trust,
        seen: BTreeMap<Name, Observation>,
    ) -> Self {
        let facts: BTreeMap<_, _> = seen
            .iter()
            .map(|(name, seen)| (name.clone(), seen.facts.clone()))
            .collect();
        let cluster_state = ClusterState::of(&resolved.cluster, &facts, trust);
        Self {
            problems: preflight::problems(resolved, &cluster_state, &trust.etcd_token, &seen),
            advice: preflight::warnings(resolved, &seen),
            warnings: [
                serving::warnings(&facts),
                unlisted::warnings(&resolved.cluster, &cluster_state),
                unwell::warnings(&resolved.cluster, &facts, &cluster_state),
                settings_kept::warnings(&resolved.cluster, &cluster_state),
            ]
            .concat(),
            observed: Observed {
                facts,
                cluster_state,
                limit: None,
            },
            seen,
        }
    }

    /// What has to be done on the hosts within a limit. Its secrets are put
    /// into `secrets`, but for certificates, which are yet to be issued.
    ///
    /// # Errors
    /// All that must not be replaced.
    pub fn plan(
        &mut self,
        resolved: &ResolvedCluster,
        trust: &Trust,
        limit: Option<&BTreeSet<Name>>,
        secrets: &mut SecretStore,
    ) -> Result<Plan, Vec<PlanError>> {
        self.observed.limit = limit.cloned();
        let blueprint = install::blueprint(resolved, trust, &self.observed, secrets);
        Plan::new(&blueprint, &self.seen, limit)
    }
}
