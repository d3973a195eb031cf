//! What is read is what was written.

use super::*;
use crate::files;
use crate::files::test_disk::recorded;
use crate::record::study::*;

#[test]
fn a_diverged_run_is_published_and_told() {
    let root = folder();
    let layout = Layout::new(root.path(), "study");
    assert_eq!(run_state(&layout, ID).unwrap(), RunState::Absent);
    let attempt = unfinished(root.path());
    assert_eq!(run_state(&layout, ID).unwrap(), RunState::Absent);
    let failure = Failure {
        reason: "the loss is not a number".into(),
        step: 7,
        term: Some("kl".into()),
    };
    attempt.write_failure(&failure).unwrap();
    assert_eq!(attempt.publish().unwrap(), Publication::New);
    assert_eq!(run_state(&layout, ID).unwrap(), RunState::Diverged(failure));
    assert!(matches!(
        Attempt::open_or_new(&layout, ID).unwrap(),
        RunClaim::Published
    ));
    assert_eq!(files::verify_checksums(&layout.run(ID).root).unwrap(), []);
    assert!(layout.run(ID).events().exists());
    let metrics = read_metrics(&layout.run(ID).metrics()).unwrap();
    assert_eq!(
        (metrics.len(), metrics[0].1["loss"]),
        (7, 6_364_136_223_846_793_005u64 as f64)
    );
}

#[test]
fn evaluations_are_read_as_they_were_written_and_never_rewritten() {
    let root = folder();
    let run = RunFolder {
        root: root.path().join("teachers/t1"),
    };
    let evaluated = evaluated();
    assert_eq!(
        publish_evaluation(&run, "k", &evaluated).unwrap(),
        Publication::New
    );
    let folder = run.evaluation("k");
    assert!(has_evaluation(&run, "k") && !has_evaluation(&run, "l"));
    assert_eq!(read_evaluation(&folder).unwrap(), evaluated.evaluation);
    assert_eq!(read_speed(&folder).unwrap(), evaluated.speed);
    assert_eq!(read_samples(&folder).unwrap(), evaluated.samples);
    assert_eq!(read_embedding(&folder).unwrap(), evaluated.embedding);
    // A table of an earlier build, which had no texts.
    let mut older = evaluated.clone();
    older.embedding[0].text = None;
    publish_evaluation(&run, "older", &older).unwrap();
    assert_eq!(
        read_embedding(&run.evaluation("older")).unwrap(),
        older.embedding
    );
    let mut other = evaluated.clone();
    other.speed = None;
    assert_eq!(
        publish_evaluation(&run, "k", &other).unwrap(),
        Publication::Same,
        "times do not count"
    );
    other.evaluation.test.perplexity = Some(2.0);
    let error = publish_evaluation(&run, "k", &other)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("was finished before with another result: eval.json had "),
        "{error}"
    );
    other.evaluation.test.perplexity = Some(f64::NAN);
    let error = publish_evaluation(&run, "n", &other)
        .unwrap_err()
        .to_string();
    assert_eq!(error, "the evaluation holds a number that is not finite");
    std::fs::write(folder.evaluation(), "{").unwrap();
    assert!(
        read_evaluation(&folder)
            .unwrap_err()
            .to_string()
            .ends_with("eval.json is damaged")
    );
    assert!(!has_evaluation(&run, "k"));
    assert_eq!(
        publish_evaluation(&run, "k", &evaluated).unwrap(),
        Publication::Restored(vec!["eval.json".into()])
    );
    assert_eq!(files::verify_checksums(&folder.root).unwrap(), []);
}

/// A study of one cell with something in every list. It is long because every field is named.
pub fn study_of_one_cell() -> Study {
    let at = BTreeMap::from([
        ("arm".to_owned(), "mse".to_owned()),
        ("match.strategy".to_owned(), "uniform".to_owned()),
    ]);
    Study {
        format: STUDY_FORMAT,
        version: "0.1.0".into(),
        name: "study".into(),
        spec: Some("a.toml".into()),
        description: "one \"line\"".into(),
        hub: vec![HubPin {
            kind: "dataset".into(),
            repo: "o/d".into(),
            revision: "main".into(),
            commit: "607a30d783dfa663caf39e06633721c8d4cfcd7e".into(),
            branch: Some("refs/convert/parquet".into()),
        }],
        inputs: BTreeMap::from([("dataset.train".to_owned(), "00".to_owned())]),
        axes: vec![Axis {
            key: "arm".into(),
            values: vec!["mse".into()],
        }],
        cells: vec![Cell {
            at: at.clone(),
            run: ID.into(),
            evaluation: "e".into(),
            teacher: "t".into(),
            teacher_evaluation: "te".into(),
        }],
        trials: None,
        arms: vec![Arm {
            name: "mse".into(),
            changes: vec![Change {
                key: "loss.hidden.kind".into(),
                baseline: None,
                value: Some("\"hidden.mse\"".into()),
            }],
        }],
        report: ReportSettings {
            question: None,
            sensitivity: BTreeMap::new(),
            template: crate::plan::path::InputPath::new("report.md.j2", Path::new("")),
            baseline: at,
            margin: 0.01,
            alpha: 0.05,
            primary: None,
        },
        settings: Some(StudySettings {
            shared: BTreeMap::from([("train.steps".to_owned(), "5".to_owned())]),
            arms: BTreeMap::new(),
        }),
        facts: SetupFacts {
            dataset: "d".into(),
            tokenizer: "t".into(),
            teacher: "t".into(),
            student_init: "random".into(),
            balance: "none".into(),
            command: "kdpipe run a.toml".into(),
            note: None,
            tasks: Vec::new(),
        },
        looks: Vec::new(),
        seen: None,
        found: None,
    }
}

#[test]
fn a_study_is_read_as_it_was_written() {
    let root = folder();
    let layout = Layout::new(root.path(), "study");
    let mut study = study_of_one_cell();
    write_study(&layout, &study).unwrap();
    assert_eq!(read_study(&layout).unwrap(), study);
    assert_eq!(read_pins(&layout).unwrap(), study.hub);
    assert_eq!(read_pins(&Layout::new(root.path(), "none")).unwrap(), []);
    let (_, changes) = recorded(|| write_study(&layout, &study).unwrap());
    assert_eq!(changes.len(), 0, "what says the same is not written again");
    assert_eq!(
        set_damaged_study_aside(&layout).unwrap(),
        None,
        "it is as it was written, or not there"
    );
    assert_eq!(
        set_damaged_study_aside(&Layout::new(root.path(), "none")).unwrap(),
        None
    );
    std::fs::write(layout.lock(), "format = 1\n").unwrap();
    let words = set_damaged_study_aside(&layout).unwrap().unwrap();
    assert!(
        words.contains("lock.toml: it does not end with its sha256; it is set aside as "),
        "{words}"
    );
    assert!(!layout.lock().exists());
    study.format = 99;
    write_study(&layout, &study).unwrap();
    let error = read_study(&layout).unwrap_err().to_string();
    assert!(
        error.ends_with("has format 99, and this version reads 1: it was written by kdpipe 0.1.0"),
        "{error}"
    );
}

#[test]
fn a_number_is_read_as_the_number_that_was_written() {
    // Decimals that a reader which does not round correctly takes for their neighbours.
    for hard in [
        31.245270191439438,
        121.48791951161945,
        2.638344616030823e-256,
    ] {
        let text = serde_json::to_string(&hard).unwrap();
        let read: f64 = serde_json::from_str(&text).unwrap();
        assert_eq!(read.to_bits(), f64::to_bits(hard), "{text}");
    }
}

/// serde_json reads some long numbers as their neighbours, unless its feature `float_roundtrip` is
/// asked for.
#[test]
fn a_number_that_was_written_is_read_as_the_same_number() {
    let mut bits = 1_u64;
    for _ in 0..100_000 {
        bits = bits
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let number = f64::from_bits(bits ^ bits >> 29);
        if !number.is_finite() {
            continue;
        }
        let text = serde_json::to_string(&number).unwrap();
        let read: f64 = serde_json::from_str(&text).unwrap();
        assert_eq!(read.to_bits(), number.to_bits(), "{text}");
    }
}
