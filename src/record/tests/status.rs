//! Where runs stand, for a process that only looks.

use super::*;
use crate::record::study::{Cell, ReportSettings, SetupFacts, Study};

fn cell(run: &str, seed: &str) -> Cell {
    Cell {
        at: [("arm", "kl"), ("seed", seed)]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into(),
        run: run.to_owned(),
        evaluation: "e1".to_owned(),
        teacher: "t1".to_owned(),
        teacher_evaluation: "e2".to_owned(),
    }
}

fn study(cells: Vec<Cell>) -> Study {
    let axis = |key: &str| study::Axis {
        key: key.to_owned(),
        values: Vec::new(),
    };
    Study {
        format: 1,
        version: "0".to_owned(),
        name: "study".to_owned(),
        spec: None,
        description: String::new(),
        inputs: BTreeMap::new(),
        hub: Vec::new(),
        axes: vec![axis("seed"), axis("arm")],
        cells,
        trials: None,
        arms: Vec::new(),
        report: ReportSettings {
            template: crate::plan::path::InputPath::new("default", Path::new("")),
            baseline: BTreeMap::new(),
            margin: 0.01,
            alpha: 0.05,
            primary: None,
            question: None,
            sensitivity: BTreeMap::new(),
        },
        settings: None,
        facts: SetupFacts {
            dataset: String::new(),
            tokenizer: String::new(),
            teacher: String::new(),
            student_init: String::new(),
            balance: String::new(),
            command: String::new(),
            note: None,
            tasks: Vec::new(),
        },
        looks: Vec::new(),
        seen: None,
        found: None,
    }
}

#[test]
fn open_running_and_failed_runs_are_told_apart_without_a_change() {
    let root = folder();
    let layout = Layout::new(root.path(), "study");
    let study = study(vec![
        cell(ID, "0"),
        cell("b", "1"),
        cell("c", "2"),
        cell(ID, "3"),
    ]);
    let attempt = unfinished(root.path());
    write_error(&layout, "b", "the disk is full", Some("slurm/12_3.log")).unwrap();
    let before = tree(root.path());
    let found = run_statuses(&layout, &study);
    assert_eq!(tree(root.path()), before);
    let labels: Vec<&str> = found.iter().map(|run| run.label.as_str()).collect();
    assert_eq!(labels, ["seed=0 arm=kl", "seed=1 arm=kl", "seed=2 arm=kl"]);
    let RunStage::Running { owner, progress } = &found[0].stage else {
        panic!("{:?}", found[0])
    };
    assert!(owner.words.contains(&std::process::id().to_string()));
    assert_eq!(
        (progress.step, owner.silence.as_secs() < 100),
        (STEPS, true)
    );
    assert_eq!(
        found[1].stage,
        RunStage::Failed {
            error: "the disk is full".to_owned(),
            log: Some("slurm/12_3.log".to_owned())
        }
    );
    let nothing = RunProgress::default();
    assert_eq!(found[2].stage, RunStage::Open { progress: nothing });
    // Left by its process, it is open with what was done.
    drop(attempt);
    let stage = &run_statuses(&layout, &study)[0].stage;
    assert!(
        matches!(stage, RunStage::Open { progress } if progress.step == STEPS),
        "{stage:?}"
    );
    let trained = Layout::new(root.path(), "cache");
    let teachers = teacher_statuses(&layout, &trained, &study);
    assert_eq!((teachers.len(), teachers[0].owner.as_ref()), (1, None));
}
