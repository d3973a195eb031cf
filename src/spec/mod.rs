//! From text to a complete plan, or a list of diagnostics.
pub mod diagnostics;
pub mod path;
pub mod plan;
pub mod run;
pub mod schedule;
