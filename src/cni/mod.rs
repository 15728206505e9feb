//! To come: cni.
