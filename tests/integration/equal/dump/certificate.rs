//! What a certificate says.

use serde_json::{Value, json};
use time::OffsetDateTime;
use x509_parser::certificate::X509Certificate;
use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::extensions::{ExtendedKeyUsage, GeneralName, ParsedExtension};
use x509_parser::pem::Pem;
use x509_parser::prelude::FromDer as _;
use x509_parser::public_key::PublicKey;
use x509_parser::x509::SubjectPublicKeyInfo;

/// All that is in the first certificate of a PEM text, but what is random.
pub fn told(pem: &[u8]) -> Value {
    let blocks = Pem::iter_from_buffer(pem).map(|block| block.expect("PEM"));
    let blocks: Vec<_> = blocks.collect();
    let labels: Vec<_> = blocks.iter().map(|block| block.label.as_str()).collect();
    let block = blocks.iter().find(|block| block.label == "CERTIFICATE");
    let block = block.expect("a certificate");
    let certificate = block.parse_x509().expect("X.509");
    let validity = certificate.validity();
    let left = validity.not_after.to_datetime() - OffsetDateTime::now_utc();
    let mut told = json!({
        "blocks": labels.join(", "),
        "subject": dateless(&certificate.subject().to_string()),
        "issuer": dateless(&certificate.issuer().to_string()),
        "key": key(certificate.public_key()),
        "signature": certificate.signature_algorithm.algorithm.to_id_string(),
        "days left": (left.as_seconds_f64() / 86400.0).round(),
        "version": certificate.version().to_string(),
        "extensions": extensions(&certificate),
    });
    if certificate.is_ca() {
        // The same one was kept for both clusters, or it signs itself only.
        let own = certificate.subject().to_string().contains("-ca@");
        told["begins"] = match own {
            true => "now".into(),
            false => validity.not_before.to_string().into(),
        };
    }
    told
}

/// Whom a request for a certificate is for.
pub fn requested(pem: &[u8]) -> String {
    let (_, block) = x509_parser::pem::parse_x509_pem(pem).expect("PEM");
    let (_, request) = X509CertificationRequest::from_der(&block.contents).expect("a request");
    request.certification_request_info.subject.to_string()
}

fn key(key: &SubjectPublicKeyInfo<'_>) -> String {
    match key.parsed().expect("a key") {
        PublicKey::RSA(rsa) => format!("RSA {}", rsa.key_size()),
        PublicKey::EC(point) => format!("EC {}", point.key_size()),
        other => panic!("{other:?}"),
    }
}

/// A kubelet signs for itself with an authority that is named by the second.
fn dateless(name: &str) -> String {
    match name.split_once('@') {
        Some((before, _)) => format!("{before}@*"),
        None => name.to_owned(),
    }
}

fn extensions(certificate: &X509Certificate<'_>) -> Value {
    let mut told = json!({});
    let own = certificate.issuer().to_string().contains('@');
    for extension in certificate.extensions() {
        let (name, value) = match extension.parsed_extension() {
            ParsedExtension::KeyUsage(usage) => ("key usage", usage.to_string()),
            ParsedExtension::ExtendedKeyUsage(usage) => ("extended key usage", extended(usage)),
            ParsedExtension::BasicConstraints(basic) => (
                "basic constraints",
                format!("CA {}, path {:?}", basic.ca, basic.path_len_constraint),
            ),
            ParsedExtension::SubjectAlternativeName(names) => {
                let mut names: Vec<_> = names.general_names.iter().map(general).collect();
                names.sort();
                ("names", names.join(", "))
            }
            // Told by what they are of: keys of leaves are random.
            ParsedExtension::SubjectKeyIdentifier(_) => ("subject key", "there".to_owned()),
            ParsedExtension::AuthorityKeyIdentifier(_) if own => {
                ("authority key", "its own".to_owned())
            }
            ParsedExtension::AuthorityKeyIdentifier(of) => {
                let id = of.key_identifier.as_ref().expect("an identifier");
                ("authority key", format!("{id:x}"))
            }
            other => panic!("unforeseen: {} {other:?}", extension.oid),
        };
        let critical = if extension.critical {
            " (critical)"
        } else {
            ""
        };
        told[name] = format!("{value}{critical}").into();
    }
    told
}

fn extended(usage: &ExtendedKeyUsage<'_>) -> String {
    let known = [
        (usage.server_auth, "server"),
        (usage.client_auth, "client"),
        (usage.any, "any"),
        (usage.code_signing, "code"),
    ];
    let known = known
        .into_iter()
        .filter(|(is, _)| *is)
        .map(|(_, name)| name);
    let others = usage.other.iter().map(|_| "other");
    known.chain(others).collect::<Vec<_>>().join(", ")
}

fn general(name: &GeneralName<'_>) -> String {
    match name {
        GeneralName::DNSName(name) => (*name).to_owned(),
        GeneralName::IPAddress(bytes) => {
            let bytes: Vec<_> = bytes.iter().map(ToString::to_string).collect();
            bytes.join(".")
        }
        other => format!("{other:?}"),
    }
}
