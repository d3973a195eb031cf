//! A step of one member: its micro-batches, then the update of its parameters.

use super::member::{Member, TrainOutcome};
use super::micro_batch::MicroBatch;
use super::phases::Lap;
use super::rate::learning_rate;
use super::state::{parameters, parameters_mut};
use super::step_sums::{StepFindings, StepInProgress};
use super::term_gradients::TermGradients;
use crate::distill::{CriticReadings, NamedValues, StepSettings};
use crate::model::{ToKeep, decays};
use crate::ops::{AdamW, Ops, OwnedTape};
use crate::recorded;

/// Nats per token, as a multiple of those of guessing, beyond which a model does not come back.
const HOPELESS: f64 = 10.0;

impl<D: Ops> Member<D> {
    /// Starts the step that the state is at, in `epoch` of the data.
    pub(super) fn begin_step(&mut self, epoch: u64) {
        let settings = self.job.objective.at(self.state.step, epoch);
        self.step = Some(StepInProgress {
            settings,
            gradients: Vec::new(),
            terms: Vec::new(),
            readings: CriticReadings::<D>::new(),
            by_term: None,
            squares: Vec::new(),
            findings: None,
        });
    }

    /// What this step compares of the teacher's.
    pub(super) fn kept_of_teacher(&self) -> Option<ToKeep> {
        let step = self.step.as_ref()?;
        Some(self.job.objective.kept_of_teacher(&step.settings))
    }

    /// Forward, critics (on the first micro-batch), objective, backward; gradients are added up.
    pub(super) fn add_micro_batch(&mut self, micro: &MicroBatch<D>) {
        let Some(step) = &mut self.step else { return };
        let (job, state) = (&self.job, &mut self.state);
        let share = 1.0 / job.train.accumulate as f64;
        let keep = job.objective.kept_of_student(&step.settings);

        let mut lap = Lap::start();
        let (context, tape) = (job.train.context, OwnedTape::default());
        let mut states = state
            .student
            .forward_keeping(tape, micro.inputs, context, &keep);
        self.phases.forward += lap.seconds();

        let has_critics = !state.auxiliary.critics.is_empty();
        if let Some(teacher) = micro.teacher.filter(|_| micro.index == 0 && has_critics) {
            let (objective, auxiliary) = (&job.objective, &mut state.auxiliary);
            states = step.update_critics(objective, states, teacher.states, auxiliary);
        }
        self.phases.critic += lap.seconds();

        let (loss, terms) = job.objective.losses(
            &step.settings,
            &step.factors(&state.balance, share),
            states,
            state.student.reader(),
            micro.targets,
            micro.teacher,
            &state.auxiliary,
        );
        step.terms.push(terms);
        self.phases.losses += lap.seconds();

        let gradients = loss.backward();
        step.add_gradients(gradients, parameters(&state.student, &state.auxiliary));
        if micro.index == 0 && job.measures_gradients(state.step) {
            let factors = step.factors(&state.balance, share);
            let (summed, how) = (&step.gradients, (&step.settings, factors, share));
            step.by_term = Some(TermGradients::measure(job, state, how, summed, micro));
        }
        self.phases.backward += lap.seconds();
    }

    /// Asks for what the step has found.
    pub(super) fn ask(&mut self) {
        let mut lap = Lap::start();
        if let Some(step) = &mut self.step {
            step.ask();
        }
        self.phases.update += lap.seconds();
    }

    /// Waits for it. All members ask before any waits, and wait before any takes its step, so that
    /// a device has everything that it is asked for by then.
    pub(super) fn wait(&mut self) {
        let mut lap = Lap::start();
        if let Some(step) = &mut self.step {
            step.wait();
        }
        self.phases.update += lap.seconds();
    }

    /// Clipping and AdamW; the row of the step. Returns it, unless the run diverged.
    pub(super) fn take_step(&mut self) -> Option<NamedValues> {
        let mut lap = Lap::start();
        let StepInProgress {
            settings,
            gradients,
            findings,
            ..
        } = self.step.take()?;
        let (found, number) = (findings?, self.state.step);
        if let Some(reason) = self.divergence(&settings, &found) {
            self.outcome = Some(TrainOutcome::Diverged {
                step: number,
                reason,
            });
            return None;
        }

        let lr = learning_rate(&self.job.train.lr, number, self.job.train.steps);
        self.update_parameters(&gradients, found.norm, lr);
        let row = self.row(&settings, &found, lr);
        let matching = &self.job.objective.matching;
        self.state.auxiliary.follow_costs(matching, &found.terms);
        self.state.step += 1;
        self.phases.update += lap.seconds();
        Some(row)
    }

    /// AdamW on every parameter, with the gradients scaled to the norm that they may have.
    fn update_parameters(&mut self, gradients: &[D::Gradient], norm: f64, lr: f64) {
        let (train, state) = (&self.job.train, &mut self.state);
        let scale = (train.clip / (norm + 1e-6)).min(1.0);
        let settings = AdamW {
            betas: train.betas,
            eps: train.eps,
        };
        let count = state.step + 1;
        let parameters = parameters_mut(&mut state.student, &mut state.auxiliary);
        let moments = state.moments.iter_mut().zip(gradients);
        for ((name, parameter), (moments, gradient)) in parameters.into_iter().zip(moments) {
            let decay = if decays(&name) {
                train.weight_decay
            } else {
                0.0
            };
            let step = settings.step(scale, count, lr, decay);
            D::adamw(parameter, moments, gradient, &step);
        }
    }

    /// Why a step must not be taken, if so: a number that is not finite, or predictions far worse
    /// than guessing.
    fn divergence(&self, settings: &StepSettings, found: &StepFindings) -> Option<String> {
        let norm = found.norm;
        if let Some((name, value)) = found.terms.iter().find(|(_, value)| !value.is_finite()) {
            return Some(format!("{} is {value}", term_column(name)));
        }
        let guessing = (self.job.config.vocabulary as f64).ln();
        for (name, term) in &self.job.objective.terms {
            let temperature = settings.temperatures.get(name).copied();
            let Some(scale) = term.nats_scale(temperature) else {
                continue;
            };
            let value = found.terms[name];
            if value > HOPELESS * guessing * scale {
                return Some(format!(
                    "{} is {value:.4e}, more than {HOPELESS} times that of guessing",
                    term_column(name)
                ));
            }
        }
        (!norm.is_finite()).then(|| format!("gradient_norm is {norm}"))
    }

    fn row(&self, settings: &StepSettings, found: &StepFindings, lr: f64) -> NamedValues {
        let mut row = NamedValues::from([
            (recorded::LEARNING_RATE.to_owned(), lr),
            (recorded::GRADIENT_NORM.to_owned(), found.norm),
        ]);
        let mut loss = 0.0;
        for (name, weight) in &settings.weights {
            loss += weight * self.state.balance.get(name).unwrap_or(&1.0) * found.terms[name];
            row.insert(recorded::weight(name), *weight);
        }
        row.insert(recorded::LOSS.to_owned(), loss);
        row.extend(
            found
                .terms
                .iter()
                .map(|(name, value)| (term_column(name), *value)),
        );
        row.extend(
            settings
                .temperatures
                .iter()
                .map(|(name, value)| (recorded::temperature(name), *value)),
        );
        row.extend(
            self.state
                .balance
                .iter()
                .map(|(name, factor)| (recorded::balance(name), *factor)),
        );
        let gradients = found.gradients.iter();
        row.extend(gradients.map(|(name, norm)| (recorded::gradient(name), *norm)));
        let cosines = found.cosines.iter();
        row.extend(cosines.map(|(name, cosine)| (recorded::cosine(name), *cosine)));
        for ((term, state), [penalty, gradient_norm]) in &found.critics {
            let column = |value| recorded::critic(term, &state.to_string(), value);
            row.insert(column(recorded::PENALTY), *penalty);
            row.insert(column(recorded::CRITIC_GRADIENT_NORM), *gradient_norm);
        }
        row
    }
}

/// The column of a value that the objective returns under `name`.
fn term_column(name: &str) -> String {
    if recorded::critic_of(name).is_some() || recorded::is_of_a_map(name) {
        name.to_owned()
    } else {
        recorded::term(name)
    }
}
