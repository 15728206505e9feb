//! To come: execute.
