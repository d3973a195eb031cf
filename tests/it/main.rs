//! The integration tests: one binary, a module for each subject.

mod architecture;
mod builder;
mod input;
mod invalid;
mod reference;
mod spec;
mod spec_grid;
mod spec_identity;
mod spec_layers;
mod spec_shipped;
mod study;
