//! Grids and what is computed from specs, over many drawn ones: cells, runs, parts of them, maps
//! and schedules.

use std::collections::{BTreeMap, BTreeSet};

use kdpipe::plan::run::{HiddenState, Matching};
use kdpipe::plan::schedule::{Schedule, Span};
use kdpipe::plan::{Plan, RunSelection};

use crate::plan::{Draws, Folder, RICH};

/// Axes to draw from, with values of which no two are the same.
const AXES: [(&str, &[&str]); 6] = [
    ("seed", &["0", "1", "2"]),
    ("train.steps", &["5", "6", "7", "8"]),
    ("student.layers", &["1", "2", "3"]),
    (
        "match.strategy",
        &["uniform", "first", "last", "all-to-one"],
    ),
    ("loss.hidden.kind", &["hidden.mse", "hidden.wasserstein"]),
    ("arm", &["all", "none", "same"]),
];

fn quoted(values: &[&str]) -> String {
    let quote = |value: &&str| {
        if value.parse::<u64>().is_ok() {
            (*value).to_owned()
        } else {
            format!("\"{value}\"")
        }
    };
    format!(
        "[{}]",
        values.iter().map(quote).collect::<Vec<_>>().join(", ")
    )
}

fn some(draws: &mut Draws, values: &[&'static str]) -> Vec<&'static str> {
    let mut rest = values.to_vec();
    let count = 1 + draws.below(values.len() as u64) as usize;
    (0..count)
        .map(|_| rest.remove(draws.below(rest.len() as u64) as usize))
        .collect()
}

#[test]
fn cells_are_the_product_without_the_excluded_in_the_order_of_the_spec() {
    let mut draws = Draws(1);
    for _ in 0..120 {
        let mut left = AXES.to_vec();
        let mut axes: Vec<(&'static str, Vec<&'static str>)> = Vec::new();
        for _ in 0..1 + draws.below(4) {
            let (key, values) = left.remove(draws.below(left.len() as u64) as usize);
            axes.push((key, some(&mut draws, values)));
        }
        let mut excludes: Vec<Vec<(&str, Vec<&str>)>> = Vec::new();
        for _ in 0..draws.below(3) {
            let first = draws.below(axes.len() as u64) as usize;
            let picked: BTreeSet<usize> = [first, draws.below(axes.len() as u64) as usize].into();
            excludes.push(
                picked
                    .into_iter()
                    .map(|axis| (axes[axis].0, some(&mut draws, &axes[axis].1)))
                    .collect(),
            );
        }
        let mut expected: Vec<BTreeMap<&str, &str>> = vec![BTreeMap::new()];
        for (key, values) in &axes {
            let with = |cell: &BTreeMap<_, _>| {
                let longer = |value: &&'static str| {
                    cell.clone()
                        .into_iter()
                        .chain([(*key, *value)])
                        .collect::<BTreeMap<_, _>>()
                };
                values.iter().map(longer).collect::<Vec<_>>()
            };
            expected = expected.iter().flat_map(with).collect();
        }
        expected.retain(|cell| {
            !excludes.iter().any(|exclude| {
                exclude
                    .iter()
                    .all(|(key, values)| values.contains(&cell[key]))
            })
        });

        let mut spec = format!(
            "{RICH}[arms.all]\n[arms.same]\n[arms.none.loss.hidden]\nenabled = false\n[grid]\n"
        );
        axes.iter()
            .for_each(|(key, values)| spec.push_str(&format!("{key} = {}\n", quoted(values))));
        for exclude in &excludes {
            spec.push_str("[[grid.exclude]]\n");
            exclude
                .iter()
                .for_each(|(key, values)| spec.push_str(&format!("{key} = {}\n", quoted(values))));
        }
        let folder = Folder::new(&spec);
        let plan = match folder.try_plan("study.toml", &[], &[]) {
            Ok(plan) => plan,
            Err(wrong) => {
                let text = wrong.to_string();
                assert!(
                    expected.is_empty() && text.contains("the grid is empty")
                        || text.contains("has no effect"),
                    "{text}\n{spec}"
                );
                continue;
            }
        };
        let cells: Vec<BTreeMap<&str, &str>> = plan
            .cells
            .iter()
            .map(|cell| {
                cell.at
                    .iter()
                    .map(|(key, value)| (key.as_str(), value.as_str()))
                    .collect()
            })
            .collect();
        assert_eq!(cells, expected, "{spec}");
        check_runs(&plan, &spec);
    }
}

/// Runs are the distinct ids of the cells, first come first, and parts of a plan are parts.
fn check_runs(plan: &Plan, spec: &str) {
    let distinct = |cell: &BTreeMap<String, String>| {
        let mut cell = cell.clone();
        let hidden = cell.get("arm").is_none_or(|arm| arm != "none");
        // Without a hidden loss neither its kind nor the map is a part of the run, and two arms are
        // the same.
        if !hidden {
            cell.remove("match.strategy");
            cell.remove("loss.hidden.kind");
        }
        if cell.get("arm").is_some_and(|arm| arm != "none") {
            cell.insert("arm".to_owned(), "all".to_owned());
        }
        cell
    };
    let mut last = None;
    for cell in &plan.cells {
        assert!(
            cell.run <= last.map_or(0, |last: usize| last + 1),
            "runs stand in the order of their first cells\n{spec}"
        );
        last = last.max(Some(cell.run));
    }
    let pairs =
        |cell: &BTreeMap<String, String>, run: usize| (distinct(cell), plan.runs[run].id.clone());
    let all: BTreeSet<_> = plan
        .cells
        .iter()
        .map(|cell| pairs(&cell.at, cell.run))
        .collect();
    let kinds: BTreeSet<_> = all.iter().map(|(kind, _)| kind).collect();
    assert_eq!(all.len(), kinds.len(), "equal cells are one run\n{spec}");
    // Maps of one depth may be the same run under two names, so there may be fewer ids than kinds.
    let ids: BTreeSet<_> = plan.runs.iter().map(|run| &run.id).collect();
    assert!(
        ids.len() == plan.runs.len() && ids.len() <= kinds.len(),
        "{spec}"
    );
    for parts in 1..5 {
        let shards = (1..=parts).flat_map(|part| {
            RunSelection::new(&[], Some(&format!("{part}/{parts}")))
                .expect("a shard")
                .indices(plan)
        });
        let mut seen: Vec<usize> = shards.collect();
        seen.sort_unstable();
        assert_eq!(
            seen,
            (0..plan.runs.len()).collect::<Vec<_>>(),
            "{parts} shards\n{spec}"
        );
    }
    let again = Folder::new(spec).plan(&[]);
    assert_eq!(
        &again,
        &Plan {
            name: again.name.clone(),
            report: again.report.clone(),
            ..plan.clone()
        },
        "a plan is a function of the spec"
    );
}

#[test]
fn runs_are_chosen_by_id_or_by_axis_and_value() {
    let folder = Folder::new(&format!(
        "{RICH}[arms.all]\n[arms.none.loss.hidden]\nenabled = false\n[grid]\narm = [\"all\", \
         \"none\"]\nstudent.layers = [2, 3]\nmatch.strategy = [\"uniform\", \"last\"]\nseed = [0, \
         1]\n"
    ));
    let plan = folder.plan(&[]);
    let chosen = |only: &[&str], shard: Option<&str>| {
        let only: Vec<String> = only.iter().map(|glob| (*glob).to_owned()).collect();
        RunSelection::new(&only, shard)
            .expect("a selection")
            .indices(&plan)
    };
    assert_eq!((plan.cells.len(), plan.runs.len()), (16, 12));
    assert_eq!(chosen(&[], None).len(), 12);
    assert_eq!(chosen(&["arm=none"], None).len(), 4);
    assert_eq!(chosen(&["student.layers=3"], None).len(), 6);
    // A run of several cells is chosen by any of them.
    assert_eq!(chosen(&["match.strategy=last"], None).len(), 8);
    assert_eq!(chosen(&["arm=n*", "seed=0"], None).len(), 8);
    assert_eq!(chosen(&[&plan.runs[3].id], None), [3]);
    assert_eq!(chosen(&["nothing"], None), Vec::<usize>::new());
    let parts: Vec<usize> = ["1/2", "2/2"]
        .iter()
        .flat_map(|shard| chosen(&["arm=none"], Some(shard)))
        .collect();
    assert_eq!(parts.len(), 4);
}

#[test]
fn an_axis_stays_where_the_spec_has_it_when_a_layer_gives_it_other_values() {
    let folder = Folder::new(&format!(
        "{RICH}[grid]\nseed = [0, 1]\ntrain.steps = [5, 6]\n"
    ));
    folder.write(
        "child.toml",
        "extends = \"study.toml\"\n[grid]\ntrain.batch = [2]\nseed = [3]\n",
    );
    let plan = folder
        .try_plan("child.toml", &["grid.train.steps=[7, 8]"], &[])
        .expect("a plan");
    let axes: Vec<(String, String)> = plan
        .axes
        .iter()
        .map(|axis| (axis.key.clone(), axis.values.join(" ")))
        .collect();
    let expected = [("seed", "3"), ("train.steps", "7 8"), ("train.batch", "2")];
    assert_eq!(
        axes,
        expected.map(|(key, values)| (key.to_owned(), values.to_owned()))
    );
    assert_eq!(
        plan.runs
            .iter()
            .map(|run| run.label.as_str())
            .collect::<Vec<_>>(),
        [
            "seed=3 train.steps=7 train.batch=2",
            "seed=3 train.steps=8 train.batch=2"
        ]
    );
}

#[test]
fn excluded_values_go_on_to_exclude_when_an_axis_is_set_from_outside() {
    let folder = Folder::new(&format!(
        "{RICH}[grid]\nseed = [0, 1]\ntrain.steps = [5, 6]\n[[grid.exclude]]\nseed = \
         0\ntrain.steps = [6]\n"
    ));
    assert_eq!(folder.plan(&[]).cells.len(), 3);
    assert_eq!(folder.plan(&["seed=0"]).cells.len(), 1);
    assert_eq!(folder.plan(&["seed=9"]).cells.len(), 2);
    assert!(
        folder
            .refused(&["seed=0", "train.steps=6"])
            .contains("the grid is empty")
    );
}

#[test]
fn maps_are_those_of_the_definitions_for_every_pair_of_depths() {
    let folder = Folder::new(RICH);
    for student in 1..=6usize {
        for teacher in 1..=6usize {
            for strategy in [
                "uniform",
                "first",
                "last",
                "skip",
                "all-to-one",
                "reverse",
                "shuffled",
                "final",
                "random",
            ] {
                let set = [
                    format!("student.layers={student}"),
                    format!("teacher.layers={teacher}"),
                    format!("match.strategy={strategy}"),
                ];
                let plan = folder.try_plan(
                    "study.toml",
                    &set.iter().map(String::as_str).collect::<Vec<_>>(),
                    &[],
                );
                let any_depth = ["uniform", "all-to-one", "final"].contains(&strategy);
                if (student > teacher && !any_depth) || (strategy == "shuffled" && student == 1) {
                    let text = plan.expect_err("depths that do not fit").to_string();
                    assert!(
                        text.contains(&format!("match.strategy = \"{strategy}\" needs")),
                        "{text}"
                    );
                    continue;
                }
                let plan = plan.expect("depths that fit");
                let Matching::Pairs { pairs } = &plan.runs[0].spec.matching else {
                    assert_eq!(strategy, "random");
                    continue;
                };
                if strategy == "final" {
                    assert_eq!(pairs, &[(HiddenState::Final, HiddenState::Final)]);
                    continue;
                }
                // Rounded to the nearest, halves upwards.
                let uniform: Vec<usize> = (1..=student)
                    .map(|i| ((i * teacher) as f64 / student as f64 + 0.5).floor() as usize)
                    .collect();
                let targets: Vec<usize> = pairs
                    .iter()
                    .map(|pair| {
                        if let HiddenState::Layer(layer) = pair.1 {
                            layer
                        } else {
                            0
                        }
                    })
                    .collect();
                let expected: Vec<usize> = match strategy {
                    "uniform" => uniform.clone(),
                    "first" => (1..=student).collect(),
                    "last" => (teacher - student + 1..=teacher).collect(),
                    "skip" => (0..student)
                        .rev()
                        .map(|back| teacher - back * (teacher / student))
                        .collect(),
                    "all-to-one" => vec![teacher; student],
                    "reverse" => uniform.iter().rev().copied().collect(),
                    _ => {
                        let (mut sorted, mut own) = (targets.clone(), uniform.clone());
                        sorted.sort_unstable();
                        own.sort_unstable();
                        assert!(
                            sorted == own && targets != uniform,
                            "{student} {teacher} {targets:?}"
                        );
                        targets.clone()
                    }
                };
                assert_eq!(targets, expected, "{strategy} {student} {teacher}");
                assert!(
                    pairs
                        .iter()
                        .enumerate()
                        .all(|(i, pair)| pair.0 == HiddenState::Layer(i + 1))
                );
                // The map of a student more than twice as deep begins with the embeddings.
                let least = usize::from(student <= 2 * teacher);
                assert!(
                    targets
                        .iter()
                        .all(|target| (least..=teacher).contains(target)),
                    "{strategy} {student} {teacher} {targets:?}"
                );
            }
        }
    }
}

#[test]
fn schedules_begin_at_one_end_stay_at_the_other_and_never_leave_the_room_between() {
    let mut draws = Draws(2);
    for _ in 0..400 {
        let total = 1 + draws.below(300);
        let (from, to) = (0.01 + draws.share() * 4.0, 0.01 + draws.share() * 4.0);
        let over = if draws.below(2) == 0 {
            Span::Steps(draws.below(2 * total))
        } else {
            Span::Percent((draws.share() * 100.0).round())
        };
        let all = [
            Schedule::Linear { from, to, over },
            Schedule::Cosine { from, to, over },
            Schedule::Exponential { from, to, over },
            Schedule::Step { from, to, over },
        ];
        let (low, high) = (from.min(to), from.max(to));
        for schedule in all {
            let values: Vec<f64> = (0..=2 * total)
                .map(|step| schedule.at(step, total))
                .collect();
            let near = |a: f64, b: f64| (a - b).abs() < 1e-12 * (1.0 + high);
            assert!(
                values
                    .iter()
                    .all(|value| (low - 1e-12..=high + 1e-12).contains(value)),
                "{schedule:?}"
            );
            assert!(
                near(values[0], if over.steps(total) > 0.0 { from } else { to }),
                "{schedule:?}"
            );
            assert!(
                values
                    .iter()
                    .enumerate()
                    .all(|(step, value)| (step as f64) < over.steps(total) || near(*value, to)),
                "{schedule:?}"
            );
            assert!(
                values
                    .windows(2)
                    .all(|pair| (pair[1] - pair[0]) * (to - from) >= -1e-12),
                "{schedule:?} turns back"
            );
        }
    }
}

#[test]
fn points_are_joined_by_straight_lines() {
    let mut draws = Draws(3);
    for _ in 0..400 {
        let total = 1 + draws.below(200);
        let mut at: Vec<u64> = (0..1 + draws.below(5))
            .map(|_| draws.below(total))
            .collect();
        at.sort_unstable();
        at.dedup();
        let points: Vec<(Span, f64)> = at
            .iter()
            .map(|step| (Span::Steps(*step), draws.share()))
            .collect();
        let schedule = Schedule::Piecewise {
            points: points.clone(),
        };
        for (step, (_, value)) in at.iter().zip(&points) {
            assert!((schedule.at(*step, total) - value).abs() < 1e-12);
        }
        assert_eq!(schedule.at(0, total).to_bits(), points[0].1.to_bits());
        assert_eq!(
            schedule.at(10 * total, total).to_bits(),
            points.last().expect("a point").1.to_bits()
        );
        for (steps, ends) in at.windows(2).zip(points.windows(2)) {
            for step in steps[0]..steps[1] {
                let share = (step - steps[0]) as f64 / (steps[1] - steps[0]) as f64;
                let line = ends[0].1 + (ends[1].1 - ends[0].1) * share;
                assert!(
                    (schedule.at(step, total) - line).abs() < 1e-12,
                    "{schedule:?} at {step}"
                );
            }
        }
    }
}

#[test]
fn ids_are_equal_exactly_where_the_choices_are() {
    const CHOICES: [(&str, &[&str]); 6] = [
        ("seed", &["0", "1"]),
        ("train.lr.peak", &["1e-3", "2e-3"]),
        ("loss.kl.temperature", &["1.0", "3.0"]),
        (
            "loss.hidden.kind",
            &["hidden.wasserstein", "hidden.mse", "hidden.cosine"],
        ),
        ("loss.lm.weight", &["0.5", "0.25"]),
        ("balance.batches", &["8", "4"]),
    ];
    let mut draws = Draws(4);
    let folder = Folder::new(RICH);
    let mut seen: BTreeMap<Vec<u64>, String> = BTreeMap::new();
    for _ in 0..150 {
        let chosen: Vec<u64> = CHOICES
            .iter()
            .map(|(_, values)| draws.below(values.len() as u64))
            .collect();
        // The first value of each is that of the spec or the defaults, so it may as well be left
        // out; the order of arguments says nothing.
        let mut set: Vec<String> = Vec::new();
        for ((key, values), index) in CHOICES.iter().zip(&chosen) {
            if *index > 0 || draws.below(2) == 0 {
                set.insert(
                    draws.below(set.len() as u64 + 1) as usize,
                    format!("{key}={}", values[*index as usize]),
                );
            }
        }
        let id = folder
            .plan(&set.iter().map(String::as_str).collect::<Vec<_>>())
            .runs
            .remove(0)
            .id;
        assert!(
            id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_hexdigit()),
            "{id}"
        );
        assert_eq!(
            seen.entry(chosen).or_insert_with(|| id.clone()),
            &id,
            "{set:?}"
        );
    }
    let distinct: BTreeSet<&String> = seen.values().collect();
    assert_eq!(distinct.len(), seen.len());
}
