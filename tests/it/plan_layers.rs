//! Layers: which of them wins, and what a layer drops.

use kdpipe::plan::Plan;
use kdpipe::plan::run::{Term, TrainSpec};

use crate::plan::{Folder, RICH};

pub fn train(plan: &Plan) -> &TrainSpec {
    &plan.runs[0].spec.train
}

/// A study with arms and axes on the rich one.
const STUDY: &str = r#"
[arms.none.loss.hidden]
enabled = false
[arms.mse.loss.hidden]
kind = "hidden.mse"
[arms.wasserstein]
[grid]
arm = ["none", "mse", "wasserstein"]
match.strategy = ["uniform", "last"]
seed = [0, 1]
[report]
baseline = { arm = "none" }
"#;

pub fn study() -> Folder {
    Folder::new(&format!("{RICH}{STUDY}"))
}

#[test]
fn each_layer_wins_over_those_below_it() {
    let folder = Folder::new("");
    folder.write(
        "far.toml",
        "[train]\nsteps = 2\nbatch = 2\naccumulate = 2\ncontext = 32\n",
    );
    folder.write(
        "near.toml",
        "extends = \"far.toml\"\n[train]\nsteps = 3\nbatch = 3\naccumulate = 3\n",
    );
    folder.write(
        "study.toml",
        "extends = \"near.toml\"\n[train]\nsteps = 4\nbatch = 4\n[arms.a.train]\nsteps = \
         5\n[grid]\narm = [\"a\"]\n",
    );
    folder.write(
        "axis.toml",
        "extends = \"study.toml\"\n[grid]\ntrain.steps = [6]\n",
    );
    let plan = folder.plan(&[]);
    let all = |train: &TrainSpec| {
        (
            train.steps,
            train.batch,
            train.accumulate,
            train.context,
            train.checkpoint_every,
        )
    };
    assert_eq!(all(train(&plan)), (5, 4, 3, 32, 500));
    let steps = |set: &[&str], environment: &[(&str, &str)]| {
        train(
            &folder
                .try_plan("axis.toml", set, environment)
                .expect("a plan"),
        )
        .steps
    };
    assert_eq!(steps(&[], &[]), 6);
    assert_eq!(steps(&[], &[("KDPIPE_TRAIN__STEPS", "7")]), 7);
    assert_eq!(
        steps(&["train.steps=8"], &[("KDPIPE_TRAIN__STEPS", "7")]),
        8
    );
    assert_eq!(
        steps(
            &["train.steps=8", "train.steps=9"],
            &[("KDPIPE_TRAIN__STEPS", "7")]
        ),
        9
    );
    assert_eq!(
        steps(&["train={ steps = 9 }"], &[("KDPIPE_TRAIN__STEPS", "7")]),
        9
    );
}

#[test]
fn explain_names_the_layer_that_a_value_of_the_study_came_from() {
    let spec = "[loss.lm]\nkind = \"lm\"\n[grid]\nseed = [0, 1]\n";
    let folder = Folder::new(spec);
    let loaded = folder.load("study.toml", &[], &[]).expect("a study");
    let seeds = loaded.explain("grid.seed").unwrap();
    assert!(seeds.starts_with("grid.seed = [0, 1]   from "), "{seeds}");
    assert!(loaded.explain("report.alpho").is_err());
}

#[test]
fn explain_names_the_layer_that_a_value_came_from() {
    let folder = study();
    let explain = |key: &str, set: &[&str], environment: &[(&str, &str)]| {
        let text = folder
            .load("study.toml", set, environment)
            .expect("a study")
            .explain(key)
            .expect("a value");
        text.replace(&*folder.path().to_string_lossy(), "SITE")
    };
    assert_eq!(
        explain("train.steps", &[], &[]),
        "train.steps = 1000   from the defaults"
    );
    assert_eq!(
        explain("student.layers", &[], &[]),
        "student.layers = 3   from SITE/study.toml (SITE/study.toml:9:1)"
    );
    assert_eq!(
        explain("train.steps", &["train.steps=5"], &[]),
        "train.steps = 5   from --set train.steps=5 (--set:1:1)"
    );
    assert_eq!(
        explain("train.steps", &[], &[("KDPIPE_TRAIN__STEPS", "6")]),
        "train.steps = 6   from the environment's KDPIPE_TRAIN__STEPS (environment:1:1)"
    );
    assert_eq!(
        explain("train.evaluate_every", &["train.steps=215"], &[]),
        "train.evaluate_every = 21   a tenth of the steps"
    );
    assert_eq!(
        explain("train.evaluate_every", &["train.evaluate_every=7"], &[]),
        "train.evaluate_every = 7   from --set train.evaluate_every=7 (--set:1:1)"
    );
    let kinds = explain("loss.hidden.kind", &[], &[]);
    assert_eq!(
        kinds,
        "loss.hidden.kind = \"hidden.wasserstein\"   from SITE/study.toml \
         (SITE/study.toml:19:1)   [arm none, arm wasserstein]\n\
         loss.hidden.kind = \"hidden.mse\"   from arm mse of SITE/study.toml \
         (SITE/study.toml:28:1)   [arm mse]"
    );
    let wrong = folder
        .load("study.toml", &[], &[])
        .expect("a study")
        .explain("train.stepz")
        .expect_err("no such key");
    assert_eq!(
        wrong.to_string(),
        "no layer sets train.stepz; did you mean train.steps?"
    );
}

#[test]
fn settings_are_no_keys_and_names_from_the_environment_reach_losses_and_arms() {
    let folder = study();
    let plan = |environment: &[(&str, &str)]| {
        folder
            .try_plan("study.toml", &[], environment)
            .expect("a plan")
    };
    let plain = plan(&[]);
    assert_eq!(
        plan(&[
            ("KDPIPE_CACHE", "x"),
            ("KDPIPE_FAULT", "y"),
            ("OTHER__KEY", "1")
        ]),
        plain
    );
    let weighted = plan(&[("KDPIPE_LOSS__HIDDEN__WEIGHT", "2.0")]);
    assert_eq!(
        weighted.runs[0].id, plain.runs[0].id,
        "the arm without the loss"
    );
    assert_ne!(
        weighted.runs.last().map(|run| &run.id),
        plain.runs.last().map(|run| &run.id)
    );
    let arm = plan(&[("KDPIPE_ARMS__MSE__LOSS__HIDDEN__NORMALIZE", "true")]);
    let normalized = |plan: &Plan| {
        plan.runs
            .iter()
            .filter(|run| {
                matches!(
                    run.spec.loss.get("hidden"),
                    Some(Term::HiddenMse {
                        normalize: true,
                        ..
                    })
                )
            })
            .count()
    };
    assert_eq!((normalized(&plain), normalized(&arm)), (0, 4));
}

#[test]
fn arms_are_merged_key_by_key_and_keep_what_the_new_kind_shares() {
    let rich = RICH.replace(
        "kind = \"hidden.wasserstein\"\nweight = 0.5\n",
        "kind = \"hidden.wasserstein\"\nweight = 0.25\nstates = \"layernorm\"\ncritic = { width = \
         16, steps = 3 }\n",
    );
    let arms = "[arms.mse.loss.hidden]\nkind = \
                \"hidden.mse\"\n[arms.narrow.loss.hidden.critic]\nwidth = 8\n";
    let folder = Folder::new(&format!(
        "{rich}{arms}[grid]\narm = [\"mse\", \"narrow\"]\n"
    ));
    let plan = folder.plan(&[]);
    let terms: Vec<String> = plan
        .runs
        .iter()
        .map(|run| serde_json::to_string(&run.spec.loss["hidden"]).expect("a term"))
        .collect();
    assert_eq!(
        terms[0],
        r#"{"kind":"hidden.mse","weight":0.25,"states":"layernorm","normalize":false}"#
    );
    assert_eq!(
        terms[1],
        concat!(
            r#"{"kind":"hidden.wasserstein","weight":0.25,"states":"layernorm","critic":{"#,
            r#""width":8,"depth":2,"steps":3,"slope":0.2,"lipschitz":"gradient-penalty","#,
            r#""penalty":10.0,"lr":0.0001,"betas":[0.0,0.9],"warmup":100}}"#
        )
    );
}

#[test]
fn a_new_source_drops_what_it_does_not_have_and_a_new_shape_keeps_its_ends() {
    let folder = Folder::new(
        "[dataset]\nsource = \"hub\"\nrepo = \"a/b\"\ntrain_tokens = 500\n[loss.lm]\nkind = \
         \"lm\"\nweight = { shape = \"linear\", from = 0.0, to = 1.0, over = 10 }\n",
    );
    folder.write(
        "child.toml",
        "extends = \"study.toml\"\n[dataset]\nsource = \"synthetic\"\n[loss.lm.weight]\nshape = \
         \"cosine\"\n",
    );
    let plan = folder.try_plan("child.toml", &[], &[]).expect("a plan");
    let spec = serde_json::to_value(&plan.runs[0].spec).expect("JSON");
    assert_eq!(spec["dataset"]["train_words"], 400_000);
    assert_eq!(spec["dataset"]["train_tokens"], 500);
    assert_eq!(
        spec["loss"]["lm"]["weight"],
        serde_json::json!({ "shape": "cosine", "from": 0.0, "to": 1.0, "over": 10 })
    );
    let number = folder
        .try_plan("child.toml", &["loss.lm.weight=0.5"], &[])
        .expect("a plan");
    assert_eq!(
        serde_json::to_value(&number.runs[0].spec.loss["lm"]).expect("JSON")["weight"],
        0.5
    );
}

#[test]
fn losses_of_the_defaults_stand_only_where_no_file_names_any() {
    let names = |spec: &str, set: &[&str]| {
        Folder::new(spec).plan(set).runs[0]
            .spec
            .loss
            .keys()
            .cloned()
            .collect::<Vec<_>>()
    };
    assert_eq!(names("", &[]), ["kl", "lm"]);
    assert_eq!(names("[loss.mine]\nkind = \"lm\"\n", &[]), ["mine"]);
    assert_eq!(
        names("", &["loss.hidden.kind=hidden.mse"]),
        ["hidden", "kl", "lm"]
    );
}
