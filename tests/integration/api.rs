//! The cluster API against doubles of API servers, reached through byte
//! streams of a fake connection.

mod double;
mod drain;
mod lists;
mod manifests;
mod nodes;
mod objects;
mod over_ssh;
mod pods;
mod real;
mod requests;
mod servers;
mod trouble;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use kdiy::api::{Client, Credentials, Error, ErrorKind, Limits, Server};
use kdiy::cluster::{Login, Name};
use kdiy::pki::Authority;
use kdiy::transport::fake::Fake;
use kdiy::transport::{ByteStream, Connector as _};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, KeyPair, KeyUsagePurpose};
use time::OffsetDateTime;

use double::{Answer, Double};

/// An authority, and connections to the hosts of its cluster.
struct Cluster {
    authority: Authority,
    fake: Fake,
    limits: Limits,
    servers: Vec<Server>,
}

/// A certificate authority, as kubeadm makes one.
fn authority() -> Authority {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![
        KeyUsagePurpose::DigitalSignature,
        KeyUsagePurpose::KeyCertSign,
    ];
    params
        .distinguished_name
        .push(DnType::CommonName, "kubernetes");
    let certificate = params.self_signed(&key).unwrap().pem();
    let key = key.serialize_pem();
    let now = OffsetDateTime::now_utc();
    Authority::from_pem(("ca.crt", certificate), ("ca.key", key.into()), now).unwrap()
}

fn name(text: &str) -> Name {
    Name::try_from(text.to_owned()).unwrap()
}

impl Cluster {
    fn new() -> Self {
        Self {
            authority: authority(),
            fake: Fake::default(),
            limits: Limits::default(),
            servers: Vec::new(),
        }
    }

    /// One with one server.
    async fn single() -> (Double, Client) {
        let mut cluster = Self::new();
        let double = cluster.server(1).await;
        (double, cluster.client())
    }

    /// The address of the API server of `cp-NUMBER`.
    fn address(number: u8) -> SocketAddr {
        SocketAddr::from(([10, 0, 0, number], 6443))
    }

    /// A control plane with an API server.
    async fn server(&mut self, number: u8) -> Double {
        let double = Double::new(&self.authority, Self::address(number).ip());
        let served = double.clone();
        self.serve(number, move || Ok(served.stream())).await;
        double
    }

    /// A control plane whose API server is reached so.
    async fn serve(
        &mut self,
        number: u8,
        open: impl FnMut() -> Result<ByteStream, kdiy::transport::Error> + Send + 'static,
    ) {
        let (name, address) = (name(&format!("cp-{number}")), Self::address(number));
        self.fake.serve(&name, address, open);
        let link = self.fake.connect(&name, &Login::to("host")).await.unwrap();
        self.servers.push(Server {
            name,
            address,
            connection: Arc::new(link),
        });
    }

    fn client(&self) -> Client {
        self.client_of(&self.authority)
    }

    /// A client with a certificate of this authority.
    fn client_of(&self, authority: &Authority) -> Client {
        let mut credentials = Credentials::issue(authority, OffsetDateTime::now_utc()).unwrap();
        self.authority.certificate().clone_into(&mut credentials.ca);
        Client::new(self.servers.clone(), &credentials, self.limits.clone()).unwrap()
    }
}

/// The version that a server tells, the cheapest of requests.
async fn version(client: &Client) -> Result<String, kube::Error> {
    let version = client.kube().apiserver_version().await?;
    Ok(version.git_version)
}

/// An answer to [`version`].
fn is_version(text: &str) -> Answer {
    Answer::json(serde_json::json!({
        "gitVersion": text, "major": "1", "minor": "37", "gitCommit": "", "gitTreeState": "",
        "buildDate": "", "goVersion": "", "compiler": "", "platform": "",
    }))
}

/// The reason of an error of kube's own functions.
fn why(error: kube::Error) -> ErrorKind {
    let kube::Error::Service(why) = error else {
        panic!("{error}");
    };
    *why.downcast::<ErrorKind>().unwrap()
}
