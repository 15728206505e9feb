//! The cluster as an actor: operations of a plan, through its API.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::run::{AGAIN, AttemptError, StepRunner};
use super::{Event, Failure};
use crate::api::manifests::{self, Conflicts};
use crate::api::{Client, Error, daemon_sets, nodes, objects};
use crate::plan::PlannedStep;
use crate::plan::operation::{Manifest, NodeMarks, Operation};
use crate::resource::Content;
use crate::secret_store::{SecretStore, TOKEN_ID, TOKEN_SECRET};
use crate::transport::{Connection, Stream};

/// The key of the settings that a cluster remembers.
pub(super) const SETTINGS: &str = "settings";

/// Where a cluster remembers its settings.
pub(super) fn settings_place() -> objects::Place {
    place("kdiy-settings")
}

/// Where kdiy notes what it applied.
pub(super) fn notes_place() -> objects::Place {
    place("kdiy")
}

fn place(name: &str) -> objects::Place {
    objects::Place {
        namespace: "kube-system".to_owned(),
        name: name.to_owned(),
    }
}

/// How long nodes may take to be ready: images are pulled meanwhile.
const READY: Duration = Duration::from_secs(300);
/// How long the kubelets of nodes that have joined may take to register.
const REGISTERED: Duration = Duration::from_secs(120);
/// How long the pods of a DaemonSet may take to restart.
const RESTARTED: Duration = Duration::from_secs(600);
/// How long a bootstrap token is valid.
const TOKEN_LIFE: time::Duration = time::Duration::hours(1);

/// Carries out operations on the cluster.
#[async_trait]
pub trait Operator: Sync {
    /// Carries one out. `tell` hears what is waited for, a line each time that
    /// this is another thing.
    ///
    /// # Errors
    /// When the precondition does not hold any more, the cluster refuses it or
    /// cannot be asked.
    async fn operate(
        &self,
        operation: &Operation,
        tell: &(dyn Fn(String) + Sync),
    ) -> Result<(), Error>;
}

/// Carries operations out through the cluster's API.
pub struct ApiOperator<'a> {
    client: Client,
    secrets: &'a SecretStore,
}

impl<'a> ApiOperator<'a> {
    /// Through this client; secrets come from the store of the run.
    #[must_use]
    pub const fn new(client: Client, secrets: &'a SecretStore) -> Self {
        Self { client, secrets }
    }

    fn filled(&self, placeholder: &str) -> Vec<u8> {
        let text = self.secrets.text(&Content::Filled(placeholder.to_owned()));
        text.as_bytes().to_vec()
    }

    /// Nodes that lack labels are looked up in one request; those that have
    /// joined a moment ago may not have registered yet.
    async fn label(
        &self,
        marks: &[NodeMarks],
        tell: &(dyn Fn(String) + Sync),
    ) -> Result<(), Error> {
        let names: Vec<_> = marks.iter().map(|mark| mark.node.clone()).collect();
        let uids: BTreeMap<_, _> =
            nodes::wait_until_registered(&self.client, &names, REGISTERED, tell)
                .await?
                .into_iter()
                .map(|node| (node.name, node.uid))
                .collect();
        for mark in marks {
            let settings = nodes::Settings {
                labels: { mark.labels.iter() }
                    .map(|(key, value)| (key.clone(), Some(value.clone())))
                    .collect(),
                taints: { mark.taints.iter().cloned() }
                    .map(nodes::TaintChange::Present)
                    .collect(),
            };
            let uid = mark.uid.as_ref().or_else(|| uids.get(&mark.node));
            let uid = uid.map_or("", String::as_str);
            nodes::set(&self.client, &mark.node, uid, &settings).await?;
        }
        Ok(())
    }

    async fn bootstrap_token(&self) -> Result<(), Error> {
        let until = OffsetDateTime::now_utc() + TOKEN_LIFE;
        let until = until.format(&Rfc3339).unwrap_or_default();
        let text = |text: &str| text.as_bytes().to_vec();
        let id = self.filled(TOKEN_ID);
        let name = format!("bootstrap-token-{}", String::from_utf8_lossy(&id));
        let data = [
            ("description", text("made by kdiy for joins of one apply")),
            ("token-id", id),
            ("token-secret", self.filled(TOKEN_SECRET)),
            ("expiration", until.into_bytes()),
            ("usage-bootstrap-authentication", text("true")),
            ("usage-bootstrap-signing", text("true")),
            (
                "auth-extra-groups",
                text("system:bootstrappers:kubeadm:default-node-token"),
            ),
        ];
        let secret = objects::Secret {
            place: objects::Place {
                namespace: "kube-system".to_owned(),
                name,
            },
            kind: "bootstrap.kubernetes.io/token".to_owned(),
            data: { data.into_iter() }
                .map(|(key, value)| (key.to_owned(), value.into()))
                .collect(),
            version: None,
        };
        objects::apply_secret(&self.client, &secret).await
    }

    /// Fields that others manage are taken over: the inventory decides.
    async fn apply(&self, manifest: &Manifest) -> Result<(), Error> {
        let parsed = manifests::parse(&manifest.text).map_err(|kind| Error {
            action: format!("read the {}", manifest.name),
            kind,
        })?;
        manifests::apply(&self.client, &parsed, Conflicts::Force).await?;
        if let Some((key, value)) = &manifest.note {
            self.note(key, value).await?;
        }
        Ok(())
    }

    async fn remember(&self, settings: &BTreeMap<String, String>) -> Result<(), Error> {
        let text = serde_json::to_string_pretty(settings).unwrap_or_default();
        let map = objects::ConfigMap {
            place: settings_place(),
            data: [(SETTINGS.to_owned(), text)].into(),
            version: None,
        };
        objects::apply_config_map(&self.client, &map).await
    }

    /// In kdiy's own ConfigMap; other keys stay.
    async fn note(&self, key: &str, value: &str) -> Result<(), Error> {
        let place = notes_place();
        let kept = objects::config_map(&self.client, &place).await?;
        let mut map = kept.unwrap_or(objects::ConfigMap {
            place,
            data: BTreeMap::new(),
            version: None,
        });
        map.data.insert(key.to_owned(), value.to_owned());
        objects::apply_config_map(&self.client, &map).await
    }
}

#[async_trait]
impl Operator for ApiOperator<'_> {
    async fn operate(
        &self,
        operation: &Operation,
        tell: &(dyn Fn(String) + Sync),
    ) -> Result<(), Error> {
        match operation {
            Operation::LabelNodes(marks) => self.label(marks, tell).await,
            Operation::BootstrapToken => self.bootstrap_token().await,
            Operation::Apply(manifest) => self.apply(manifest).await,
            Operation::DeleteNode { node, uid } => nodes::delete(&self.client, node, uid).await,
            Operation::Remember(settings) => self.remember(settings).await,
            Operation::RestartDaemonSet { namespace, name } => {
                let place = objects::Place {
                    namespace: namespace.clone(),
                    name: name.clone(),
                };
                let now = OffsetDateTime::now_utc().format(&Rfc3339);
                let now = now.unwrap_or_default();
                daemon_sets::restart(&self.client, &place, &now, RESTARTED, tell).await
            }
            Operation::NodesReady(names) => {
                nodes::wait_until_ready(&self.client, names, READY, tell).await
            }
        }
    }
}

impl<C: Connection> StepRunner<'_, C> {
    /// One try to do an operation.
    pub(super) async fn operate(
        &self,
        place: usize,
        step: &PlannedStep,
        operation: &Operation,
    ) -> Result<(), AttemptError> {
        self.send(Event::ChangeStarted {
            step: place,
            actor: step.actor.clone(),
            resource: operation.name(),
        });
        let tell = |text: String| {
            self.send(Event::Line {
                step: place,
                actor: step.actor.clone(),
                stream: Stream::Err,
                text: self.secrets.mask(&text),
            });
        };
        self.confirm_hold().await?;
        let operated = self.operator.operate(operation, &tell);
        let ended = self.while_held(operated).await?;
        ended.map_err(|error| {
            let what = self.secrets.mask(&error.to_string());
            AttemptError {
                transient: error.kind.is_transient().then(|| what.clone()),
                failure: Failure {
                    code: error.code(),
                    resource: Some(operation.name()),
                    what,
                    why: Vec::new(),
                    last_lines: Vec::new(),
                    hint: AGAIN.to_owned(),
                },
            }
        })
    }
}
