//! Text files for hosts, filled from typed contexts.
