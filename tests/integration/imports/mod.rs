//! What other tools know becomes an inventory, or is refused without a trace.

mod vagrant;
