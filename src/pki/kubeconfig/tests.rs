use std::sync::LazyLock;

use proptest::prelude::*;
use serde_yaml::Value;
use time::OffsetDateTime;
use time::macros::datetime;

use super::*;
use crate::cluster::EndpointHost;
use crate::pki::{Authority, LeafRequest};

const NOW: OffsetDateTime = datetime!(2026-05-04 03:02:01 UTC);
static OURS: LazyLock<Authority> =
    LazyLock::new(|| Authority::generate("kubernetes", NOW).unwrap());
static THEIRS: LazyLock<Authority> =
    LazyLock::new(|| Authority::generate("kubernetes", NOW).unwrap());
static ADMIN: LazyLock<Kubeconfig> = LazyLock::new(|| admin("prod", &OURS));

fn admin(name: &str, authority: &Authority) -> Kubeconfig {
    let endpoint = Endpoint {
        host: EndpointHost::Name("api.example.org".to_owned()),
        port: 6443,
    };
    let leaf = authority.issue(&LeafRequest::admin(), NOW).unwrap();
    let name = Name::try_from(name.to_owned()).unwrap();
    Kubeconfig::admin(&name, &endpoint, authority.certificate(), leaf)
}

fn merged(existing: &str, ours: &Kubeconfig, switch: bool) -> String {
    merge(existing, ours, switch)
        .unwrap()
        .text
        .expose_secret()
        .to_owned()
}

/// Long base64 is of no interest.
fn redacted(text: &str) -> String {
    let line = |line: &str| match line.split_once("-data: ") {
        Some((field, _)) => format!("{field}-data: [base64]"),
        None => line.to_owned(),
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn what_is_written() {
    let text = ADMIN.to_yaml();
    insta::assert_snapshot!(redacted(text.expose_secret()));
}

#[test]
fn what_is_written_is_read_back() {
    let back = Kubeconfig::parse(ADMIN.to_yaml().expose_secret()).unwrap();
    assert_eq!(
        back.to_yaml().expose_secret(),
        ADMIN.to_yaml().expose_secret()
    );
    assert_eq!(back.authority, OURS.certificate());
    assert_eq!(back.key.expose_secret(), ADMIN.key.expose_secret());
    assert!(back.is_issued_by(OURS.certificate()).unwrap());
    assert!(!back.is_issued_by(THEIRS.certificate()).unwrap());
}

#[test]
fn kubeadms_admin_conf_is_read() {
    let (ca, crt, key) = (
        &ADMIN.authority,
        &ADMIN.certificate,
        ADMIN.key.expose_secret(),
    );
    let [ca, crt, key] = [ca.as_str(), crt, key].map(|pem| STANDARD.encode(pem));
    let text = format!(
        "apiVersion: v1\nclusters:\n- cluster:\n    certificate-authority-data: {ca}\n    \
         server: https://10.0.0.9:6443\n  name: kubernetes\ncontexts:\n- context:\n    \
         cluster: kubernetes\n    user: kubernetes-admin\n  name: kubernetes-admin@kubernetes\n\
         current-context: kubernetes-admin@kubernetes\nkind: Config\npreferences: {{}}\nusers:\n\
         - name: kubernetes-admin\n  user:\n    client-certificate-data: {crt}\n    \
         client-key-data: {key}\n"
    );
    let read = Kubeconfig::parse(&text).unwrap();
    assert_eq!(
        read.to_string(),
        "context kubernetes-admin@kubernetes at https://10.0.0.9:6443"
    );
    assert_eq!(read.key.expose_secret(), ADMIN.key.expose_secret());
}

#[test]
fn broken_kubeconfigs_are_refused_without_quoting_them() {
    let say = |text: &str| Kubeconfig::parse(text).unwrap_err().to_string();
    let ours = ADMIN.to_yaml();
    let ours = ours.expose_secret();
    let errors = [
        say(""),
        say("users: [{name: a, user: {client-key-data: [c2VjcmV0]}}]"),
        say("a: b: c"),
        say(&ours.replace("current-context: prod", "current-context: other")),
        say(&ours.replace("client-key-data: ", "client-key-data: 'no base64' # ")),
        say(&ours.replace("client-key-data", "token")),
    ];
    insta::assert_snapshot!(errors.join("\n"));
}

#[test]
fn debug_shows_no_key() {
    let shown = format!("{:?}", *ADMIN);
    assert!(shown.contains("REDACTED") && !shown.contains("PRIVATE"));
}

/// In a style that cannot be edited in place.
const FOREIGN: &str = "\
# my clusters
apiVersion: v1
kind: Config
preferences: {colors: true}
clusters: [{name: work, cluster: {server: 'https://work:6443', proxy-url: 'http://proxy:3128'}}]
contexts:
- name: work
  context: {cluster: work, user: me, namespace: shop}
current-context: work
users:
- name: me
  user:
    exec: {command: aws, args: [eks, get-token], apiVersion: client.authentication.k8s.io/v1}
extensions:
- name: x
  extension: {num: 1.50, s: \"1.50\", o: '0644'}
";

#[test]
fn others_entries_stay() {
    let result = merge(FOREIGN, &ADMIN, false).unwrap();
    assert_eq!(result.comments_lost, 1);
    insta::assert_snapshot!(redacted(result.text.expose_secret()));
}

/// As kubectl writes it, with what people add.
const COMMENTED: &str = "\
# my clusters
apiVersion: v1
kind: Config
clusters: # of the company
- cluster:
    server: https://work:6443 # behind the VPN
  name: work

# who I am
users:
  - name: me
    user:
      token: 'no'

contexts:
- context: {cluster: work, user: me}
  name: work
# the one that I use
current-context: work
preferences: {}
";

#[test]
fn comments_and_style_stay_in_block_style() {
    let existing = COMMENTED.replace("clusters: #", "# clusters\nclusters: #");
    assert_eq!(
        merge(&existing, &ADMIN, true).unwrap().comments_lost,
        6,
        "a comment at the key"
    );
    let existing = COMMENTED.replace("clusters: # of the company", "clusters:");
    let result = merge(&existing, &ADMIN, true).unwrap();
    assert_eq!(result.comments_lost, 0);
    let once = result.text.expose_secret();
    insta::assert_snapshot!(redacted(once));

    let new = Kubeconfig {
        server: "https://10.0.0.1:6443".to_owned(),
        ..admin("prod", &OURS)
    };
    let twice = merged(once, &new, false);
    assert_eq!(
        redacted(&twice),
        redacted(once).replace("https://api.example.org:6443", "https://10.0.0.1:6443")
    );
    assert_eq!(
        Kubeconfig::parse(&twice).unwrap().key.expose_secret(),
        new.key.expose_secret()
    );
}

#[test]
fn strings_that_yaml_1_1_takes_for_others_stay_quoted() {
    for word in ["no", "On", "1_000"] {
        let existing = FOREIGN.replace("namespace: shop", &format!("namespace: '{word}'"));
        let text = merged(&existing, &ADMIN, false);
        assert!(
            text.contains(&format!("\"{word}\"")) || text.contains(&format!("'{word}'")),
            "{text}"
        );
    }
}

#[test]
fn nothing_is_rewritten_when_nothing_changes() {
    let once = merged(FOREIGN, &ADMIN, false);
    let commented = format!("# mine\n{once}");
    let twice = merge(&commented, &ADMIN, false).unwrap();
    assert_eq!(twice.text.expose_secret(), commented);
    assert_eq!(twice.comments_lost, 0);
}

#[test]
fn empty_files_become_a_whole_kubeconfig() {
    let kubectls = "apiVersion: v1\nclusters: null\ncontexts: null\ncurrent-context: \"\"\n\
                    kind: Config\npreferences: {}\nusers: null\n";
    for existing in ["", "# nothing\n", "{}", kubectls] {
        let text = merged(existing, &ADMIN, false);
        let read = Kubeconfig::parse(&text).unwrap();
        assert_eq!(
            read.to_yaml().expose_secret(),
            ADMIN.to_yaml().expose_secret()
        );
    }
}

#[test]
fn the_current_context_changes_only_when_asked() {
    let current =
        |text: &str| serde_yaml::from_str::<Value>(text).unwrap()["current-context"].clone();
    assert_eq!(current(&merged(FOREIGN, &ADMIN, false)), "work");
    assert_eq!(current(&merged(FOREIGN, &ADMIN, true)), "prod");
}

#[test]
fn own_entries_are_renewed_and_keep_what_was_added() {
    let old = admin("prod", &OURS);
    let text = merged(FOREIGN, &old, true);
    let text = text.replace(
        "    user: prod-admin",
        "    user: prod-admin\n    namespace: shop",
    );
    let new = Kubeconfig {
        server: "https://10.0.0.1:6443".to_owned(),
        ..admin("prod", &OURS)
    };
    let text = merged(&text, &new, false);
    let read = Kubeconfig::parse(&text).unwrap();
    assert_eq!(read.server, "https://10.0.0.1:6443");
    assert_eq!(read.certificate, new.certificate);
    assert!(text.contains("namespace: shop"));
}

#[test]
fn entries_of_the_same_name_that_are_anothers_are_refused() {
    let say = |existing: &str| merge(existing, &ADMIN, false).unwrap_err().to_string();
    let rebuilt = merged(FOREIGN, &admin("prod", &THEIRS), false);
    let text = say(&rebuilt);
    assert!(text.contains("cluster \"prod\" already"), "{text}");
    assert!(text.contains(&OURS.fingerprint().to_string()));
    assert!(text.contains(&THEIRS.fingerprint().to_string()));
    let errors = [
        say("clusters: [{name: prod, cluster: {server: x}}]"),
        say("users: [{name: prod-admin, user: {token: x}}]"),
        say("contexts: [{name: prod, context: {cluster: c, user: u}}]"),
        say("clusters: [{name: prod}]"),
        say("clusters: {}"),
        say("just a text"),
        say("kind: Pod"),
        say("a: [b"),
    ];
    insta::assert_snapshot!(errors.join("\n"));
}

/// Any YAML of a modest depth, text that looks like other types among it.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[ -~]{0,12}".prop_map(Value::from),
        prop_oneof![
            Just("no"),
            Just("0x1f"),
            Just("1e3"),
            Just("~"),
            Just("a\nb\n"),
            Just("é #")
        ]
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map("[a-z-]{1,8}", inner, 0..3)
                .prop_map(|map| serde_yaml::to_value(map).unwrap()),
        ]
    })
}

fn entries(kind: &'static str) -> impl Strategy<Value = Value> {
    let body = prop::collection::btree_map("[a-z-]{1,8}", value(), 0..3);
    // no generated name has a capital, so none is ours
    prop::collection::btree_map("[a-z@.]{1,8}", body, 0..4).prop_map(move |entries| {
        let entry = |(name, body)| {
            let mut entry = serde_yaml::Mapping::new();
            entry.insert("name".into(), Value::String(name));
            entry.insert(kind.into(), serde_yaml::to_value(body).unwrap());
            Value::Mapping(entry)
        };
        entries.into_iter().map(entry).collect::<Vec<_>>().into()
    })
}

fn document() -> impl Strategy<Value = Value> {
    let lists = (entries("cluster"), entries("user"), entries("context"));
    let extra = prop::collection::btree_map("x-[a-z]{1,8}", value(), 0..3);
    (lists, extra).prop_map(|((clusters, users, contexts), extra)| {
        let mut root = serde_yaml::Mapping::new();
        root.extend([
            ("clusters".into(), clusters),
            ("users".into(), users),
            ("current-context".into(), "mine".into()),
            ("contexts".into(), contexts),
        ]);
        root.extend(extra.into_iter().map(|(key, value)| (key.into(), value)));
        Value::Mapping(root)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn merging_loses_nothing_and_is_idempotent(before in document()) {
        let ours = Kubeconfig {
            cluster: "OURS".to_owned(),
            user: "OURS-admin".to_owned(),
            context: "OURS".to_owned(),
            ..ADMIN.clone()
        };
        let text = serde_yaml::to_string(&before).unwrap();
        let once = merged(&text, &ours, false);
        prop_assert_eq!(&merged(&once, &ours, false), &once);

        let mut after: Value = serde_yaml::from_str(&once).unwrap();
        for list in ["clusters", "users", "contexts"] {
            let added = after[list].as_sequence_mut().unwrap().pop().unwrap();
            prop_assert!(added["name"].as_str().unwrap().starts_with("OURS"));
        }
        let root = after.as_mapping_mut().unwrap();
        prop_assert_eq!(root.remove("kind"), Some("Config".into()));
        prop_assert_eq!(root.remove("apiVersion"), Some("v1".into()));
        let keys = |value: &Value| {
            value.as_mapping().unwrap().keys().cloned().collect::<Vec<_>>()
        };
        prop_assert_eq!(keys(&after), keys(&before), "the order of fields");
        prop_assert_eq!(after, before);
    }
}
