//! One round of a study's jobs: preparation, workers, and the job that finishes.

use std::time::Duration;

use anyhow::{Result, anyhow, bail};

use crate::files;
use crate::record::layout::Layout;
use crate::record::{Submission, SubmittedJob, write_submission};
use crate::slurm::{self, JobScripts, JobStage, QueuedTask, SubmitError};

/// How often workers are submitted for one `submit`, the first time included.
pub(super) const MOST_ROUNDS: u32 = 3;

/// How long a job is watched that may fit nowhere, and how often in that time.
const WATCHED: (Duration, u32) = (Duration::from_millis(500), 10);
/// Reasons of Slurm for which a job waits until somebody changes the cluster.
const FITS_NOWHERE: [&str; 4] = [
    "PartitionConfig",
    "PartitionNodeLimit",
    "PartitionTimeLimit",
    "BadConstraints",
];

pub(super) struct JobRound<'a> {
    pub layout: &'a Layout,
    pub scripts: JobScripts,
    pub submission: Submission,
    /// Workers that run beside each other.
    pub tasks: usize,
    /// Text and teachers of all open runs are there.
    pub is_prepared: bool,
}

impl JobRound<'_> {
    fn stages(&self) -> impl Iterator<Item = JobStage> {
        let is_prepared = self.is_prepared;
        let stages = JobStage::ALL.into_iter();
        stages.filter(move |stage| !(is_prepared && *stage == JobStage::Prepare))
    }

    /// The scripts as they would be written.
    pub fn scripts_in_words(&self) -> String {
        let script = |stage| {
            let path = self.scripts.path(stage);
            format!(
                "# {}\n{}\n",
                path.display(),
                self.scripts.text(stage, self.tasks)
            )
        };
        self.stages().map(script).collect()
    }

    /// The calls as they would be made, with names for the numbers that Slurm gives.
    pub fn calls_in_words(&self) -> String {
        let job = |stage: JobStage| Some(stage.name().to_uppercase());
        let call = |stage| format!("sbatch {}\n", self.call(stage, &job).join(" "));
        self.stages().map(call).collect()
    }

    /// What `sbatch` is given; `job` tells the number of a stage's job.
    fn call(&self, stage: JobStage, job: &dyn Fn(JobStage) -> Option<String>) -> Vec<String> {
        let mut call = vec!["--parsable".to_owned()];
        // Of options that are given twice the last holds: the user's `--dependency` is that of the
        // first job, and the others wait for it.
        call.extend(self.submission.arguments.iter().cloned());
        match stage {
            JobStage::Prepare => {}
            JobStage::Workers => {
                let before = job(JobStage::Prepare).filter(|_| !self.is_prepared);
                if let Some(before) = before {
                    call.push(format!("--dependency=afterok:{before}"));
                    call.push("--kill-on-invalid-dep=yes".to_owned());
                }
            }
            JobStage::Finish => {
                let before = job(JobStage::Workers);
                call.extend(before.map(|before| format!("--dependency=afterany:{before}")));
            }
        }
        call.push(self.scripts.path(stage).display().to_string());
        call
    }

    /// Goes on with what was submitted before, where jobs of it are not over: those are told.
    ///
    /// # Errors
    /// Slurm that does not answer.
    pub fn take_up(&mut self, stored: Submission) -> Result<Vec<QueuedTask>> {
        let mut found = slurm::queued(&stored.ids()).map_err(explained)?;
        let mut stored = stored;
        // One that was not heard of: `sbatch` gave up before it had an answer.
        for stage in JobStage::ALL {
            if stored.job(stage.name()).is_none() {
                let name = format!("{}-{}", stored.name, stage.name());
                if let Some(id) = slurm::queued_as(&name).map_err(explained)? {
                    found.extend(slurm::queued(&[&id])?);
                    stored.jobs.push(SubmittedJob {
                        stage: stage.name().to_owned(),
                        id,
                    });
                }
            }
        }
        if !found.is_empty() {
            self.scripts.name.clone_from(&stored.name);
            self.submission.name = stored.name;
            self.submission.rounds = stored.rounds;
            self.submission.jobs = stored.jobs;
        }
        Ok(found)
    }

    /// Submits the jobs that are not there, and tells which.
    ///
    /// # Errors
    /// What Slurm refuses, and what the disk refuses. Jobs that were submitted before are kept.
    pub fn submit_missing(&mut self, waiting: &[QueuedTask]) -> Result<Vec<JobStage>> {
        let has = |round: &Self, stage: JobStage| {
            let job = round.submission.job(stage.name());
            job.is_some_and(|id| waiting.iter().any(|task| task.job() == id))
        };
        if has(self, JobStage::Finish) {
            return Ok(Vec::new());
        }
        let stages: Vec<JobStage> = self.stages().collect();
        let mut new = Vec::new();
        write_submission(self.layout, &self.submission)?;
        for stage in stages {
            let is_over = stage == JobStage::Prepare && has(self, JobStage::Workers);
            if is_over || has(self, stage) {
                continue;
            }
            let text = self.scripts.text(stage, self.tasks);
            files::write_atomically(&self.scripts.path(stage), text.as_bytes())?;
            let id = self.sbatch(stage)?;
            let name = stage.name().to_owned();
            self.submission.jobs.retain(|job| job.stage != name);
            self.submission.jobs.push(SubmittedJob { stage: name, id });
            write_submission(self.layout, &self.submission)?;
            new.push(stage);
        }
        Ok(new)
    }

    fn sbatch(&self, stage: JobStage) -> Result<String> {
        let job = |stage: JobStage| self.submission.job(stage.name()).map(str::to_owned);
        let said = match slurm::sbatch(&self.call(stage, &job)) {
            Ok(id) => return Ok(id),
            Err(SubmitError::NoSlurm) => return Err(no_slurm()),
            Err(SubmitError::Refused(said)) => said,
        };
        // It may have been submitted in spite of the error.
        if let Ok(Some(id)) = slurm::queued_as(&self.scripts.job_name(stage)) {
            return Ok(id);
        }
        let remedy = if said.contains("artition") {
            "sinfo -s lists them"
        } else {
            "the same command again submits what is missing"
        };
        bail!("sbatch: {said}; {remedy}")
    }

    /// Watches the first of the new jobs for some seconds, and takes all back if it fits no node:
    /// `sbatch` accepts what would wait for ever.
    ///
    /// # Errors
    /// Such a job, with Slurm's reason.
    pub fn refuse_what_waits_for_ever(&mut self, new: &[JobStage]) -> Result<()> {
        let Some(first) = new
            .first()
            .and_then(|stage| self.submission.job(stage.name()))
        else {
            return Ok(());
        };
        for _ in 0..WATCHED.1 {
            std::thread::sleep(WATCHED.0);
            // What cannot be seen now is seen by `status`.
            let Ok(tasks) = slurm::queued(&[first]) else {
                return Ok(());
            };
            let Some(task) = tasks.first().filter(|task| task.state == "PENDING") else {
                return Ok(());
            };
            if FITS_NOWHERE.contains(&task.reason.as_str()) {
                let reason = task.reason.clone();
                return self.take_back(&reason);
            }
            if !["", "None", "(null)"].contains(&task.reason.as_str()) {
                return Ok(());
            }
        }
        Ok(())
    }

    fn take_back(&mut self, reason: &str) -> Result<()> {
        slurm::cancel(&self.submission.ids())?;
        self.submission.jobs.clear();
        write_submission(self.layout, &self.submission)?;
        let asked = match &self.submission.arguments[..] {
            [] => "what the site gives by itself".to_owned(),
            arguments => arguments.join(" "),
        };
        bail!("{asked} fits no node ({reason}): the job would wait for ever")
    }
}

fn no_slurm() -> anyhow::Error {
    anyhow!(
        "sbatch is not on this machine; log in to the cluster, or start \"kdpipe run SPEC \
         --worker\" on each machine"
    )
}

/// Without Slurm the missing program is told in the same words, whichever was asked for first.
fn explained(error: anyhow::Error) -> anyhow::Error {
    let is_missing = error
        .downcast_ref::<std::io::Error>()
        .is_some_and(|error| error.kind() == std::io::ErrorKind::NotFound);
    if is_missing { no_slurm() } else { error }
}
