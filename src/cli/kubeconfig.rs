//! `kdiy kubeconfig`.

use clap::Args;

use super::Reach;

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
    pub reach: Reach,
}
