//! To come: inventory.
