//! The study: axes, cells, arms.

use std::collections::BTreeMap;
use std::path::Path;

use super::{EVALUATION, StudyShape, TEACHER};
use crate::plan::path::InputPath;
use crate::record::study::{Arm, Axis, Cell, Change, ReportSettings, SetupFacts, Study};

pub fn study(shape: &StudyShape) -> Study {
    Study {
        format: 1,
        version: "0.1.0".to_owned(),
        name: "fixture".to_owned(),
        spec: None,
        description: "MSE against Wasserstein, by layer strategy".to_owned(),
        hub: Vec::new(),
        inputs: BTreeMap::from([("dataset".to_owned(), "0123abcd".to_owned())]),
        axes: axes(shape),
        cells: cells(shape),
        trials: None,
        arms: shape.arms.iter().map(|name| arm(name)).collect(),
        report: ReportSettings {
            template: InputPath::new("report.md.j2", Path::new("")),
            baseline: BTreeMap::from([("arm".to_owned(), "mse".to_owned())]),
            margin: 0.005,
            alpha: 0.05,
            primary: None,
            question: None,
            sensitivity: BTreeMap::new(),
        },
        settings: None,
        facts: SetupFacts {
            dataset: "stories of the embedded grammar".to_owned(),
            tokenizer: "byte-level BPE of 512 tokens".to_owned(),
            teacher: "a GPT-2 of 8 layers, trained here".to_owned(),
            student_init: "random".to_owned(),
            balance: "gradient".to_owned(),
            command: "kdpipe run fixture.toml".to_owned(),
            note: None,
            tasks: Vec::new(),
        },
        looks: Vec::new(),
        seen: None,
        found: None,
    }
}

fn axes(shape: &StudyShape) -> Vec<Axis> {
    let axis = |key: &str, values: Vec<String>| Axis {
        key: key.to_owned(),
        values,
    };
    let owned = |values: &[&str]| values.iter().map(|&value| value.to_owned()).collect();
    let layers = shape.layers.iter().map(usize::to_string).collect();
    let seeds = (0..shape.seeds).map(|seed| seed.to_string()).collect();
    vec![
        axis("arm", owned(&shape.arms)),
        axis("match.strategy", owned(&shape.strategies)),
        axis("student.layers", layers),
        axis("seed", seeds),
    ]
}

fn cells(shape: &StudyShape) -> Vec<Cell> {
    let mut cells = Vec::new();
    for arm in &shape.arms {
        for strategy in &shape.strategies {
            for layers in &shape.layers {
                cells.extend((0..shape.seeds).map(|seed| cell(arm, strategy, *layers, seed)));
            }
        }
    }
    cells
}

fn cell(arm: &str, strategy: &str, layers: usize, seed: usize) -> Cell {
    // Without a hidden term the layer map is no part of a run.
    let map = if arm == "none" { "" } else { strategy };
    Cell {
        at: BTreeMap::from([
            ("arm".to_owned(), arm.to_owned()),
            ("match.strategy".to_owned(), strategy.to_owned()),
            ("student.layers".to_owned(), layers.to_string()),
            ("seed".to_owned(), seed.to_string()),
        ]),
        run: format!("{arm}-{map}-{layers}-{seed}"),
        evaluation: EVALUATION.to_owned(),
        teacher: TEACHER.to_owned(),
        teacher_evaluation: EVALUATION.to_owned(),
    }
}

fn arm(name: &str) -> Arm {
    let change = |key: &str, baseline: Option<&str>, value: &str| Change {
        key: key.to_owned(),
        baseline: baseline.map(str::to_owned),
        value: Some(value.to_owned()),
    };
    let changes = if name == "wasserstein" {
        vec![
            change(
                "loss.hidden.kind",
                Some("\"hidden.mse\""),
                "\"hidden.wasserstein\"",
            ),
            change("loss.hidden.critic.width", None, "64"),
        ]
    } else {
        Vec::new()
    };
    Arm {
        name: name.to_owned(),
        changes,
    }
}
