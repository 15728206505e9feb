//! The short cut of the fault suite, `make faults`.

use crate::faults::kills;

#[test]
#[ignore = "needs the lab; make e2e"]
fn a_bring_up_survives_a_few_kills() {
    kills::a_few();
}
