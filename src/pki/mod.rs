//! To come: pki.
