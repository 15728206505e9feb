//! To come: runtime.
