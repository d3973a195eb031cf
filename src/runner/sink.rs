//! From the training loop to the disk: rows go to the attempt's journals, states to its
//! checkpoints.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};

use crate::record::evaluation::MetricValues;
use crate::record::{About, Attempt};
use crate::train::{CheckpointFiles, Sink};

/// An attempt that its member's sink writes to, and that whoever finishes the run takes back.
#[derive(Debug, Clone)]
pub(super) struct SharedAttempt(Arc<Mutex<Box<Attempt>>>);

impl SharedAttempt {
    pub fn new(attempt: Box<Attempt>) -> Self {
        Self(Arc::new(Mutex::new(attempt)))
    }

    /// The attempt, once its sink is gone.
    ///
    /// # Errors
    /// A sink that still lives.
    pub fn take(self) -> Result<Box<Attempt>> {
        let mutex = Arc::try_unwrap(self.0)
            .ok()
            .context("the attempt is still written to")?;
        Ok(mutex.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    pub fn with<R>(&self, work: impl FnOnce(&mut Attempt) -> R) -> R {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The sink of a member.
    pub fn sink(&self, about: About) -> Box<dyn Sink> {
        Box::new(AttemptSink {
            attempt: self.clone(),
            about,
        })
    }
}

struct AttemptSink {
    attempt: SharedAttempt,
    about: About,
}

impl Sink for AttemptSink {
    fn row(&mut self, step: u64, values: &MetricValues, seconds: f64) -> Result<()> {
        self.attempt.with(|attempt| {
            attempt.metrics.append(step, values)?;
            attempt
                .timings
                .append(step, &MetricValues::from([("seconds".to_owned(), seconds)]))
        })
    }

    fn checkpoint(&mut self, step: u64, files: CheckpointFiles) -> Result<()> {
        let files = files()?;
        self.attempt
            .with(|attempt| attempt.save_checkpoint(step, &files, &self.about))
    }
}
