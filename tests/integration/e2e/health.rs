//! What `kdiy status` says of a cluster in health and out of it.

use std::time::Duration;

use serde_json::Value;

use super::eventually;
use super::kdiy::Kdiy;
use super::vip::Vip;

/// The exit code and the document.
fn status(kdiy: &Kdiy<'_>) -> (i32, Value) {
    let words = ["status", "--output", "json", "--connect-timeout", "3"];
    let output = kdiy.command(&words).output().expect("kdiy can be run");
    let code = output.status.code().expect("kdiy was killed");
    let text = String::from_utf8_lossy(&output.stdout);
    let document = serde_json::from_str(&text).unwrap_or_else(|why| {
        let errors = String::from_utf8_lossy(&output.stderr);
        panic!("{why}: {text}\n{errors}")
    });
    (code, document)
}

fn names<'a>(rows: &'a Value, key: &str) -> Vec<&'a str> {
    let rows = rows.as_array().expect("rows").iter();
    rows.map(|row| row[key].as_str().expect("a name")).collect()
}

/// All is well and as the inventory says, and every part says so itself. A
/// busy machine may miss a heartbeat now and then.
pub fn is_well(kdiy: &Kdiy<'_>, nodes: &[&str], planes: usize) {
    let (document, _) = eventually("status says healthy", Duration::from_secs(60), || {
        let (code, document) = status(kdiy);
        let well = code == 0 && document["verdict"] == "healthy";
        if well {
            Ok(document)
        } else {
            Err(document.to_string())
        }
    });
    assert_eq!(names(&document["nodes"], "name"), nodes);
    let states = names(&document["nodes"], "state");
    assert!(states.iter().all(|state| *state == "ready"), "{states:?}");
    assert_eq!(document["drift"]["changes"], 0, "{}", document["drift"]);
    let rows = document["controlPlanes"].as_array().expect("rows");
    assert_eq!(rows.len(), planes);
    for component in ["apiServer", "controllerManager", "scheduler"] {
        let well = rows.iter().all(|row| row[component]["state"] == "ok");
        assert!(well, "{component}: {rows:?}");
    }
    for component in ["controllerManager", "scheduler"] {
        let leaders = rows.iter().filter(|row| row[component]["leader"] == true);
        assert_eq!(leaders.count(), 1, "{component}: {rows:?}");
    }
    assert_eq!(document["etcd"]["verdict"], "healthy");
    for balancer in document["loadBalancer"]["balancers"]
        .as_array()
        .expect("rows")
    {
        let backends = balancer["backends"].as_array().expect("backends");
        assert_eq!(backends.len(), planes, "{balancer}");
        assert!(
            backends.iter().all(|backend| backend["up"] == true),
            "{balancer}"
        );
    }
    let days = document["certificates"].as_array().expect("rows").iter();
    let days: Vec<_> = days.map(|row| row["daysLeft"].as_i64()).collect();
    assert!(
        days.len() > 10 && days.iter().all(|days| *days > Some(300)),
        "{days:?}"
    );
}

/// A host is away: the cluster goes on, and the host is named.
pub fn misses(kdiy: &Kdiy<'_>, lost: &str) {
    let (code, document) = status(kdiy);
    assert_eq!(code, 9, "{document}");
    assert_eq!(document["verdict"], "degraded");
    let problems = document["problems"].as_array().expect("problems");
    let named = problems.iter().any(|problem| {
        problem["host"] == lost
            && problem["what"]
                .as_str()
                .is_some_and(|what| what.contains("cannot reach"))
    });
    assert!(named, "{problems:?}");
    let left_out = document["drift"]["leftOut"].as_array().expect("hosts");
    assert_eq!(left_out, &[Value::from(lost)]);
}

/// The host that holds the virtual address is told right.
pub fn tells_the_holder(kdiy: &Kdiy<'_>, vip: &Vip<'_>) {
    let (_, document) = status(kdiy);
    let told = &document["loadBalancer"]["vip"];
    assert_eq!(told["address"], vip.address);
    let holders = told["holders"].as_array().expect("holders");
    assert_eq!(holders, &[Value::from(vip.holder().0)]);
}
