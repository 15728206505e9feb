//! Private keys: read from every form that kubeadm writes, made where ring cannot.

use std::fmt;

use rcgen::{KeyPair, PublicKeyData};
use rsa::pkcs1::EncodeRsaPrivateKey;
use rsa::pkcs8::der::asn1::{AnyRef, OctetStringRef};
use rsa::pkcs8::spki::AlgorithmIdentifierRef;
use rsa::pkcs8::{LineEnding, ObjectIdentifier, PrivateKeyInfoRef, SecretDocument};
use sec1::{EcParameters, EcPrivateKey};
use secrecy::{ExposeSecret, SecretString};
use x509_parser::pem::Pem;
use zeroize::Zeroizing;

use super::{Error, Fingerprint};

const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const CURVES: [ObjectIdentifier; 2] = [
    ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7"),
    ObjectIdentifier::new_unwrap("1.3.132.0.34"),
];
const RSA_BITS: usize = 2048;

/// The key pair that signs service account tokens.
#[derive(Clone)]
pub struct SigningKey {
    private: SecretString,
    public: String,
    fingerprint: Fingerprint,
}

impl SigningKey {
    /// Makes an RSA key of 2048 bits, takes a fraction of a second.
    ///
    /// RSA, because kubeadm refuses any other `sa.key` when a control plane
    /// joins, in all releases before 1.22.15, 1.23.12, 1.24.6 and 1.25.2
    /// (kubernetes/kubeadm#2756). Tokens are then signed by RS256.
    pub(super) fn generate() -> Result<Self, Error> {
        let mut random = rsa::rand_core::UnwrapErr(getrandom::SysRng);
        let key = rsa::RsaPrivateKey::new(&mut random, RSA_BITS)
            .map_err(|error| Error::Rsa(error.to_string()))?;
        let pem = key
            .to_pkcs1_pem(LineEnding::LF)
            .map_err(|error| Error::Rsa(error.to_string()))?;
        let private = SecretString::from(pem.as_str());
        let pair = parse("sa.key", &private)?;
        Ok(Self {
            public: pair.public_key_pem(),
            fingerprint: print_of(&pair),
            private,
        })
    }

    /// Reads `sa.key` and `sa.pub`; the latter may hold former keys too.
    pub(super) fn from_pem(private: SecretString, public: String) -> Result<Self, Error> {
        let pair = parse("sa.key", &private)?;
        let own = pair.subject_public_key_info();
        let paired = Pem::iter_from_buffer(public.as_bytes())
            .flatten()
            .any(|block| block.contents == own);
        if !paired {
            let (file, key) = ("sa.pub".to_owned(), "sa.key".to_owned());
            return Err(Error::NotAPair { file, key });
        }
        Ok(Self {
            fingerprint: print_of(&pair),
            private,
            public,
        })
    }

    /// PEM of the private key.
    #[must_use]
    pub fn private(&self) -> &SecretString {
        &self.private
    }

    /// PEM of the public key.
    #[must_use]
    pub fn public(&self) -> &str {
        &self.public
    }

    /// Fingerprint of the public key.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("fingerprint", &self.fingerprint.to_string())
            .finish_non_exhaustive()
    }
}

fn print_of(pair: &KeyPair) -> Fingerprint {
    Fingerprint::of_der(&pair.subject_public_key_info())
}

/// Reads a private key in PKCS#8, PKCS#1 or SEC1; kubeadm writes the latter
/// two, ring reads only the first.
pub(super) fn parse(file: &str, pem: &SecretString) -> Result<KeyPair, Error> {
    let fault = |reason: String| Error::NotAKey {
        file: file.to_owned(),
        reason,
    };
    let text = pem.expose_secret();
    // openssl puts a block of parameters before an EC key
    let start = text
        .rfind("-----BEGIN ")
        .ok_or_else(|| fault("no PEM block".to_owned()))?;
    let (label, key) = SecretDocument::from_pem(text[start..].trim_end())
        .map_err(|error| fault(error.to_string()))?;
    let candidates = match label {
        "PRIVATE KEY" => vec![key],
        "RSA PRIVATE KEY" => vec![pkcs8(RSA, AnyRef::NULL, &key).map_err(fault)?],
        // the curve may be named nowhere in the file: ring tells by trying
        "EC PRIVATE KEY" => CURVES
            .iter()
            .map(|curve| pkcs8(EC, curve.into(), &key).map_err(fault))
            .collect::<Result<_, _>>()?,
        other => return Err(fault(format!("the PEM block is a {other}"))),
    };
    candidates
        .iter()
        .find_map(|document| KeyPair::try_from(document.as_bytes()).ok())
        .ok_or_else(|| fault("its algorithm, size or encoding is not supported".to_owned()))
}

/// Makes a P-256 key, with its PEM in SEC1, which is what kubeadm writes.
///
/// kubeadm reads PKCS#8 as well, but `kubeadm join --certificate-key` fails on
/// an EC key in it, with "unknown data found in Secret entry": client-go's
/// `ParsePublicKeysPEM` knows RSA alone in PKCS#8.
pub(super) fn generate() -> Result<(KeyPair, SecretString), String> {
    let pair = KeyPair::generate().map_err(|error| error.to_string())?;
    let text = sec1(&pair)?;
    Ok((pair, text))
}

fn sec1(pair: &KeyPair) -> Result<SecretString, String> {
    let whole = Zeroizing::new(pair.serialize_der());
    let whole = PrivateKeyInfoRef::try_from(whole.as_slice()).map_err(|error| error.to_string())?;
    let mut key =
        EcPrivateKey::try_from(whole.private_key.as_bytes()).map_err(|error| error.to_string())?;
    // PKCS#8 names the curve outside of the key.
    key.parameters = Some(EcParameters::NamedCurve(CURVES[0]));
    let text = SecretDocument::encode_msg(&key)
        .and_then(|document| document.to_pem("EC PRIVATE KEY", LineEnding::LF))
        .map_err(|error| error.to_string())?;
    Ok(text.as_str().into())
}

fn pkcs8(
    oid: ObjectIdentifier,
    parameters: AnyRef<'_>,
    key: &SecretDocument,
) -> Result<SecretDocument, String> {
    let algorithm = AlgorithmIdentifierRef {
        oid,
        parameters: Some(parameters),
    };
    let octets = OctetStringRef::new(key.as_bytes()).map_err(|error| error.to_string())?;
    SecretDocument::encode_msg(&PrivateKeyInfoRef::new(algorithm, octets))
        .map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_keys_are_what_kubeadm_hands_on_to_other_control_planes() {
        let (pair, text) = generate().unwrap();
        let begin = "-----BEGIN EC PRIVATE KEY-----\n";
        assert!(text.expose_secret().starts_with(begin));
        let read = parse("ca.key", &text).unwrap();
        assert_eq!(read.public_key_raw(), pair.public_key_raw());
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("ca.key");
        std::fs::write(&file, text.expose_secret()).unwrap();
        let said = std::process::Command::new("openssl")
            .args(["ec", "-noout", "-text", "-in"])
            .arg(&file)
            .output()
            .unwrap();
        let said = String::from_utf8(said.stdout).unwrap();
        assert!(said.contains("ASN1 OID: prime256v1"), "{said}");
    }

    #[test]
    fn a_block_of_parameters_before_the_key_is_skipped() {
        let pem = rcgen::KeyPair::generate().unwrap().serialize_pem();
        let parameters =
            "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";
        assert!(parse("ca.key", &format!("{parameters}{pem}\n").into()).is_ok());
    }

    #[test]
    fn encrypted_and_broken_keys_are_refused_without_showing_them() {
        let say = |pem: &str| parse("ca.key", &pem.into()).unwrap_err().to_string();
        let block =
            |label: &str| format!("-----BEGIN {label}-----\nMAMCAQA=\n-----END {label}-----\n");
        for text in [
            block("ENCRYPTED PRIVATE KEY"),
            block("PRIVATE KEY"),
            block("EC PRIVATE KEY"),
        ] {
            assert!(!say(&text).contains("MAMCAQA"));
        }
        assert!(say(&block("ENCRYPTED PRIVATE KEY")).contains("is a ENCRYPTED PRIVATE KEY"));
    }
}
