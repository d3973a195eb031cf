//! Training steps on a run's shapes, with random weights and tokens: no data, no download, nothing
//! written.

use std::sync::Mutex;
use std::sync::atomic::AtomicBool;

use anyhow::{Context, Result, bail};
use serde::Serialize;

use super::bench_use::{Use, measure_use, plain_peak};
use super::device::{DeviceWork, on_device};
use super::student::student_config;
use crate::data::{Order, Tokenizer};
use crate::distill::NamedValues;
use crate::eval::distillation;
use crate::hub::{Hub, Repo};
use crate::model::{Config, Gpt2, Weights};
use crate::ops::Ops;
use crate::plan::run::{self, BalanceSpec, RunSpec, TeacherSpec, Term};
use crate::random::{Purpose, Seed, Stream};
use crate::train::{
    CheckpointFiles, Control, Corpus, Job, Member, Phases, Sink, TrainState, of_products, train,
};

/// A distillation step of medium size, as a resolved run.
pub const BENCH_RUN: &str = include_str!("bench.toml");

/// Steps before those that count: threads start, memory is fresh.
const WARM_UP: u64 = 2;

/// What was measured.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Measured {
    /// The median step's.
    pub tokens_per_second: f64,
    /// Of the median step.
    pub seconds_per_step: f64,
    pub fastest_step: f64,
    pub slowest_step: f64,
    /// Counted operations of a step over its seconds, in units of 10⁹ a second.
    pub gflops: f64,
    /// The best of a plain product of large matrices in the same process, in the precision of the
    /// run.
    pub matmul_peak_gflops: f64,
    /// The most memory that the process held.
    pub peak_rss_bytes: Option<u64>,
    /// Of a card: its model, driver and libraries.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hardware: Option<String>,
    /// The most memory that was in use on a card, beside what driver and libraries take.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peak_card_bytes: Option<u64>,
    /// Seconds and operations of a mean step of one run, part by part; runs that advance together
    /// do their parts side by side, and a card does them after they were asked for, so theirs are
    /// not shown.
    pub phases: Vec<Phase>,
    #[serde(rename = "use")]
    pub of_use: Use,
    pub steps: u64,
    /// Runs that advanced together.
    pub runs: usize,
    pub batch: usize,
    pub accumulate: usize,
    pub context: usize,
    pub threads: usize,
    pub student_parameters: u64,
    pub teacher_parameters: u64,
}

/// A part of a step.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Phase {
    pub name: &'static str,
    pub seconds: f64,
    pub gflops: f64,
}

/// A teacher that has learned nothing, which takes as long as one that has.
fn random_teacher<D: Ops>(device: &D, config: &Config) -> Result<Gpt2<D>> {
    let weights = Weights::random(config, Seed::Teacher(1));
    Gpt2::from_weights(device, config, &weights)
}

/// Measures `steps` training steps of a run, or of so many equal `runs` that share their batches
/// and their teacher's forward pass as the arms of a seed do.
///
/// # Errors
/// Shapes that are not known without a download, or do not fit together.
pub fn bench(spec: &RunSpec, steps: u64, runs: usize, hub: &Hub) -> Result<Measured> {
    let work = BenchWork {
        spec,
        steps,
        runs,
        hub,
    };
    on_device(spec.train.device, work)?
}

struct BenchWork<'a> {
    spec: &'a RunSpec,
    steps: u64,
    runs: usize,
    hub: &'a Hub<'a>,
}

impl DeviceWork for BenchWork<'_> {
    type Output = Result<Measured>;

    fn on<D: Ops>(self, device: &D) -> Result<Measured> {
        bench_on(device, self)
    }
}

fn bench_on<D: Ops>(device: &D, work: BenchWork) -> Result<Measured> {
    let (steps, runs) = (work.steps, work.runs);
    let (student, teacher) = shapes(work.spec, work.hub)?;
    let mut spec = work.spec.clone();
    // The balance is measured before training, validation and checkpoints are not steps.
    spec.balance = BalanceSpec::None;
    (spec.train.evaluate_every, spec.train.checkpoint_every) = (None, 0);
    let peak_now = || plain_peak(device, of_products(spec.train.precision));
    let before = peak_now();
    let model =
        random_teacher(device, &teacher)?.with_precision(of_products(spec.teacher.precision()));
    let (mut seconds, phases) = warm_steps(&spec, steps, runs, &student, &model)?;
    let (peak_rss_bytes, peak_card_bytes) = (peak_rss(), device.peak_memory());
    let matmul_peak_gflops = before.max(peak_now());
    seconds.sort_unstable_by(f64::total_cmp);
    let seconds_per_step = seconds[seconds.len() / 2];
    let tokens = (spec.train.batch * spec.train.accumulate * spec.train.context) as f64;
    let all = runs as f64;
    spec.train.steps = 1;
    let cost = distillation(&spec, &student, &teacher);
    let flops = cost.teacher_flops + all * (cost.student_flops + cost.critic_flops);
    let terms = distillation(&without_updates(&spec), &student, &teacher).critic_flops;
    Ok(Measured {
        tokens_per_second: all * tokens / seconds_per_step,
        seconds_per_step,
        fastest_step: seconds[0],
        slowest_step: seconds[seconds.len() - 1],
        gflops: flops / seconds_per_step / 1e9,
        matmul_peak_gflops,
        peak_rss_bytes,
        hardware: device.hardware(),
        peak_card_bytes,
        phases: if runs > 1 || device.hardware().is_some() {
            Vec::new()
        } else {
            parts(
                &phases,
                steps as f64,
                tokens,
                spec.train.context,
                (&student, &teacher),
                (cost.teacher_flops, cost.critic_flops - terms, terms),
            )
        },
        of_use: measure_use(
            &model,
            &text(&spec, teacher.vocabulary, 1024),
            spec.evaluate.context.min(teacher.positions),
        ),
        steps,
        runs,
        batch: spec.train.batch,
        accumulate: spec.train.accumulate,
        context: spec.train.context,
        threads: rayon::current_num_threads(),
        student_parameters: student.parameters(),
        teacher_parameters: teacher.parameters(),
    })
}

/// Shapes of student and teacher, as far as they are known on this machine.
fn shapes(spec: &RunSpec, hub: &Hub) -> Result<(Config, Config)> {
    let vocabulary = match &spec.tokenizer {
        run::TokenizerSpec::Train { vocab_size } => *vocab_size,
        run::TokenizerSpec::Dir { path } => Tokenizer::open(&path.resolve())?.vocabulary(),
        run::TokenizerSpec::Hub { repo, revision } => {
            let snapshot = hub.tokenizer(&Repo::model(repo, revision));
            let snapshot = snapshot.with_context(|| {
                format!(
                    "the vocabulary of {repo} is not known; fetch it by `run`, or set \
                     tokenizer.source and vocab_size"
                )
            })?;
            Tokenizer::open(&snapshot.folder)?.vocabulary()
        }
    };
    let teacher = match &spec.teacher {
        TeacherSpec::Train {
            layers,
            width,
            heads,
            train,
            ..
        } => Config::new(*layers, *width, *heads, vocabulary, train.context),
        TeacherSpec::Dir { path, .. } => Config::read(&path.resolve())?,
        TeacherSpec::Hub { repo, revision, .. } => {
            let snapshot = hub.config(&Repo::model(repo, revision));
            let snapshot = snapshot.with_context(|| {
                format!(
                    "the shape of {repo} is not known; fetch it by `run`, or set teacher.source = \
                     \"train\" with its layers, width and heads"
                )
            })?;
            Config::read(&snapshot.folder)?
        }
    };
    let student = student_config(spec, &teacher)?;
    Ok((student, teacher))
}

/// Nowhere: what is measured is the step.
struct Nowhere;

impl Sink for Nowhere {
    fn row(&mut self, _: u64, _: &NamedValues, _: f64) -> Result<()> {
        Ok(())
    }

    fn checkpoint(&mut self, _: u64, _: CheckpointFiles) -> Result<()> {
        Ok(())
    }
}

/// Random tokens.
fn text(spec: &RunSpec, vocabulary: usize, count: usize) -> Vec<u32> {
    let mut stream = Stream::of(Seed::Run(spec.seed), Purpose::BenchmarkTokens, 0);
    (0..count)
        .map(|_| stream.below(vocabulary as u64) as u32)
        .collect()
}

/// The same as [`run_steps`], behind some that do not count.
fn warm_steps<D: Ops>(
    spec: &RunSpec,
    steps: u64,
    runs: usize,
    student: &Config,
    teacher: &Gpt2<D>,
) -> Result<(Vec<f64>, Phases)> {
    // All runs have one seed, and drawing a large model's weights takes seconds.
    let weights = Weights::random(student, Seed::Run(spec.seed));
    let of_student = (student, &weights);
    run_steps(spec, WARM_UP, runs, of_student, teacher)?;
    run_steps(spec, steps, runs, of_student, teacher)
}

/// Seconds of each step, and of the parts of the first run's in all.
fn run_steps<D: Ops>(
    spec: &RunSpec,
    steps: u64,
    runs: usize,
    (student, weights): (&Config, &Weights),
    teacher: &Gpt2<D>,
) -> Result<(Vec<f64>, Phases)> {
    let mut spec = spec.clone();
    spec.train.steps = steps;
    let job = Job::distillation(&spec, student.clone(), &teacher.config);
    let one = || {
        let state = TrainState::new(teacher.device(), &job, Some(&teacher.config), weights)?;
        Ok(Member::new(job.clone(), state, Box::new(Nowhere)))
    };
    let mut members: Vec<Member<D>> = (0..runs).map(|_| one()).collect::<Result<_>>()?;
    let context = spec.train.context;
    let tokens = text(
        &spec,
        student.vocabulary,
        spec.train.batch * spec.train.accumulate * context + 1,
    );
    let validation = &tokens[..(context + 1).min(tokens.len())];
    let order = Order::new(tokens.len(), context, Seed::Run(spec.seed), false)?;
    let seconds = Mutex::new(Vec::new());
    let progress = |progress: &crate::train::Progress| {
        if let Ok(mut seconds) = seconds.lock() {
            seconds.push(progress.seconds);
        }
    };
    let stop = AtomicBool::new(false);
    let corpus = Corpus {
        train: &tokens,
        validation,
        order: &order,
    };
    train(
        &mut members,
        Some(teacher),
        corpus,
        &Control {
            stop: &stop,
            progress: &progress,
        },
    );
    let member = members.swap_remove(0);
    let seconds = seconds.into_inner().unwrap_or_default();
    if seconds.len() as u64 != steps {
        bail!("a step could not be done: {:?}", member.outcome);
    }
    Ok((seconds, member.phases))
}

/// The run with critics that only judge.
fn without_updates(spec: &RunSpec) -> RunSpec {
    let mut spec = spec.clone();
    let critics = spec.loss.values_mut().filter_map(Term::critic_mut);
    critics.for_each(|critic| critic.steps = 0);
    spec
}

/// The parts of a mean step. Operations of the head are those of the losses, which take hidden
/// states: forward for both models, backward for the student; and so are those of the terms that
/// critics judge.
fn parts(
    phases: &Phases,
    steps: f64,
    tokens: f64,
    context: usize,
    (student, teacher): (&Config, &Config),
    (teacher_flops, critic, judged): (f64, f64, f64),
) -> Vec<Phase> {
    let head = |config: &Config| config.shape().head_flops() * tokens;
    let blocks = |config: &Config| config.shape().forward_flops(context) * tokens - head(config);
    let needs_teacher = teacher_flops > 0.0;
    let of_teacher = |flops: f64| if needs_teacher { flops } else { 0.0 };
    let part = |name, seconds: f64, flops: f64| {
        let seconds = seconds / steps;
        Phase {
            name,
            seconds,
            gflops: if seconds > 0.0 {
                flops / seconds / 1e9
            } else {
                0.0
            },
        }
    };
    vec![
        part("teacher", phases.teacher, of_teacher(blocks(teacher))),
        part("forward", phases.forward, blocks(student)),
        part("critic", phases.critic, critic),
        part(
            "losses",
            phases.losses,
            3.0 * head(student) + of_teacher(head(teacher)) + judged,
        ),
        part("backward", phases.backward, 2.0 * blocks(student)),
        part("update", phases.update, 0.0),
    ]
}

/// The most memory that this process held so far, where the system tells.
fn peak_rss() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace()
        .nth(1)?
        .parse::<u64>()
        .ok()
        .map(|kilobytes| kilobytes * 1024)
}

/// The run that is measured where no spec is given.
///
/// # Errors
/// None: the text is this program's own.
pub fn bench_run() -> Result<RunSpec> {
    toml::from_str(BENCH_RUN).context("the built-in run of `bench`")
}
