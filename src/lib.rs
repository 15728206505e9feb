//! kdiy brings up and keeps up highly available Kubernetes clusters on
//! machines that are reached over SSH. Nothing is installed on them but what
//! Kubernetes needs; everything is decided here and sent as POSIX sh.
//!
//! # Flow
//! ```text
//! inventory.yaml -> Inventory -> Cluster -> Blueprint ----+
//!  (as written)     (spans)      (valid)    (desired)     +-> Plan -> run -> Report
//!                                  hosts -> Observation --+   (diff, pure)
//! ```
//! An inventory is what was written, with positions. A [`cluster::Cluster`] is
//! what is meant: it exists only if it is valid, and every default is in it.
//! [`cluster::ResolvedCluster`] has what only hosts and repositories could
//! answer, too. A [`plan::Blueprint`] is what all hosts shall have, as steps
//! that need earlier steps. A [`plan::Observation`] is what a host has now,
//! asked by one script in one go. A [`plan::Plan`] is the two compared.
//! [`execute::run`] applies it and tells of it by [`execute::Event`]s,
//! which [`ui`] shows.
//!
//! # Code map
//! From top to bottom; a module uses those below it, and its own line's.
//!
//! | module | what it is |
//! |---|---|
//! | [`cli`] | the commands, one file each, and their exit codes |
//! | [`ui`] | events, plans and problems made visible; questions |
//! | [`execute`] | connecting, looking, and the one function that mutates hosts |
//! | [`state`] | what is kept beside the inventory: PKI, kubeconfig, logs |
//! | [`status`] | how a cluster is: what hosts are asked, and what their answers come to |
//! | [`plan`] | blueprint, observation, their difference; `plan::install` is the table of contents of an installation |
//! | [`api`] | the cluster API: typed operations, sent to API servers over byte streams of SSH connections |
//! | [`pki`] | authorities, leaves, tokens and kubeconfigs, made here |
//! | [`draft`] | inventories about to be written: init, imports of other tools' |
//! | [`inventory`] | the file as written, and every rule that it has to follow |
//! | [`topology`] | the cluster as a diagram: tiers, boxes, who speaks to whom |
//! | [`runtime`] [`lb`] [`cni`] [`etcd`] [`kubeadm`] | what there is to choose from, one file a variant |
//! | [`secret_store`] | secrets of a run, which plans only name |
//! | [`resource`] | what a host can have: probe, answer, difference and change of each kind in one file |
//! | [`transport`] | how scripts reach hosts: SSH, and a fake that fails on what nobody scripted |
//! | [`template`] [`shell`] | text files for hosts; shell text: files of functions, called with quoted words |
//! | [`cluster`] | what is meant: the words that all of the above use |
//!
//! # Invariants
//! - Data flows one way, and modules are used downwards only.
//! - Hosts are changed in [`execute::run`] alone, and by what the operator has
//!   [`execute::command`] run there. All else asks, and what it needs in
//!   between, as for a snapshot of etcd, goes away with its script.
//! - Making a plan takes no I/O, no clock and no chance: the same cluster and
//!   observations give the same plan.
//! - A script checks again what it is about to change: a plan that is out of
//!   date does no harm.
//! - The hosts are the truth. Losing what [`state`] keeps loses no cluster.
//! - No secret is in a plan, on a command line, in a log or in `Debug` output.
//! - Shell text is made by [`shell::Script`] only, and what it did not write
//!   itself it quotes.
//! - Only [`cli`], [`ui`] and `main` know of a terminal, an environment or a
//!   home directory; only [`cli`] and [`execute`] ask for the time of day.
//! - No host is special by its place in a list.
//! - There is no unsafe code, no crypto but ring's, no agent on the hosts.
//!
//! `tests/integration/tidy.rs` holds what of this can be read off the source.

pub mod api;
pub mod cli;
pub mod cluster;
pub mod cni;
pub mod draft;
pub mod etcd;
pub mod execute;
pub mod inventory;
pub mod kubeadm;
pub mod lb;
pub mod pki;
pub mod plan;
pub mod resource;
pub mod runtime;
pub mod secret_store;
pub mod shell;
pub mod state;
pub mod status;
pub mod template;
pub mod topology;
pub mod transport;
pub mod ui;
