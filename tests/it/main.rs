//! The integration tests: one binary, a module for each subject.

mod architecture;
mod bombs;
mod builder;
mod disk;
mod docs;
mod faults;
mod fuzz;
mod golden;
mod hub;
mod input;
mod invalid;
mod kills;
mod models;
mod processes;
mod published;
mod reference;
mod spec;
mod spec_grid;
mod spec_identity;
mod spec_layers;
mod spec_shipped;
mod standalone;
mod study;
mod verify;
