//! The on-disk form of a study and its runs.
pub mod evaluation;
pub mod layout;
pub mod study;
