//! `[select]`: values that are tried on seeds of their own before the grid is run with the best.

use std::collections::BTreeSet;

use kdpipe::record::layout::Layout;
use serde_json::Value;

use crate::builder::{TestSite, differences, tiny};
use crate::plan::{Folder, RICH};

const SELECT: &str = "[select]
seed = [7]
loss.hidden.weight = [0.0, 0.5, 1e6]
";

/// The tiny study with weights to choose.
fn spec() -> String {
    tiny(&[]) + SELECT
}

fn lock(site: &TestSite) -> toml::Table {
    let text = std::fs::read_to_string(site.path("results/tiny/lock.toml")).unwrap();
    toml::from_str(&text).unwrap()
}

fn tried(lock: &toml::Table) -> Vec<toml::Table> {
    let list = lock["trials"]["tried"].as_array().unwrap();
    list.iter()
        .map(|one| one.as_table().unwrap().clone())
        .collect()
}

#[test]
fn every_arm_is_run_with_the_values_that_end_lowest_on_the_validation_split() {
    let site = TestSite::new(&spec());
    let before = site.kdpipe("plan study.toml").code(0).out;
    assert!(before.contains("[select] tries 6 runs"), "{before}");
    assert!(before.contains("nothing is chosen yet"), "{before}");
    let run = site.kdpipe("run study.toml").code(0);
    assert!(
        run.error.contains("[select] chooses loss.hidden.weight = "),
        "{}",
        run.error
    );
    let lock = lock(&site);
    let tried = tried(&lock);
    // The arm without hidden states has nothing to choose.
    let arms: BTreeSet<&str> = tried
        .iter()
        .map(|one| one["arm"].as_str().unwrap())
        .collect();
    assert_eq!(arms, BTreeSet::from(["mse", "wasserstein"]));
    for arm in arms {
        let of_arm = tried.iter().filter(|one| one["arm"].as_str() == Some(arm));
        let loss = |one: &toml::Table| one["validation_nll"].as_float().unwrap();
        let best = of_arm.clone().map(loss).fold(f64::INFINITY, f64::min);
        let chosen: Vec<&toml::Table> =
            of_arm.filter(|one| one.contains_key("is_chosen")).collect();
        assert_eq!(chosen.len(), 1, "{arm}");
        assert_eq!(loss(chosen[0]), best, "{arm}");
        // A weight of a million teaches nothing but states.
        let weight = chosen[0]["values"]["loss.hidden.weight"].as_str().unwrap();
        assert_ne!(weight, "1e6", "{arm}");
        // The runs of the grid have it.
        let plan: Value =
            serde_json::from_str(&site.kdpipe("plan study.toml --json").code(0).out).unwrap();
        let cells = plan["cells"].as_array().unwrap();
        let cell = cells.iter().find(|cell| cell["at"]["arm"] == arm).unwrap();
        let run = cell["run"].as_str().unwrap();
        let resolved = format!("results/tiny/runs/{run}/spec.toml");
        let resolved: toml::Table =
            toml::from_str(&std::fs::read_to_string(site.path(&resolved)).unwrap()).unwrap();
        let written = &resolved["loss"]["hidden"]["weight"];
        let is_it = written.to_string().parse::<f64>().unwrap() == weight.parse::<f64>().unwrap();
        assert!(is_it, "{written} {weight}");
    }
}

#[test]
fn what_is_tried_never_sees_the_test_split_and_is_done_once() {
    let site = TestSite::new(&spec());
    site.kdpipe("run study.toml").code(0);
    let lock = lock(&site);
    for one in tried(&lock) {
        for id in one["runs"].as_array().unwrap() {
            let folder = site.path(&format!("results/tiny/runs/{}", id.as_str().unwrap()));
            assert!(folder.join("metrics.parquet").exists());
            assert!(!folder.join("evals").exists());
        }
    }
    let before = site.results();
    site.kdpipe("run study.toml").code(0);
    assert_eq!(differences(&before, &site.results()), Vec::<String>::new());
    site.kdpipe("verify study.toml").code(0);
    let clean = site.kdpipe("clean study.toml").code(0).out;
    assert!(clean.contains("nothing is left over"), "{clean}");
    let status = site.kdpipe("status study.toml").code(0);
    assert!(status.out.contains("3 runs: 3 done"), "{}", status.out);
    assert!(!status.error.contains("note:"), "{}", status.error);
    let of_another = site.kdpipe("status study.toml --set train.steps=5").code(0);
    assert!(
        of_another.out == status.out
            && of_another
                .error
                .contains("and the spec is another now: train.steps"),
        "{}",
        of_another.error
    );
    let report = std::fs::read_to_string(site.path("results/tiny/report.md")).unwrap();
    assert!(report.contains("### How values were chosen"), "{report}");
    assert!(
        report.contains("6 runs on the seed 7, none of which is compared above"),
        "{report}"
    );
    // Other values to choose among, once results were seen, are told for ever.
    site.write(
        "study.toml",
        spec().replace("0.5, 1e6", "0.5, 0.7").as_bytes(),
    );
    let other = site.kdpipe("report study.toml").code(2).error;
    assert!(
        other.contains("select.loss.hidden.weight [0.0, 0.5, 1000000.0] → [0.0, 0.5, 0.7]"),
        "{other}"
    );
    let again = site.kdpipe("run study.toml").code(0).error;
    assert!(
        again.contains("the study is changed after results were seen"),
        "{again}"
    );
}

#[test]
fn a_study_that_is_killed_while_it_tries_chooses_the_same() {
    let whole = TestSite::new(&spec());
    whole.kdpipe("run study.toml").code(0);
    let killed = TestSite::new(&spec());
    killed.kdpipe_with("run study.toml", &[("KDPIPE_FAULT", "exit@75")]);
    let between = killed.kdpipe("status study.toml").code(0).out;
    assert!(between.contains("9 runs: 0 done"), "{between}");
    killed.kdpipe("run study.toml").code(0);
    let ids = |site: &TestSite| tried(&lock(site));
    assert_eq!(ids(&whole), ids(&killed));
}

#[test]
fn where_nothing_can_be_chosen_every_command_says_so_and_programs_hear_it() {
    let rates = "train.lr.peak = [1e30, 2e30]";
    let site = TestSite::new(&spec().replace("loss.hidden.weight = [0.0, 0.5, 1e6]", rates));
    let run = site.kdpipe("run study.toml --json").code(1);
    assert!(
        run.error.contains("can choose nothing for"),
        "{}",
        run.error
    );
    let told: Value = serde_json::from_str(&run.out).expect(&run.out);
    let runs = told["runs"].as_array().unwrap();
    assert_eq!(runs.len(), 6, "{told:#}");
    assert!(
        runs.iter().all(|run| run["state"] == "diverged"),
        "{told:#}"
    );
    let submit = site.kdpipe("submit study.toml --json").code(1);
    assert!(
        submit.error.contains("[select] can choose nothing"),
        "{}",
        submit.error
    );
    let told: Value = serde_json::from_str(&submit.out).expect(&submit.out);
    assert_eq!(told["groups"], 0);
}

#[test]
fn what_failed_of_select_is_submitted_again() {
    let site = TestSite::new(&spec());
    let plan = site.kdpipe("plan study.toml --json").code(0);
    let plan: Value = serde_json::from_str(&plan.out).unwrap();
    let tried = plan["select"]["runs"].as_array().unwrap();
    assert_eq!(tried.len(), 6);
    let layout = Layout::new(&site.path("results"), "tiny");
    for run in tried {
        let folder = layout.work(run["id"].as_str().unwrap());
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("error.txt"), "no room on the disk").unwrap();
    }
    let print = site.kdpipe("submit study.toml --print --json").code(0);
    let told: Value = serde_json::from_str(&print.out).expect(&print.out);
    let scripts = told["scripts"].as_str().unwrap();
    assert!(scripts.contains("--worker"), "{scripts}");
}

#[test]
fn a_value_is_explained_as_one_that_is_not_chosen_yet_and_then_as_the_chosen_one() {
    let site = TestSite::new(&spec());
    let explained = || {
        let of = "plan study.toml --explain loss.hidden.weight";
        site.kdpipe(of).code(0).out
    };
    let before = explained();
    assert!(
        before.contains("loss.hidden.weight = 0.0   from [select] in study.toml (study.toml:")
            && before.contains("; not chosen yet   [arm mse, arm wasserstein]"),
        "{before}"
    );
    site.kdpipe("run study.toml").code(0);
    let after = explained();
    assert!(
        after.contains("   from [select] in study.toml (") && !after.contains("not chosen yet"),
        "{after}"
    );
    for one in tried(&lock(&site)) {
        let weight = one["values"]["loss.hidden.weight"].as_str().unwrap();
        let line = format!("loss.hidden.weight = {weight}   from [select]");
        let arm = format!("arm {}", one["arm"].as_str().unwrap());
        let mut lines = after.lines();
        let is_told = lines.any(|told| told.starts_with(&line) && told.contains(&arm));
        assert_eq!(
            is_told,
            one.contains_key("is_chosen"),
            "{line} {arm}: {after}"
        );
    }
}

#[test]
fn a_part_that_names_no_run_is_refused_before_anything_is_tried() {
    let site = TestSite::new(&spec());
    for wrong in [
        "--only arm=mes",
        "--only nothing",
        "--only seed=0,",
        "--only [",
        "--shard 3/2",
    ] {
        let done = site.kdpipe(&format!("run study.toml {wrong}")).code(2);
        assert!(!done.error.contains("note: "), "{wrong}: {}", done.error);
    }
    assert!(!site.path("results").exists());
}

#[test]
fn one_arm_alone_and_a_value_from_outside_need_no_choice() {
    let spec = spec() + "arm = [\"mse\"]\n";
    let site = TestSite::new(&spec);
    for set in ["arm=none", "arm=wasserstein", "loss.hidden.weight=0.3"] {
        let plan = site
            .kdpipe(&format!("plan study.toml --set {set}"))
            .code(0)
            .out;
        assert!(!plan.contains("[select] tries"), "{set}: {plan}");
    }
    let chosen = site.kdpipe("plan study.toml --set arm=mse").code(0).out;
    assert!(chosen.contains("[select] tries 3 runs"), "{chosen}");
    // What is left over is not known before the choice is made.
    let refused = site.kdpipe("clean study.toml --remove").code(2).error;
    assert!(refused.contains("[select] has not chosen yet"), "{refused}");
}

#[test]
fn what_select_cannot_mean_is_refused_with_its_remedy() {
    let refused = |select: &str| Folder::new(&format!("{RICH}[select]\n{select}")).refused(&[]);
    for (select, words) in [
        ("seed = [50]", "[select] tries no values"),
        (
            "loss.kl.weight = [0.1, 0.2]",
            "[select] has no seeds of its own",
        ),
        (
            "seed = [0]\nloss.kl.weight = [0.1, 0.2]",
            "[select] and the grid share the seed 0",
        ),
        (
            "seed = [50]\ndataset.test_words = [100, 200]",
            "select.dataset.test_words cannot be chosen",
        ),
        ("seed = [50]\nloss.kl.wieght = [0.1, 0.2]", "wieght"),
        (
            "seed = [50]\nloss.kl.weight = 0.1",
            "select.loss.kl.weight is not a list of values",
        ),
        (
            "seed = [50]\ntrain.context = [8, 16]",
            "select.train.context cannot be chosen",
        ),
        (
            "seed = [50]\nloss.kl.weight = [0.1, 0.2]\nexclude = [{ seed = 50 }]",
            "select.exclude is an axis on a key that no run has",
        ),
        (
            "seed = [50]\nloss.kl.weight = [0.1]",
            "[select] leaves nothing to choose",
        ),
        (
            "seed = [50]\nloss.kl.weight = [0.1, -1.0]",
            "loss.kl.weight",
        ),
        (
            "seed = [50]\narm = [\"nobody\"]\nloss.kl.weight = [0.1, 0.2]",
            "there is no arm \"nobody\"",
        ),
    ] {
        let text = refused(select);
        assert!(text.contains(words), "{select}:\n{text}");
        assert!(text.contains("help: "), "{select}:\n{text}");
    }
}

#[test]
fn values_that_are_set_away_from_outside_are_told() {
    let select =
        "[select]\nseed = [50]\nloss.kl.weight = [0.1, 0.2]\nloss.lm.weight = [0.1, 0.2]\n";
    let folder = Folder::new(&format!("{RICH}{select}"));
    let told =
        |key: &str| format!("[select]: the axis loss.{key}.weight is \"0.3\" alone, set by --set");
    let one = folder.plan(&["loss.kl.weight=0.3"]);
    assert_eq!(one.notices, [told("kl")]);
    let both = folder.plan(&["loss.kl.weight=0.3", "loss.lm.weight=0.3"]);
    assert_eq!(both.notices, [told("kl"), told("lm")]);
}

#[test]
fn a_key_is_either_compared_or_chosen() {
    for (grid, select, words) in [
        (
            "loss.kl.weight = [0.1, 0.2]",
            "loss.kl.weight = [1.0, 2.0]",
            "loss.kl.weight is an axis of [grid] and of [select]",
        ),
        // One below the other is no less both.
        (
            "match = [{ strategy = \"uniform\" }, { strategy = \"last\" }]",
            "match.tokens = [\"paired\", \"shuffled\"]",
            "match.tokens is an axis of [select], and match one of [grid]",
        ),
    ] {
        let spec = format!("{RICH}[grid]\n{grid}\n[select]\nseed = [50]\n{select}");
        let text = Folder::new(&spec).refused(&[]);
        assert!(text.contains(words), "{text}");
    }
}

#[test]
fn a_trial_whose_records_were_changed_since_has_not_diverged_but_is_made_again() {
    let site = TestSite::new(&spec());
    site.kdpipe("run study.toml").code(0);
    let before = tried(&lock(&site));
    let chosen = before.iter().find(|one| one.contains_key("is_chosen"));
    let id = chosen.unwrap()["runs"][0].as_str().unwrap();
    let file = site.path(&format!("results/tiny/runs/{id}/metrics.parquet"));
    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    let plan = site.kdpipe("plan study.toml").code(0).out;
    assert!(plan.contains("nothing is chosen yet"), "{plan}");
    let again = site.kdpipe("run study.toml").code(0).error;
    assert!(again.contains("it is set aside as"), "{again}");
    assert_eq!(tried(&lock(&site)), before);
}
