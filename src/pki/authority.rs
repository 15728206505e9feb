//! A certificate authority and the leaves that it issues.

use std::fmt;
use std::net::IpAddr;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, SanType, SerialNumber,
};
use secrecy::SecretString;
use time::{Duration, OffsetDateTime};

use super::{Error, Fingerprint, certificate, key};
use crate::resource::{Subject, Usage};

/// How long an authority is valid; kubeadm's ten years.
pub const AUTHORITY_VALIDITY: Duration = Duration::days(3650);
/// How long a leaf is valid unless asked otherwise; kubeadm's year.
pub const LEAF_VALIDITY: Duration = Duration::days(365);
/// How far certificates are dated back, for hosts whose clocks are behind.
const BACKDATE: Duration = Duration::minutes(5);

/// A certificate that may sign others, with its key. PEM texts are kept as
/// they were read, so that a cluster made by kubeadm keeps its very files.
#[derive(Clone)]
pub struct Authority {
    certificate: String,
    key: SecretString,
}

/// What a leaf shall say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeafRequest {
    /// Common name; the user name to the API server.
    pub common_name: String,
    /// Organizations; the groups to the API server.
    pub organizations: Vec<String>,
    /// What it may be used for.
    pub usages: Vec<Usage>,
    /// DNS names that it serves.
    pub names: Vec<String>,
    /// Addresses that it serves.
    pub addresses: Vec<IpAddr>,
    /// How long it is valid, at most as long as its authority.
    pub validity: Duration,
}

/// A certificate that signs no others, with its P-256 key in SEC1.
#[derive(Debug, Clone)]
pub struct Leaf {
    /// PEM of the certificate.
    pub certificate: String,
    /// PEM of its key.
    pub key: SecretString,
}

impl Authority {
    pub(super) fn generate(common_name: &str, now: OffsetDateTime) -> Result<Self, Error> {
        let signing = |error| sign_error(common_name, &error);
        let (key, text) = new_key(common_name)?;
        let mut params = params(common_name, &[], now - BACKDATE, now + AUTHORITY_VALIDITY)?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![
            KeyUsagePurpose::DigitalSignature,
            KeyUsagePurpose::KeyEncipherment,
            KeyUsagePurpose::KeyCertSign,
        ];
        let certificate = params.self_signed(&key).map_err(signing)?;
        Ok(Self {
            certificate: certificate.pem(),
            key: text,
        })
    }

    /// Reads an authority; `file` and `key_file` name its parts in errors.
    ///
    /// # Errors
    /// When one cannot be read, they are no pair, the certificate may not
    /// sign others, or `now` is outside its validity.
    pub fn from_pem(
        (file, certificate): (&str, String),
        (key_file, key): (&str, SecretString),
        now: OffsetDateTime,
    ) -> Result<Self, Error> {
        let pair = key::parse(key_file, &key)?;
        let file = file.to_owned();
        certificate::read(&file, &certificate, |parsed| {
            let (not_before, not_after) = span(parsed.validity());
            let may_sign = parsed.is_ca()
                && parsed
                    .key_usage()
                    .is_ok_and(|usage| usage.is_none_or(|u| u.value.key_cert_sign()));
            if !may_sign {
                return Err(Error::NotAnAuthority { file: file.clone() });
            }
            if parsed.public_key().subject_public_key.data.as_ref() != pair.public_key_raw() {
                return Err(Error::NotAPair {
                    file: file.clone(),
                    key: key_file.to_owned(),
                });
            }
            if now < not_before {
                return Err(Error::NotYetValid {
                    file: file.clone(),
                    not_before,
                });
            }
            if now > not_after {
                return Err(Error::Expired {
                    file: file.clone(),
                    not_after,
                });
            }
            Ok(())
        })??;
        Ok(Self { certificate, key })
    }

    /// Issues a leaf with a key of its own. It ends no later than its
    /// authority.
    ///
    /// # Errors
    /// When the authority has expired, a name is no DNS name, or there is no
    /// randomness.
    pub fn issue(&self, request: &LeafRequest, now: OffsetDateTime) -> Result<Leaf, Error> {
        let file = "the authority";
        let signing = |error| sign_error(&request.common_name, &error);
        let (begin, end) = certificate::read(file, &self.certificate, |ca| span(ca.validity()))?;
        if now > end {
            return Err(Error::Expired {
                file: file.to_owned(),
                not_after: end,
            });
        }
        let not_before = begin.max(now - BACKDATE);
        let not_after = end.min(now + request.validity);
        let organizations = &request.organizations;
        let mut params = params(&request.common_name, organizations, not_before, not_after)?;
        params.is_ca = IsCa::ExplicitNoCa;
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = request.usages.iter().copied().map(extended).collect();
        for name in &request.names {
            let name = name.as_str().try_into().map_err(signing)?;
            params.subject_alt_names.push(SanType::DnsName(name));
        }
        let addresses = request.addresses.iter().copied().map(SanType::IpAddress);
        params.subject_alt_names.extend(addresses);

        let issuer = Issuer::from_ca_cert_pem(&self.certificate, key::parse(file, &self.key)?)
            .map_err(signing)?;
        let (key, text) = new_key(&request.common_name)?;
        let certificate = params.signed_by(&key, &issuer).map_err(signing)?;
        Ok(Leaf {
            certificate: certificate.pem(),
            key: text,
        })
    }

    /// PEM of the certificate.
    #[must_use]
    pub fn certificate(&self) -> &str {
        &self.certificate
    }

    /// PEM of the private key.
    #[must_use]
    pub fn key(&self) -> &SecretString {
        &self.key
    }

    /// Fingerprint of the certificate.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of_certificate("the authority", &self.certificate)
            .expect("an authority's certificate was read before")
    }

    /// What joining hosts pin: `sha256:` and the hex digest of the public key
    /// (kubeadm's `--discovery-token-ca-cert-hash`).
    #[must_use]
    pub fn pin(&self) -> String {
        let print = certificate::read("the authority", &self.certificate, |parsed| {
            Fingerprint::of_der(parsed.public_key().raw)
        })
        .expect("an authority's certificate was read before");
        format!("sha256:{}", print.hex())
    }
}

/// The certificate may be seen; the key never.
impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authority")
            .field("fingerprint", &self.fingerprint().to_string())
            .finish_non_exhaustive()
    }
}

/// What a host's certificate shall say, for a year.
impl From<&Subject> for LeafRequest {
    fn from(subject: &Subject) -> Self {
        Self {
            common_name: subject.common_name.clone(),
            organizations: subject.organizations.iter().cloned().collect(),
            usages: subject.usages.iter().copied().collect(),
            names: subject.names.iter().cloned().collect(),
            addresses: subject.addresses.iter().copied().collect(),
            validity: LEAF_VALIDITY,
        }
    }
}

impl LeafRequest {
    /// The administrator's: `kubernetes-admin` in `system:masters`, a year.
    #[must_use]
    pub fn admin() -> Self {
        Self {
            common_name: "kubernetes-admin".to_owned(),
            organizations: vec!["system:masters".to_owned()],
            usages: vec![Usage::Client],
            names: Vec::new(),
            addresses: Vec::new(),
            validity: LEAF_VALIDITY,
        }
    }
}

const fn extended(usage: Usage) -> ExtendedKeyUsagePurpose {
    match usage {
        Usage::Client => ExtendedKeyUsagePurpose::ClientAuth,
        Usage::Server => ExtendedKeyUsagePurpose::ServerAuth,
    }
}

/// rcgen's defaults reach from 1975 to 4096, and its serial numbers are a
/// digest of the key; everything is set here.
fn params(
    common_name: &str,
    organizations: &[String],
    not_before: OffsetDateTime,
    not_after: OffsetDateTime,
) -> Result<CertificateParams, Error> {
    let mut subject = DistinguishedName::new();
    for organization in organizations {
        subject.push(DnType::OrganizationName, organization.as_str());
    }
    subject.push(DnType::CommonName, common_name);
    let mut serial = [0; 16];
    getrandom::fill(&mut serial).map_err(|error| Error::Random(error.to_string()))?;
    // positive, not zero, and always of sixteen bytes
    serial[0] = serial[0] & 0x7f | 0x40;
    let mut params = CertificateParams::default();
    params.distinguished_name = subject;
    params.serial_number = Some(SerialNumber::from_slice(&serial));
    params.not_before = not_before;
    params.not_after = not_after;
    Ok(params)
}

fn span(validity: &x509_parser::certificate::Validity) -> (OffsetDateTime, OffsetDateTime) {
    (
        validity.not_before.to_datetime(),
        validity.not_after.to_datetime(),
    )
}

fn new_key(common_name: &str) -> Result<(KeyPair, SecretString), Error> {
    key::generate().map_err(|reason| Error::Sign {
        common_name: common_name.to_owned(),
        reason,
    })
}

fn sign_error(common_name: &str, error: &rcgen::Error) -> Error {
    Error::Sign {
        common_name: common_name.to_owned(),
        reason: error.to_string(),
    }
}
