//! From the training loop to the disk: rows go to the attempt's journals, states to its
//! checkpoints.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};

use super::event_files::without_events;
use crate::record::evaluation::MetricValues;
use crate::record::{About, Attempt};
use crate::recorded::SECONDS;
use crate::tensorboard::{EventFile, EventRow};
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

    /// The sink of a member, whose rows go to an event file, too.
    pub fn sink(&self, about: About, events: Option<EventFile>) -> Box<dyn Sink> {
        Box::new(AttemptSink {
            attempt: self.clone(),
            about,
            events,
        })
    }
}

struct AttemptSink {
    attempt: SharedAttempt,
    about: About,
    events: Option<EventFile>,
}

impl AttemptSink {
    /// The run goes on without an event file that cannot be written.
    fn add_event(&mut self, step: u64, values: &MetricValues, seconds: f64) {
        let Some(events) = &mut self.events else {
            return;
        };
        let added = events.add(&EventRow {
            step,
            seconds: Some(seconds),
            values: values.clone(),
        });
        if let Err(error) = added {
            self.events = None;
            let note = without_events(&error);
            self.attempt.with(|attempt| attempt.notes.push(note));
        }
    }
}

impl Sink for AttemptSink {
    fn row(&mut self, step: u64, values: &MetricValues, seconds: f64) -> Result<()> {
        self.attempt.with(|attempt| {
            attempt.metrics.append(step, values)?;
            attempt
                .timings
                .append(step, &MetricValues::from([(SECONDS.to_owned(), seconds)]))
        })?;
        self.add_event(step, values, seconds);
        Ok(())
    }

    fn checkpoint(&mut self, step: u64, files: CheckpointFiles) -> Result<()> {
        let files = files()?;
        self.attempt
            .with(|attempt| attempt.save_checkpoint(step, &files, &self.about))
    }
}
