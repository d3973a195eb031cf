//! The integration tests: one binary, a module for each subject.

mod architecture;
mod builder;
mod input;
mod invalid;
mod reference;
mod study;
