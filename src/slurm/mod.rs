//! Slurm, the batch system: what it tells a job of itself ([`SlurmJob`]), the scripts of a study's
//! jobs ([`JobScripts`]), and its commands ([`sbatch`], [`queued`], [`cancel`]). What it does
//! itself (queues, nodes, limits) is left to it.

mod commands;
mod job;
mod scripts;

pub use commands::{QueuedTask, SubmitError, cancel, queued, queued_as, sbatch};
pub use job::SlurmJob;
pub use scripts::{JobScripts, JobStage};
