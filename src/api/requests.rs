//! Requests of kubelets for certificates to serve with.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use k8s_openapi::api::certificates::v1::CertificateSigningRequest;
use kube::ResourceExt as _;
use kube::api::{Api, Patch, PatchParams};
use serde_json::json;

use super::client::During as _;
use super::read::list;
use super::{Client, Error, FIELD_MANAGER};

/// Who signs the certificates that kubelets serve with.
const SIGNER: &str = "kubernetes.io/kubelet-serving";

const BEGIN: &str = "-----BEGIN CERTIFICATE REQUEST-----\n";
const END: &str = "\n-----END CERTIFICATE REQUEST-----\n";

/// A request that nobody has decided on.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    /// Its name.
    pub name: String,
    /// The version of it that was read; [`approve`] approves no other.
    pub version: String,
    /// The user who made it, as the API server has authenticated it, such as
    /// `system:node:w-1`.
    pub requestor: String,
    /// The groups of that user.
    pub groups: Vec<String>,
    /// What the certificate shall be used for, such as `server auth`.
    pub usages: Vec<String>,
    /// The PKCS #10 request as DER. None if it does not come as exactly one
    /// PEM block, in the form that Go writes: a looser reader could see
    /// another request in it.
    pub der: Option<Vec<u8>>,
}

/// Without the request, which may hold anything.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("name", &self.name)
            .field("version", &self.version)
            .field("requestor", &self.requestor)
            .finish_non_exhaustive()
    }
}

/// All requests to the kubelets' signer that are neither approved nor denied,
/// in order of their names.
///
/// # Errors
/// When the cluster cannot be asked.
pub async fn pending(client: &Client) -> Result<Vec<Request>, Error> {
    let fields = format!("spec.signerName={SIGNER}");
    let action = || "list the certificate requests".to_owned();
    let all = list(&api(client), Some(&fields), action).await?;
    let mut pending: Vec<_> = all.items.iter().filter_map(Request::pending).collect();
    pending.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(pending)
}

/// Approves a request as it was read: the API server refuses with 409 if
/// anything of it has changed since.
///
/// # Errors
/// When it has changed or is gone, or the cluster cannot be asked.
pub async fn approve(client: &Client, request: &Request, message: &str) -> Result<(), Error> {
    let patch = json!({
        "metadata": {"resourceVersion": request.version},
        "status": {"conditions": [{
            "type": "Approved", "status": "True", "reason": "KdiyApprove", "message": message,
        }]},
    });
    let params = PatchParams {
        field_manager: Some(FIELD_MANAGER.to_owned()),
        ..PatchParams::default()
    };
    let patch = Patch::Merge(patch);
    let approved = api(client)
        .patch_approval(&request.name, &params, &patch)
        .await;
    let action = || format!("approve the certificate request {}", request.name);
    approved.map(drop).during(action)
}

fn api(client: &Client) -> Api<CertificateSigningRequest> {
    Api::all(client.kube())
}

impl Request {
    /// None if somebody has decided on it.
    fn pending(request: &CertificateSigningRequest) -> Option<Self> {
        let conditions = request
            .status
            .as_ref()
            .and_then(|status| status.conditions.as_ref());
        let open = conditions.is_none_or(Vec::is_empty);
        let spec = &request.spec;
        (open && spec.signer_name == SIGNER).then(|| Self {
            name: request.name_any(),
            version: request.resource_version().unwrap_or_default(),
            requestor: spec.username.clone().unwrap_or_default(),
            groups: spec.groups.clone().unwrap_or_default(),
            usages: spec.usages.clone().unwrap_or_default(),
            der: der(&spec.request.0),
        })
    }
}

fn der(pem: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(pem).ok()?;
    let body = text.strip_prefix(BEGIN)?.strip_suffix(END)?;
    // Anything else than base64 and line ends is refused by the decoder.
    STANDARD.decode(body.replace('\n', "")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_block_as_go_writes_it_is_read() {
        let good = format!("{BEGIN}MIIB\nAAAA{END}");
        assert_eq!(
            der(good.as_bytes()),
            Some(STANDARD.decode("MIIBAAAA").unwrap())
        );
        for bad in [
            String::new(),
            format!("x{good}"),
            format!("{good}x"),
            format!("{good}{good}"),
            good.replace("AAAA", "A AA"),
            good.replace("AAAA", "Key: value"),
            good.replace('\n', "\r\n"),
            good.trim_end().to_owned(),
        ] {
            assert_eq!(der(bad.as_bytes()), None, "{bad:?}");
        }
        assert_eq!(der(b"\xff"), None);
    }
}
