//! kdiy.
fn main() {}
