//! What holds a secret does not show it, in logs of a panic for instance.

use std::fmt::Debug;
use std::time::Duration;

use kdiy::cluster::{Endpoint, EndpointHost, Name};
use kdiy::execute::trust::trust;
use kdiy::pki::{BootstrapToken, ClusterCas, Kubeconfig, LeafRequest, SecretboxKey};
use kdiy::template::HostFile;
use kdiy::transport::{Request, User};
use secrecy::{ExposeSecret as _, SecretString};

/// Whether a secret, or a line of it, is in what `Debug` shows.
fn shows(value: &dyn Debug, secret: &str) -> bool {
    let shown = [format!("{value:?}"), format!("{value:#?}")].concat();
    let lines = secret.lines().filter(|line| !line.starts_with("-----"));
    let mut lines = lines.filter(|line| line.len() >= 12);
    let first = lines.clone().next().expect("a secret to look for");
    assert!(!first.is_empty());
    lines.any(|line| shown.contains(line))
}

#[test]
fn debug_shows_no_secret() {
    let now = time::OffsetDateTime::now_utc();
    let cas = ClusterCas::generate(now).unwrap();
    let token = BootstrapToken::generate().unwrap();
    let key = SecretboxKey::generate().unwrap();
    let leaf = cas.kubernetes.issue(&LeafRequest::admin(), now).unwrap();
    let leaf_key = leaf.key.expose_secret().to_owned();
    let name = Name::try_from("demo".to_owned()).unwrap();
    let endpoint = Endpoint {
        host: EndpointHost::Address([192, 0, 2, 1].into()),
        port: 6443,
    };
    assert!(!shows(&leaf, &leaf_key));
    let certificate = cas.kubernetes.certificate();
    let kubeconfig = Kubeconfig::admin(&name, &endpoint, certificate, leaf);
    assert!(!shows(&kubeconfig, &leaf_key));
    assert!(!shows(&kubeconfig.to_yaml(), &leaf_key));
    assert!(!shows(&token, token.secret().expose_secret()));
    assert!(!shows(&token.whole(), token.whole().expose_secret()));
    assert!(!shows(&key, key.base64().expose_secret()));

    let hosts = trust(&cas, Some(&key));
    let password = hosts.failover_password.expose_secret();
    assert!(!format!("{hosts:?}").contains(password));
    assert!(!shows(&hosts, key.base64().expose_secret()));
    let mut keys = 0;
    for file in cas.files() {
        let text: &SecretString = &file.content;
        if file.path.ends_with(".key") {
            keys += 1;
            assert!(!shows(&cas, text.expose_secret()), "{}", file.path);
            assert!(!shows(&hosts, text.expose_secret()), "{}", file.path);
            assert!(!shows(&file, text.expose_secret()), "{}", file.path);
        }
    }
    assert_eq!(keys, 4);

    let secret = "correct horse battery staple";
    assert!(!shows(&HostFile::secret("/x", secret.to_owned()), secret));
    let script = zeroize::Zeroizing::new(format!("echo {secret}"));
    let request = Request {
        script: &script,
        user: User::Root,
        limit: Duration::from_secs(1),
        keep: 1,
    };
    assert!(!shows(&request, secret));
    // It would be found.
    assert!(shows(&HostFile::public("/x", secret.to_owned()), secret));
}
