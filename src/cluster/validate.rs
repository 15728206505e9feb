//! Rules that need the whole cluster.
