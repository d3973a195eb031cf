//! The job that this process runs in, by the variables that Slurm sets.

use std::process::{Command, Stdio};

/// A job of Slurm, as its variables describe it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SlurmJob {
    /// Memory that is granted on a node, in bytes.
    pub memory: Option<u64>,
    /// Threads to compute with.
    pub threads: Option<usize>,
    /// How often it was put back into the queue and started again.
    pub restarts: u32,
    /// The file that its output goes to, by the script that `kdpipe submit` wrote.
    pub log: Option<String>,
    /// As `scontrol` names it: `17`, or `17_3` for a task of an array.
    pub name: Option<String>,
}

const MEGABYTE: u64 = 1 << 20;

impl SlurmJob {
    /// The job around this process; one of nothing where there is none.
    pub fn of_environment() -> Self {
        Self::read(&|name| std::env::var(name).ok())
    }

    /// A job by what a variable holds.
    fn read(variable: &dyn Fn(&str) -> Option<String>) -> Self {
        if variable("SLURM_JOB_ID").is_none() {
            return Self::default();
        }
        let number = |name: &str| {
            let number: u64 = variable(name)?.parse().ok()?;
            // A limit of 0 is none.
            (number > 0).then_some(number)
        };
        let per_cpu = number("SLURM_MEM_PER_CPU")
            .zip(number("SLURM_CPUS_ON_NODE"))
            .map(|(megabytes, cpus)| megabytes.saturating_mul(cpus));
        let memory = number("SLURM_MEM_PER_NODE")
            .into_iter()
            .chain(per_cpu)
            .min();
        // Where a job has one task, all of its processors on a node are that task's.
        let is_alone = || number("SLURM_NTASKS").is_none_or(|tasks| tasks == 1);
        let threads = number("SLURM_CPUS_PER_TASK")
            .or_else(|| number("SLURM_CPUS_ON_NODE").filter(|_| is_alone()));
        Self {
            memory: memory.map(|megabytes| megabytes.saturating_mul(MEGABYTE)),
            threads: threads.and_then(|threads| usize::try_from(threads).ok()),
            restarts: number("SLURM_RESTART_COUNT")
                .and_then(|count| u32::try_from(count).ok())
                .unwrap_or(0),
            log: variable("KDPIPE_LOG"),
            name: name(variable),
        }
    }

    /// Puts the job back into the queue, to be started again: the last thing that a process does,
    /// since Slurm ends it for that. What `scontrol` says decides nothing: it may fail and yet have
    /// done it.
    pub fn requeue(&self) {
        let Some(name) = &self.name else {
            return;
        };
        // The signals that end the job reach every process of it. A shell that ignores them hands
        // that on to what it becomes.
        let _ = Command::new("sh")
            .args([
                "-c",
                "trap '' TERM CONT; exec scontrol requeue \"$1\"",
                "sh",
                name,
            ])
            .stdin(Stdio::null())
            .status();
    }
}

/// The number of an array's last task is that of the array itself, so the array's and the task's
/// are named: requeueing the former would start all of its tasks again.
fn name(variable: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    match variable("SLURM_ARRAY_JOB_ID").zip(variable("SLURM_ARRAY_TASK_ID")) {
        Some((array, task)) => Some(format!("{array}_{task}")),
        None => variable("SLURM_JOB_ID"),
    }
}

#[cfg(test)]
#[path = "job_tests.rs"]
mod tests;
