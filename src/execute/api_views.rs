//! What the API servers of a cluster say: all control planes side by side, over
//! byte streams of their connections, while the hosts themselves are observed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;

use super::operate::{SETTINGS, notes_place, settings_place};
use super::survey::Connections;
use crate::api::nodes::Node;
use crate::api::{Client, Credentials, Error, Limits, Server, nodes, objects};
use crate::cluster::{Name, ResolvedCluster, Role};
use crate::kubeadm::API_PORT;
use crate::plan::facts::{ApiView, NodeView};
use crate::transport::Connection;
use crate::transport::sanitise::sanitise_short;

/// A server that hangs is not waited for longer than for a host.
const LIMITS: Limits = Limits {
    connect: Duration::from_secs(8),
    ready: Duration::from_secs(5),
    read: Duration::from_secs(20),
    retries: 2,
    ..Limits::DEFAULT
};

/// The API servers of these control planes, in the order of the inventory.
#[must_use]
pub fn servers<C: Connection + 'static>(
    resolved: &ResolvedCluster,
    connections: &Connections<C>,
) -> Vec<Server> {
    let planes = resolved.with_role(Role::ControlPlane);
    let server = |node: &crate::cluster::Node| {
        let connection: Arc<dyn Connection> = connections.get(&node.name)?.clone();
        Some(Server {
            name: node.name.clone(),
            address: (resolved.address(node), API_PORT).into(),
            connection,
        })
    };
    planes.filter_map(server).collect()
}

/// A client of whichever of these answers.
///
/// # Errors
/// When the credentials are none.
pub fn client<C: Connection + 'static>(
    resolved: &ResolvedCluster,
    connections: &Connections<C>,
    credentials: &Credentials,
) -> Result<Client, Error> {
    Client::new(servers(resolved, connections), credentials, LIMITS)
}

/// Asks each server whether it is ready, and the first that is for the nodes.
/// One that does not answer is [`ApiView::Silent`], whether there is one or
/// not.
pub async fn ask(servers: Vec<Server>, credentials: &Credentials) -> BTreeMap<Name, ApiView> {
    let each = servers.into_iter().map(|server| async move {
        let name = server.name.clone();
        let client = Client::new(vec![server], credentials, LIMITS);
        let ready = match &client {
            Ok(client) => client.is_ready().await,
            Err(why) => Err(why.clone()),
        };
        (name, ready.and(client))
    });
    let mut views = BTreeMap::new();
    let mut ready = Vec::new();
    for (name, client) in join_all(each).await {
        match client {
            Ok(client) => ready.push((name, client)),
            Err(why) => _ = views.insert(name, silent(&why)),
        }
    }
    let mut told = None;
    for (name, client) in ready {
        let view = match &told {
            Some(view) => ApiView::clone(view),
            None => match view(&client).await {
                Ok(view) => told.insert(view).clone(),
                Err(why) => silent(&why),
            },
        };
        views.insert(name, view);
    }
    views
}

/// What one server says.
async fn view(client: &Client) -> Result<ApiView, Error> {
    let (place, kept) = (notes_place(), settings_place());
    let (nodes, notes, kept) = tokio::join!(
        nodes::list(client),
        objects::config_map(client, &place),
        objects::config_map(client, &kept)
    );
    let manifest = notes?.and_then(|notes| notes.data.get("cni").cloned());
    let settings = kept?.and_then(|kept| kept.data.get(SETTINGS).cloned());
    Ok(ApiView::Nodes {
        // What is no JSON by now tells nothing, and is written anew.
        settings: settings.and_then(|settings| serde_json::from_str(&settings).ok()),
        nodes: nodes?.into_iter().map(NodeView::from).collect(),
        manifest: manifest.filter(|hash| !hash.is_empty()),
    })
}

fn silent(why: &Error) -> ApiView {
    ApiView::Silent(sanitise_short(&why.to_string()))
}

impl From<Node> for NodeView {
    fn from(node: Node) -> Self {
        let labels = node.labels.iter();
        Self {
            ready: node.is_ready(),
            labels: labels
                .map(|(key, value)| format!("{key}={value}"))
                .collect(),
            taints: node.taints.iter().map(ToString::to_string).collect(),
            name: node.name,
            uid: node.uid,
            version: sanitise_short(&node.kubelet_version),
            runtime: sanitise_short(&node.container_runtime),
            machine_id: node.machine_id,
            addresses: node.internal_ips,
        }
    }
}
