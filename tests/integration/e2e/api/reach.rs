//! SSH connections to control planes, and clients over them.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use kdiy::api::{Client, Credentials, Limits, Server};
use kdiy::cluster::{Login, Name, SudoPassword};
use kdiy::pki::Authority;
use kdiy::transport::Connector as _;
use kdiy::transport::error::UnknownKey;
use kdiy::transport::ssh::{Operator, Settings, Ssh};
use kdiy::transport::ssh_config::SshConfig;
use time::OffsetDateTime;
use zeroize::Zeroizing;

use crate::e2e::lab::Lab;

/// Connections to control planes, and the authority of their cluster.
pub struct Reach {
    servers: Vec<Server>,
    authority: Authority,
}

/// Nobody is there to be asked.
struct Nobody;

#[async_trait]
impl Operator for Nobody {
    async fn trusts(&self, _: &UnknownKey) -> bool {
        false
    }

    async fn passphrase(&self, _: &Path, _: u32) -> Option<Zeroizing<String>> {
        None
    }

    async fn sudo_password(&self, _: &SudoPassword) -> Result<Zeroizing<String>, String> {
        Err("nobody is there".to_owned())
    }
}

impl Reach {
    /// Connects to hosts as a user without sudo: streams need no root.
    pub async fn to(lab: &Lab, hosts: &[(&str, &str)]) -> Self {
        let home = lab.folder.path().to_owned();
        let config = SshConfig::default();
        let settings = Settings::new(home, "ops".to_owned(), config, OffsetDateTime::now_utc);
        let ssh = Ssh::new(settings, Arc::new(Nobody));
        let mut servers = Vec::new();
        for (host, address) in hosts {
            let login = Login {
                user: Some("nosudo".to_owned()),
                identities: vec![lab.file("id_ed25519")],
                known_hosts: Some(lab.file("known_hosts")),
                ..Login::to(*address)
            };
            let name = Name::try_from((*host).to_owned()).expect("a name");
            let link = ssh.connect(&name, &login).await;
            let link = link.unwrap_or_else(|error| panic!("{host}: {error}"));
            servers.push(Server {
                name,
                address: format!("{address}:6443").parse().expect("an address"),
                connection: Arc::new(link),
            });
        }
        let read = |file: &str| lab.sh(hosts[0].0, &format!("cat /etc/kubernetes/pki/{file}"));
        let certificate = ("ca.crt", read("ca.crt"));
        let key = ("ca.key", read("ca.key").into());
        let now = OffsetDateTime::now_utc();
        let authority = Authority::from_pem(certificate, key, now).expect("an authority");
        Self { servers, authority }
    }

    /// A client of the API servers of these control planes, in this order.
    /// Within a runtime.
    pub fn client(&self, names: &[&str]) -> Client {
        let server = |name: &&str| {
            let mut servers = self.servers.iter();
            let server = servers.find(|server| server.name.as_str() == *name);
            server.expect("a control plane").clone()
        };
        let servers = names.iter().map(server).collect();
        let now = OffsetDateTime::now_utc();
        let credentials = Credentials::issue(&self.authority, now).expect("credentials");
        Client::new(servers, &credentials, Limits::default()).expect("a client")
    }
}
