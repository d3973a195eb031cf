//! From text to a complete plan, or a list of diagnostics.
pub mod diagnostics;
mod layers;
mod matching;
pub mod path;
pub mod plan;
pub mod run;
pub mod schedule;
pub mod schema;
mod source;
mod written;
