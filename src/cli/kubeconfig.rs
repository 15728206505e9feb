//! `kdiy kubeconfig`.

use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use clap::Args;
use secrecy::ExposeSecret as _;
use time::OffsetDateTime;
use tokio::sync::mpsc;

use super::heartbeat::{self, Heartbeat};
use super::{CliError, ConnectionArgs, Exit, Global, connector, source};
use crate::cluster::{Cluster, Node, Role};
use crate::execute::{survey, trust};
use crate::pki::{self, ClusterCas, LeafRequest, kubeconfig};
use crate::state::{self, State};
use crate::transport::local;
use crate::ui::Ui;

/// An admin certificate with less time left than this is made anew.
const RENEWED: time::Duration = time::Duration::days(30);

/// Print the admin kubeconfig or merge it into yours
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "It points at the cluster's endpoint and holds the key of an administrator: keep
it to yourself.

Examples:
  kdiy kubeconfig > admin.conf
  kdiy kubeconfig --merge            into $KUBECONFIG or ~/.kube/config
  kdiy kubeconfig --merge --set-current"
)]
pub struct Kubeconfig {
    /// Merge it into $KUBECONFIG or ~/.kube/config, which keeps its others
    #[arg(long)]
    pub merge: bool,
    /// Also make it the current context
    #[arg(long, requires = "merge")]
    pub set_current: bool,
    /// How hosts are reached.
    #[command(flatten)]
    pub connection_args: ConnectionArgs,
}

impl Kubeconfig {
    /// Prints the admin kubeconfig, or merges it into the user's.
    ///
    /// # Errors
    /// When there is no cluster yet, or the user's kubeconfig has something
    /// else under the same names.
    pub async fn run(&self, global: &Global, ui: &Ui) -> Result<Exit, CliError> {
        let source = source::load(global, ui)?;
        let cluster = &source.cluster;
        let state = State::open(&source.folder, &cluster.name)?;
        let now = OffsetDateTime::now_utc();
        let cas = match state.cas(now)? {
            Some(kept) => kept,
            None => self.read_back(cluster, &state, ui, now).await?,
        };
        keep(cluster, &cas, &state)?;
        let text = state
            .kubeconfig()?
            .ok_or_else(|| anyhow::anyhow!("the kubeconfig vanished"))?;
        if self.merge {
            let ours = pki::Kubeconfig::parse(text.expose_secret())?;
            self.merge_into_own(&ours, ui)?;
        } else {
            ui.print(text.expose_secret())?;
        }
        Ok(Exit::Ok)
    }

    /// The state was lost, or is on another machine.
    async fn read_back(
        &self,
        cluster: &Cluster,
        state: &State,
        ui: &Ui,
        now: OffsetDateTime,
    ) -> Result<ClusterCas, CliError> {
        let connector = connector::ssh(&self.connection_args, ui)?;
        let nodes: Vec<&Node> = cluster.with_role(Role::ControlPlane).collect();
        let (events, _) = mpsc::unbounded_channel();
        let width = self.connection_args.width();
        let heartbeat = Heartbeat::new();
        let asked = || "the control planes, which have the cluster's authorities".to_owned();
        let work = survey::connect(&connector, &nodes, width, &events);
        let (connections, host_errors) = heartbeat::wait(ui, &heartbeat, asked, work).await;
        if connections.is_empty() {
            return Err(super::survey::failed(&host_errors));
        }
        let work = trust::existing(state, cluster, &connections, now);
        let found = heartbeat::wait(ui, &heartbeat, asked, work)
            .await
            .map_err(super::survey::untrusted)?;
        found.map(|(cas, _)| cas).ok_or_else(|| {
            CliError::message(
                Exit::Error,
                "no control plane has the cluster's authorities yet",
            )
            .hint("bring the cluster up first: kdiy apply")
        })
    }

    fn merge_into_own(&self, ours: &pki::Kubeconfig, ui: &Ui) -> Result<(), CliError> {
        let path = own_path()?;
        let existing = match local::text(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => {
                let context = format!("read {}", path.display());
                return Err(anyhow::Error::new(error).context(context).into());
            }
        };
        let merged = kubeconfig::merge(&existing, ours, self.set_current)
            .map_err(|error| anyhow::Error::new(error).context(path.display().to_string()))?;
        if merged.comments_lost > 0 {
            let copy = path.with_extension("before-kdiy");
            state::write_private(&copy, existing.as_bytes())?;
            ui.warn(&format!(
                "{} lines of comments could not be kept; the file as it was is in {}",
                merged.comments_lost,
                copy.display()
            ));
        }
        state::write_private(&path, merged.text.expose_secret().as_bytes())?;
        ui.note(&format!(
            "Merged into {}. Try: kubectl --context {} get nodes",
            path.display(),
            ours.context
        ));
        Ok(())
    }
}

/// The first file of `$KUBECONFIG`, or `~/.kube/config`; where that is a link,
/// what it points at.
fn own_path() -> Result<PathBuf, CliError> {
    let named = std::env::var_os("KUBECONFIG")
        .and_then(|paths| std::env::split_paths(&paths).find(|path| !path.as_os_str().is_empty()));
    let path = match named {
        Some(path) => path,
        None => {
            let home =
                std::env::var_os("HOME").ok_or_else(|| anyhow::anyhow!("HOME is not set"))?;
            let folder = Path::new(&home).join(".kube");
            std::fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(&folder)
                .map_err(|error| anyhow::Error::new(error).context(folder.display().to_string()))?;
            folder.join("config")
        }
    };
    Ok(target(path)?)
}

/// Where a path leads, through links, also where nothing is there yet: the
/// link stays, and what it points at is made.
fn target(path: PathBuf) -> io::Result<PathBuf> {
    /// As many links as Linux follows.
    const LINKS: usize = 40;
    let mut path = path;
    for _ in 0..LINKS {
        match std::fs::read_link(&path) {
            // A relative one is relative to where the link is.
            Ok(leads) => path = path.parent().map_or(leads.clone(), |at| at.join(&leads)),
            Err(_) => return Ok(path.canonicalize().unwrap_or(path)),
        }
    }
    let what = format!("{} is a circle of links", path.display());
    Err(io::Error::other(what))
}

/// Where the admin kubeconfig is kept, made anew when it does not fit.
///
/// # Errors
/// When it cannot be made or kept.
pub fn keep(cluster: &Cluster, cas: &ClusterCas, state: &State) -> Result<PathBuf, CliError> {
    let now = OffsetDateTime::now_utc();
    let authority = &cas.kubernetes;
    let path = state.root().join("kubeconfig");
    if let Some(kept) = state.kubeconfig()?
        && let Ok(kept) = pki::Kubeconfig::parse(kept.expose_secret())
        && kept.is_issued_by(authority.certificate()).unwrap_or(false)
        && kept.server == format!("https://{}", cluster.endpoint)
        && pki::not_after("kubeconfig", &kept.certificate).is_ok_and(|end| end - now > RENEWED)
    {
        return Ok(path);
    }
    let leaf = authority.issue(&LeafRequest::admin(), now)?;
    let kubeconfig = pki::Kubeconfig::admin(
        &cluster.name,
        &cluster.endpoint,
        authority.certificate(),
        leaf,
    );
    Ok(state.save_kubeconfig(&kubeconfig.to_yaml())?)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    /// Defect 30: a link that dangles was replaced by a file.
    #[test]
    fn defect_30_a_link_to_nothing_yet_is_followed() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir(at("dotfiles")).unwrap();
        symlink("dotfiles/first", at("config")).unwrap();
        symlink("second", at("dotfiles/first")).unwrap();
        assert_eq!(target(at("config")).unwrap(), at("dotfiles/second"));
        std::fs::write(at("dotfiles/second"), "").unwrap();
        let real = at("dotfiles/second").canonicalize().unwrap();
        assert_eq!(target(at("config")).unwrap(), real);
        assert_eq!(target(at("none")).unwrap(), at("none"));
        symlink("circle", at("circle")).unwrap();
        assert!(target(at("circle")).is_err());
    }
}
