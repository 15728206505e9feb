//! Outputs of several shapes.
