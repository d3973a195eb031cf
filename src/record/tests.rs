//! A small run that is killed, damaged and finished twice: it always ends with the same bytes.

use std::collections::BTreeMap;
use std::path::Path;

use super::evaluation::*;
use super::layout::{Layout, RunFolder};
use super::*;
use crate::files;
use crate::files::simulation::{Mode, Names, recorded, with_fault};

const ID: &str = "7f3a";
const STEPS: u64 = 7;

/// In memory where there is such a place: the disk's own flushes would take most of the time, and prove nothing.
fn folder() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    tempfile::tempdir_in(memory).or_else(|_| tempfile::tempdir()).unwrap()
}

fn about() -> About {
    About { spec: ID.into(), numerics: 1, data: "d1".into(), instructions: "x86_64 avx2 fma".into(), version: "0.1.0".into() }
}

fn values(pairs: &[(&str, f64)]) -> Values {
    pairs.iter().map(|&(name, value)| (name.to_owned(), value)).collect()
}

fn evaluated() -> Evaluated {
    let perplexity = Perplexity {
        tokens: 9,
        scored_tokens: 8,
        words: 4,
        bytes: 20,
        nll_nats_per_token: 0.1 + 0.2,
        perplexity: 1.35,
        word_perplexity: 1.8,
        bits_per_byte: 0.2,
        documents: vec![(2.4, 8)],
    };
    let evaluation = Evaluation {
        format: 1,
        protocol: Protocol {
            context: 4,
            stride: 4,
            rows: "text".into(),
            detokenize: "none".into(),
            tokenizer: "00".into(),
            trained_on_train_split: true,
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
    };
    Evaluated {
        evaluation,
        speed: Some(Speed { prefill_tokens_per_second: 10.0, decode_tokens_per_second: 5.0, context: 4, threads: 2 }),
        samples: vec![Sample { prompt: "a".into(), reference: "b".into(), teacher: None, student: "c".into() }],
        samples_text: "| a | c |\n".into(),
        embedding: vec![EmbeddingPoint { model: "student".into(), token: 1, layer: 0, x: 0.5, y: -0.5 }],
    }
}

/// A run whose state is a number that each step changes: a checkpoint every other step, then publication and evaluation. What a run of the program does, in small.
fn go(root: &Path) -> anyhow::Result<()> {
    let layout = Layout::new(root, "study");
    sweep(&layout)?;
    if run_state(&layout, ID)? == RunState::Absent {
        let Claim::Ours(mut attempt) = Attempt::open_or_new(&layout, ID)? else { anyhow::bail!("somebody else has it") };
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
        Some(found) => (found.step, u64::from_le_bytes(found.files["state"][..].try_into()?)),
        None => (0, 1),
    };
    attempt.event("started", &[("step", step.into())])?;
    while step < STEPS {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(step);
        attempt.metrics.append(step, &values(&[("loss", state as f64), ("lr", 0.1)]))?;
        attempt.timings.append(step, &values(&[("seconds", 1.0)]))?;
        step += 1;
        if step % 2 == 0 {
            attempt.save_checkpoint(step, &[("state", state.to_le_bytes().to_vec()), ("best", vec![7; 30])], &about())?;
        }
    }
    attempt.write_out("student/model.safetensors", &state.to_le_bytes())
}

/// Everything below a folder, the events' times aside. Left-overs of this very process, which lives, are no part of it: only a dead one's are swept.
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
        tree.keys().map(|name| name.strip_prefix("study/runs/7f3a/").unwrap()).collect::<Vec<_>>(),
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

/// In these tests the process that "died" is this one, which lives: what remains of its lock is removed as a takeover would.
fn bury(root: &Path) {
    let _ = std::fs::remove_file(root.join("study/work").join(ID).join("lock"));
}

#[test]
fn a_run_ends_with_the_same_bytes_whatever_call_fails_or_kills_it() {
    let expected = undisturbed();
    for mode in [Mode::Dies, Mode::Fails] {
        let mut reached = true;
        let mut at = 0;
        while reached {
            at += 1;
            let root = folder();
            let (result, struck) = with_fault(mode, at, || go(root.path()));
            reached = struck;
            assert!(result.is_ok() || struck, "{:?}", result.err());
            bury(root.path());
            go(root.path()).unwrap_or_else(|error| panic!("{mode:?} at {at}: {error:#}"));
            assert_eq!(tree(root.path()), expected, "{mode:?} at {at}");
        }
        assert!(at > 100, "{at}");
    }
}

#[test]
fn a_run_that_is_killed_again_while_it_recovers_ends_with_the_same_bytes() {
    let expected = undisturbed();
    for (first, second) in [(40, 5), (40, 12), (90, 20), (150, 3), (150, 40), (200, 9), (230, 30)] {
        let root = folder();
        for at in [first, second, second + 7] {
            let _ = with_fault(Mode::Dies, at, || go(root.path()));
            bury(root.path());
        }
        go(root.path()).unwrap();
        assert_eq!(tree(root.path()), expected, "killed at {first} and {second}");
    }
}

#[test]
fn a_run_ends_with_the_same_bytes_whenever_the_power_goes() {
    let expected = undisturbed();
    let root = folder();
    let (_, changes) = recorded(|| go(root.path()).unwrap());
    for count in (0..=changes.len()).step_by(3) {
        for names in [Names::Flushed, Names::All] {
            let disk = folder();
            changes.replay(root.path(), count, names, disk.path());
            bury(disk.path());
            go(disk.path()).unwrap_or_else(|error| panic!("after {count} changes, {names:?}: {error:#}"));
            let found = tree(disk.path());
            let same = expected.iter().filter(|(name, _)| !name.ends_with("timings.parquet") && !name.ends_with("speed.json"));
            for (name, bytes) in same {
                assert_eq!(found.get(name), Some(bytes), "{name} after {count} changes, {names:?}");
            }
        }
    }
}

/// An attempt with a checkpoint after step 6 and rows up to it.
fn unfinished(root: &Path) -> Box<Attempt> {
    let Claim::Ours(mut attempt) = Attempt::open_or_new(&Layout::new(root, "study"), ID).unwrap() else { panic!("not ours") };
    train(&mut attempt).unwrap();
    attempt
}

fn again(root: &Path) -> Box<Attempt> {
    match Attempt::open_or_new(&Layout::new(root, "study"), ID).unwrap() {
        Claim::Ours(attempt) => attempt,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_flipped_bit_in_a_checkpoint_is_found_and_set_aside() {
    let expected = undisturbed();
    for (file, bytes) in [("state", 8), ("best", 30), ("manifest.toml", 440)] {
        for at in (0..bytes).step_by(if file == "manifest.toml" { 23 } else { 5 }) {
            let root = folder();
            let attempt = unfinished(root.path());
            let path = attempt.folder().join("checkpoints/6").join(file);
            drop(attempt);
            let mut content = std::fs::read(&path).unwrap();
            content[at] ^= 0x04;
            std::fs::write(&path, content).unwrap();
            let mut attempt = again(root.path());
            match attempt.newest_valid_checkpoint(&about()) {
                Ok(None) => assert!(
                    attempt.notes.iter().any(|note| note.starts_with("the checkpoint of step 6 is broken (")),
                    "{:?}",
                    attempt.notes
                ),
                // A letter of a name or of the version can change and leave a manifest behind: of another run, which is refused, or of the same.
                Err(error) => assert!(file == "manifest.toml" && error.to_string().contains("belongs to another run"), "{error:#}"),
                Ok(Some(_)) => assert_eq!(file, "manifest.toml"),
            }
            let set_aside = attempt.folder().join("checkpoints/6.bad");
            assert_eq!(set_aside.exists(), attempt.folder().join("checkpoints/6.bad.txt").exists());
            let is_broken = set_aside.exists();
            drop(attempt);
            if is_broken {
                go(root.path()).unwrap();
                assert_eq!(tree(root.path()), expected, "{file} at {at}");
            }
        }
    }
}

#[test]
fn a_checkpoint_of_something_else_is_refused_with_both_values() {
    let root = folder();
    drop(unfinished(root.path()));
    let mut attempt = again(root.path());
    for (what, expected, words) in [
        ("spec", About { spec: "8888".into(), ..about() }, "its spec is `7f3a`, and here it is `8888`"),
        ("numerics", About { numerics: 2, ..about() }, "its numerics is `1`, and here it is `2`"),
        ("data", About { data: "d2".into(), ..about() }, "its data is `d1`, and here it is `d2`"),
        (
            "instructions",
            About { instructions: "x86_64 avx512f".into(), ..about() },
            "its instructions is `x86_64 avx2 fma`, and here it is `x86_64 avx512f`",
        ),
    ] {
        let error = attempt.newest_valid_checkpoint(&expected).unwrap_err().to_string();
        assert!(error.contains(words), "{what}: {error}");
    }
    let newer = About { version: "0.2.0".into(), ..about() };
    assert_eq!(attempt.newest_valid_checkpoint(&newer).unwrap().map(|found| found.step), Some(6));
}

#[test]
fn one_checkpoint_is_kept_and_the_journal_is_cut_to_it() {
    let root = folder();
    let attempt = unfinished(root.path());
    assert_eq!(std::fs::read_dir(attempt.folder().join("checkpoints")).unwrap().count(), 1);
    assert_eq!(attempt.metrics.last_step(), Some(6));
    drop(attempt);
    let mut attempt = again(root.path());
    assert_eq!(attempt.metrics.last_step(), Some(6));
    let found = attempt.newest_valid_checkpoint(&about()).unwrap().unwrap();
    assert_eq!((found.step, found.files.len()), (6, 2));
    assert_eq!((attempt.metrics.last_step(), attempt.timings.last_step()), (Some(5), Some(5)));
    let state = found.files["state"].clone();
    attempt.save_checkpoint(6, &[("state", state), ("best", vec![7; 30])], &about()).unwrap();
    let error = attempt.save_checkpoint(6, &[("state", vec![0; 8])], &about()).unwrap_err().to_string();
    assert!(error.contains("holds another state of the same step"), "{error}");
}

#[test]
fn a_checkpoint_is_no_use_without_the_rows_before_it() {
    let root = folder();
    let attempt = unfinished(root.path());
    let journal = attempt.folder().join("metrics.journal");
    drop(attempt);
    let bytes = std::fs::read(&journal).unwrap();
    std::fs::write(&journal, &bytes[..bytes.len() / 2]).unwrap();
    let mut attempt = again(root.path());
    assert!(attempt.newest_valid_checkpoint(&about()).unwrap().is_none());
    assert!(
        attempt.notes.iter().any(|note| note.contains("the journal of metrics no longer holds the steps before it")),
        "{:?}",
        attempt.notes
    );
    assert_eq!(attempt.metrics.last_step(), None);
}

#[test]
fn a_torn_journal_keeps_its_whole_rows_wherever_it_is_cut() {
    let folder = folder();
    let path = folder.path().join("journal");
    let rows: Vec<Row> =
        (0..4).map(|step| (step, values(&[("loss", f64::from_bits(0x7ff8_0000_0000_0001 + step)), ("µ", -0.0), ("lr", 0.1)]))).collect();
    let mut ends = Vec::new();
    {
        let mut journal = Journal::open(&path).unwrap();
        for (step, values) in &rows {
            journal.append(*step, values).unwrap();
            ends.push(std::fs::metadata(&path).unwrap().len());
        }
        let error = journal.append(2, &values(&[])).unwrap_err().to_string();
        assert!(error.ends_with("has step 3 already where step 2 was to be added"), "{error}");
    }
    let bytes = std::fs::read(&path).unwrap();
    for cut in 0..=bytes.len() {
        std::fs::write(&path, &bytes[..cut]).unwrap();
        let mut journal = Journal::open(&path).unwrap();
        let whole = ends.iter().filter(|&&end| end <= cut as u64).count();
        let read = journal.read().unwrap();
        assert_eq!(read.len(), whole, "cut at {cut}");
        for (found, written) in read.iter().zip(&rows) {
            assert_eq!(found.0, written.0);
            let bits = |values: &Values| values.iter().map(|(name, value)| (name.clone(), value.to_bits())).collect::<Vec<_>>();
            assert_eq!(bits(&found.1), bits(&written.1), "every bit, that of NaN too");
        }
        for (step, values) in &rows[whole..] {
            journal.append(*step, values).unwrap();
        }
        drop(journal);
        assert_eq!(std::fs::read(&path).unwrap(), bytes, "cut at {cut}");
    }
    for at in 17..bytes.len() {
        let mut broken = bytes.clone();
        broken[at] ^= 0x10;
        std::fs::write(&path, &broken).unwrap();
        let whole = ends.iter().filter(|&&end| end <= at as u64).count();
        assert_eq!(Journal::open(&path).unwrap().read().unwrap().len(), whole, "flipped at {at}");
    }
    std::fs::write(&path, &bytes).unwrap();
    let mut journal = Journal::open(&path).unwrap();
    journal.truncate_after(1).unwrap();
    assert_eq!(journal.last_step(), Some(1));
    std::fs::write(&path, "something else").unwrap();
    assert!(Journal::open(&path).unwrap_err().to_string().contains("is not a journal of this version"));
}

#[test]
fn a_process_that_stood_still_cannot_touch_what_another_took_over() {
    let expected = undisturbed();
    let root = folder();
    let mut asleep = unfinished(root.path());
    bury(root.path());
    let awake = again(root.path());
    asleep.metrics.append(100, &values(&[("loss", 1.0)])).unwrap();
    asleep.metrics.sync().unwrap();
    let error = format!("{:#}", asleep.save_checkpoint(100, &[("state", vec![1])], &about()).unwrap_err());
    assert!(error.contains("was taken over by another process") || error.contains("became shorter"), "{error}");
    drop(awake);
    go(root.path()).unwrap();
    let error = format!("{:#}", asleep.publish().unwrap_err());
    assert!(error.contains("was taken over by another process while this one stood still"), "{error}");
    let mut found = tree(root.path());
    found.retain(|name, _| !name.starts_with("study/work"));
    assert_eq!(found, expected);
}

#[test]
fn of_two_finishers_the_second_drops_the_same_and_keeps_another_result_apart() {
    let root = folder();
    let layout = Layout::new(root.path(), "study");
    for (loss, expected) in [(1.0, Ok(Publication::Same)), (2.0, Err("student/model.safetensors had 8 bytes with sha256 "))] {
        let _ = std::fs::remove_dir_all(root.path().join("study"));
        let attempt = |weights: f64| {
            let Claim::Ours(mut attempt) = Attempt::open_or_new(&layout, ID).unwrap() else { panic!("not ours") };
            attempt.metrics.append(0, &values(&[("loss", 1.0)])).unwrap();
            attempt.write_out("student/model.safetensors", &weights.to_le_bytes()).unwrap();
            attempt
        };
        // Both began before either had finished: the run appears while the second is at it.
        let first = attempt(1.0);
        bury(root.path());
        let elsewhere = folder();
        assert_eq!(first.publish().unwrap(), Publication::New);
        let published = layout.run(ID).root;
        std::fs::rename(&published, elsewhere.path().join("run")).unwrap();
        let second = attempt(loss);
        std::fs::create_dir_all(published.parent().unwrap()).unwrap();
        std::fs::rename(elsewhere.path().join("run"), &published).unwrap();
        match (second.publish(), expected) {
            (Ok(found), Ok(expected)) => {
                assert_eq!(found, expected);
                assert!(!layout.root.join("work").exists());
            }
            (Err(error), Err(words)) => {
                let error = error.to_string();
                assert!(error.contains("was finished before with another result: ") && error.contains(words), "{error}");
                assert!(error.contains("work/7f3a/different`"), "{error}");
                sweep(&layout).unwrap();
                assert_eq!(std::fs::read(layout.work(ID).join("different/student/model.safetensors")).unwrap(), 2.0f64.to_le_bytes());
            }
            (found, _) => panic!("{found:?}"),
        }
        assert_eq!(std::fs::read(published.join("student/model.safetensors")).unwrap(), 1.0f64.to_le_bytes());
    }
}

#[test]
fn a_file_that_vanished_from_a_finished_run_comes_back() {
    let expected = undisturbed();
    for (file, is_listed) in [
        ("student/model.safetensors", true),
        ("metrics.parquet", true),
        ("checksums.toml", true),
        ("evals/e1/eval.json", true),
        ("timings.parquet", false),
    ] {
        let root = folder();
        go(root.path()).unwrap();
        std::fs::remove_file(root.path().join("study/runs/7f3a").join(file)).unwrap();
        go(root.path()).unwrap();
        let mut found = tree(root.path());
        found.retain(|name, _| !name.contains(".bad"));
        if is_listed {
            assert_eq!(found, expected, "{file}");
        } else {
            assert_eq!(found.len() + 1, expected.len());
        }
    }
}

#[test]
fn a_diverged_run_is_published_and_told() {
    let root = folder();
    let layout = Layout::new(root.path(), "study");
    assert_eq!(run_state(&layout, ID).unwrap(), RunState::Absent);
    let attempt = unfinished(root.path());
    assert_eq!(run_state(&layout, ID).unwrap(), RunState::Absent);
    let failure = Failure { reason: "the loss is not a number".into(), step: 7, term: Some("kl".into()) };
    attempt.write_failure(&failure).unwrap();
    assert_eq!(attempt.publish().unwrap(), Publication::New);
    assert_eq!(run_state(&layout, ID).unwrap(), RunState::Diverged(failure));
    assert!(matches!(Attempt::open_or_new(&layout, ID).unwrap(), Claim::Published));
    assert_eq!(verify_run(&layout.run(ID)).unwrap(), []);
    assert!(layout.run(ID).events().exists());
    let metrics = read_metrics(&layout.run(ID).metrics()).unwrap();
    assert_eq!((metrics.len(), metrics[0].1["loss"]), (7, 6_364_136_223_846_793_005u64 as f64));
}

#[test]
fn a_run_that_somebody_is_at_is_held_and_free_again_afterwards() {
    let root = folder();
    let layout = Layout::new(root.path(), "study");
    let attempt = unfinished(root.path());
    match Attempt::open_or_new(&layout, ID).unwrap() {
        Claim::HeldBy(words) => assert!(words.starts_with("process "), "{words}"),
        other => panic!("{other:?}"),
    }
    let folder = attempt.folder().to_owned();
    drop(attempt);
    let attempt = again(root.path());
    assert!(!folder.exists(), "the attempt has a new name");
    assert!(attempt.folder().join("checkpoints/6").exists());
}

#[test]
fn evaluations_are_read_as_they_were_written_and_never_rewritten() {
    let root = folder();
    let run = RunFolder { root: root.path().join("teachers/t1") };
    let evaluated = evaluated();
    assert_eq!(publish_evaluation(&run, "k", &evaluated).unwrap(), Publication::New);
    let folder = run.evaluation("k");
    assert!(has_evaluation(&run, "k") && !has_evaluation(&run, "l"));
    assert_eq!(read_evaluation(&folder).unwrap(), evaluated.evaluation);
    assert_eq!(read_speed(&folder).unwrap(), evaluated.speed);
    assert_eq!(read_samples(&folder).unwrap(), evaluated.samples);
    assert_eq!(read_embedding(&folder).unwrap(), evaluated.embedding);
    let mut other = evaluated.clone();
    other.speed = None;
    assert_eq!(publish_evaluation(&run, "k", &other).unwrap(), Publication::Same, "times do not count");
    other.evaluation.test.perplexity = 2.0;
    let error = publish_evaluation(&run, "k", &other).unwrap_err().to_string();
    assert!(error.contains("was finished before with another result: eval.json had "), "{error}");
    other.evaluation.test.perplexity = f64::NAN;
    let error = publish_evaluation(&run, "n", &other).unwrap_err().to_string();
    assert_eq!(error, "the evaluation holds a number that is not finite");
    std::fs::write(folder.evaluation(), "{").unwrap();
    assert!(read_evaluation(&folder).unwrap_err().to_string().ends_with("eval.json is damaged"));
    assert!(!has_evaluation(&run, "k"));
    assert_eq!(publish_evaluation(&run, "k", &evaluated).unwrap(), Publication::Restored(vec!["eval.json".into()]));
    assert_eq!(files::verify_checksums(&folder.root).unwrap(), []);
}

#[test]
fn a_study_is_read_as_it_was_written() {
    use super::study::*;
    let root = folder();
    let layout = Layout::new(root.path(), "study");
    let at = BTreeMap::from([("arm".to_owned(), "mse".to_owned()), ("match.strategy".to_owned(), "uniform".to_owned())]);
    let mut study = Study {
        format: STUDY_FORMAT,
        version: "0.1.0".into(),
        name: "study".into(),
        description: "one \"line\"".into(),
        inputs: BTreeMap::from([("dataset.train".to_owned(), "00".to_owned())]),
        axes: vec![Axis { key: "arm".into(), values: vec!["mse".into()] }],
        cells: vec![Cell { at: at.clone(), run: ID.into(), evaluation: "e".into(), teacher: "t".into(), teacher_evaluation: "te".into() }],
        arms: vec![Arm {
            name: "mse".into(),
            changes: vec![Change { key: "loss.hidden.kind".into(), baseline: None, value: Some("\"hidden.mse\"".into()) }],
        }],
        report: ReportSettings { template: "report.md.j2".into(), baseline: at, margin: 0.01, alpha: 0.05, primary: None },
        facts: Facts {
            dataset: "d".into(),
            tokenizer: "t".into(),
            teacher: "t".into(),
            student_init: "random".into(),
            balance: "none".into(),
            command: "kdpipe run a.toml".into(),
            note: None,
        },
    };
    write_study(&layout, &study).unwrap();
    assert_eq!(read_study(&layout).unwrap(), study);
    let (_, changes) = recorded(|| write_study(&layout, &study).unwrap());
    assert_eq!(changes.len(), 0, "what says the same is not written again");
    study.format = 99;
    write_study(&layout, &study).unwrap();
    let error = read_study(&layout).unwrap_err().to_string();
    assert!(error.ends_with("has format 99, and this version reads 1: it was written by kdpipe 0.1.0"), "{error}");
}
