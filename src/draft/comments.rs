//! What the written inventory says about itself.

use super::{Balancing, Draft};
use crate::cluster::{Quorum, Role};

/// Columns of a comment.
const WIDTH: usize = 79;

/// A comment of whole lines.
pub fn comment(text: &str) -> String {
    wrapped(text, WIDTH)
}

/// The same, under a key.
pub fn indented(text: &str) -> String {
    let lines = wrapped(text, WIDTH - 2);
    lines.lines().map(|line| format!("  {line}\n")).collect()
}

fn wrapped(text: &str, width: usize) -> String {
    let mut out = String::new();
    let mut line = String::from("#");
    for word in text.split_whitespace() {
        if line.len() + 1 + word.len() > width && line != "#" {
            out.push_str(&line);
            out.push('\n');
            line = String::from("#");
        }
        line.push(' ');
        line.push_str(word);
    }
    out + &line + "\n"
}

/// The first lines.
pub fn header(draft: &Draft) -> String {
    comment(&format!(
        "Written by {}. Change what you like: `kdiy validate` checks it, `kdiy plan` shows what \
         it would do, `kdiy apply` does it. `kdiy explain FIELD` tells what a field means.",
        draft.origin
    ))
}

/// What the endpoint is.
pub fn endpoint(draft: &Draft, balancing: Option<Balancing>) -> String {
    let balancers: Vec<_> = draft.with_role(Role::LoadBalancer).collect();
    let what = match (balancing, balancers.as_slice()) {
        (None, _) => {
            "Where clients and nodes reach the API server: the control plane itself.".to_owned()
        }
        (Some(Balancing::Haproxy | Balancing::Nginx), [one]) if draft.vip.is_none() => format!(
            "Where clients and nodes reach the API servers: {}, which spreads them over the \
             control planes. It is only one; with a second load-balancer and a virtual IP as the \
             endpoint it may fail, too.",
            one.name
        ),
        (Some(Balancing::Haproxy | Balancing::Nginx), _) => {
            "Where clients and nodes reach the API servers: a virtual IP, which keepalived moves \
             to a load-balancer that works. It must be a free address of their network."
                .to_owned()
        }
        (Some(Balancing::KubeVip), _) => {
            "Where clients and nodes reach the API servers: a virtual IP, which kube-vip keeps on \
             a control plane that works. It must be a free address of their network."
                .to_owned()
        }
        (Some(Balancing::Local), _) => {
            "Where clients from outside reach the API servers. Nodes need it not: haproxy on each \
             of them leads to all control planes."
                .to_owned()
        }
        (Some(Balancing::External), _) => {
            "Where clients and nodes reach the API servers: a balancer of your own. It must stand \
             before `kdiy apply`, and lead to port 6443 of all control planes."
                .to_owned()
        }
    };
    comment(&what)
}

/// What the members of etcd tolerate; `hosts` says what they are.
pub fn quorum(members: usize, hosts: &str) -> String {
    let quorum = Quorum::of(members);
    let (needed, tolerated) = (quorum.needed(), quorum.tolerated());
    match members {
        0 => String::new(),
        1 => indented(&format!(
            "One {hosts}: when it fails, the cluster does. Three tolerate the failure of one."
        )),
        even if even % 2 == 0 => indented(&format!(
            "{members} {hosts}s: etcd needs {needed} of them, so {} may fail, as with one less.",
            may(tolerated)
        )),
        _ => indented(&format!(
            "{members} {hosts}s: etcd needs a majority, {needed} of {members}, so {} may fail. \
             The number is odd because one more would tolerate no more failures.",
            may(tolerated)
        )),
    }
}

fn may(tolerated: usize) -> String {
    match tolerated {
        0 => "none".to_owned(),
        1 => "any one".to_owned(),
        many => format!("any {many}"),
    }
}
