//! Training: one loop over a group of runs, AdamW, and the state that a checkpoint holds.
//!
//! Order of use: [`Member::new`] with a fresh [`TrainState`] or one from a checkpoint → [`train`]
//! → every member's [`TrainOutcome`]. What happens with rows and checkpoints is the [`Sink`]'s
//! business. Plain language modelling, as a teacher is trained, is a group of one whose objective
//! has the one term `lm`.

mod balancing;
mod checkpoint;
mod corpus;
#[cfg(test)]
mod gradients_tests;
mod group;
mod job;
mod judging;
#[cfg(target_os = "linux")]
mod kept_blocks;
#[cfg(test)]
mod kinds_tests;
mod member;
mod memory;
mod micro_batch;
mod phases;
mod rate;
#[cfg(test)]
mod rebalance_tests;
#[cfg(test)]
mod resume_tests;
mod state;
mod step;
mod step_sums;
mod term_gradients;
#[cfg(test)]
mod test_fixture;
#[cfg(test)]
mod train_tests;

pub use corpus::Corpus;
pub use group::{Control, Progress, train};
pub use job::{Job, of_products};
pub use member::{CheckpointFiles, Member, Sink, TrainOutcome};
pub use memory::{LargeBlocks, keep_memory};
pub use phases::Phases;
pub use rate::learning_rate;
pub use state::{Best, TrainState};
