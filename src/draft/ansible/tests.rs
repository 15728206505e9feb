//! Inventories of several tools and styles.

use super::*;
use crate::draft::tests::{fixtures, refused};

fn ini(text: &str) -> Imported {
    let file = File {
        name: "hosts.ini".to_owned(),
        text: text.to_owned(),
        kind: Kind::Ini,
    };
    import(&[file], &[])
}

#[test]
fn an_inventory_of_kubespray_becomes_a_draft() {
    let imported = ini("# ours
node1.example.org ansible_host=198.51.100.1 ip=10.3.0.1
node2 ansible_host=198.51.100.2 ip=10.3.0.2  # second
node3 ansible_host=198.51.100.3 ip=10.3.0.3
w[1:2] ansible_port=2222 ansible_become_password='hush # hush'
bastion ansible_host=192.0.2.1 ansible_user=jump

[all:vars]
ansible_user=ops
ansible_ssh_private_key_file = \"~/.ssh/lab\"
kube_version=v1.33.1
container_manager=crio

[kube-master]
node1.example.org
node2
node3
[etcd:children]
kube-master
[kube-node]
w1 ansible_host=10.3.0.21
w2 ansible_host=10.3.0.22
[bastion]
bastion
[k8s-cluster:children]
kube-master
kube-node
");
    let draft = imported.draft.expect("a draft");
    insta::assert_snapshot!(draft.text());
    assert!(!draft.external_etcd);
    let shown = &imported.sources[0];
    assert!(!shown.text.contains("hush"), "{}", shown.text);
}

#[test]
fn jump_hosts_are_found_in_options_of_ssh() {
    let found = |text: &str| {
        let jumps = login::jumps(text)?;
        let shown = jumps.iter().map(|jump| {
            crate::draft::login::login_text(jump.user.as_deref(), &jump.host, jump.port)
        });
        Some(shown.collect::<Vec<_>>().join(" "))
    };
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(found("-J ops@a:2222,b"), some("ops@a:2222 b"));
    assert_eq!(
        found("-o ProxyJump=a -o StrictHostKeyChecking=no"),
        some("a")
    );
    assert_eq!(
        found("-o ProxyCommand=\"ssh -W %h:%p -q -p 2222 ops@a\""),
        some("ops@a:2222")
    );
    assert_eq!(found("-o ProxyCommand=\"nc -x proxy %h %p\""), None);
    assert_eq!(found("-F /dev/null"), None);
}

/// Everything that is said of the fixtures of one kind.
fn all_refused(folder: &str, kind: &Kind) -> String {
    let refused = fixtures(folder).into_iter().map(|(name, text)| {
        let kind = kind.clone();
        refused(&import(&[File { name, text, kind }], &[]))
    });
    refused.collect::<Vec<_>>().join("\n")
}

#[test]
fn bad_ini_says_what_is_wrong_and_where() {
    insta::assert_snapshot!("bad-ini", all_refused("ansible-ini", &Kind::Ini));
}

#[test]
fn bad_yaml_says_what_is_wrong_and_where() {
    insta::assert_snapshot!("bad-yaml", all_refused("ansible-yaml", &Kind::Yaml));
}
