//! One run in a group: a micro-batch, and the end of a step.

use std::collections::BTreeMap;

use dfdx::prelude::*;

use super::job::Job;
use super::phases::{Lap, Phases};
use super::rate::learning_rate;
use super::state::{Best, TrainState, parameters, parameters_mut};
use crate::distill::{CriticReadings, Lesson, Moment};
use crate::model::{Gpt2, HiddenStates, decays, validation_nll};
use crate::ops::{AdamW, Ops, Precision, adamw, add_assign, sum_of_squares};
use crate::plan::run::{HiddenState, Keep};

/// Nats per token, as a multiple of those of guessing, beyond which a model does not come back.
const HOPELESS: f64 = 10.0;

/// Values of a step by name: `loss`, `term.<name>`, `weight.<name>`, …
pub type Values = BTreeMap<String, f64>;

/// Makes the files of a checkpoint: names and bytes.
pub type CheckpointFiles<'a> = &'a dyn Fn() -> anyhow::Result<Vec<(String, Vec<u8>)>>;

/// Where a member's rows and checkpoints go.
pub trait Sink: Send {
    /// The values of step `step` (from 0), which took `seconds`.
    ///
    /// # Errors
    /// Rows that cannot be kept; the member then leaves its group.
    fn row(&mut self, step: u64, values: &Values, seconds: f64) -> anyhow::Result<()>;

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
    step: Option<StepInProgress>,
}

/// What a step has gathered so far.
struct StepInProgress {
    moment: Moment,
    /// By parameter: the sum over micro-batches.
    gradients: Vec<Vec<f32>>,
    /// Sums over micro-batches of every term.
    terms: Values,
    readings: CriticReadings,
}

/// A micro-batch as a member sees it.
pub(super) struct Micro<'a, D: Ops> {
    pub index: usize,
    pub inputs: &'a [u32],
    pub targets: &'a [u32],
    pub teacher: Option<Lesson<'a, D>>,
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

    /// Starts the step that the state is at, in `epoch` of the data.
    pub(super) fn begin(&mut self, epoch: u64) {
        let moment = self.job.objective.at(self.state.step, epoch);
        self.step = Some(StepInProgress {
            moment,
            gradients: Vec::new(),
            terms: Values::new(),
            readings: CriticReadings::new(),
        });
    }

    /// The teacher's states that this step compares.
    pub(super) fn teacher_states(&self) -> impl Iterator<Item = HiddenState> {
        self.step
            .iter()
            .flat_map(|step| step.moment.pairs.iter().map(|&(_, teacher)| teacher))
    }

    /// Forward, critics (on the first micro-batch), objective, backward; gradients are added up.
    pub(super) fn micro(&mut self, micro: &Micro<D>) {
        let Some(step) = &mut self.step else { return };
        let (job, state) = (&self.job, &mut self.state);
        let share = 1.0 / job.train.accumulate as f64;
        let keep: Vec<HiddenState> = step.moment.pairs.iter().map(|&(own, _)| own).collect();

        let mut lap = Lap::start();
        let mut states =
            state
                .student
                .forward(OwnedTape::default(), micro.inputs, job.train.context, &keep);
        self.phases.forward += lap.seconds();
        if let (
            0,
            Some(Lesson {
                states: teacher, ..
            }),
            false,
        ) = (
            micro.index,
            micro.teacher,
            state.auxiliary.critics.is_empty(),
        ) {
            let (last, tape) = states.last.split_tape();
            let detached = HiddenStates {
                kept: states.kept.clone(),
                last: last.clone(),
            };
            step.readings = job.objective.update_critics(
                &step.moment,
                &detached,
                teacher,
                &mut state.auxiliary,
            );
            states.last = last.put_tape(tape);
        }
        self.phases.critic += lap.seconds();

        let factor = |(name, weight): (&String, &f64)| {
            (
                name.clone(),
                weight * state.balance.get(name).unwrap_or(&1.0) * share,
            )
        };
        let factors = step.moment.weights.iter().map(factor).collect();
        let head = state.student.head();
        let (loss, terms) = job.objective.losses(
            &step.moment,
            &factors,
            states,
            head,
            micro.targets,
            micro.teacher,
            &state.auxiliary,
        );
        for (name, value) in terms {
            *step.terms.entry(name).or_insert(0.0) += value * share;
        }

        self.phases.losses += lap.seconds();
        let mut gradients = loss.backward();
        let all = parameters(&state.student, &state.auxiliary);
        if step.gradients.is_empty() {
            step.gradients = vec![Vec::new(); all.len()];
        }
        for (sum, (_, parameter)) in step.gradients.iter_mut().zip(all) {
            let gradient = D::take_gradient(&mut gradients, parameter);
            if sum.is_empty() {
                *sum = gradient;
            } else {
                add_assign(sum, &gradient);
            }
        }
        self.phases.backward += lap.seconds();
    }

    /// Clipping and AdamW; the row of the step. Returns it, unless the run diverged.
    pub(super) fn update(&mut self) -> Option<Values> {
        let mut lap = Lap::start();
        let step = self.step.take()?;
        let number = self.state.step;
        let norm = step
            .gradients
            .iter()
            .map(|gradient| sum_of_squares(gradient))
            .sum::<f64>()
            .sqrt();
        if let Some(reason) = self.divergence(&step, norm) {
            self.outcome = Some(TrainOutcome::Diverged {
                step: number,
                reason,
            });
            return None;
        }

        let (train, state) = (&self.job.train, &mut self.state);
        let scale = (train.clip / (norm + 1e-6)).min(1.0);
        let lr = learning_rate(&train.lr, number, train.steps);
        let settings = AdamW {
            betas: train.betas,
            eps: train.eps,
        };
        let mut parameters = parameters_mut(&mut state.student, &mut state.auxiliary);
        for (index, (name, parameter)) in parameters.iter_mut().enumerate() {
            let decay = if decays(name) {
                train.weight_decay
            } else {
                0.0
            };
            let (gradient, moments) = (&step.gradients[index], &mut state.moments[index]);
            D::update(parameter, |values| {
                adamw(
                    values,
                    moments,
                    gradient,
                    scale,
                    number + 1,
                    lr,
                    decay,
                    &settings,
                )
            });
        }
        let row = self.row(&step, norm, lr);
        self.state.step += 1;
        self.phases.update += lap.seconds();
        Some(row)
    }

    /// Why a step must not be taken, if so: a number that is not finite, or predictions far worse
    /// than guessing.
    fn divergence(&self, step: &StepInProgress, norm: f64) -> Option<String> {
        if let Some((name, value)) = step.terms.iter().find(|(_, value)| !value.is_finite()) {
            return Some(format!("{} is {value}", term_column(name)));
        }
        let guessing = (self.job.config.vocabulary as f64).ln();
        for (name, term) in &self.job.objective.terms {
            let temperature = step.moment.temperatures.get(name).copied();
            let Some(scale) = term.nats_scale(temperature) else {
                continue;
            };
            let value = step.terms[name];
            if value > HOPELESS * guessing * scale {
                return Some(format!(
                    "{} is {value:.4e}, more than {HOPELESS} times that of guessing",
                    term_column(name)
                ));
            }
        }
        (!norm.is_finite()).then(|| format!("gradient_norm is {norm}"))
    }

    fn row(&self, step: &StepInProgress, norm: f64, lr: f64) -> Values {
        let mut row = Values::from([("lr".to_owned(), lr), ("gradient_norm".to_owned(), norm)]);
        let mut loss = 0.0;
        for (name, weight) in &step.moment.weights {
            loss += weight * self.state.balance.get(name).unwrap_or(&1.0) * step.terms[name];
            row.insert(format!("weight.{name}"), *weight);
        }
        row.insert("loss".to_owned(), loss);
        row.extend(
            step.terms
                .iter()
                .map(|(name, value)| (term_column(name), *value)),
        );
        row.extend(
            step.moment
                .temperatures
                .iter()
                .map(|(name, value)| (format!("temperature.{name}"), *value)),
        );
        row.extend(
            self.state
                .balance
                .iter()
                .map(|(name, factor)| (format!("balance.{name}"), *factor)),
        );
        for ((term, state), reading) in &step.readings {
            row.insert(format!("critic.{term}.{state}.penalty"), reading.penalty);
            row.insert(
                format!("critic.{term}.{state}.gradient_norm"),
                reading.gradient_norm,
            );
        }
        row
    }

    /// Whether validation is due after the step just done: every `evaluate_every` steps, and at the
    /// end.
    fn validation_is_due(&self) -> bool {
        let (done, train) = (self.state.step, &self.job.train);
        done == train.steps
            || (train.evaluate_every > 0 && done.is_multiple_of(train.evaluate_every))
    }

    /// Validation where it is due, the row into the sink, a checkpoint where it is due, the end.
    pub(super) fn finish(
        &mut self,
        mut row: Values,
        validation: &[u32],
        started: std::time::Instant,
    ) {
        let (done, total) = (self.state.step, self.job.train.steps);
        if self.validation_is_due() {
            // As the finished weights are measured.
            let student = self.state.student.with_precision(Precision::F32);
            let nll = validation_nll(&student, validation, self.job.train.context);
            if !nll.is_finite() {
                self.outcome = Some(TrainOutcome::Diverged {
                    step: done - 1,
                    reason: format!("validation.nll is {nll}"),
                });
                return;
            }
            if done == total && !self.is_finite() {
                self.outcome = Some(TrainOutcome::Diverged {
                    step: done - 1,
                    reason: "a weight is not finite".to_owned(),
                });
                return;
            }
            row.insert("validation.nll".to_owned(), nll);
            let better = self
                .state
                .best
                .as_ref()
                .is_none_or(|best| nll < best.validation_nll);
            if self.job.train.keep == Keep::Best && better {
                self.state.best = Some(Best {
                    step: done,
                    validation_nll: nll,
                    weights: self.state.student.to_weights(),
                });
            }
        }
        let kept = self
            .sink
            .row(done - 1, &row, started.elapsed().as_secs_f64());
        let every = self.job.train.checkpoint_every;
        let kept = kept.and_then(|()| {
            if done == total || (every > 0 && done.is_multiple_of(every)) {
                self.save()
            } else {
                Ok(())
            }
        });
        match kept {
            Err(error) => self.outcome = Some(TrainOutcome::Failed(error)),
            Ok(()) if done == total => self.outcome = Some(TrainOutcome::Finished),
            Ok(()) => {}
        }
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
            .all(|(_, parameter)| {
                D::with_values(parameter, |values| values.iter().all(|x| x.is_finite()))
            })
    }

    /// The model being trained.
    pub fn student(&self) -> &Gpt2<D> {
        &self.state.student
    }
}

/// The column of a value that the objective returns under `name`.
fn term_column(name: &str) -> String {
    if name.starts_with("critic.") {
        name.to_owned()
    } else {
        format!("term.{name}")
    }
}
