//! The study of the novels, planned: what it tries, runs and declares.

use std::collections::BTreeMap;
use std::path::Path;

use kdpipe::hub::{Hub, Settings};
use kdpipe::plan::{Overrides, Plan, PlannedRun, load};
use kdpipe::record::layout::Layout;
use kdpipe::runner::{ResolvedStudy, StudyInputs, resolve_study};

const SPECS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/pipelines");

/// The study as it is resolved where `folder` has the novels beside the specs.
fn planned(folder: &Path) -> ResolvedStudy {
    std::fs::create_dir_all(folder.join("pipelines/novels")).expect("a folder");
    for name in ["novels.toml", "novels/base.toml"] {
        let copy = folder.join("pipelines").join(name);
        std::fs::copy(Path::new(SPECS).join(name), copy).expect("the spec");
    }
    let spec = folder.join("pipelines/novels.toml");
    let settings = Settings {
        cache: folder.join("hub"),
        ..Settings::from_environment(true)
    };
    let hub = Hub::quiet(settings, Vec::new());
    let loaded = load(&spec, &Overrides::default()).unwrap_or_else(|wrong| panic!("{wrong}"));
    let layout = Layout::new(&folder.join("results"), "novels");
    resolve_study(loaded, &StudyInputs::to_plan(&hub), &layout)
        .unwrap_or_else(|wrong| panic!("{wrong}"))
}

/// Seeds by teacher, of the cells with these values.
fn seeds(plan: &Plan, at: &[(&str, &str)]) -> BTreeMap<String, Vec<String>> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for cell in &plan.cells {
        if at.iter().all(|(key, value)| cell.at[*key] == *value) {
            let teacher = cell.at["teacher.seed"].clone();
            found
                .entry(teacher)
                .or_default()
                .push(cell.at["seed"].clone());
        }
    }
    found
}

fn run<'a>(plan: &'a Plan, arm: &str) -> &'a PlannedRun {
    let mut cells = plan.cells.iter();
    let cell = cells.find(|cell| cell.at["arm"] == arm).expect("a cell");
    &plan.runs[cell.run]
}

fn check(study: &ResolvedStudy) {
    let plan = &study.plan;
    assert_eq!(plan.notices, Vec::<String>::new());
    // Two comparisons in question, declared beforehand; the others are a family of their own.
    let primary = plan.report.primary.as_ref().expect("primaries");
    assert_eq!(primary["arm"].values(), ["none", "sliced"]);
    assert_eq!(plan.report.baseline["arm"], "mse");
    // Eight seeds with one teacher and four others with the second, where they decide.
    let uniform = |arm: &'static str| {
        let at = [
            ("arm", arm),
            ("match.strategy", "uniform"),
            ("match.tokens", "paired"),
        ];
        seeds(plan, &at)
    };
    for arm in ["none", "mse", "sliced"] {
        let found = uniform(arm);
        let counts: Vec<usize> = found.values().map(Vec::len).collect();
        assert_eq!(counts, [8, 4], "{arm}");
        assert!(
            found["1"].iter().all(|seed| !found["2"].contains(seed)),
            "{arm}"
        );
    }
    // Six of these beside them, with their controls.
    let six = &uniform("mse")["1"][..6];
    for arm in ["none-long", "lm-long", "mse-long", "energy", "wasserstein"] {
        assert_eq!(uniform(arm)["1"], six, "{arm}");
    }
    for arm in ["mse", "sliced"] {
        for map in ["reverse", "shuffled"] {
            let found = seeds(plan, &[("arm", arm), ("match.strategy", map)]);
            assert_eq!(found["1"], six, "{arm} {map}");
        }
    }
    let unpaired = seeds(plan, &[("match.tokens", "shuffled"), ("arm", "mse")]);
    assert_eq!(unpaired["1"], six);
    assert_eq!(seeds(plan, &[("match.tokens", "shuffled")]), unpaired);
    // As many operations as the dearest arm, and no more.
    let dearest = plan.runs.iter().map(|run| run.estimate.flops);
    let dearest = dearest.fold(0.0, f64::max);
    for arm in ["none-long", "lm-long", "mse-long", "wasserstein"] {
        let share = run(plan, arm).estimate.flops / dearest;
        assert!((0.99..=1.0).contains(&share), "{arm}: {share}");
    }
    assert_eq!(run(plan, "mse").spec.train.steps, 1500);
    // Two rates for every arm, with five weights each where there are hidden losses.
    let trial = study.trial.as_ref().expect("what is tried");
    assert_eq!(trial.runs.len(), 2 * (3 + 5 * 5));
    let own: Vec<u64> = trial.runs.iter().map(|run| run.spec.seed).collect();
    assert!(own.iter().all(|seed| *seed == 50));
}

#[test]
fn the_study_of_the_novels_selects_confirms_controls_and_declares_as_it_says() {
    let folder = tempfile::tempdir().expect("a folder");
    let novels = folder.path().join("data/novels");
    std::fs::create_dir_all(&novels).expect("a folder");
    for name in ["train-1.txt", "train-2.txt", "valid.txt", "test.txt"] {
        let text = format!("{name}: a novel of which nobody heard.\n");
        std::fs::write(novels.join(name), text.repeat(200)).expect("a file");
    }
    check(&planned(folder.path()));
}

#[cfg(unix)]
#[test]
fn the_study_of_the_novels_is_planned_with_real_ones() {
    let Some(data) = std::env::var_os("KDPIPE_TEST_DATA") else {
        println!("skipped: KDPIPE_TEST_DATA is not set");
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir_all(folder.path().join("data/novels")).expect("a folder");
    for name in ["train.txt", "valid.txt", "test.txt"] {
        let novel = Path::new(&data).join("gutenberg").join(name);
        let link = folder.path().join("data/novels").join(name);
        std::os::unix::fs::symlink(novel, link).expect("a link");
    }
    check(&planned(folder.path()));
}
