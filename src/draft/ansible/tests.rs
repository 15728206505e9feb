//! Inventories of several tools and styles.

use super::*;

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
        let shown = jumps
            .iter()
            .map(|jump| crate::draft::login::written(jump.user.as_deref(), &jump.host, jump.port));
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

/// Everything that is said of an inventory that is wrong.
fn refused(text: &str, kind: Kind) -> String {
    use crate::inventory::{Style, render};
    let file = File {
        name: "hosts".to_owned(),
        text: text.to_owned(),
        kind,
    };
    let imported = import(&[file], &[]);
    assert_eq!(imported.draft, None, "{text} came to a draft");
    let source = &imported.sources[0];
    assert!(source.findings.iter().all(|finding| finding.help.is_some()));
    let style = Style {
        color: false,
        width: 100,
    };
    render(&source.findings, &source.name, &source.text, style)
}

#[test]
fn bad_ini_says_what_is_wrong_and_where() {
    let said: Vec<String> = [
        "",
        "[kube_node]\nn1 ansible_host=10.0.0.1\n",
        "[kube_control_plane]\n",
        "[kube_control_plane]\nn1\n",
        "[kube_control_plane]\nn1 ansible_host={{ lookup('x') }}\n",
        "[kube_control_plane\nn1\n",
        "[kube_control_plane]\nn1 ansible_host='10.0.0.1\n",
        "[kube_control_plane]\nn1 ansible_host\n",
        "[kube_control_plane]\nansible_host=10.0.0.1\n",
        "[kube_control_plane]\nn[3:1] x=1\n",
        "[kube_control_plane:kids]\nn1\n",
        "[kube_control_plane:children]\nnobody\n",
        "[kube_control_plane:vars]\nno variable\n",
        "[kube_control_plane]\nn1 ip=10.0.0.1\nn1 ip=10.0.0.2\n",
        "[kube_control_plane]\nn1 ip=10.0.0.1\nn2 ip=10.0.0.1\n",
        "[kube_control_plane]\nn_1 ip=10.0.0.1\nn-1 ip=10.0.0.2\n",
        "[kube_control_plane]\nn1 ip=10.0.0.256 ansible_port=0\n",
        "[kube_control_plane]\nn1 ip=10.0.0.1 ansible_connection=local\n",
        "[a b]\n[]\n",
    ]
    .iter()
    .map(|text| refused(text, Kind::Ini))
    .collect();
    insta::assert_snapshot!("bad-ini", said.join("\n"));
}

#[test]
fn bad_yaml_says_what_is_wrong_and_where() {
    let said: Vec<String> = [
        "",
        "all: [\n",
        "all:\n\thosts: x\n",
        "- a\n- b\n",
        "all:\n  hosts: [a, b]\n",
        "all:\n  hosts:\n    a: {ip: 10.0.0.1}\n    a: {ip: 10.0.0.2}\n",
        "all:\n  host:\n    a: {}\n",
        "all:\n  children:\n    kube_control_plane:\n      hosts: a\n",
        "all:\n  children:\n    kube_node:\n      hosts: {a: {ip: 10.0.0.1}}\n",
        "all:\n  children:\n    kube_control_plane:\n      hosts: {a: }\n",
        "all:\n  children:\n    kube_control_plane:\n      hosts: {a: {ip: 10.0.0.300}}\n",
        "all:\n  children:\n    kube_control_plane:\n      hosts: {\"a[1\": {ip: 10.0.0.3}}\n",
        "all:\n  children:\n    kube_control_plane:\n      hosts: {a: {ip: 10.0.0.1}, b: {ip: 10.0.0.1}}\n",
        "all:\n  children:\n    kube_control_plane:\n      hosts: *nothing\n",
        "all:\n  hosts: {a: {}}\n---\nall: {}\n",
    ]
    .iter()
    .map(|text| refused(text, Kind::Yaml))
    .collect();
    insta::assert_snapshot!("bad-yaml", said.join("\n"));
}
