//! Whether the API server beside the one who waits for the endpoint is ready:
//! where it is, the way to it is what is wrong.

use crate::cluster::{LoadBalancer, Name, ResolvedCluster, Role};
use crate::shell::{Script, sh};

/// Defines `kdiy_api_ready URL`.
pub const READY_FUNCTION: &str = sh!("kubeadm/ready.sh");

/// Asks an API server, by the URL of its own address, whether it is ready.
#[must_use]
pub fn script(server: &str) -> Script {
    Script::of(READY_FUNCTION)
        .with(sh!("gate/endpoint.sh"))
        .call("kdiy_tell_ready", [format!("{server}/readyz")])
}

/// Whether the answer to [`script`] says so.
#[must_use]
pub fn is_ready(answer: &[u8]) -> bool {
    answer.trim_ascii() == b"ready"
}

/// What it means that the API server of `host` is ready, or is not.
#[must_use]
pub fn tell(host: &Name, ready: bool, balancers: &[String]) -> String {
    if !ready {
        return format!("the API server of {host} itself is not ready");
    }
    let where_ = match balancers {
        [] => "its address, what balances it and firewalls between".to_owned(),
        hosts => format!(
            "what balances it on {}, its address and firewalls between",
            hosts.join(", ")
        ),
    };
    format!(
        "the API server of {host} is ready; what leads to the endpoint is not: look at {where_}"
    )
}

/// The hosts on which kdiy sets up what leads from `asker` to the endpoint.
#[must_use]
pub fn balancers(resolved: &ResolvedCluster, asker: &Name) -> Vec<String> {
    let of = |role| {
        let nodes = resolved.with_role(role);
        nodes.map(|node| node.name.to_string()).collect()
    };
    match &resolved.cluster.load_balancer {
        LoadBalancer::None | LoadBalancer::External => Vec::new(),
        LoadBalancer::Hosts { .. } => of(Role::LoadBalancer),
        LoadBalancer::KubeVip { .. } => of(Role::ControlPlane),
        LoadBalancer::Local { .. } => vec![asker.to_string()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_to_the_endpoint_is_named_by_its_hosts() {
        let host = Name::try_from("cp-1".to_owned()).unwrap();
        let told = tell(&host, true, &["lb-1".to_owned(), "lb-2".to_owned()]);
        assert_eq!(
            told,
            "the API server of cp-1 is ready; what leads to the endpoint is not: look at what \
             balances it on lb-1, lb-2, its address and firewalls between"
        );
        assert!(tell(&host, true, &[]).contains("look at its address"));
        assert!(!tell(&host, false, &[]).contains("endpoint"));
    }

    #[test]
    fn a_server_that_does_not_answer_is_not_ready() {
        let script = script("https://127.0.0.1:1");
        let mut sh = std::process::Command::new("sh");
        let out = sh.args(["-euc", script.as_str()]).output().unwrap();
        assert!(out.status.success() && !is_ready(&out.stdout));
        assert!(is_ready(b"ready\n") && !is_ready(b""));
    }
}
