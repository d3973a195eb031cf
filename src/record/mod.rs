//! The on-disk form of a study and its runs: who finished what, and what an interrupted run needs
//! to go on.
//!
//! A run is worked on in an [`Attempt`] (journals, checkpoints, `out/`), which becomes `runs/<id>/`
//! by one rename when it is published; its evaluation follows by a rename of its own
//! ([`publish_evaluation`]). [`run_state`] tells what is left to do, and [`read_in_work`] what an
//! unfinished run has recorded so far, whoever may be writing it. [`layout`] is the only place
//! that knows where things are; [`evaluation`] and [`study`] are the types that are stored.
//!
//! Nothing here knows how a model is trained, or what a report looks like.

mod attempt;
mod checkpoint;
pub mod evaluation;
mod evaluations;
mod events;
mod in_work;
mod journal;
pub mod layout;
mod leftovers;
mod looks;
mod machine;
mod metrics;
mod publish;
mod runs;
pub mod set_anew;
mod shared_work;
mod starts;
mod status;
mod store;
pub mod study;
mod submission;
mod taken_over;
#[cfg(test)]
mod tests;
mod trials;
mod work;

pub use attempt::{Attempt, RunClaim};
pub use checkpoint::{About, CHECKPOINT_FORMAT, Checkpoint, OtherMachine};
pub use evaluations::{
    EvaluationFiles, has_evaluation, publish_evaluation, read_embedding, read_evaluation,
    read_samples, read_speed,
};
pub use events::{MACHINE, append_event, read_machine};
pub use in_work::{RunInWork, read_in_work};
pub use journal::Journal;
pub use leftovers::{Leftover, LeftoverKind, StudyParts, bytes_of, leftovers, remove_leftover};
pub use looks::{TRIED, carry_what_was_seen, look_before_change, note_what_was_found, read_looks};
pub use machine::instruction_set;
pub use metrics::{MetricsRow, metrics_table, read_metrics, write_metrics};
pub use publish::{Publication, UNCHECKED};
pub use runs::{
    Depth, Failure, METRICS_LIMIT, RunState, damage, is_complete, is_weights, publish_teacher,
    read_failure, read_spec, run_state, set_damaged_aside,
};
pub use shared_work::{SharedClaim, SharedLock, SharedWork};
pub use starts::MOST_RESTARTS;
pub use status::{
    RunProgress, RunStage, RunStatus, TeacherStatus, run_statuses, teacher_statuses, trial_statuses,
};
pub use study::{read_pins, read_study, set_damaged_study_aside, verify_study, write_study};
pub use submission::{Submission, SubmittedJob, read_submission, write_submission};
pub use taken_over::TakenOver;
pub use trials::{is_tried, trials};
pub use work::{forget_starts, is_begun, read_error, run_owner, sweep, write_error};
