//! A saved plan runs as it was shown, or not at all.

use super::Life;
use super::drift::BY_HAND;

pub fn plans_are_applied_exactly_or_not_at_all(life: &Life) {
    let kdiy = life.kdiy();
    life.lab.sh("w-1", BY_HAND);
    kdiy.run(0, &["plan", "--out", "saved.plan"]);
    life.lab
        .sh("w-2", "echo '# later' >>/etc/sysctl.d/zz-kdiy.conf");
    let ran = life.lab.untouched(&life.hosts(), || {
        kdiy.run(8, &["apply", "--yes", "saved.plan"])
    });
    let said = "hosts or inventory have changed since the plan was saved (w-2: prepare the kernel)";
    ran.says(&[said]);
    ran.says(&["make a new plan with kdiy plan --out FILE"]);

    life.lab
        .sh("w-2", "sed -i '/# later/d' /etc/sysctl.d/zz-kdiy.conf");
    kdiy.run(0, &["apply", "--yes", "saved.plan"]);
    kdiy.has_nothing_to_do();
}
