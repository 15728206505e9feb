//! kdiy brings up and keeps up highly available Kubernetes clusters on
//! machines that are reached over SSH.
//!
//! ```text
//! inventory.yaml -> Inventory -> Cluster -> Blueprint ----+
//!  (as written)     (spans)      (valid)    (desired)     +-> Plan -> run -> Report
//!                                  hosts -> Observation --+   (diff, pure)
//! ```

pub mod cli;
pub mod cluster;
pub mod cni;
pub mod execute;
pub mod inventory;
pub mod kubeadm;
pub mod lb;
pub mod pki;
pub mod plan;
pub mod resource;
pub mod runtime;
pub mod shell;
pub mod state;
pub mod template;
pub mod transport;
pub mod ui;
