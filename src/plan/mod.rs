//! From text to a complete plan, or a list of diagnostics.
//!
//! The order of steps, each with the modules that take it:
//!
//! 1. `source` reads texts as trees with places; `spec_layers` puts them in order (defaults,
//!    `extends`, spec, arm, axes, environment, `--set`) and merges them for every cell.
//! 2. `grid` reads the axes and gives the cells.
//! 3. `read_run` brings a cell from merged layers to its written form: `check` holds every value
//!    against the `schema`, `written` is the type, and `resolve` finds what only the values
//!    together show. `study` does the same for the tables around the run. [`load()`] leads through
//!    these steps.
//! 4. `planning` asks for the inputs' facts (`facts`), resolves every cell again with them
//!    (`resolve`, `matching`), and gives each run its keys (`identity`) and its `estimate`;
//!    `advice` has a word on what is allowed and seldom meant. [`Loaded::resolve`] gives the
//!    [`Plan`].
//!
//! Mistakes are collected on the way (`findings` over all cells, worded with the help of `words`),
//! and shown together ([`diagnostics`]). Only the resolved form ([`run::RunSpec`]) travels further.
//! Nothing here knows of tensors, threads, or downloads.

mod advice;
mod arms;
mod budget;
mod check;
mod comparison;
mod critic;
pub mod dataset_identity;
pub mod diagnostics;
mod estimate;
mod expect;
mod explain;
mod facts;
mod findings;
mod frozen;
mod grid;
pub mod identity;
mod input_fault;
pub mod load;
mod matching;
pub mod path;
pub mod planned;
mod planning;
mod read_run;
mod resolve;
pub mod run;
pub mod schedule;
pub mod schema;
mod select;
mod settings;
mod source;
mod spec_layers;
mod starter;
mod state;
mod study;
mod term;
mod term_answers;
mod twins;
mod words;
mod written;

pub use diagnostics::{Diagnostic, Diagnostics};
pub use estimate::{distillation_work, training_steps};
pub use expect::{Expectations, ExpectedOrder, ExpectedPerplexity};
pub use frozen::{FrozenOrigin, FrozenSpec};
pub use grid::Choice;
pub use identity::NUMERICS_VERSION;
pub use input_fault::{InputFault, InputFaults};
pub use load::{Loaded, load};
pub use matching::{NULL_CONTROLS, Strategy, layer_runs, uniform_map};
pub use planned::{
    ARM, Arm, Axis, AxisChoice, Change, DatasetFact, Estimate, Fact, Inputs, Overrides, Plan,
    PlannedCell, PlannedRun, ReportSettings, SEED, StudySettings, TEACHER_SEED, TaskFact,
    TeacherFact, TokenizerFact, Trials, TriedValues,
};
pub use planning::fault_of_template;
pub use schema::file as schema_of_a_spec;
pub use select::RunSelection;
pub use settings::{SettingChange, is_at_or_below};
pub use spec_layers::PREFIX;
pub use starter::{STARTER, run_spec_toml};
pub use words::{counted, grouped};
