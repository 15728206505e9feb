//! To come.
/// Facts.
#[derive(Debug, Clone, PartialEq)]
pub struct Facts {}
