//! Run ids: every key of the schema is turned once, and changes the id exactly where it changes the
//! result; whichever way a value is written, the id is the same.

use std::collections::BTreeSet;

use kdpipe::plan::{Plan, PlannedRun, run_spec_toml, schema_of_a_spec};
use serde_json::Value as Json;

use crate::plan::{Folder, RICH};

/// What turning a knob does.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Turns {
    /// Another run.
    Run,
    /// The same run, measured anew.
    Evaluation,
    /// Nothing that is stored below a run's id.
    Nothing,
}
use Turns::{Evaluation, Nothing, Run};

/// Lines of a spec that choose a variant, by the name that a knob's context gives them.
const CONTEXTS: &[(&str, &str)] = &[
    ("", ""),
    (
        "text",
        r#"dataset = { source = "text", train = ["one/a.txt"], validation = ["one/b.txt"], test = ["one/c.txt"] }"#,
    ),
    (
        "parquet",
        r#"dataset = { source = "parquet", train = ["one/a.txt"], validation = ["one/b.txt"], test = ["one/c.txt"] }"#,
    ),
    ("hub", r#"dataset = { source = "hub", repo = "a/b" }"#),
    (
        "tokenizer dir",
        r#"tokenizer = { source = "dir", path = "one" }"#,
    ),
    (
        "tokenizer hub",
        r#"tokenizer = { source = "hub", repo = "a/b" }"#,
    ),
    (
        "teacher dir",
        r#"teacher = { source = "dir", path = "one" }"#,
    ),
    (
        "teacher hub",
        r#"teacher = { source = "hub", repo = "a/b" }"#,
    ),
    ("teacher last", r#"teacher.train.keep = "last""#),
    ("from teacher", r#"student.init = "teacher""#),
    (
        "from dir",
        r#"student = { init = "dir", init_dir = "one" }"#,
    ),
    (
        "pairs",
        r#"match = { strategy = "pairs", pairs = [[1, 2], [3, "final"]] }"#,
    ),
    ("random", r#"match.strategy = "random""#),
    ("mse", r#"loss.hidden.kind = "hidden.mse""#),
    ("cosine", r#"loss.hidden.kind = "hidden.cosine""#),
    ("clip", r#"loss.hidden.critic.lipschitz = "clip""#),
    ("best", r#"train.keep = "best""#),
    (
        "constant",
        r#"train.lr = { decay = "constant", floor = "100%" }"#,
    ),
    ("arms", r#"grid.arm = ["a", "b"]"#),
];

/// Every key: its place in the schema, the context that has it, another value, and what that turns.
const KNOBS: &[(&str, &str, &str, Turns)] = &[
    ("seed", "", "seed=1", Run),
    (
        "dataset.source",
        "",
        r#"dataset={ source = "text", train = ["one/a.txt"], validation = ["one/b.txt"], test = ["one/c.txt"] }"#,
        Run,
    ),
    ("dataset.synthetic.seed", "", "dataset.seed=1", Run),
    (
        "dataset.synthetic.train_words",
        "",
        "dataset.train_words=5000",
        Run,
    ),
    (
        "dataset.synthetic.validation_words",
        "",
        "dataset.validation_words=5000",
        Run,
    ),
    (
        "dataset.synthetic.test_words",
        "",
        "dataset.test_words=5000",
        Run,
    ),
    (
        "dataset.synthetic.train_tokens",
        "",
        "dataset.train_tokens=5000",
        Run,
    ),
    (
        "dataset.text.train",
        "text",
        r#"dataset.train=["two/a.txt"]"#,
        Run,
    ),
    (
        "dataset.text.validation",
        "text",
        r#"dataset.validation=["two/a.txt"]"#,
        Run,
    ),
    (
        "dataset.text.test",
        "text",
        r#"dataset.test=["two/a.txt"]"#,
        Run,
    ),
    (
        "dataset.text.detokenize",
        "text",
        "dataset.detokenize=wikitext",
        Run,
    ),
    (
        "dataset.text.train_tokens",
        "text",
        "dataset.train_tokens=5000",
        Run,
    ),
    (
        "dataset.parquet.train",
        "parquet",
        r#"dataset.train=["two/a.txt"]"#,
        Run,
    ),
    (
        "dataset.parquet.validation",
        "parquet",
        r#"dataset.validation=["two/a.txt"]"#,
        Run,
    ),
    (
        "dataset.parquet.test",
        "parquet",
        r#"dataset.test=["two/a.txt"]"#,
        Run,
    ),
    (
        "dataset.parquet.column",
        "parquet",
        "dataset.column=body",
        Run,
    ),
    ("dataset.parquet.rows", "parquet", "dataset.rows=lines", Run),
    (
        "dataset.parquet.detokenize",
        "parquet",
        "dataset.detokenize=wikitext",
        Run,
    ),
    (
        "dataset.parquet.train_tokens",
        "parquet",
        "dataset.train_tokens=5000",
        Run,
    ),
    ("dataset.hub.repo", "hub", "dataset.repo=a/c", Run),
    ("dataset.hub.config", "hub", "dataset.config=small", Run),
    ("dataset.hub.revision", "hub", "dataset.revision=old", Run),
    ("dataset.hub.train", "hub", "dataset.train=all", Run),
    (
        "dataset.hub.validation",
        "hub",
        r#"dataset.validation="0.5%""#,
        Run,
    ),
    ("dataset.hub.test", "hub", r#"dataset.test="0.5%""#, Run),
    ("dataset.hub.column", "hub", "dataset.column=body", Run),
    ("dataset.hub.rows", "hub", "dataset.rows=lines", Run),
    (
        "dataset.hub.detokenize",
        "hub",
        "dataset.detokenize=wikitext",
        Run,
    ),
    (
        "dataset.hub.train_tokens",
        "hub",
        "dataset.train_tokens=5000",
        Run,
    ),
    (
        "tokenizer.source",
        "",
        r#"tokenizer={ source = "dir", path = "one" }"#,
        Run,
    ),
    (
        "tokenizer.train.vocab_size",
        "",
        "tokenizer.vocab_size=4096",
        Run,
    ),
    (
        "tokenizer.dir.path",
        "tokenizer dir",
        "tokenizer.path=two",
        Run,
    ),
    (
        "tokenizer.hub.repo",
        "tokenizer hub",
        "tokenizer.repo=a/c",
        Run,
    ),
    (
        "tokenizer.hub.revision",
        "tokenizer hub",
        "tokenizer.revision=old",
        Run,
    ),
    (
        "teacher.source",
        "",
        r#"teacher={ source = "dir", path = "one" }"#,
        Run,
    ),
    ("teacher.train.layers", "", "teacher.layers=8", Run),
    ("teacher.train.width", "", "teacher.width=192", Run),
    ("teacher.train.heads", "", "teacher.heads=4", Run),
    ("teacher.train.seed", "", "teacher.seed=1", Run),
    (
        "teacher.train.train.steps",
        "",
        "teacher.train.steps=7",
        Run,
    ),
    (
        "teacher.train.train.batch",
        "",
        "teacher.train.batch=7",
        Run,
    ),
    (
        "teacher.train.train.context",
        "",
        "teacher.train.context=256",
        Run,
    ),
    (
        "teacher.train.train.accumulate",
        "",
        "teacher.train.accumulate=7",
        Run,
    ),
    (
        "teacher.train.train.shuffle",
        "",
        "teacher.train.shuffle=false",
        Run,
    ),
    (
        "teacher.train.train.lr.peak",
        "",
        "teacher.train.lr.peak=0.5",
        Run,
    ),
    (
        "teacher.train.train.lr.warmup",
        "",
        "teacher.train.lr.warmup=7",
        Run,
    ),
    (
        "teacher.train.train.lr.decay",
        "",
        "teacher.train.lr.decay=linear",
        Run,
    ),
    (
        "teacher.train.train.lr.floor",
        "",
        r#"teacher.train.lr.floor="7%""#,
        Run,
    ),
    (
        "teacher.train.train.betas",
        "",
        "teacher.train.betas=[0.8, 0.9]",
        Run,
    ),
    ("teacher.train.train.eps", "", "teacher.train.eps=1e-6", Run),
    (
        "teacher.train.train.weight_decay",
        "",
        "teacher.train.weight_decay=0.3",
        Run,
    ),
    (
        "teacher.train.train.clip",
        "",
        "teacher.train.clip=0.5",
        Run,
    ),
    (
        "teacher.train.train.precision",
        "",
        "teacher.train.precision=bf16",
        Run,
    ),
    ("teacher.train.precision", "", "teacher.precision=bf16", Run),
    (
        "teacher.train.train.keep",
        "",
        "teacher.train.keep=last",
        Run,
    ),
    (
        "teacher.train.train.checkpoint_every",
        "",
        "teacher.train.checkpoint_every=7",
        Nothing,
    ),
    (
        "teacher.train.train.evaluate_every",
        "",
        "teacher.train.evaluate_every=7",
        Run,
    ),
    (
        "teacher.train.train.evaluate_every",
        "teacher last",
        "teacher.train.evaluate_every=7",
        Nothing,
    ),
    (
        "teacher.dir.precision",
        "teacher dir",
        "teacher.precision=bf16",
        Run,
    ),
    (
        "teacher.hub.precision",
        "teacher hub",
        "teacher.precision=bf16",
        Run,
    ),
    ("teacher.dir.path", "teacher dir", "teacher.path=two", Run),
    ("teacher.hub.repo", "teacher hub", "teacher.repo=a/c", Run),
    (
        "teacher.hub.revision",
        "teacher hub",
        "teacher.revision=old",
        Run,
    ),
    ("student.layers", "", "student.layers=2", Run),
    ("student.width", "", "student.width=48", Run),
    ("student.heads", "", "student.heads=3", Run),
    ("student.init", "", "student.init=teacher", Run),
    (
        "student.init_blocks",
        "from teacher",
        "student.init_blocks=first",
        Run,
    ),
    ("student.init_dir", "from dir", "student.init_dir=two", Run),
    ("match.strategy", "", "match.strategy=last", Run),
    (
        "match.pairs.pairs",
        "pairs",
        r#"match.pairs=[[1, 2], [3, 6]]"#,
        Run,
    ),
    ("match.random.redraw", "random", "match.redraw=7", Run),
    ("loss.kind", "", "loss.hidden.kind=hidden.mse", Run),
    ("loss.lm.weight", "", "loss.lm.weight=0.25", Run),
    ("loss.lm.enabled", "", "loss.lm.enabled=false", Run),
    (
        "loss.logits.kl.weight",
        "",
        r#"loss.kl.weight={ shape = "linear", from = 0.5, to = 1.0, over = "20%" }"#,
        Run,
    ),
    (
        "loss.logits.kl.temperature",
        "",
        "loss.kl.temperature=3.0",
        Run,
    ),
    (
        "loss.logits.kl.direction",
        "",
        "loss.kl.direction=reverse",
        Run,
    ),
    (
        "loss.logits.kl.enabled",
        "",
        "loss.kl.enabled=true",
        Nothing,
    ),
    (
        "loss.hidden.mse.weight",
        "mse",
        "loss.hidden.weight=0.25",
        Run,
    ),
    (
        "loss.hidden.mse.states",
        "mse",
        "loss.hidden.states=layernorm",
        Run,
    ),
    (
        "loss.hidden.mse.normalize",
        "mse",
        "loss.hidden.normalize=true",
        Run,
    ),
    (
        "loss.hidden.mse.enabled",
        "mse",
        "loss.hidden.enabled=false",
        Run,
    ),
    (
        "loss.hidden.cosine.weight",
        "cosine",
        "loss.hidden.weight=0.25",
        Run,
    ),
    (
        "loss.hidden.cosine.states",
        "cosine",
        "loss.hidden.states=layernorm",
        Run,
    ),
    (
        "loss.hidden.cosine.enabled",
        "cosine",
        "loss.hidden.enabled=false",
        Run,
    ),
    (
        "loss.hidden.wasserstein.weight",
        "",
        "loss.hidden.weight=0.25",
        Run,
    ),
    (
        "loss.hidden.wasserstein.states",
        "",
        "loss.hidden.states=layernorm",
        Run,
    ),
    (
        "loss.hidden.wasserstein.enabled",
        "",
        "loss.hidden.enabled=false",
        Run,
    ),
    (
        "loss.hidden.wasserstein.critic.width",
        "",
        "loss.hidden.critic.width=7",
        Run,
    ),
    (
        "loss.hidden.wasserstein.critic.depth",
        "",
        "loss.hidden.critic.depth=7",
        Run,
    ),
    (
        "loss.hidden.wasserstein.critic.steps",
        "",
        "loss.hidden.critic.steps=7",
        Run,
    ),
    (
        "loss.hidden.wasserstein.critic.slope",
        "",
        "loss.hidden.critic.slope=0.7",
        Run,
    ),
    (
        "loss.hidden.wasserstein.critic.lipschitz",
        "",
        "loss.hidden.critic.lipschitz=spectral",
        Run,
    ),
    (
        "loss.hidden.wasserstein.critic.penalty",
        "",
        "loss.hidden.critic.penalty=7.0",
        Run,
    ),
    (
        "loss.hidden.wasserstein.critic.penalty",
        "",
        "loss.hidden.critic.penalty=10.0",
        Nothing,
    ),
    (
        "loss.hidden.wasserstein.critic.clip",
        "clip",
        "loss.hidden.critic.clip=0.7",
        Run,
    ),
    (
        "loss.hidden.wasserstein.critic.lr",
        "",
        "loss.hidden.critic.lr=0.7",
        Run,
    ),
    (
        "loss.hidden.wasserstein.critic.betas",
        "",
        "loss.hidden.critic.betas=[0.5, 0.9]",
        Run,
    ),
    (
        "loss.hidden.wasserstein.critic.warmup",
        "",
        "loss.hidden.critic.warmup=7",
        Run,
    ),
    ("balance.mode", "", "balance.mode=none", Run),
    ("balance.gradient.batches", "", "balance.batches=7", Run),
    (
        "balance.gradient.reference",
        "",
        "balance.reference=lm",
        Run,
    ),
    ("train.steps", "", "train.steps=7", Run),
    ("train.batch", "", "train.batch=7", Run),
    ("train.context", "", "train.context=64", Run),
    ("train.accumulate", "", "train.accumulate=7", Run),
    ("train.shuffle", "", "train.shuffle=false", Run),
    ("train.lr.peak", "", "train.lr.peak=0.5", Run),
    ("train.lr.warmup", "", "train.lr.warmup=7", Run),
    ("train.lr.decay", "", "train.lr.decay=linear", Run),
    ("train.lr.floor", "", r#"train.lr.floor="7%""#, Run),
    (
        "train.lr.floor",
        "constant",
        r#"train.lr.floor="100%""#,
        Nothing,
    ),
    ("train.betas", "", "train.betas=[0.8, 0.9]", Run),
    ("train.eps", "", "train.eps=1e-6", Run),
    ("train.weight_decay", "", "train.weight_decay=0.3", Run),
    ("train.clip", "", "train.clip=0.5", Run),
    ("train.precision", "", "train.precision=bf16", Run),
    ("train.keep", "", "train.keep=best", Run),
    (
        "train.checkpoint_every",
        "",
        "train.checkpoint_every=7",
        Nothing,
    ),
    (
        "train.evaluate_every",
        "",
        "train.evaluate_every=7",
        Nothing,
    ),
    (
        "train.evaluate_every",
        "best",
        "train.evaluate_every=7",
        Run,
    ),
    (
        "evaluate.context",
        "",
        r#"evaluate={ context = 64, stride = 64 }"#,
        Evaluation,
    ),
    ("evaluate.stride", "", "evaluate.stride=64", Evaluation),
    (
        "evaluate.samples.prompts",
        "",
        "evaluate.samples.prompts=7",
        Evaluation,
    ),
    (
        "evaluate.samples.tokens",
        "",
        "evaluate.samples.tokens=7",
        Evaluation,
    ),
    (
        "evaluate.probe_tokens",
        "",
        "evaluate.probe_tokens=700",
        Evaluation,
    ),
    (
        "evaluate.directions",
        "",
        "evaluate.directions=7",
        Evaluation,
    ),
    (
        "evaluate.embed_tokens",
        "",
        "evaluate.embed_tokens=7",
        Evaluation,
    ),
    ("pipeline.name", "", "pipeline.name=another", Nothing),
    (
        "pipeline.description",
        "",
        "pipeline.description=why",
        Nothing,
    ),
    ("pipeline.note", "", "pipeline.note=a first look", Nothing),
    ("report.template", "", "report.template=mine.md.j2", Nothing),
    ("report.baseline", "arms", "report.baseline.arm=b", Nothing),
    ("report.margin", "", "report.margin=0.1", Nothing),
    ("report.alpha", "", "report.alpha=0.1", Nothing),
    ("report.primary", "arms", "report.primary.arm=b", Nothing),
    (
        "expect.perplexity",
        "",
        "expect.perplexity=[{ at_most = 70.0 }]",
        Nothing,
    ),
    (
        "expect.better",
        "arms",
        r#"expect.better=[{ arm = "a", than = "b" }]"#,
        Nothing,
    ),
    ("arms", "", "arms.unused.train.steps=7", Nothing),
    ("grid", "", "grid.seed=[0, 1]", Nothing),
];

/// The places of all keys in the schema; a variant is a part of the way, the name of a loss is not.
fn keys_of_the_schema() -> BTreeSet<String> {
    fn walk(schema: &Json, at: &str, found: &mut BTreeSet<String>) {
        let below = |name: &str| {
            if at.is_empty() {
                name.to_owned()
            } else {
                format!("{at}.{name}")
            }
        };
        let tag_of = |branch: &Json| -> Option<(String, String)> {
            let properties = branch["properties"].as_object()?;
            properties.iter().find_map(|(key, property)| {
                Some((key.clone(), property["const"].as_str()?.to_owned()))
            })
        };
        let branches = schema["anyOf"]
            .as_array()
            .filter(|branches| branches.iter().all(|branch| tag_of(branch).is_some()));
        if let Some(branches) = branches {
            for branch in branches {
                let (tag, name) = tag_of(branch).expect("every branch has a tag");
                found.insert(below(&tag));
                for (key, property) in branch["properties"]
                    .as_object()
                    .expect("keys")
                    .iter()
                    .filter(|(key, _)| **key != tag)
                {
                    walk(property, &format!("{}.{key}", below(&name)), found);
                }
            }
        } else if let Some(properties) = schema["properties"]
            .as_object()
            .filter(|_| at != "arms" && at != "grid")
        {
            properties
                .iter()
                .for_each(|(key, property)| walk(property, &below(key), found));
        } else if schema["additionalProperties"].is_object() && at == "loss" {
            walk(&schema["additionalProperties"], at, found);
        } else {
            found.insert(at.to_owned());
        }
    }
    let mut found = BTreeSet::new();
    walk(&schema_of_a_spec(), "", &mut found);
    found
}

/// A folder with the rich study, two arms that change nothing, and two sets of inputs.
fn folder() -> Folder {
    let folder = Folder::new(&format!("{RICH}[arms.a]\n[arms.b]\n"));
    for set in ["one", "two"] {
        for file in [
            "a.txt",
            "b.txt",
            "c.txt",
            "tokenizer.json",
            "model.safetensors",
        ] {
            folder.write(&format!("{set}/{file}"), &format!("{file} of {set}"));
        }
    }
    folder
}

/// The plan of the rich study in a context, with `--set`.
fn plan_in(folder: &Folder, name: &str, set: &[&str]) -> Plan {
    let lines = CONTEXTS
        .iter()
        .find(|(known, _)| *known == name)
        .unwrap_or_else(|| panic!("no context {name}"))
        .1;
    folder.write(
        "context.toml",
        &format!("extends = \"study.toml\"\n{lines}\n"),
    );
    folder
        .try_plan("context.toml", set, &[])
        .unwrap_or_else(|wrong| panic!("{name} {set:?}\n{wrong}"))
}

fn keys(run: &PlannedRun) -> [&str; 3] {
    [&run.id, &run.evaluation_key, &run.teacher_key]
}

#[test]
fn every_key_of_the_schema_changes_the_run_exactly_where_it_changes_the_result() {
    let turned: BTreeSet<String> = KNOBS.iter().map(|(key, ..)| (*key).to_owned()).collect();
    let mut known = keys_of_the_schema();
    // Where a file starts from says nothing of what it resolves to; the test of ways to write holds
    // it.
    assert!(known.remove("extends"));
    assert_eq!(
        known, turned,
        "every key of the schema is turned here, and no other"
    );
    let folder = folder();
    for (key, name, change, turns) in KNOBS {
        let (one, other) = (
            plan_in(&folder, name, &[]).runs.remove(0),
            plan_in(&folder, name, &[change]).runs.remove(0),
        );
        let found = match (
            one.id != other.id,
            one.evaluation_key != other.evaluation_key,
        ) {
            (true, false) => Run,
            (false, true) => Evaluation,
            (false, false) => Nothing,
            (true, true) => panic!("{key}: both keys change"),
        };
        assert_eq!(found, *turns, "{key} in the context {name:?}");
        let of_teacher = ["dataset", "tokenizer", "teacher"]
            .contains(&key.split('.').next().unwrap_or_default());
        // How its forward pass is computed makes no other teacher.
        let of_its_pass = [
            "teacher.train.precision",
            "teacher.dir.precision",
            "teacher.hub.precision",
        ]
        .contains(key);
        assert_eq!(
            one.teacher_key != other.teacher_key,
            of_teacher && !of_its_pass && *turns == Run,
            "the teacher's key, by {key}"
        );
    }
}

#[test]
fn a_value_gives_the_same_run_whichever_layer_sets_it() {
    let folder = folder();
    let unquoted = |value: &str| {
        value.starts_with(|c: char| c.is_alphabetic()) && !["true", "false"].contains(&value)
    };
    for (key, name, change, _) in KNOBS.iter().filter(|(.., turns)| *turns != Nothing) {
        let expected = plan_in(&folder, name, &[change]).runs.remove(0);
        let (dotted, value) = change.split_once('=').expect("key=value");
        let value = if unquoted(value) {
            format!("\"{value}\"")
        } else {
            value.to_owned()
        };
        let same = |way: &str, text: &str, environment: &[(&str, &str)]| {
            folder.write(
                "written.toml",
                &format!("extends = \"context.toml\"\n{text}"),
            );
            let plan = folder
                .try_plan("written.toml", &[], environment)
                .unwrap_or_else(|wrong| panic!("{key} by {way}\n{wrong}"));
            assert_eq!(
                keys(&plan.runs[0]),
                keys(&expected),
                "{key} = {value} by {way}"
            );
        };
        same("a file", &format!("{dotted} = {value}\n"), &[]);
        same(
            "an arm",
            &format!("grid.arm = [\"x\"]\n[arms.x]\n{dotted} = {value}\n"),
            &[],
        );
        same("an axis", &format!("[grid]\n{dotted} = [{value}]\n"), &[]);
        // Names without two underscores are settings, so a key of the top is out of the
        // environment's reach.
        if dotted.contains('.') {
            let variable = format!("KDPIPE_{}", dotted.to_uppercase().replace('.', "__"));
            same("the environment", "", &[(&variable, &value)]);
        }
    }
}

#[test]
fn the_spec_of_a_run_read_back_is_the_same_run() {
    let folder = folder();
    let extra: [&[&str]; 3] = [
        &["balance.mode=none"],
        &["train.lr.decay=constant", "teacher.train.lr.decay=constant"],
        &[
            "loss.lm.weight={ shape = \"piecewise\", points = [[0, 0.5], [\"50%\", 1.0]] }",
            "loss.kl.weight={ shape = \"step\", from = 1, to = 2, over = \"0.5%\" }",
        ],
    ];
    let all = KNOBS
        .iter()
        .map(|(_, name, change, _)| (*name, vec![*change]))
        .chain(extra.map(|set| ("", set.to_vec())));
    for (name, set) in all {
        let plan = plan_in(&folder, name, &set);
        let run = &plan.runs[0];
        let text = run_spec_toml(&run.spec).expect("a resolved run is TOML");
        folder.write("stored.toml", &text);
        let again = folder
            .try_plan("stored.toml", &[], &[])
            .unwrap_or_else(|wrong| panic!("{set:?}\n{wrong}\n{text}"));
        assert_eq!(again.runs.len(), 1);
        assert_eq!(keys(&again.runs[0]), keys(run), "{set:?}\n{text}");
        assert_eq!(run_spec_toml(&again.runs[0].spec).expect("TOML"), text);
    }
}

#[test]
fn the_order_of_keys_and_the_spelling_of_values_say_nothing() {
    let one = Folder::new(
        "[train]\nsteps = 1000\nlr = { peak = 1e-3, floor = \"10%\" }\n[loss.a]\nkind = \
         \"lm\"\n[loss.b]\nkind = \"logits.kl\"\n",
    );
    let other = Folder::new(
        "loss.b = { temperature = { shape = \"constant\", value = 1 }, kind = \"logits.kl\", \
         weight = 1 }\nloss.a.kind = 'lm'\n[train.lr]\n\"floor\" = \"10.0%\"\npeak = \
         0.001\n[train]\nsteps = 0x3e8\n[pipeline]\nname = \"other\"\n",
    );
    assert_eq!(keys(&one.plan(&[]).runs[0]), keys(&other.plan(&[]).runs[0]));
}

#[test]
fn inputs_count_by_what_they_hold_and_not_by_where_they_lie() {
    let folder = folder();
    for file in ["a.txt", "b.txt", "c.txt"] {
        folder.write(&format!("moved/{file}.copy"), &format!("{file} of one"));
    }
    folder.write("moved/model.safetensors", "model.safetensors of one");
    folder.write("moved/tokenizer.json", "tokenizer.json of one");
    let id = |set: &[&str]| folder.plan(set).runs.remove(0).id;
    let moved = r#"dataset={ source = "text", train = ["moved/a.txt.copy"], validation = ["moved/b.txt.copy"], test = ["moved/c.txt.copy"] }"#;
    let in_context = |name: &str| plan_in(&folder, name, &[]).runs.remove(0).id;
    assert_eq!(in_context("text"), id(&[moved]));
    assert_eq!(
        in_context("teacher dir"),
        id(&[r#"teacher={ source = "dir", path = "./moved/../moved" }"#])
    );
    assert_eq!(
        in_context("tokenizer dir"),
        id(&[r#"tokenizer={ source = "dir", path = "moved" }"#])
    );
    assert_eq!(
        in_context("from dir"),
        id(&["student.init=dir", "student.init_dir=moved"])
    );
}

#[test]
fn a_path_belongs_to_the_file_that_sets_it() {
    let folder = folder();
    folder.write(
        "deep/base.toml",
        &format!(
            "{RICH}[dataset]\nsource = \"text\"\ntrain = [\"a.txt\"]\nvalidation = \
             [\"a.txt\"]\ntest = [\"a.txt\"]\n"
        ),
    );
    folder.write("deep/a.txt", "deep");
    folder.write("a.txt", "top");
    folder.write("child.toml", "extends = \"deep/base.toml\"\n");
    folder.write(
        "overriding.toml",
        "extends = \"deep/base.toml\"\ndataset.train = [\"a.txt\"]\n",
    );
    let plan = |file: &str, set: &[&str]| {
        folder
            .try_plan(file, set, &[])
            .expect("a plan")
            .runs
            .remove(0)
    };
    let id = |file: &str, set: &[&str]| plan(file, set).id;
    assert_eq!(id("child.toml", &[]), id("deep/base.toml", &[]));
    assert_ne!(id("overriding.toml", &[]), id("child.toml", &[]));
    assert_eq!(
        id("overriding.toml", &[]),
        id("child.toml", &[r#"dataset.train=["a.txt"]"#])
    );
    assert_eq!(
        id("overriding.toml", &[r#"dataset.train=["deep/a.txt"]"#]),
        id("child.toml", &[])
    );
}

#[test]
fn equal_maps_are_one_run_and_no_hidden_loss_means_no_map() {
    let folder = folder();
    let id = |set: &[&str]| folder.plan(set).runs.remove(0).id;
    let uniform = r#"match={ strategy = "pairs", pairs = [[1, 2], [2, 4], [3, 6]] }"#;
    assert_eq!(id(&[]), id(&[uniform]));
    assert_eq!(
        id(&["student.layers=6"]),
        id(&["student.layers=6", "match.strategy=last"])
    );
    assert_eq!(
        id(&["student.init=teacher"]),
        id(&["student.init=teacher", "student.init_blocks=[1, 3, 5]"])
    );
    let none = folder.plan(&[
        "grid.match.strategy=[\"uniform\", \"last\"]",
        "grid.loss.hidden.enabled=[true, false]",
    ]);
    assert_eq!((none.cells.len(), none.runs.len()), (4, 3));
}
