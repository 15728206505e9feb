//! What somebody changes by hand is seen, and fixed alone.

use super::Life;

/// Changes a sysctl and a file on one host.
pub const BY_HAND: &str =
    "sysctl -qw net.ipv4.ip_forward=0; echo '# by hand' >>/etc/modules-load.d/kdiy.conf";

pub fn is_seen_and_fixed_alone(life: &Life) {
    let kdiy = life.kdiy();
    life.lab.sh("w-1", BY_HAND);
    kdiy.run(2, &["plan", "--detailed-exitcode"]);
    let changes = kdiy.plan(&[]).changes();
    let wanted = [
        "w-1 file /etc/modules-load.d/kdiy.conf",
        "w-1 sysctl net.ipv4.ip_forward",
    ];
    assert_eq!(changes, wanted.map(str::to_owned).into());

    let others: Vec<_> = life
        .hosts()
        .into_iter()
        .filter(|host| *host != "w-1")
        .collect();
    life.lab
        .untouched(&others, || kdiy.run(0, &["apply", "--yes"]));
    let file = life.lab.sh("w-1", "cat /etc/modules-load.d/kdiy.conf");
    assert!(
        !file.contains("by hand") && file.contains("br_netfilter"),
        "{file}"
    );
    assert_eq!(
        life.lab.sh("w-1", "sysctl -n net.ipv4.ip_forward").trim(),
        "1"
    );
    kdiy.has_nothing_to_do();
}
