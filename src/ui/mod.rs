//! What happens, made visible: plans, problems, progress, summaries.
//!
//! Renderers are pure functions of a value and a [`Style`]; they never call
//! back. What is written goes through one [`Ui`].

pub mod diff;
pub mod plan;
pub mod problems;
pub mod sanitise;
pub mod style;
pub mod text;

pub use sanitise::{sanitise, sanitise_output};
pub use style::{Color, Style, Terminal, Tone, Verbosity};
