//! One run in a group: what it is, and what follows a step of it (`step.rs`): validation, its row,
//! a checkpoint.

use std::time::Instant;

use super::job::Job;
use super::phases::Phases;
use super::state::{Best, TrainState, parameters};
use super::step_sums::StepInProgress;
use crate::distill::NamedValues;
use crate::model::{Gpt2, validation_nll};
use crate::ops::{Ops, Precision};
use crate::panics::panic_as_defect;
use crate::plan::run::Keep;
use crate::recorded::VALIDATION_NLL;

/// Makes the files of a checkpoint: names and bytes.
pub type CheckpointFiles<'a> = &'a dyn Fn() -> anyhow::Result<Vec<(String, Vec<u8>)>>;

/// Where a member's rows and checkpoints go.
pub trait Sink: Send {
    /// The values of step `step` (from 0), which took `seconds`.
    ///
    /// # Errors
    /// Rows that cannot be kept; the member then leaves its group.
    fn row(&mut self, step: u64, values: &NamedValues, seconds: f64) -> anyhow::Result<()>;

    /// The state after `step` steps; `files` makes the checkpoint's, which takes memory.
    ///
    /// # Errors
    /// A checkpoint that cannot be kept; the member then leaves its group.
    fn checkpoint(&mut self, step: u64, files: CheckpointFiles) -> anyhow::Result<()>;
}

/// How a member left the loop.
#[derive(Debug)]
pub enum TrainOutcome {
    Finished,
    /// A number at `step` that is not finite, or as bad as one; deterministic, so not worth another
    /// try.
    Diverged {
        step: u64,
        reason: String,
    },
    /// Stopped by the user, with everything saved.
    Interrupted,
    /// Something outside the run: its rows or checkpoints could not be kept.
    Failed(anyhow::Error),
}

/// A run, its state, and where its rows go.
pub struct Member<D: Ops> {
    pub job: Job,
    pub state: TrainState<D>,
    pub sink: Box<dyn Sink>,
    /// `None` while it trains.
    pub outcome: Option<TrainOutcome>,
    /// Of the steps since this process began.
    pub phases: Phases,
    pub(super) step: Option<StepInProgress<D>>,
}

impl<D: Ops> Member<D> {
    pub fn new(job: Job, state: TrainState<D>, sink: Box<dyn Sink>) -> Self {
        let outcome = (state.step >= job.train.steps).then_some(TrainOutcome::Finished);
        Self {
            job,
            state,
            sink,
            outcome,
            phases: Phases::default(),
            step: None,
        }
    }

    pub fn is_active(&self) -> bool {
        self.outcome.is_none()
    }

    /// Whether it trains, and so many steps are done.
    pub(super) fn is_at(&self, step: u64) -> bool {
        self.is_active() && self.state.step == step
    }

    /// Whether validation is due after the step just done: every `evaluate_every` steps, and at the
    /// end.
    fn validation_is_due(&self) -> bool {
        let (done, train) = (self.state.step, &self.job.train);
        done == train.steps
            || train
                .evaluate_every
                .is_some_and(|every| every > 0 && done.is_multiple_of(every))
    }

    /// Validation where it is due, the row into the sink, a checkpoint where it is due, the end.
    pub(super) fn finish_step(
        &mut self,
        mut row: NamedValues,
        validation: &[u32],
        started: Instant,
    ) {
        let (done, total) = (self.state.step, self.job.train.steps);
        if self.validation_is_due() {
            match self.validate(validation) {
                Ok(nll) => drop(row.insert(VALIDATION_NLL.to_owned(), nll)),
                Err(reason) => {
                    let step = done - 1;
                    self.outcome = Some(TrainOutcome::Diverged { step, reason });
                    return;
                }
            }
        }
        let every = self.job.train.checkpoint_every;
        let save_is_due = done == total || (every > 0 && done.is_multiple_of(every));
        let seconds = started.elapsed().as_secs_f64();
        let mut kept = self.sink.row(done - 1, &row, seconds);
        if kept.is_ok() && save_is_due {
            kept = self.save();
        }
        match kept {
            Err(error) => self.outcome = Some(TrainOutcome::Failed(error)),
            Ok(()) if done == total => self.outcome = Some(TrainOutcome::Finished),
            Ok(()) => {}
        }
    }

    /// The loss on the tokens, in nats each, measured as the finished weights will be. The best
    /// weights are kept where the job asks for them.
    ///
    /// # Errors
    /// Why the run diverged, if it did.
    fn validate(&mut self, validation: &[u32]) -> Result<f64, String> {
        let student = self.state.student.with_precision(Precision::F32);
        let nll = validation_nll(&student, validation, self.job.train.context);
        if !nll.is_finite() {
            return Err(format!("{VALIDATION_NLL} is {nll}"));
        }
        let step = self.state.step;
        if step == self.job.train.steps && !self.is_finite() {
            return Err("a weight is not finite".to_owned());
        }
        let best = self.state.best.as_ref();
        let is_better = best.is_none_or(|best| nll < best.validation_nll);
        match self.job.train.keep {
            Keep::Best if is_better => {
                self.state.best = Some(Best {
                    step,
                    validation_nll: nll,
                    weights: self.state.student.to_weights(),
                });
            }
            Keep::Best | Keep::Last => {}
        }
        Ok(nll)
    }

    /// Saves and leaves the loop, as the user asked.
    pub(super) fn interrupt(&mut self) {
        let saved = if self.state.step == 0 {
            Ok(())
        } else {
            self.save()
        };
        self.outcome = Some(match saved {
            Ok(()) => TrainOutcome::Interrupted,
            Err(error) => TrainOutcome::Failed(error),
        });
    }

    fn save(&mut self) -> anyhow::Result<()> {
        // The next step finds these to have diverged, and whoever looks for the last good state
        // finds the one before.
        if !self.is_finite() {
            return Ok(());
        }
        self.sink
            .checkpoint(self.state.step, &|| self.state.to_files())
    }

    /// Whether every weight is a number.
    fn is_finite(&self) -> bool {
        parameters(&self.state.student, &self.state.auxiliary)
            .iter()
            .all(|(_, parameter)| D::is_finite(parameter))
    }

    /// The model being trained.
    pub fn student(&self) -> &Gpt2<D> {
        &self.state.student
    }
}

/// Does a member's part of the work, unless it has left the group. If it panics it leaves, and the
/// others go on.
pub(super) fn guarded<D: Ops>(member: &mut Member<D>, work: impl FnOnce(&mut Member<D>)) {
    if member.is_active()
        && let Err(error) = panic_as_defect(|| {
            work(member);
            Ok(())
        })
    {
        member.outcome = Some(TrainOutcome::Failed(error));
    }
}
