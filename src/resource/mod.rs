//! To come: resource.
