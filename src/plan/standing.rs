//! To come.
/// Standing.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {}
