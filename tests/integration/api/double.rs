//! An API server that answers what a test has scripted, and fails the test on
//! anything else.

mod answer;
mod script;

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use kdiy::pki::{Authority, LeafRequest, Usage};
use kdiy::transport::ByteStream;
use secrecy::ExposeSecret as _;
use time::OffsetDateTime;
use tokio::sync::Notify;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

pub use answer::{After, Answer, caused, status};
pub use script::{Script, Seen};

/// A server; clones are the same one.
#[derive(Clone)]
pub struct Double {
    pub script: Script,
    tls: TlsAcceptor,
}

impl Double {
    /// One with a certificate of this authority for this address, that takes
    /// clients with certificates of the same authority only.
    pub fn new(authority: &Authority, address: IpAddr) -> Self {
        Self::speaking(authority, address, &["h2", "http/1.1"])
    }

    /// The same, with these protocols.
    pub fn speaking(authority: &Authority, address: IpAddr, protocols: &[&str]) -> Self {
        let request = LeafRequest {
            common_name: "kube-apiserver".to_owned(),
            usages: vec![Usage::Server],
            addresses: vec![address],
            ..LeafRequest::admin()
        };
        let leaf = authority
            .issue(&request, OffsetDateTime::now_utc())
            .unwrap();
        let certificate = |pem: &str| CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
        let key = PrivateKeyDer::from_pem_slice(leaf.key.expose_secret().as_bytes()).unwrap();
        let provider = Arc::new(ring::default_provider());
        let mut roots = RootCertStore::empty();
        roots.add(certificate(authority.certificate())).unwrap();
        let clients = WebPkiClientVerifier::builder_with_provider(roots.into(), provider.clone());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(clients.build().unwrap())
            .with_single_cert(vec![certificate(&leaf.certificate)], key)
            .unwrap();
        config.alpn_protocols = protocols
            .iter()
            .map(|name| name.as_bytes().to_vec())
            .collect();
        Self {
            script: Script::default(),
            tls: TlsAcceptor::from(Arc::new(config)),
        }
    }

    /// Scripts one answer; see [`Script::expect`].
    pub fn on(&self, request: &str, answer: Answer) -> &Self {
        self.script.expect(request, answer);
        self
    }

    /// A connection to it, which it serves until either side ends it.
    pub fn stream(&self) -> ByteStream {
        let (near, far) = tokio::io::duplex(1 << 16);
        tokio::spawn(self.clone().serve(far));
        Box::new(near)
    }

    /// Serves one connection.
    pub async fn serve(
        self,
        stream: impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
    ) {
        self.script.connected();
        // A client that does not like the certificate goes away.
        let Ok(stream) = self.tls.accept(stream).await else {
            return;
        };
        let newer = stream.get_ref().1.alpn_protocol() == Some(b"h2");
        let stream = TokioIo::new(stream);
        let cut = Arc::new(Notify::new());
        let handle = {
            let cut = Arc::clone(&cut);
            service_fn(move |request| answer(self.script.clone(), Arc::clone(&cut), request))
        };
        let serving = async {
            if newer {
                let server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
                server.serve_connection(stream, handle).await.ok();
            } else {
                let server = hyper::server::conn::http1::Builder::new();
                server.serve_connection(stream, handle).await.ok();
            }
        };
        tokio::select! {
            () = serving => {}
            () = cut.notified() => {}
        }
    }
}

async fn answer(
    script: Script,
    cut: Arc<Notify>,
    request: http::Request<Incoming>,
) -> Result<http::Response<answer::Body>, Infallible> {
    let (parts, body) = request.into_parts();
    let body: Bytes = body
        .collect()
        .await
        .map(|body| body.to_bytes())
        .unwrap_or_default();
    let answer = script.answer(Seen::of(&parts, &body));
    Ok(answer.into_response(cut).await)
}
