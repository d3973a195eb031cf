//! Layers: which of them wins, what a layer drops, and what becomes of an axis that is set from
//! outside.

use kdpipe::plan::path::InputPath;
use kdpipe::plan::run::{DatasetSpec, TeacherSpec, Term, TokenizerSpec, TrainSpec};
use kdpipe::plan::{DatasetFact, Fact, Inputs, Plan, TeacherFact, TokenizerFact};

use crate::plan::{Folder, RICH};

fn train(plan: &Plan) -> &TrainSpec {
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

fn study() -> Folder {
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
    let kinds = explain("loss.hidden.kind", &[], &[]);
    assert_eq!(
        kinds,
        "loss.hidden.kind = \"hidden.wasserstein\"   from SITE/study.toml (SITE/study.toml:19:1)   [arm none, arm wasserstein]\n\
         loss.hidden.kind = \"hidden.mse\"   from arm mse of SITE/study.toml (SITE/study.toml:28:1)   [arm mse]"
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
        r#"{"kind":"hidden.wasserstein","weight":0.25,"states":"layernorm","critic":{"width":8,"depth":2,"steps":3,"slope":0.2,"lipschitz":"gradient-penalty","penalty":10.0,"lr":0.0001,"betas":[0.0,0.9],"warmup":100}}"#
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

#[test]
fn an_axis_that_is_set_from_outside_is_that_value_alone_with_a_notice() {
    let folder = study();
    let plan = folder.plan(&["seed=7"]);
    assert_eq!(
        plan.axes
            .iter()
            .find(|axis| axis.key == "seed")
            .map(|axis| axis.values.clone()),
        Some(vec!["7".to_owned()])
    );
    assert_eq!(plan.notices, ["the axis seed is \"7\" alone, set by --set"]);
    assert!(plan.runs.iter().all(|run| run.spec.seed == 7) && plan.cells.len() == 6);
    let both = folder
        .try_plan(
            "study.toml",
            &["match.strategy=last"],
            &[("KDPIPE_MATCH__STRATEGY", "first")],
        )
        .expect("a plan");
    assert_eq!(
        both.notices,
        ["the axis match.strategy is \"last\" alone, set by --set"]
    );
    let environment = folder
        .try_plan("study.toml", &[], &[("KDPIPE_MATCH__STRATEGY", "first")])
        .expect("a plan");
    assert_eq!(
        environment.notices,
        ["the axis match.strategy is \"first\" alone, set by the environment"]
    );
    let table = folder.plan(&["match={ strategy = \"last\" }"]);
    assert_eq!(table.cells.len(), 6);
}

#[test]
fn an_axis_of_tables_that_is_set_in_part_keeps_its_other_keys() {
    let folder = Folder::new(&format!(
        "{RICH}[grid]\ntrain = [{{ steps = 5, batch = 2 }}, {{ steps = 6, batch = 3 }}]\n"
    ));
    let plan = folder.plan(&["train.steps=9"]);
    let seen: Vec<_> = plan
        .runs
        .iter()
        .map(|run| (run.spec.train.steps, run.spec.train.batch))
        .collect();
    assert_eq!(seen, [(9, 2), (9, 3)]);
    assert_eq!(
        plan.notices,
        ["the axis train is set in part, by --set: { steps = 9 }"]
    );
}

#[test]
fn an_arm_that_is_set_from_outside_is_run_alone_and_is_its_own_baseline() {
    let folder = study();
    let plan = folder.plan(&["arm=mse"]);
    assert!(plan.cells.len() == 4 && plan.cells.iter().all(|cell| cell.at["arm"] == "mse"));
    assert_eq!(plan.report.baseline["arm"], "mse");
    assert_eq!(
        plan.notices,
        [
            "the axis arm is \"mse\" alone, set by --set",
            "report.baseline is arm=mse: the axis arm is that alone"
        ]
    );
    // The same runs as in the whole study.
    let whole = folder.plan(&[]);
    assert!(
        plan.runs
            .iter()
            .all(|run| whole.runs.iter().any(|other| other.id == run.id))
    );
    let without_axis = Folder::new(&format!("{RICH}[arms.a.train]\nsteps = 5\n"));
    assert_eq!(train(&without_axis.plan(&["arm=a"])).steps, 5);
    assert_eq!(train(&without_axis.plan(&[])).steps, 1000);
}

#[test]
fn the_baseline_can_be_set_from_outside_whatever_the_spec_names() {
    let folder = study();
    let baseline = |set: &[&str]| folder.plan(set).report.baseline["arm"].clone();
    assert_eq!(baseline(&[]), "none");
    assert_eq!(baseline(&["report.baseline.arm=mse"]), "mse");
    assert_eq!(baseline(&["report.baseline={ arm = \"mse\" }"]), "mse");
    // Where the grid has lost the spec's baseline, the one from outside is taken and the other is
    // no mistake.
    assert_eq!(
        baseline(&[
            "grid.arm=[\"mse\", \"wasserstein\"]",
            "report.baseline.arm=wasserstein"
        ]),
        "wasserstein"
    );
    assert_eq!(baseline(&["arm=mse", "report.baseline.arm=mse"]), "mse");
    let environment = folder
        .try_plan(
            "study.toml",
            &["arm=wasserstein"],
            &[("KDPIPE_REPORT__BASELINE__ARM", "wasserstein")],
        )
        .expect("a plan");
    assert_eq!(environment.report.baseline["arm"], "wasserstein");
    let collapsed = folder.plan(&["seed=5", "report.baseline.seed=5"]);
    assert_eq!(collapsed.report.baseline["seed"], "5");
    assert!(
        folder
            .refused(&["grid.arm=[\"mse\", \"wasserstein\"]"])
            .contains("report.baseline names \"none\"")
    );
    assert!(
        folder
            .refused(&["arm=mse", "report.baseline.arm=none"])
            .contains("report.baseline names \"none\"")
    );
}

#[test]
fn what_an_axis_has_lost_is_left_out_of_the_expectations_and_of_the_primary_contrast() {
    let folder = study();
    folder.write(
        "expecting.toml",
        "extends = \"study.toml\"\nreport.primary = { arm = \"wasserstein\" \
         }\n[expect]\nperplexity = [{ arm = \"none\", at_most = 60 }, { at_most = 90 }]\nbetter = \
         [{ arm = \"mse\", than = \"none\" }]\n",
    );
    let whole = folder.try_plan("expecting.toml", &[], &[]).expect("a plan");
    assert_eq!(
        (whole.expect.perplexity.len(), whole.expect.better.len()),
        (2, 1)
    );
    assert_eq!(
        whole.report.primary.as_ref().map(|at| at["arm"].as_str()),
        Some("wasserstein")
    );
    let alone = folder
        .try_plan("expecting.toml", &["arm=mse"], &[])
        .expect("a plan");
    assert_eq!(
        (
            alone.expect.perplexity.len(),
            alone.expect.better.len(),
            alone.report.primary
        ),
        (1, 0, None)
    );
    assert_eq!(alone.notices.len(), 5, "{:?}", alone.notices);
}

#[test]
fn a_key_that_only_some_cells_can_use_is_a_notice_and_one_that_none_can_use_an_error() {
    let folder = study();
    let some = folder.plan(&["loss.hidden.critic.width=8"]);
    assert_eq!(
        some.notices,
        [
            "loss.hidden.critic.width has no effect in 4 of 12 cells: loss.hidden.critic is no \
             key of kind = \"hidden.mse\""
        ]
    );
    assert!(
        folder
            .refused(&["arm=mse", "loss.hidden.critic.width=8"])
            .contains("loss.hidden.critic is no key of kind = \"hidden.mse\"")
    );
    assert!(
        folder
            .refused(&["arm=none", "match.strategy=last"])
            .contains("no hidden loss is enabled")
    );
}

/// A teacher of 4 layers of 64, 4 heads, 32 positions and so many rows; a student of 2 layers and
/// as many rows; a tokenizer.
struct Small {
    rows: usize,
    tokens: usize,
}

impl Inputs for Small {
    fn dataset(&self, _: &DatasetSpec) -> Fact<DatasetFact> {
        Fact::Bad("dataset.test has no text; write some".to_owned())
    }

    fn tokenizer(&self, _: &DatasetSpec, _: &TokenizerSpec) -> Fact<TokenizerFact> {
        Fact::Known(TokenizerFact {
            fingerprint: "t".to_owned(),
            vocabulary: Some(self.tokens),
        })
    }

    fn teacher(&self, _: &TeacherSpec) -> Fact<TeacherFact> {
        Fact::Known(TeacherFact {
            fingerprint: "m".to_owned(),
            layers: 4,
            width: 64,
            heads: 4,
            positions: 32,
            vocabulary: Some(self.rows),
            inner: 256,
            tied: true,
        })
    }

    fn student(&self, _: &InputPath) -> Fact<TeacherFact> {
        Fact::Known(TeacherFact {
            fingerprint: "s".to_owned(),
            layers: 2,
            width: 64,
            heads: 4,
            positions: 16,
            vocabulary: Some(self.rows),
            inner: 256,
            tied: true,
        })
    }
}

#[test]
fn what_only_the_inputs_show_is_refused_with_both_numbers() {
    let folder = Folder::new(&RICH.replace(
        "source = \"train\"\nlayers = 6\nwidth = 96\nheads = 6",
        "source = \"dir\"\npath = \"there\"",
    ));
    let told = |set: &[&str]| {
        let wrong = folder
            .load("study.toml", set, &[])
            .expect("a study")
            .resolve(&Small {
                rows: 300,
                tokens: 280,
            })
            .expect_err("a refusal");
        wrong
            .0
            .into_iter()
            .map(|one| (one.message, one.place.map_or(0, |place| place.line)))
            .collect::<Vec<_>>()
    };
    let said = |set: &[&str], expected: &[&str]| {
        let told = told(set);
        for message in expected {
            assert!(
                told.iter().any(|(own, line)| own == message && *line > 0),
                "{message}\n{told:?}"
            );
        }
    };
    said(
        &["tokenizer={ source = \"dir\", path = \"there\" }"],
        &[
            "the tokenizer has 280 tokens, and the teacher's vocabulary 300",
            "train.context = 128 is longer than the teacher's 32 positions",
            "evaluate.context = 128 is longer than the teacher's 32 positions",
        ],
    );
    said(
        &["match.strategy=last", "student.layers=5"],
        &[
            "match.strategy = \"last\" needs a student no deeper than its teacher: 5 layers \
             against 4",
        ],
    );
    said(
        &["student.init=teacher"],
        &[
            "student.init = \"teacher\" with student.width = 96 and a teacher of width 64",
            "student.init = \"teacher\" with student.heads = 6 and a teacher of heads 4",
        ],
    );
    said(
        &[
            "student.init=dir",
            "student.init_dir=there",
            "tokenizer={ source = \"dir\", path = \"there\" }",
        ],
        &[
            "student.layers = 3, and the model in student.init_dir has 2",
            "the tokenizer has 280 tokens, and the model in student.init_dir a vocabulary of 300",
            "the teacher has 32 positions, and the model in student.init_dir 16",
        ],
    );
    said(
        &["dataset={ source = \"text\", train = [\"a\"], validation = [\"b\"], test = [\"c\"] }"],
        &["dataset.test has no text; write some"],
    );
}

#[test]
fn a_teacher_padded_to_a_round_number_of_rows_fits_its_tokenizer() {
    let folder = Folder::new(&RICH.replace(
        "source = \"train\"\nlayers = 6\nwidth = 96\nheads = 6",
        "source = \"dir\"\npath = \"there\"",
    ));
    let told = |tokens: usize, rows: usize| {
        let set = [
            "tokenizer={ source = \"dir\", path = \"there\" }",
            "student.init=dir",
            "student.init_dir=there",
        ];
        let wrong = folder
            .load("study.toml", &set, &[])
            .expect("a study")
            .resolve(&Small { rows, tokens })
            .expect_err("contexts are too long anyway");
        wrong
            .0
            .into_iter()
            .map(|one| one.message)
            .filter(|message| message.contains("vocabulary"))
            .collect::<Vec<_>>()
    };
    for (tokens, rows) in [
        (300, 300),
        (50_257, 50_264),
        (50_257, 50_304),
        (280, 288),
        (300, 384),
    ] {
        assert!(told(tokens, rows).is_empty(), "{tokens} {rows}");
    }
    for (tokens, rows) in [
        (300, 299),
        (299, 300),
        (280, 300),
        (2048, 50_257),
        (300, 512),
        (50_304, 50_257),
    ] {
        let expected = [
            format!("the tokenizer has {tokens} tokens, and the teacher's vocabulary {rows}"),
            format!(
                "the tokenizer has {tokens} tokens, and the model in student.init_dir a \
                 vocabulary of {rows}"
            ),
        ];
        assert!(
            expected
                .iter()
                .all(|message| told(tokens, rows).contains(message)),
            "{:?}",
            told(tokens, rows)
        );
    }
}
