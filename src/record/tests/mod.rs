//! A small run that is killed, damaged and finished twice: it always ends with the same bytes.

mod damage;
mod in_work;
mod interruptions;
mod looks;
mod set_anew;
mod shared;
mod status;
mod stored;

use std::collections::BTreeMap;
use std::path::Path;

use super::evaluation::*;
use super::layout::{Layout, RunFolder};
use super::*;

const ID: &str = "7f3a";
const STEPS: u64 = 7;

/// In memory where there is such a place: the disk's own flushes would take most of the time, and
/// prove nothing.
fn folder() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    tempfile::tempdir_in(memory)
        .or_else(|_| tempfile::tempdir())
        .unwrap()
}

fn about() -> About {
    About {
        spec: ID.into(),
        numerics: 1,
        data: "d1".into(),
        teacher: Some("t1".into()),
        instructions: "x86_64 avx2 fma".into(),
        version: "0.1.0".into(),
    }
}

fn values(pairs: &[(&str, f64)]) -> MetricValues {
    pairs
        .iter()
        .map(|&(name, value)| (name.to_owned(), value))
        .collect()
}

fn evaluation() -> Evaluation {
    let perplexity = Perplexity {
        tokens: 9,
        scored_tokens: 8,
        words: 4,
        bytes: 20,
        nll_nats_per_token: 0.1 + 0.2,
        perplexity: Some(1.35),
        word_perplexity: None,
        bits_per_byte: Some(0.2),
        documents: vec![(2.4, 8)],
    };
    Evaluation {
        format: 1,
        protocol: Protocol {
            context: 4,
            stride: 4,
            rows: "text".into(),
            detokenize: "none".into(),
            tokenizer: "00".into(),
            trained_on_train_split: Some(true),
        },
        model: Size {
            layers: 1,
            width: 4,
            heads: 1,
            vocabulary: 9,
            positions: 4,
            parameters: 100,
            parameters_without_embeddings: 50,
            bytes: 400,
            forward_flops_per_token: 200.0,
        },
        test: perplexity.clone(),
        validation: perplexity,
        teacher: None,
        training: None,
        source: None,
        treatment: None,
        tasks: BTreeMap::new(),
        shared: None,
    }
}

fn evaluated() -> EvaluationFiles {
    EvaluationFiles {
        evaluation: evaluation(),
        speed: Some(Speed {
            prefill_tokens_per_second: 10.0,
            decode_tokens_per_second: 5.0,
            context: 4,
            threads: 2,
        }),
        samples: vec![TextSample {
            prompt: "a".into(),
            reference: "b".into(),
            teacher: None,
            student: "c".into(),
        }],
        samples_text: "| a | c |\n".into(),
        embedding: vec![EmbeddingPoint {
            model: "student".into(),
            token: 1,
            text: Some(" a".into()),
            layer: 0,
            x: 0.5,
            y: -0.5,
        }],
    }
}

/// A run whose state is a number that each step changes: a checkpoint every other step, then
/// publication and evaluation. What a run of the program does, in small.
fn go(root: &Path) -> anyhow::Result<()> {
    let layout = Layout::new(root, "study");
    sweep(&layout)?;
    if run_state(&layout, ID)? != RunState::Published {
        let RunClaim::Ours(mut attempt) = Attempt::open_or_new(&layout, ID)? else {
            anyhow::bail!("somebody else has it")
        };
        train(&mut attempt)?;
        attempt.write_out("spec.toml", b"seed = 0\n")?;
        attempt.publish()?;
    }
    if !has_evaluation(&layout.run(ID), "e1") {
        publish_evaluation(&layout.run(ID), "e1", &evaluated())?;
    }
    Ok(())
}

fn train(attempt: &mut Attempt) -> anyhow::Result<()> {
    let (mut step, mut state) = match attempt.newest_valid_checkpoint(&about())? {
        Some(found) => (
            found.step,
            u64::from_le_bytes(found.files["state"][..].try_into()?),
        ),
        None => (0, 1),
    };
    attempt.event("started", &[("step", step.into())])?;
    while step < STEPS {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(step);
        attempt
            .metrics
            .append(step, &values(&[("loss", state as f64), ("lr", 0.1)]))?;
        attempt.timings.append(step, &values(&[("seconds", 1.0)]))?;
        step += 1;
        if step % 2 == 0 {
            attempt.save_checkpoint(
                step,
                &[
                    ("state", state.to_le_bytes().to_vec()),
                    ("best", vec![7; 30]),
                ],
                &about(),
            )?;
        }
    }
    attempt.write_out("student/model.safetensors", &state.to_le_bytes())
}

/// Everything below a folder, the events' times aside. Left-overs of this very process, which
/// lives, are no part of it: only a dead one's are swept.
fn tree(root: &Path) -> BTreeMap<String, Vec<u8>> {
    fn walk(root: &Path, at: &Path, found: &mut BTreeMap<String, Vec<u8>>) {
        for entry in std::fs::read_dir(at).unwrap().flatten() {
            let path = entry.path();
            let name = path.strip_prefix(root).unwrap().display().to_string();
            if entry.file_name().to_string_lossy().ends_with(".new") {
                continue;
            }
            if path.is_dir() {
                walk(root, &path, found);
            } else if !name.ends_with("events.jsonl") {
                found.insert(name, std::fs::read(&path).unwrap());
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(root, root, &mut found);
    found
}

fn undisturbed() -> BTreeMap<String, Vec<u8>> {
    let root = folder();
    go(root.path()).unwrap();
    let tree = tree(root.path());
    assert_eq!(
        tree.keys()
            .map(|name| name.strip_prefix("study/runs/7f3a/").unwrap())
            .collect::<Vec<_>>(),
        [
            "checksums.toml",
            "evals/e1/checksums.toml",
            "evals/e1/embedding.parquet",
            "evals/e1/eval.json",
            "evals/e1/samples.json",
            "evals/e1/samples.md",
            "evals/e1/speed.json",
            "metrics.parquet",
            "spec.toml",
            "student/model.safetensors",
            "timings.parquet"
        ]
    );
    tree
}

/// In these tests the process that "died" is this one, which lives: what remains of its lock is
/// removed as a takeover would.
fn bury(root: &Path) {
    let _ = std::fs::remove_file(root.join("study/work").join(ID).join("lock"));
}

/// An attempt with a checkpoint after step 6 and rows up to it.
fn unfinished(root: &Path) -> Box<Attempt> {
    let RunClaim::Ours(mut attempt) =
        Attempt::open_or_new(&Layout::new(root, "study"), ID).unwrap()
    else {
        panic!("not ours")
    };
    train(&mut attempt).unwrap();
    attempt
}

fn again(root: &Path) -> Box<Attempt> {
    match Attempt::open_or_new(&Layout::new(root, "study"), ID).unwrap() {
        RunClaim::Ours(attempt) => attempt,
        other => panic!("{other:?}"),
    }
}
