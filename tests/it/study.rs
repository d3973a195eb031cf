//! Whole studies, from a spec to its report.

use crate::builder::{TINY, TestSite, differences, taught_by};

#[test]
fn a_second_run_trains_nothing_and_leaves_the_same_bytes() {
    let site = TestSite::tiny(&[]);
    let first = site.kdpipe("run study.toml").code(0);
    assert_eq!(
        first.error.matches("finished  ").count(),
        3,
        "{}",
        first.error
    );
    let results = site.results();
    assert!(results.iter().any(|(name, _)| name == "tiny/report.md"));
    let second = site.kdpipe("run study.toml").code(0);
    assert!(
        second.error.contains("3 runs are finished already") && !second.error.contains("training"),
        "{}",
        second.error
    );
    assert_eq!(differences(&results, &site.results()), Vec::<String>::new());
}

#[test]
fn any_number_of_threads_gives_the_same_bytes() {
    let (one, three) = (TestSite::tiny(&[]), TestSite::tiny(&[]));
    one.kdpipe("run study.toml --threads 1").code(0);
    three.kdpipe("run study.toml --threads 3").code(0);
    assert_eq!(
        differences(&one.results(), &three.results()),
        Vec::<String>::new()
    );
}

#[test]
fn a_study_that_was_killed_again_and_again_ends_in_the_same_bytes() {
    let whole = TestSite::tiny(&[]);
    whole.kdpipe("run study.toml").code(0);
    let killed = TestSite::tiny(&[]);
    // Each process ends at one of its first changes of the disk, later ones a little further on.
    let mut kills = 0;
    for round in 0..60 {
        let done = killed.kdpipe_with(
            "run study.toml",
            &[("KDPIPE_FAULT", &format!("exit@{}", 5 + 7 * round))],
        );
        if done.code == Some(0) {
            break;
        }
        kills += 1;
    }
    assert!(kills >= 10, "only {kills} kills");
    killed.kdpipe("run study.toml").code(0);
    assert_eq!(
        differences(&whole.results(), &killed.results()),
        Vec::<String>::new()
    );
}

#[test]
fn a_changed_spec_trains_only_the_runs_that_it_touches() {
    let site = TestSite::tiny(&[]);
    site.kdpipe("run study.toml").code(0);
    site.write(
        "study.toml",
        TINY.replace("width = 8, steps = 1", "width = 8, steps = 2")
            .as_bytes(),
    );
    let done = site.kdpipe("run study.toml").code(0);
    assert!(
        done.error.contains("2 runs are finished already"),
        "{}",
        done.error
    );
    assert_eq!(
        done.error.matches("finished  ").count(),
        1,
        "{}",
        done.error
    );
    assert!(
        !done.error.contains("training the teacher"),
        "{}",
        done.error
    );
}

#[test]
fn another_evaluation_evaluates_stored_weights_and_trains_nothing() {
    let site = TestSite::tiny(&[]);
    site.kdpipe("run study.toml").code(0);
    let done = site
        .kdpipe("run study.toml --set evaluate.stride=8")
        .code(0);
    assert!(
        !done.error.contains("training") && done.error.matches("finished  ").count() == 3,
        "{}",
        done.error
    );
}

#[test]
fn a_part_of_the_grid_can_be_run_and_the_rest_later() {
    let site = TestSite::tiny(&[]);
    let part = site.kdpipe("run study.toml --only arm=mse").code(0);
    assert_eq!(
        part.error.matches("finished  ").count(),
        1,
        "{}",
        part.error
    );
    let rest = site.kdpipe("run study.toml").code(0);
    assert!(
        rest.error.contains("1 run is finished already")
            && rest.error.matches("finished  ").count() == 2,
        "{}",
        rest.error
    );
    let whole = TestSite::tiny(&[]);
    whole.kdpipe("run study.toml").code(0);
    assert_eq!(
        differences(&whole.results(), &site.results()),
        Vec::<String>::new()
    );
    assert!(
        site.kdpipe("run study.toml --only nothing*")
            .code(2)
            .error
            .contains("no run of the grid")
    );
}

#[test]
fn a_diverging_run_is_recorded_and_the_others_go_on() {
    let site = TestSite::tiny(&[("[arms.mse]\n", "[arms.mse.train.lr]\npeak = 1e30\n")]);
    let done = site.kdpipe("run study.toml").code(1);
    assert!(done.error.contains("diverged"), "{}", done.error);
    assert_eq!(
        done.error.matches("finished  ").count(),
        2,
        "{}",
        done.error
    );
    let again = site.kdpipe("run study.toml").code(1);
    assert!(
        again.error.contains("3 runs are finished already"),
        "{}",
        again.error
    );
    let report = String::from_utf8(
        site.results()
            .into_iter()
            .find(|(name, _)| name == "tiny/report.md")
            .unwrap()
            .1,
    )
    .unwrap();
    assert!(report.to_lowercase().contains("diverged"), "{report}");
}

#[test]
fn expectations_that_are_missed_are_an_exit_code() {
    let site = TestSite::new(&format!(
        "{TINY}\n[expect]\nperplexity = [{{ arm = \"mse\", at_most = 1.5 }}]\n"
    ));
    let done = site.kdpipe("run study.toml").code(1);
    assert!(
        done.error.contains("expectation missed:") && done.error.contains("more than 1.5"),
        "{}",
        done.error
    );
}

#[test]
fn results_folders_are_compared_and_the_first_difference_named() {
    let (one, other) = (
        TestSite::tiny(&[]),
        TestSite::tiny(&[("seed = [0]", "seed = [1]")]),
    );
    one.kdpipe("run study.toml --only arm=none").code(0);
    other.kdpipe("run study.toml --only arm=none").code(0);
    let same = one.kdpipe("diff results/tiny results/tiny").code(0);
    assert_eq!(same.out, "the same\n");
    let path = other.path("results/tiny");
    let differing = one
        .kdpipe(&format!("diff results/tiny {}", path.display()))
        .code(1);
    for line in [
        "  grid.seed: [0] | [1]\n",
        "runs: 0 in both",
        "  arm=none seed=0: finished | (absent)\n",
    ] {
        assert!(differing.out.contains(line), "{}", differing.out);
    }
    let bytes = one
        .kdpipe(&format!("diff --bytes results/tiny {}", path.display()))
        .code(1);
    assert!(bytes.out.contains("lock.toml: line"), "{}", bytes.out);
    assert!(
        one.kdpipe("diff results/tiny nowhere")
            .code(2)
            .error
            .contains("nowhere is not a folder")
    );
}

#[test]
fn a_teacher_is_trained_once_for_several_studies() {
    let site = TestSite::tiny(&[]);
    site.kdpipe("run study.toml --only arm=none").code(0);
    site.write(
        "other.toml",
        TINY.replace("name = \"tiny\"", "name = \"other\"")
            .as_bytes(),
    );
    let done = site.kdpipe("run other.toml --only arm=mse").code(0);
    assert!(
        !done.error.contains("training the teacher"),
        "{}",
        done.error
    );
}

#[test]
fn a_finished_run_loads_as_a_teacher_and_as_an_initial_student() {
    let site = TestSite::tiny(&[]);
    let json = site
        .kdpipe("run study.toml --only arm=none --json")
        .code(0)
        .out;
    let summary: serde_json::Value = serde_json::from_str(&json).unwrap();
    let id = summary["runs"][0]["id"].as_str().unwrap();
    let folder = format!("results/tiny/runs/{id}/student");
    let spec = taught_by(&folder, &folder, "second")
        // A student that starts as its teacher has no distance to it, so nothing to balance to.
        .replace(
            "mode = \"gradient\"\nbatches = 2\nreference = \"kl\"",
            "mode = \"none\"",
        )
        .replace(
            "[student]\nlayers = 2",
            "[student]\ninit = \"teacher\"\nlayers = 2",
        );
    site.write("second.toml", spec.as_bytes());
    site.kdpipe("run second.toml --only arm=mse").code(0);
    let report = std::fs::read_to_string(site.path("results/second/report.md")).unwrap();
    assert!(
        report.contains("What the teacher was trained on is not known")
            && !report.contains("was not trained"),
        "{report}"
    );
    let first = std::fs::read_to_string(site.path("results/tiny/report.md")).unwrap();
    assert!(
        !first.contains("What the teacher was trained on is not known"),
        "{first}"
    );
}

#[test]
fn in_bfloat16_a_study_is_another_one_and_as_exact() {
    let run = "run study.toml --set train.precision=bf16 --set teacher.precision=bf16-or-f32";
    let emulated = ("KDPIPE_BF16", "emulate");
    let (whole, killed, plain) = (
        TestSite::tiny(&[]),
        TestSite::tiny(&[]),
        TestSite::tiny(&[]),
    );
    let refused = whole.kdpipe_with(run, &[("KDPIPE_BF16", "none")]).code(2);
    assert!(
        refused.error.contains("AVX512-BF16") && refused.error.contains("bf16-or-f32"),
        "{}",
        refused.error
    );
    whole
        .kdpipe_with(&format!("{run} --threads 1"), &[emulated])
        .code(0);
    for at in [40, 160] {
        killed.kdpipe_with(run, &[emulated, ("KDPIPE_FAULT", &format!("exit@{at}"))]);
    }
    killed
        .kdpipe_with(&format!("{run} --threads 3"), &[emulated])
        .code(0);
    assert_eq!(
        differences(&whole.results(), &killed.results()),
        Vec::<String>::new()
    );
    whole
        .kdpipe_with(&run.replace("run ", "verify "), &[emulated])
        .code(0);

    plain.kdpipe("run study.toml").code(0);
    let losses = |site: &TestSite| -> Vec<f64> {
        let table = std::fs::read_to_string(site.path("results/tiny/runs.csv")).expect("a table");
        let mut lines = table
            .lines()
            .map(|line| line.split(',').collect::<Vec<_>>());
        let column = lines
            .next()
            .and_then(|names| {
                names
                    .iter()
                    .position(|&name| name == "test.nll_nats_per_token")
            })
            .expect("a column of losses");
        lines
            .map(|line| line[column].parse().expect("a number"))
            .collect()
    };
    let (rounded, exact) = (losses(&whole), losses(&plain));
    assert_eq!(rounded.len(), exact.len());
    for (rounded, exact) in rounded.iter().zip(&exact) {
        assert!(
            rounded != exact && (rounded - exact).abs() < 0.02,
            "{rounded} against {exact}"
        );
    }
}

#[test]
fn a_token_that_was_added_without_a_row_matters_only_where_a_text_has_it() {
    let site = TestSite::tiny(&[]);
    let json = site
        .kdpipe("run study.toml --only arm=none --json")
        .code(0)
        .out;
    let summary: serde_json::Value = serde_json::from_str(&json).unwrap();
    let id = summary["runs"][0]["id"].as_str().unwrap();
    let model = format!("results/tiny/runs/{id}/student");
    for file in std::fs::read_dir(site.path(&model)).unwrap().flatten() {
        std::fs::create_dir_all(site.path("tokenizer")).unwrap();
        std::fs::copy(file.path(), site.path("tokenizer").join(file.file_name())).unwrap();
    }
    let written = std::fs::read(site.path("tokenizer/tokenizer.json")).unwrap();
    let add = |content: &str, special: bool| {
        let mut tokenizer: serde_json::Value = serde_json::from_slice(&written).unwrap();
        let added = tokenizer["added_tokens"].as_array_mut().unwrap();
        added.push(serde_json::json!({
            "id": 300, "content": content, "special": special, "single_word": false,
            "lstrip": false, "rstrip": false, "normalized": false,
        }));
        site.write("tokenizer/tokenizer.json", tokenizer.to_string().as_bytes());
    };
    site.write(
        "second.toml",
        taught_by("tokenizer", &model, "second").as_bytes(),
    );
    add("[PAD]", true);
    site.kdpipe("run second.toml --only arm=mse").code(0);
    add("the ", false);
    let done = site.kdpipe("run second.toml --only arm=mse").code(1);
    assert!(
        done.error.contains(
            "the train split uses the token 300 (\"the \"), and the model has 300 rows, for the \
             tokens 0 to 299: its embeddings were not resized"
        ),
        "{}",
        done.error
    );
}

#[test]
fn the_command_of_the_report_has_what_the_environment_set() {
    let site = TestSite::tiny(&[]);
    let arguments = "run study.toml --set pipeline.description=\"It's\"";
    let set = [("KDPIPE_TRAIN__STEPS", "4")];
    site.kdpipe_with(arguments, &set);
    let page = std::fs::read_to_string(site.path("results/tiny/report.md")).unwrap();
    let command = "KDPIPE_TRAIN__STEPS=4 kdpipe run study.toml --set 'pipeline.description=";
    assert!(page.contains(command), "{page}");
    assert!(page.contains("It'\\''s"), "{page}");
}

#[test]
fn arms_are_expected_to_be_better_on_the_seeds_that_both_have() {
    let site = TestSite::tiny(&[]);
    let expected = |set: &str| {
        let better = "--set expect.better=[{arm=\"mse\",than=\"none\"}]";
        site.kdpipe(&format!("run study.toml {better} {set}"))
    };
    let apart = "--set grid.seed=[0,1] --set grid.exclude=[{arm=\"mse\",seed=0},\
                 {arm=\"none\",seed=1}]";
    let told = expected(apart).code(1).error;
    let words = "arms mse and none cannot be compared: there are no two finished runs, one of \
                 each, that differ in nothing else";
    assert!(told.contains(words), "{told}");
}
