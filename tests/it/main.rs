//! The integration tests: one binary, a module for each subject.

#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "tests make their files as they like, and say why they skip"
)]

mod architecture;
mod bombs;
mod builder;
#[cfg(target_os = "linux")]
mod cards;
mod checkpoints;
mod clean;
mod disk;
mod docs;
mod evaluation;
mod export;
mod faults;
mod finished;
mod fuzz;
mod golden;
mod helps;
mod hub;
mod input;
mod invalid;
mod json;
mod kills;
mod looks;
mod man;
mod models;
#[cfg(unix)]
mod packages;
mod pipes;
mod plan;
mod plan_advice;
mod plan_budget;
mod plan_grid;
mod plan_identity;
mod plan_inputs;
mod plan_key_changes;
mod plan_keys;
mod plan_layers;
mod plan_maps;
mod plan_overrides;
mod plan_schedules;
mod plan_shipped;
mod plan_shipped_novels;
mod power;
mod processes;
mod published;
mod quantities;
mod reference;
mod report_forms;
mod select;
mod site;
mod slurm;
mod standalone;
mod stored;
mod study;
mod tensorboard;
mod tokens;
mod verify;
mod workers;
#[cfg(unix)]
mod workflows;
