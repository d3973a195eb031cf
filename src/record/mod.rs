//! The on-disk form of a study and its runs: the only place that knows the files of a results folder.
//!
//! A run is worked on in an [`Attempt`]: its journal, its checkpoints, and `out`, which becomes `runs/<id>` by one rename. Evaluations are published beside it in the same way. What is
//! published is never rewritten.

mod attempt;
mod checkpoint;
mod evaluate;
pub mod evaluation;
mod events;
mod failure;
mod journal;
pub mod layout;
mod metrics;
mod publish;
mod state;
pub mod study;

pub use attempt::{Attempt, Opened};
pub use checkpoint::Manifest;
pub use evaluate::{EvaluationFiles, has_evaluation, publish_evaluation, read_embedding, read_evaluation, read_samples, read_speed};
pub use events::{Timing, append_event, timings_table};
pub use failure::{Failure, read_failure};
pub use journal::{Journal, Row, read_rows};
pub use metrics::{metrics_table, read_metrics};
pub use publish::publish_run;
pub use state::{RunState, run_state};
pub use study::{read_study, write_study};

/// Version of the on-disk form; a folder of another one is refused.
pub const FORMAT: u32 = 1;
