//! The integration tests: one binary, a module for each subject.

mod architecture;
mod builder;
mod docs;
mod input;
mod kills;
mod reference;
mod standalone;
mod study;
mod verify;
