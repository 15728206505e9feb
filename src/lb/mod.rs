//! Load balancers: what stands between clients and API servers.
//!
//! One file a load balancer; a variant of [`crate::cluster::LoadBalancer`]
//! chooses.

pub mod haproxy;
