//! What tests of training share: a small spec, a teacher, tokens that can be learned, and a sink
//! that remembers.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use crate::ops::Cpu;

use super::*;
use crate::data::Order;
use crate::distill::NamedValues;
use crate::model::{Config, Gpt2, Weights};
use crate::plan::run::RunSpec;
use crate::random::{Seed, Stream};

pub(super) const VOCABULARY: usize = 17;
pub(super) const CONTEXT: usize = 8;

/// What a sink was given.
#[derive(Debug, Default, Clone, PartialEq)]
pub(super) struct SinkLog {
    pub rows: BTreeMap<u64, NamedValues>,
    pub checkpoints: BTreeMap<u64, BTreeMap<String, Vec<u8>>>,
}

struct RememberingSink(Arc<Mutex<SinkLog>>);

impl Sink for RememberingSink {
    fn row(&mut self, step: u64, values: &NamedValues, _: f64) -> anyhow::Result<()> {
        let before = self.0.lock().unwrap().rows.insert(step, values.clone());
        assert!(
            before.is_none_or(|before| before == *values),
            "step {step} was taken twice, with other values"
        );
        Ok(())
    }

    fn checkpoint(&mut self, step: u64, files: CheckpointFiles) -> anyhow::Result<()> {
        let files = files()?;
        self.0
            .lock()
            .unwrap()
            .checkpoints
            .insert(step, files.into_iter().collect());
        Ok(())
    }
}

/// A spec whose `[loss]` and `[train]` keys are the given ones.
pub(super) fn spec(steps: u64, extra: &str) -> RunSpec {
    let matching = if extra.contains("[match]") {
        ""
    } else {
        "[match]\nstrategy = \"pairs\"\npairs = [[1, 2], [2, \"final\"]]"
    };
    let text = format!(
        r#"
        seed = 3
        [dataset]
        source = "synthetic"
        seed = 0
        train_words = 1
        validation_words = 1
        test_words = 1
        [tokenizer]
        source = "train"
        vocab_size = 300
        [teacher]
        source = "dir"
        path = "t"
        [student]
        layers = 2
        width = 12
        heads = 2
        init = "random"
        {matching}
        [train]
        steps = {steps}
        batch = 3
        context = {CONTEXT}
        accumulate = 2
        shuffle = true
        lr = {{ peak = 1e-2, warmup = 3, decay = "cosine", floor = "10%" }}
        betas = [0.9, 0.99]
        eps = 1e-8
        weight_decay = 0.1
        clip = 1.0
        keep = "best"
        checkpoint_every = 4
        evaluate_every = 5
        [evaluate]
        context = {CONTEXT}
        stride = {CONTEXT}
        samples = {{ prompts = 0, tokens = 0 }}
        probe_tokens = 8
        directions = 2
        embed_tokens = 0
        {extra}
        "#
    );
    toml::from_str(&text).unwrap()
}

pub(super) const WASSERSTEIN: &str = r#"
    [balance]
    mode = "gradient"
    batches = 2
    reference = "kl"
    [loss.kl]
    kind = "logits.kl"
    weight = 0.5
    temperature = { shape = "linear", from = 3.0, to = 1.0, over = "50%" }
    direction = "forward"
    [loss.lm]
    kind = "lm"
    weight = 0.5
    [loss.hidden]
    kind = "hidden.wasserstein"
    weight = 0.3
    states = "layernorm"
    [loss.hidden.critic]
    width = 10
    depth = 2
    steps = 2
    slope = 0.2
    lipschitz = "spectral"
    lr = 1e-3
    betas = [0.0, 0.9]
    warmup = 4
"#;

pub(super) const LM: &str = "[balance]\nmode = \"none\"\n[loss.lm]\nkind = \"lm\"\nweight = 1.0\n";
pub(super) const KL: &str = "[balance]\nmode = \"none\"\n[loss.kl]\nkind = \"logits.kl\"\nweight = \
                  1.0\ntemperature = 1.0\ndirection = \"forward\"\n";

/// Tokens of a noisy cycle, so that there is something to learn.
pub(super) fn tokens(count: usize, index: u64) -> Vec<u32> {
    let mut stream = Stream::new(0, "test.tokens", index);
    let mut last = 0;
    (0..count)
        .map(|_| {
            last = if stream.uniform() < 0.8 {
                (last * 5 + 3) % VOCABULARY as u32
            } else {
                stream.below(VOCABULARY as u64) as u32
            };
            last
        })
        .collect()
}

pub(super) fn teacher_config() -> Config {
    Config::new(3, 16, 2, VOCABULARY, CONTEXT)
}

/// A teacher that has learned something.
pub(super) fn teacher() -> Gpt2<Cpu> {
    let train = spec(60, LM).train;
    let job = Job::language_model(teacher_config(), Seed::Teacher(9), &train);
    let weights = Weights::random(&job.config, Seed::Teacher(9));
    let kept = Arc::default();
    let mut members = vec![member(job, None, &weights, &kept)];
    run(&mut members, None, u64::MAX);
    members.pop().unwrap().state.student
}

pub(super) fn member(
    job: Job,
    teacher: Option<&Config>,
    weights: &Weights,
    kept: &Arc<Mutex<SinkLog>>,
) -> Member<Cpu> {
    let state = TrainState::new(&Cpu::default(), &job, teacher, weights).unwrap();
    Member::new(job, state, sink(kept))
}

pub(super) fn sink(kept: &Arc<Mutex<SinkLog>>) -> Box<dyn Sink> {
    Box::new(RememberingSink(Arc::clone(kept)))
}

/// Trains until `stop_after` steps are done, as a user who presses Ctrl-C then.
pub(super) fn run(members: &mut [Member<Cpu>], teacher: Option<&Gpt2<Cpu>>, stop_after: u64) {
    run_on(members, teacher, stop_after, &tokens(2000, 0));
}

/// The same on tokens of its own.
pub(super) fn run_on(
    members: &mut [Member<Cpu>],
    teacher: Option<&Gpt2<Cpu>>,
    stop_after: u64,
    train_tokens: &[u32],
) {
    let validation = tokens(100, 1);
    let order = Order::new(train_tokens.len(), CONTEXT, members[0].job.seed, true).unwrap();
    let stop = AtomicBool::new(stop_after == 0);
    let progress = |progress: &Progress| stop.store(progress.step >= stop_after, Ordering::Relaxed);
    train(
        members,
        teacher,
        Corpus {
            train: train_tokens,
            validation: &validation,
            order: &order,
        },
        &Control {
            stop: &stop,
            progress: &progress,
        },
    );
}

pub(super) fn student(extra: &str, steps: u64, kept: &Arc<Mutex<SinkLog>>) -> Member<Cpu> {
    let spec = spec(steps, extra);
    let config = Config::new(2, 12, 2, VOCABULARY, CONTEXT);
    let job = Job::distillation(&spec, config.clone(), &teacher_config());
    member(
        job,
        Some(&teacher_config()),
        &Weights::random(&config, Seed::Run(spec.seed)),
        kept,
    )
}
