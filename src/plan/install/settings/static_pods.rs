//! The static pods of one control plane, written anew and waited for.

use super::{Context, Roll, config, configuration, note_of};
use crate::cluster::Values;
use crate::kubeadm::{PlaneComponent, audit};
use crate::plan::facts::plane::PROCESSES;
use crate::resource::{Command, Done, Input, Verb};
use crate::shell::Script;

/// Static pods of one control plane are written anew, and its processes are
/// waited for. Those that ran before are brought back where the new ones do
/// not come up: a control plane alone could not be fixed through its API.
pub(super) fn command(context: &Context, roll: &Roll) -> Command {
    let address = context.resolved.address(roll.node);
    let loopback = if address.is_ipv6() {
        "[::1]"
    } else {
        "127.0.0.1"
    };
    let mut inputs = vec![configuration(context, roll.node, roll.stage)];
    let mut script = Script::of(PROCESSES)
        .lit(WAIT_FOR_ROLLOUT)
        .lit("kubeadm init phase control-plane all")
        .lit(config::OPTION)
        .lit("\n");
    for component in PlaneComponent::ALL {
        let name = component.name();
        let arguments = &roll.settings[name].arguments;
        let lines = arguments.iter().flat_map(|(name, values)| {
            values
                .iter()
                .map(move |value| format!("--{name}={value}\n"))
        });
        let wanted: String = lines.collect();
        inputs.push(Input::plain(&format!("want-{name}"), wanted));
        let health = match component.health_port() {
            None => format!("{}/readyz", crate::plan::facts::url(address)),
            Some(port) => {
                let of = |name: &str| arguments.get(name).map(Values::last);
                let host = match of("bind-address") {
                    None | Some("0.0.0.0" | "::") => loopback,
                    Some(address) => address,
                };
                let port = of("secure-port").map_or(port.to_string(), str::to_owned);
                format!("https://{host}:{port}/healthz")
            }
        };
        script = script
            .lit("kdiy_wait_for_rollout ")
            .args([name, health.as_str()])
            .lit("\n");
    }
    if let Some(policy) = context.resolved.cluster.control_plane.audit.as_ref() {
        // Policies of before, which kdiy wrote and no process reads any more.
        script = script
            .lit("find ")
            .arg(audit::POLICIES)
            .lit(" -maxdepth 1 -type f -name 'policy-????????????????.yaml' ! -path ")
            .arg(&audit::policy(policy).path)
            .lit(" -delete\n");
    }
    Command {
        name: "static pods".to_owned(),
        verb: Verb::Run,
        details: roll.details.clone(),
        done: Done::Known(false),
        script: script.then(&note_of(&roll.settings)),
        inputs,
    }
}

/// Keeps the manifests and who runs, and defines `kdiy_wait_for_rollout NAME
/// URL`: waits until the component runs with all that it should, after its
/// manifest changed as a new process, and is healthy. Certificates on the
/// loopback address are each component's own; kubelet does not check them
/// either.
const WAIT_FOR_ROLLOUT: &str = r#"kdiy_at=/etc/kubernetes/manifests
kdiy_pids() {
kdiy_planes | while read -r p c; do
[ "$c" != "$(printf %.15s "$1")" ] || echo "$p"
done
}
for c in kube-apiserver kube-controller-manager kube-scheduler; do
[ ! -e "$kdiy_at/$c.yaml" ] || cp -p "$kdiy_at/$c.yaml" "$kdiy_tmp/$c.before"
kdiy_pids "$c" > "$kdiy_tmp/$c.old"
done
kdiy_taken() {
kdiy_now=$(kdiy_pids "$1")
[ -n "$kdiy_now" ] || { echo "it does not run"; return 1; }
for p in $kdiy_now; do
! grep -qxF "$p" "$kdiy_tmp/$1.old" || { echo "the process of before still runs"; return 1; }
tr '\0' '\n' < "/proc/$p/cmdline" > "$kdiy_tmp/$1.has" || return 1
while IFS= read -r w; do
grep -qxF -e "$w" "$kdiy_tmp/$1.has" || { echo "it runs without $w"; return 1; }
done < "$kdiy_tmp/want-$1"
done
curl -fsSk --noproxy '*' --max-time 5 --cert /etc/kubernetes/pki/apiserver-kubelet-client.crt \
  --key /etc/kubernetes/pki/apiserver-kubelet-client.key "$2"
}
kdiy_wait_for_rollout() {
if cmp -s "$kdiy_tmp/$1.before" "$kdiy_at/$1.yaml"; then : > "$kdiy_tmp/$1.old"; fi
kdiy_poll 240 "$1 to run with its new settings" kdiy_taken "$1" "$2" && return 0
kdiy_log=$(ls -t /var/log/pods/kube-system_"$1"-*/*/*.log 2>/dev/null | head -n 1)
[ -z "$kdiy_log" ] || grep -iE -m 3 'error|unknown|invalid|fatal|panic' "$kdiy_log" >&2 || tail -n 3 "$kdiy_log" >&2
for c in kube-apiserver kube-controller-manager kube-scheduler; do
[ ! -e "$kdiy_tmp/$c.before" ] || cmp -s "$kdiy_tmp/$c.before" "$kdiy_at/$c.yaml" || {
cp -p "$kdiy_tmp/$c.before" "/etc/kubernetes/.$c.kdiy-new"
mv -f "/etc/kubernetes/.$c.kdiy-new" "$kdiy_at/$c.yaml"
}
done
echo "the static pods of before were put back; look at the settings of $1 in the inventory" >&2
return 1
}
"#;
