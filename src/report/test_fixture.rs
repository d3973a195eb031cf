//! A results folder of closed-form numbers, for tests.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::plan::run::RunSpec;
use crate::record::evaluation::{
    Agreement, Evaluation, LayerDistance, MetricValues, Perplexity, Protocol, Size, SourceNll,
    Speed, TextSample, TrainingCost,
};
use crate::record::layout::{EvaluationFolder, Layout};
use crate::record::study::{Arm, Axis, Cell, Change, ReportSettings, SetupFacts, Study};
use crate::record::{Failure, write_study};
use crate::table::{Column, Table, to_parquet};

pub const EVALUATION: &str = "e1";
pub const TEACHER: &str = "t1";
const STEPS: u64 = 400;

/// What a fixture consists of.
pub struct StudyShape {
    pub arms: Vec<&'static str>,
    pub strategies: Vec<&'static str>,
    pub layers: Vec<usize>,
    pub seeds: usize,
    /// Rows of the metrics; the fewer, the faster.
    pub steps: u64,
    /// Whether samples, embeddings, speeds and teachers are there.
    pub extras: bool,
}

impl Default for StudyShape {
    fn default() -> Self {
        Self {
            arms: vec!["mse", "wasserstein"],
            strategies: vec!["uniform", "last"],
            layers: vec![4],
            seeds: 3,
            steps: STEPS,
            extras: true,
        }
    }
}

/// A results folder that lives as long as this.
pub struct Fixture {
    _folder: tempfile::TempDir,
    pub layout: Layout,
    pub study: Study,
}

impl Fixture {
    pub fn new(shape: &StudyShape) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::new(folder.path(), "fixture");
        let study = study(shape);
        fs::create_dir_all(&layout.root).unwrap();
        write_study(&layout, &study).unwrap();
        let fixture = Self {
            _folder: folder,
            layout,
            study,
        };
        for cell in &fixture.study.cells {
            let run = fixture.layout.run(&cell.run);
            if run.root.exists() {
                continue;
            }
            let evaluation = run.evaluation(&cell.evaluation);
            fs::create_dir_all(&evaluation.root).unwrap();
            fs::write(run.spec(), toml::to_string(&spec(cell)).unwrap()).unwrap();
            fs::write(
                run.metrics(),
                to_parquet(&metrics(cell, shape.steps)).unwrap(),
            )
            .unwrap();
            json(&evaluation.evaluation(), &student(cell));
            if shape.extras {
                extras(&evaluation, &cell.at["arm"]);
                let seconds = Table::new()
                    .with("step", Column::U64(vec![0, 1]))
                    .with("seconds", Column::F64(vec![30.0, 31.5]));
                fs::write(run.timings(), to_parquet(&seconds).unwrap()).unwrap();
            }
        }
        if shape.extras {
            let evaluation = fixture.layout.teacher(TEACHER).evaluation(EVALUATION);
            fs::create_dir_all(&evaluation.root).unwrap();
            json(&evaluation.evaluation(), &teacher());
            json(
                &evaluation.speed(),
                &Speed {
                    prefill_tokens_per_second: 2000.0,
                    decode_tokens_per_second: 40.0,
                    context: 256,
                    threads: 2,
                },
            );
        }
        fixture
    }

    /// Writes the study again after a change.
    pub fn change(&mut self, change: impl FnOnce(&mut Study)) {
        change(&mut self.study);
        write_study(&self.layout, &self.study).unwrap();
    }

    /// Makes a run one that diverged.
    pub fn diverge(&self, run: &str) {
        let folder = self.layout.run(run);
        fs::remove_dir_all(folder.root.join("evals")).unwrap();
        json(
            &folder.failure(),
            &Failure {
                reason: "term.kl is NaN".to_owned(),
                step: 17,
                term: Some("kl".to_owned()),
            },
        );
    }

    /// Removes a run.
    pub fn remove(&self, run: &str) {
        fs::remove_dir_all(self.layout.run(run).root).unwrap();
    }

    /// Changes the evaluation of a run.
    pub fn reevaluate(&self, run: &str, change: impl FnOnce(&mut Evaluation)) {
        let path = self.layout.run(run).evaluation(EVALUATION).evaluation();
        let mut evaluation: Evaluation = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        change(&mut evaluation);
        json(&path, &evaluation);
    }
}

fn json<T: serde::Serialize>(path: &Path, value: &T) {
    fs::write(path, serde_json::to_vec(value).unwrap()).unwrap();
}

fn study(shape: &StudyShape) -> Study {
    let mut cells = Vec::new();
    for arm in &shape.arms {
        for strategy in &shape.strategies {
            for layers in &shape.layers {
                for seed in 0..shape.seeds {
                    // Without a hidden term the layer map is no part of a run.
                    let map = if *arm == "none" { "" } else { strategy };
                    cells.push(Cell {
                        at: BTreeMap::from([
                            ("arm".to_owned(), (*arm).to_owned()),
                            ("match.strategy".to_owned(), (*strategy).to_owned()),
                            ("student.layers".to_owned(), layers.to_string()),
                            ("seed".to_owned(), seed.to_string()),
                        ]),
                        run: format!("{arm}-{map}-{layers}-{seed}"),
                        evaluation: EVALUATION.to_owned(),
                        teacher: TEACHER.to_owned(),
                        teacher_evaluation: EVALUATION.to_owned(),
                    });
                }
            }
        }
    }
    let axis = |key: &str, values: Vec<String>| Axis {
        key: key.to_owned(),
        values,
    };
    let owned = |values: &[&str]| values.iter().map(|&value| value.to_owned()).collect();
    Study {
        format: 1,
        version: "0.1.0".to_owned(),
        name: "fixture".to_owned(),
        description: "MSE against Wasserstein, by layer strategy".to_owned(),
        hub: Vec::new(),
        inputs: BTreeMap::from([("dataset".to_owned(), "0123abcd".to_owned())]),
        axes: vec![
            axis("arm", owned(&shape.arms)),
            axis("match.strategy", owned(&shape.strategies)),
            axis(
                "student.layers",
                shape.layers.iter().map(usize::to_string).collect(),
            ),
            axis(
                "seed",
                (0..shape.seeds).map(|seed| seed.to_string()).collect(),
            ),
        ],
        cells,
        arms: shape
            .arms
            .iter()
            .map(|&name| Arm {
                name: name.to_owned(),
                changes: if name == "wasserstein" {
                    vec![
                        Change {
                            key: "loss.hidden.kind".to_owned(),
                            baseline: Some("\"hidden.mse\"".to_owned()),
                            value: Some("\"hidden.wasserstein\"".to_owned()),
                        },
                        Change {
                            key: "loss.hidden.critic.width".to_owned(),
                            baseline: None,
                            value: Some("64".to_owned()),
                        },
                    ]
                } else {
                    Vec::new()
                },
            })
            .collect(),
        report: ReportSettings {
            template: crate::plan::path::InputPath::new("report.md.j2", Path::new("")),
            baseline: BTreeMap::from([("arm".to_owned(), "mse".to_owned())]),
            margin: 0.005,
            alpha: 0.05,
            primary: None,
        },
        facts: SetupFacts {
            dataset: "stories of the embedded grammar".to_owned(),
            tokenizer: "byte-level BPE of 512 tokens".to_owned(),
            teacher: "a GPT-2 of 8 layers, trained here".to_owned(),
            student_init: "random".to_owned(),
            balance: "gradient".to_owned(),
            command: "kdpipe run fixture.toml".to_owned(),
            note: None,
        },
    }
}

fn place(names: &[&str], name: &str) -> f64 {
    names.iter().position(|own| *own == name).unwrap_or(0) as f64
}

/// The loss of a cell: the arms differ by about 0.02, strategies by 0.01, seeds by 0.008, with a
/// little interaction.
pub fn loss(cell: &Cell) -> f64 {
    let arm = place(&["wasserstein", "mse", "cosine", "none"], &cell.at["arm"]);
    let strategy = if arm == 3.0 {
        0.0
    } else {
        place(
            &["uniform", "last", "first", "reverse", "shuffled"],
            &cell.at["match.strategy"],
        )
    };
    let layers: f64 = cell.at["student.layers"].parse().unwrap();
    let seed: f64 = cell.at["seed"].parse().unwrap();
    3.3 + 0.02 * arm + 0.01 * strategy - 0.05 * layers
        + 0.008 * (1.7 * seed).sin()
        + 0.002 * (2.3 * seed + arm + 0.5 * strategy).cos()
}

fn student(cell: &Cell) -> Evaluation {
    let layers: usize = cell.at["student.layers"].parse().unwrap();
    let is_critic = cell.at["arm"] == "wasserstein";
    let close = 0.9 - loss(cell) / 30.0;
    let distances = (1..=layers)
        .map(|layer| LayerDistance {
            student: layer,
            teacher: (2 * layer * 8 + layers) / (2 * layers),
            cka: close - 0.03 * layer as f64,
            sliced_w2: Some(1.0 + 0.2 * layer as f64 - if is_critic { 0.3 } else { 0.0 }),
        })
        .collect();
    Evaluation {
        teacher: Some(Agreement {
            kl_nats_per_token: loss(cell) - 2.9,
            top1: 0.62,
            layers: distances,
        }),
        training: Some(TrainingCost {
            student_flops: 3e12 * layers as f64,
            teacher_flops: 8e12,
            critic_flops: if is_critic { 2.5e12 } else { 0.0 },
            tokens: 1_000_000,
        }),
        ..evaluation(loss(cell), layers)
    }
}

fn teacher() -> Evaluation {
    Evaluation {
        training: Some(TrainingCost {
            student_flops: 2e14,
            teacher_flops: 0.0,
            critic_flops: 0.0,
            tokens: 5_000_000,
        }),
        ..evaluation(2.95, 8)
    }
}

fn evaluation(nll: f64, layers: usize) -> Evaluation {
    let parameters = 100_000 + 50_000 * layers as u64;
    let perplexity = |nll: f64| Perplexity {
        tokens: 5001,
        scored_tokens: 5000,
        words: 3000,
        bytes: 20_000,
        nll_nats_per_token: nll,
        perplexity: nll.exp(),
        word_perplexity: (nll * 5001.0 / 3000.0).exp(),
        bits_per_byte: nll * 5001.0 / (20_000.0 * std::f64::consts::LN_2),
        documents: (0..50)
            .map(|document| {
                (
                    100.0
                        * nll
                        * (1.0
                            + 0.1 * f64::from(document).sin()
                            + 0.002 * (f64::from(document) * nll).cos()),
                    100,
                )
            })
            .collect(),
    };
    Evaluation {
        format: 1,
        protocol: Protocol {
            context: 256,
            stride: 128,
            rows: "documents".to_owned(),
            detokenize: "none".to_owned(),
            tokenizer: "ab".repeat(32),
            trained_on_train_split: true,
        },
        model: Size {
            layers,
            width: 64,
            heads: 4,
            vocabulary: 512,
            positions: 256,
            parameters,
            parameters_without_embeddings: parameters - 49_152,
            bytes: 4 * parameters,
            forward_flops_per_token: 2.0 * parameters as f64,
        },
        test: perplexity(nll),
        validation: perplexity(nll + 0.01),
        teacher: None,
        training: None,
        source: Some(SourceNll {
            exact_nats_per_token: Some(2.71),
            entropy_nats_per_token: Some(2.7),
            unigram_nats_per_token: 5.6,
        }),
    }
}

/// A run that has everything but what the cell changes.
fn spec(cell: &Cell) -> RunSpec {
    let hidden = match cell.at["arm"].as_str() {
        "none" => "",
        "wasserstein" => {
            "[loss.hidden]\nkind = \"hidden.wasserstein\"\nweight = 1.0\nstates = \"raw\"\ncritic \
             = { width = 64, depth = 2, steps = 5, slope = 0.2, lipschitz = \"gradient-penalty\", \
             penalty = 10.0, lr = 1e-4, betas = [0.0, 0.9], warmup = 100 }\n"
        }
        _ => {
            "[loss.hidden]\nkind = \"hidden.mse\"\nweight = 1.0\nstates = \"raw\"\nnormalize = \
             false\n"
        }
    };
    let train = "steps = 400\nbatch = 4\ncontext = 64\naccumulate = 1\nshuffle = true\nlr = { \
                 peak = 5e-4, warmup = \"5%\", decay = \"cosine\", floor = \"10%\" }\nbetas = \
                 [0.9, 0.999]\neps = 1e-8\nweight_decay = 0.01\nclip = 1.0\nkeep = \
                 \"last\"\ncheckpoint_every = 100\nevaluate_every = 40\n";
    let text = format!(
        "seed = {}\n[dataset]\nsource = \"synthetic\"\nseed = 0\ntrain_words = \
         1000\nvalidation_words = 100\ntest_words = 100\n[tokenizer]\nsource = \
         \"train\"\nvocab_size = 512\n[teacher]\nsource = \"train\"\nlayers = 8\nwidth = \
         64\nheads = 4\nseed = 0\n[teacher.train]\n{train}[student]\nlayers = {}\nwidth = \
         64\nheads = 4\ninit = \"random\"\n[match]\nstrategy = \"pairs\"\npairs = [[1, \
         2]]\n[loss.kl]\nkind = \"logits.kl\"\nweight = 0.5\ntemperature = 2.0\ndirection = \
         \"forward\"\n{hidden}[balance]\nmode = \"gradient\"\nbatches = 8\nreference = \
         \"kl\"\n[train]\n{train}[evaluate]\ncontext = 256\nstride = 128\nsamples = {{ prompts = \
         2, tokens = 16 }}\nprobe_tokens = 512\ndirections = 64\nembed_tokens = 100\n",
        cell.at["seed"], cell.at["student.layers"]
    );
    toml::from_str(&text).unwrap()
}

fn metrics(cell: &Cell, steps: u64) -> Table {
    let end = loss(cell);
    let seed: f64 = cell.at["seed"].parse().unwrap();
    let arm = cell.at["arm"].as_str();
    let mut rows: Vec<MetricValues> = Vec::new();
    for step in 0..steps {
        let x = step as f64 / steps as f64;
        let fall = (-6.0 * x).exp();
        let noise = 0.03 * (step as f64 * 1.3 + seed).sin();
        let mut row = MetricValues::from([
            ("lr".to_owned(), 5e-4 * (1.0 - x)),
            ("gradient_norm".to_owned(), 1.0 + fall),
            ("loss".to_owned(), 3.0 + 3.0 * fall),
            ("term.kl".to_owned(), 1.0 + 4.0 * fall + noise),
            ("weight.kl".to_owned(), 0.5),
            ("temperature.kl".to_owned(), 2.0),
        ]);
        if arm != "none" {
            row.insert("term.hidden".to_owned(), 0.2 + 2.0 * fall + noise / 4.0);
            row.insert("weight.hidden".to_owned(), (5.0 * x).min(1.0));
            row.insert("balance.hidden".to_owned(), 0.25 + 0.01 * seed);
        }
        if arm == "wasserstein" {
            for layer in 1..=4u32 {
                row.insert(
                    format!("critic.hidden.{layer}.estimate"),
                    (0.3 + 2.0 * fall) * f64::from(layer) / 2.0 + noise,
                );
                row.insert(format!("critic.hidden.{layer}.penalty"), 0.05 * fall);
                row.insert(
                    format!("critic.hidden.{layer}.gradient_norm"),
                    1.0 + 0.02 * f64::from(layer) - 0.8 * (-20.0 * x).exp(),
                );
            }
        }
        if (step + 1) % (steps / 10).max(1) == 0 {
            row.insert(
                "validation.nll".to_owned(),
                end + 0.01 + 3.0 * (-6.0 * (x + 1.0 / steps as f64)).exp(),
            );
        }
        rows.push(row);
    }
    let names: std::collections::BTreeSet<&String> =
        rows.iter().flat_map(MetricValues::keys).collect();
    let table = Table::new().with("step", Column::U64((0..steps).collect()));
    names.into_iter().fold(table, |table, name| {
        table.with(
            name.clone(),
            Column::Sparse(rows.iter().map(|row| row.get(name).copied()).collect()),
        )
    })
}

fn extras(folder: &EvaluationFolder, arm: &str) {
    json(
        &folder.speed(),
        &Speed {
            prefill_tokens_per_second: 5000.0,
            decode_tokens_per_second: 123.4,
            context: 256,
            threads: 2,
        },
    );
    let sample = |number: usize| TextSample {
        prompt: format!("Once upon a time, prompt {number}"),
        reference: "there was a fox | who *slept*.".to_owned(),
        teacher: Some("there was a fox.".to_owned()),
        student: format!("there was a {arm} fox.\nIt slept."),
    };
    json(&folder.samples(), &[sample(1), sample(2)]);
    let shift = if arm == "wasserstein" { 1.0 } else { 6.0 };
    let points: Vec<(&str, u32, f64, f64)> = (0..160)
        .flat_map(|token| {
            let (turn, out) = (f64::from(token) * 2.4, 3.0 * f64::from(token).sqrt());
            let (x, y) = (out * turn.cos(), out * turn.sin());
            [
                ("teacher", token, x, y),
                (
                    "student",
                    token,
                    x + shift + turn.sin(),
                    y + (3.0 * turn).cos(),
                ),
            ]
        })
        .collect();
    let table = Table::new()
        .with(
            "model",
            Column::Text(points.iter().map(|point| point.0.to_owned()).collect()),
        )
        .with(
            "token",
            Column::U32(points.iter().map(|point| point.1).collect()),
        )
        .with("layer", Column::U32(points.iter().map(|_| 4).collect()))
        .with(
            "x",
            Column::F64(points.iter().map(|point| point.2).collect()),
        )
        .with(
            "y",
            Column::F64(points.iter().map(|point| point.3).collect()),
        );
    fs::write(folder.embedding(), to_parquet(&table).unwrap()).unwrap();
}
