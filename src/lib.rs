//! kdpipe: knowledge-distillation studies on GPT-2, from one TOML file to a finished report.
//!
//! A spec is resolved to a plan of runs ([`plan`]); the runner ([`runner`]) fetches what lies on
//! the hub ([`hub`]), prepares the text ([`data`]), has the teacher trained or read ([`model`],
//! [`train`]), advances the runs in groups that share the teacher's forward pass ([`distill`],
//! [`train`], on the operations of [`ops`]), evaluates them ([`eval`]) and records them
//! ([`record`]). The report ([`report`]) reads the records alone. [`cli`] is the only module that
//! prints.

// Tests make their files as they like, and say why they skip.
#![cfg_attr(
    test,
    allow(
        clippy::disallowed_methods,
        clippy::disallowed_types,
        clippy::print_stdout,
        clippy::print_stderr
    )
)]

pub mod digest;
pub mod panics;
pub mod random;
pub mod recorded;
pub mod shell;

pub mod files;
pub mod gguf;
pub mod table;
pub mod tensorboard;

pub mod cost;

pub mod hub;
pub mod slurm;

pub mod plan;

pub mod record;

pub mod data;
pub mod ops;

pub mod model;

pub mod distill;

pub mod train;

pub mod eval;

pub mod runner;

pub mod report;

pub mod export;

pub mod cli;
