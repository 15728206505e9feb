//! The CA that servers are verified with, and the client certificate.

use std::sync::Arc;

use secrecy::{ExposeSecret as _, SecretString};
use time::{Duration, OffsetDateTime};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, version};

use super::{Error, ErrorKind};
use crate::pki::{self, Authority, Leaf, LeafRequest};

/// How long the certificate of a run is valid: longer than any run.
const VALIDITY: Duration = Duration::hours(24);

/// The CA of a cluster, and a client certificate with its key.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// PEM of the CA certificates that servers are verified with; two of them
    /// during a rotation of the CA.
    pub ca: String,
    /// PEM of the client's certificate.
    pub certificate: String,
    /// PEM of its key.
    pub key: SecretString,
}

impl Credentials {
    /// Makes an administrator's credentials for one run: a client certificate
    /// in the group `system:masters`, signed by the cluster's CA, valid for a
    /// day and backdated by five minutes for hosts whose clocks are behind.
    ///
    /// # Errors
    /// As [`Authority::issue`].
    pub fn issue(authority: &Authority, now: OffsetDateTime) -> Result<Self, pki::Error> {
        let request = LeafRequest {
            validity: VALIDITY,
            ..LeafRequest::admin()
        };
        let Leaf { certificate, key } = authority.issue(&request, now)?;
        Ok(Self {
            ca: authority.certificate().to_owned(),
            certificate,
            key,
        })
    }

    /// TLS 1.3, which every API server speaks, by ring.
    pub(super) fn tls(&self) -> Result<Arc<ClientConfig>, Error> {
        let unusable = |what: &str, why: String| Error {
            action: "prepare to speak to the cluster".to_owned(),
            kind: ErrorKind::Credentials(format!("{what}: {why}")),
        };
        let certificates = |what: &'static str, pem: &str| {
            CertificateDer::pem_slice_iter(pem.as_bytes())
                .collect::<Result<Vec<_>, _>>()
                .map_err(|why| unusable(what, why.to_string()))
        };
        let mut roots = RootCertStore::empty();
        for certificate in certificates("the CA", &self.ca)? {
            let added = roots.add(certificate);
            added.map_err(|why| unusable("the CA", why.to_string()))?;
        }
        let chain = certificates("the client certificate", &self.certificate)?;
        let key = PrivateKeyDer::from_pem_slice(self.key.expose_secret().as_bytes())
            .map_err(|why| unusable("the client key", why.to_string()))?;
        let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&[&version::TLS13])
            .and_then(|config| {
                config
                    .with_root_certificates(roots)
                    .with_client_auth_cert(chain, key)
            })
            .map_err(|why| unusable("the client certificate", why.to_string()))?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }
}
