//! From text to a complete plan, or a list of diagnostics.
//!
//! [`load`] reads the layers and checks every cell as far as that goes without the inputs;
//! [`Loaded::resolve`] asks for the inputs' facts and gives the [`Plan`]. Only the resolved form
//! ([`run::RunSpec`]) travels further. Nothing here knows of tensors, threads, or downloads.

mod arms;
mod check;
pub mod diagnostics;
mod estimate;
mod expect;
mod explain;
mod grid;
pub mod identity;
mod layers;
pub mod load;
mod matching;
pub mod path;
pub mod planned;
mod resolve;
pub mod run;
pub mod schedule;
pub mod schema;
mod select;
mod source;
mod starter;
mod state;
mod study;
mod term;
mod words;
mod written;

pub use diagnostics::{Diagnostic, Diagnostics};
pub use estimate::{distillation_work, training_steps};
pub use expect::{Expectations, ExpectedOrder, ExpectedPerplexity};
pub use identity::NUMERICS_VERSION;
pub use load::{Loaded, load};
pub use planned::{
    Arm, Axis, Change, DatasetFact, Estimate, Fact, Inputs, Overrides, Plan, PlannedCell,
    PlannedRun, ReportSettings, TeacherFact, TokenizerFact,
};
pub use schema::file as schema_of_a_spec;
pub use select::RunSelection;
pub use starter::{STARTER, run_spec_toml};
