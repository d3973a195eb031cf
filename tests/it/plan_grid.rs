//! Grids, over many drawn ones: their cells, their runs, and parts of them.

use std::collections::{BTreeMap, BTreeSet};

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

/// A drawn grid.
struct DrawnGrid {
    axes: Vec<(&'static str, Vec<&'static str>)>,
    /// Of every excluded part its axes, with the values that it takes out.
    excludes: Vec<Vec<(&'static str, Vec<&'static str>)>>,
}

impl DrawnGrid {
    fn draw(draws: &mut Draws) -> Self {
        let mut left = AXES.to_vec();
        let mut axes: Vec<(&'static str, Vec<&'static str>)> = Vec::new();
        for _ in 0..1 + draws.below(4) {
            let (key, values) = left.remove(draws.below(left.len() as u64) as usize);
            axes.push((key, some(draws, values)));
        }
        let mut excludes = Vec::new();
        for _ in 0..draws.below(3) {
            let first = draws.below(axes.len() as u64) as usize;
            let second = draws.below(axes.len() as u64) as usize;
            let mut part = Vec::new();
            for axis in BTreeSet::from([first, second]) {
                part.push((axes[axis].0, some(draws, &axes[axis].1)));
            }
            excludes.push(part);
        }
        Self { axes, excludes }
    }

    /// The product without the excluded parts, in the order of the axes.
    fn cells(&self) -> Vec<BTreeMap<&str, &str>> {
        let mut cells: Vec<BTreeMap<&str, &str>> = vec![BTreeMap::new()];
        for (key, values) in &self.axes {
            let mut longer = Vec::new();
            for cell in &cells {
                for value in values {
                    let mut cell = cell.clone();
                    cell.insert(key, value);
                    longer.push(cell);
                }
            }
            cells = longer;
        }
        let takes_out = |part: &Vec<(&str, Vec<&str>)>, cell: &BTreeMap<&str, &str>| {
            part.iter().all(|(key, values)| values.contains(&cell[key]))
        };
        cells.retain(|cell| !self.excludes.iter().any(|part| takes_out(part, cell)));
        cells
    }

    fn spec(&self) -> String {
        let mut spec = format!(
            "{RICH}[arms.all]\n[arms.same]\n[arms.none.loss.hidden]\nenabled = false\n[grid]\n"
        );
        for (key, values) in &self.axes {
            spec.push_str(&format!("{key} = {}\n", quoted(values)));
        }
        for part in &self.excludes {
            spec.push_str("[[grid.exclude]]\n");
            for (key, values) in part {
                spec.push_str(&format!("{key} = {}\n", quoted(values)));
            }
        }
        spec
    }
}

#[test]
fn cells_are_the_product_without_the_excluded_in_the_order_of_the_spec() {
    let mut draws = Draws(1);
    for _ in 0..120 {
        let grid = DrawnGrid::draw(&mut draws);
        let (expected, spec) = (grid.cells(), grid.spec());
        let folder = Folder::new(&spec);
        let plan = match folder.try_plan("study.toml", &[], &[]) {
            Ok(plan) => plan,
            Err(mistakes) => {
                let text = mistakes.to_string();
                let is_empty = expected.is_empty() && text.contains("the grid is empty");
                assert!(is_empty || text.contains("has no effect"), "{text}\n{spec}");
                continue;
            }
        };
        let values_of = |at: &'_ BTreeMap<String, String>| -> Vec<(String, String)> {
            at.clone().into_iter().collect()
        };
        let cells: Vec<_> = plan.cells.iter().map(|cell| values_of(&cell.at)).collect();
        let expected: Vec<Vec<(String, String)>> = expected
            .iter()
            .map(|cell| {
                cell.iter()
                    .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
                    .collect()
            })
            .collect();
        assert_eq!(cells, expected, "{spec}");
        check_order_of_runs(&plan, &spec);
        check_distinct_runs(&plan, &spec);
        check_shards(&plan, &spec);
        check_same_plan_again(&plan, &spec);
    }
}

/// Runs stand in the order of their first cells.
fn check_order_of_runs(plan: &Plan, spec: &str) {
    let mut last = None;
    for cell in &plan.cells {
        assert!(
            cell.run <= last.map_or(0, |last: usize| last + 1),
            "runs stand in the order of their first cells\n{spec}"
        );
        last = last.max(Some(cell.run));
    }
}

/// What of a cell makes its run. Without a hidden loss neither its kind nor the map is a part of
/// the run, and two of the arms are the same.
fn kind_of(cell: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let mut kind = cell.clone();
    match cell.get("arm").map(String::as_str) {
        Some("none") => {
            kind.remove("match.strategy");
            kind.remove("loss.hidden.kind");
        }
        Some(_) => drop(kind.insert("arm".to_owned(), "all".to_owned())),
        None => {}
    }
    kind
}

/// Runs are the distinct ids of the cells.
fn check_distinct_runs(plan: &Plan, spec: &str) {
    let all: BTreeSet<_> = plan
        .cells
        .iter()
        .map(|cell| (kind_of(&cell.at), plan.runs[cell.run].id.clone()))
        .collect();
    let kinds: BTreeSet<_> = all.iter().map(|(kind, _)| kind).collect();
    assert_eq!(all.len(), kinds.len(), "equal cells are one run\n{spec}");
    // Maps of one depth may be the same run under two names, so there may be fewer ids than kinds.
    let ids: BTreeSet<_> = plan.runs.iter().map(|run| &run.id).collect();
    assert_eq!(ids.len(), plan.runs.len(), "{spec}");
    assert!(ids.len() <= kinds.len(), "{spec}");
}

/// Every run is in exactly one of the parts.
fn check_shards(plan: &Plan, spec: &str) {
    for parts in 1..5 {
        let shards = (1..=parts).flat_map(|part| {
            RunSelection::new(&[], Some(&format!("{part}/{parts}")))
                .expect("a shard")
                .indices(plan)
        });
        let mut seen: Vec<usize> = shards.collect();
        seen.sort_unstable();
        let all: Vec<usize> = (0..plan.runs.len()).collect();
        assert_eq!(seen, all, "{parts} shards\n{spec}");
    }
}

fn check_same_plan_again(plan: &Plan, spec: &str) {
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

#[test]
fn what_an_arm_sets_beside_an_axis_is_used_where_tables_are_merged_and_told_where_it_is_not() {
    let spec = |axis: &str| {
        format!(
            "{RICH}[arms.slow.train.lr]\nwarmup = \"50%\"\n[arms.fast]\n[grid]\n\
             arm = [\"slow\", \"fast\"]\nseed = [0]\n{axis}"
        )
    };
    let folder = Folder::new(&spec("train.lr = [{ peak = 1e-3 }, { peak = 3e-3 }]\n"));
    assert_eq!(folder.plan(&[]).runs.len(), 4);
    // An axis that comes from elsewhere is meant to take the place of what arms set.
    let folder = Folder::new(&spec(""));
    let plan = folder.plan(&["grid.train.lr.warmup=[\"5%\", \"10%\"]"]);
    let told = "arms.slow.train.lr.warmup is never used: every cell has the value of its axis in \
                its place";
    assert!(
        plan.notices.iter().any(|notice| notice == told),
        "{:?}",
        plan.notices
    );
}
