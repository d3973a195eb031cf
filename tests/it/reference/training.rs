//! Ten steps of whole trainings, step by step against PyTorch: AdamW with its decay groups, warm-up
//! and cosine, clipping over student and projections, accumulation, and every kind of term.
//! Rounding grows through the steps, most in the weights: PyTorch's own f32 ends within 1e-5 of
//! float64 there, and within 1e-6 in the values of a step.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use kdpipe::data::Order;
use kdpipe::distill::NamedValues;
use kdpipe::distill::Objective;
use kdpipe::model::{Array, Config, Gpt2, Weights};
use kdpipe::ops::tape;
use kdpipe::ops::{Cpu, CriticState};
use kdpipe::plan::run::{BalanceSpec, Matching, Term, TrainSpec};
use kdpipe::random::Seed;
use kdpipe::train::{
    CheckpointFiles, Control, Corpus, Job, Member, Sink, TrainOutcome, TrainState, train,
};

use super::arrays::{Reference, assert_close, list};

/// For the values of a step, relative to the largest of the ten.
const TOLERANCE_OF_VALUES: f64 = 1e-5;
/// For the weights after the last step, relative to the largest of an array.
const TOLERANCE_OF_WEIGHTS: f64 = 5e-5;

/// One training: what goes in, and what PyTorch got.
struct TrainingCase {
    seed: u64,
    config: Config,
    /// Of the model that is trained.
    weights: Weights,
    teacher: (Config, Weights),
    /// The terms by name; none but `lm` where a teacher is trained.
    terms: BTreeMap<String, Term>,
    matching: Matching,
    train: TrainSpec,
    /// The training split, whose windows are used in their natural order.
    stream: Vec<u32>,
    /// Initial projections (`projection.<term>.<state>.weight`, …) and critics
    /// (`critic.<term>.<state>.layers.0.weight`, …).
    initial: BTreeMap<String, Array>,
    /// Ten values of every column: `loss`, `lr`, `gradient_norm`, `term.<name>`,
    /// `critic.<term>.<state>.estimate`, …
    rows: BTreeMap<String, Vec<f64>>,
    /// What was trained, after the last step, under the names of the weights and of `initial`.
    /// Biases of `c_attn` are without the part of the keys: its gradient is zero, so what Adam
    /// makes of its rounding says nothing.
    end: BTreeMap<String, Array>,
}

impl TrainingCase {
    /// Reads `training-NAME`.
    fn read(name: &str) -> Self {
        let reference = Reference::read(&format!("training-{name}"));
        let setting = |key: &str| reference.numbers[key].clone();
        let (config, weights) = Reference::read(setting("model").as_str().unwrap()).model();
        Self {
            seed: setting("seed").as_u64().unwrap(),
            config,
            weights,
            teacher: Reference::read("teacher").model(),
            terms: serde_json::from_value(setting("loss")).unwrap(),
            matching: serde_json::from_value(setting("match")).unwrap(),
            train: serde_json::from_value(setting("train")).unwrap(),
            stream: reference.tokens("stream").to_vec(),
            initial: reference.arrays_under("initial."),
            rows: setting("rows")
                .as_object()
                .unwrap()
                .iter()
                .map(|(column, values)| (column.clone(), list(values)))
                .collect(),
            end: reference.arrays_under("final."),
        }
    }

    fn distillation(&self) -> Job {
        let objective = Objective {
            terms: self.terms.clone(),
            matching: self.matching.clone(),
            student_layers: self.config.layers,
            teacher_layers: self.teacher.0.layers,
            seed: Seed::Run(self.seed),
            total_steps: self.train.steps,
        };
        Job {
            seed: Seed::Run(self.seed),
            config: self.config.clone(),
            objective,
            balance: BalanceSpec::None,
            train: self.train.clone(),
        }
    }

    /// The state before the first step, with the reference's projections and critics.
    fn state(&self, job: &Job) -> TrainState<Cpu> {
        let mut state =
            TrainState::new(&Cpu::default(), job, Some(&self.teacher.0), &self.weights).unwrap();
        for (name, parameter) in state.auxiliary.parameters_mut() {
            tape::write(parameter, &self.initial[&name].values);
        }
        for ((term, own), critic) in &mut state.auxiliary.critics {
            let mut arrays = critic.state();
            for (name, _, values) in arrays
                .iter_mut()
                .filter(|(name, _, _)| !name.starts_with("adam."))
            {
                values.clone_from(&self.initial[&format!("critic.{term}.{own}.{name}")].values);
            }
            critic.restore(&arrays).unwrap();
        }
        state
    }

    /// Trains, and compares every step and the end.
    fn check(&self, what: &str, job: Job) {
        let rows = Arc::new(Mutex::new(Vec::new()));
        let state = self.state(&job);
        let member = Member::new(job, state, Box::new(RowLog(rows.clone())));
        let teacher =
            Gpt2::from_weights(&Cpu::default(), &self.teacher.0, &self.teacher.1).unwrap();
        let order = Order::new(
            self.stream.len(),
            self.train.context,
            Seed::Run(self.seed),
            self.train.shuffle,
        )
        .unwrap();
        let corpus = Corpus {
            train: &self.stream,
            validation: &self.stream,
            order: &order,
        };
        let mut members = [member];
        train(
            &mut members,
            Some(&teacher),
            corpus,
            &Control {
                stop: &AtomicBool::new(false),
                progress: &|_| {},
            },
        );
        let [member] = members;
        assert!(
            matches!(member.outcome, Some(TrainOutcome::Finished)),
            "{what}: {:?}",
            member.outcome
        );

        let rows = rows.lock().unwrap();
        for (column, expected) in &self.rows {
            let found: Vec<f64> = rows.iter().map(|row: &NamedValues| row[column]).collect();
            assert_close(
                &format!("{what}: {column}"),
                &found,
                expected,
                TOLERANCE_OF_VALUES,
            );
        }
        for (name, values) in trained(&member.state) {
            assert_close(
                &format!("{what}: {name} at the end"),
                &values,
                &self.end[&name].values,
                TOLERANCE_OF_WEIGHTS,
            );
        }
        assert_eq!(
            trained(&member.state).len(),
            self.end.len(),
            "{what}: every array is compared"
        );
    }
}

/// Everything that was trained, by name, without the biases of keys.
fn trained(state: &TrainState<Cpu>) -> Vec<(String, Vec<f32>)> {
    let mut all: Vec<(String, Vec<f32>)> = state
        .student
        .to_weights()
        .arrays
        .into_iter()
        .map(|(name, array)| (name, array.values))
        .collect();
    all.extend(
        state
            .auxiliary
            .parameters()
            .into_iter()
            .map(|(name, parameter)| (name, tape::read(parameter))),
    );
    for ((term, own), critic) in &state.auxiliary.critics {
        all.extend(
            critic
                .parameters()
                .into_iter()
                .map(|(name, _, values)| (format!("critic.{term}.{own}.{name}"), values)),
        );
    }
    for (name, values) in &mut all {
        if name.ends_with("c_attn.bias") {
            let width = values.len() / 3;
            values.drain(width..2 * width);
        }
    }
    all
}

/// Keeps the rows of a run.
struct RowLog(Arc<Mutex<Vec<NamedValues>>>);

impl Sink for RowLog {
    fn row(&mut self, _: u64, values: &NamedValues, _: f64) -> anyhow::Result<()> {
        self.0.lock().unwrap().push(values.clone());
        Ok(())
    }

    fn checkpoint(&mut self, _: u64, _: CheckpointFiles) -> anyhow::Result<()> {
        Ok(())
    }
}

#[test]
fn ten_steps_of_language_modelling_are_those_of_pytorch() {
    let case = TrainingCase::read("lm");
    case.check(
        "lm",
        Job::language_model(case.config.clone(), Seed::Run(case.seed), &case.train),
    );
}

#[test]
fn ten_steps_with_mse_of_projected_states_are_those_of_pytorch() {
    let case = TrainingCase::read("mse");
    case.check("mse", case.distillation());
}

#[test]
fn ten_steps_with_cosines_of_standardised_states_are_those_of_pytorch() {
    let case = TrainingCase::read("cosine");
    case.check("cosine", case.distillation());
}

#[test]
fn ten_steps_with_critics_are_those_of_pytorch() {
    let case = TrainingCase::read("critic");
    case.check("critic", case.distillation());
}
