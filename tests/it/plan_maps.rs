//! Layer maps by strategy and depths, held against the definitions of their documentation.

use kdpipe::plan::run::{HiddenState, Matching};
use kdpipe::plan::{Diagnostics, Plan};

use crate::plan::{Folder, RICH};

const STRATEGIES: [&str; 12] = [
    "uniform",
    "first",
    "last",
    "skip",
    "all-to-one",
    "reverse",
    "shuffled",
    "final",
    "random",
    "attention",
    "combine",
    "emd",
];

#[test]
fn maps_are_those_of_the_definitions_for_every_pair_of_depths() {
    let folder = Folder::new(RICH);
    for student in 1..=6usize {
        for teacher in 1..=6usize {
            for strategy in STRATEGIES {
                let plan = plan_of(&folder, strategy, student, teacher);
                if is_possible(strategy, student, teacher) {
                    let plan = plan.expect("depths that fit");
                    check_map(&plan.runs[0].spec.matching, strategy, student, teacher);
                } else {
                    let text = plan.expect_err("depths that do not fit").to_string();
                    let refusal = format!("match.strategy = \"{strategy}\" needs");
                    assert!(text.contains(&refusal), "{text}");
                }
            }
        }
    }
}

fn plan_of(
    folder: &Folder,
    strategy: &str,
    student: usize,
    teacher: usize,
) -> Result<Plan, Diagnostics> {
    let set = [
        format!("student.layers={student}"),
        format!("teacher.layers={teacher}"),
        format!("match.strategy={strategy}"),
        // One that every map takes.
        "loss.hidden.kind=hidden.mse".to_owned(),
    ];
    folder.try_plan("study.toml", &set.each_ref().map(String::as_str), &[])
}

fn is_possible(strategy: &str, student: usize, teacher: usize) -> bool {
    let any_depth = ["uniform", "all-to-one", "final", "attention", "emd"].contains(&strategy);
    (student <= teacher || any_depth) && (strategy != "shuffled" || student > 1)
}

fn check_map(matching: &Matching, strategy: &str, student: usize, teacher: usize) {
    let pairs = match matching {
        Matching::Pairs { pairs, .. } => pairs,
        Matching::Random { .. } => {
            assert_eq!(strategy, "random");
            return;
        }
        Matching::Attention { .. } => {
            assert_eq!(strategy, "attention");
            return;
        }
        Matching::Emd { .. } => {
            assert_eq!(strategy, "emd");
            return;
        }
        Matching::Combine { .. } => {
            assert_eq!(strategy, "combine");
            return;
        }
    };
    if strategy == "final" {
        assert_eq!(pairs, &[(HiddenState::Final, HiddenState::Final)]);
        return;
    }
    let own: Vec<HiddenState> = pairs.iter().map(|pair| pair.0).collect();
    let layers: Vec<HiddenState> = (1..=student).map(HiddenState::Layer).collect();
    assert_eq!(own, layers);
    let targets: Vec<usize> = pairs
        .iter()
        .map(|pair| match pair.1 {
            HiddenState::Layer(layer) => layer,
            HiddenState::Final => panic!("{strategy} names the final state"),
        })
        .collect();
    let told = format!("{strategy} {student} {teacher} {targets:?}");
    check_targets(&targets, strategy, student, teacher, &told);
    // The map of a student more than twice as deep begins with the embeddings.
    let least = usize::from(student <= 2 * teacher);
    let is_layer = |target: &usize| (least..=teacher).contains(target);
    assert!(targets.iter().all(is_layer), "{told}");
}

fn check_targets(targets: &[usize], strategy: &str, student: usize, teacher: usize, told: &str) {
    // Rounded to the nearest, halves upwards.
    let uniform: Vec<usize> = (1..=student)
        .map(|i| ((i * teacher) as f64 / student as f64 + 0.5).floor() as usize)
        .collect();
    let expected: Vec<usize> = match strategy {
        "uniform" => uniform,
        "first" => (1..=student).collect(),
        "last" => (teacher - student + 1..=teacher).collect(),
        "skip" => (0..student)
            .rev()
            .map(|back| teacher - back * (teacher / student))
            .collect(),
        "all-to-one" => vec![teacher; student],
        "reverse" => uniform.into_iter().rev().collect(),
        "shuffled" => {
            let (mut sorted, mut own) = (targets.to_vec(), uniform.clone());
            sorted.sort_unstable();
            own.sort_unstable();
            assert!(sorted == own && targets != uniform, "{told}");
            return;
        }
        other => panic!("{other} has no definition here"),
    };
    assert_eq!(targets, expected, "{told}");
}
