//! Run ids: whichever way a value is written, the id is the same; inputs count by what they hold.

use kdpipe::plan::run_spec_toml;

use crate::plan::{Folder, RICH};
use crate::plan_keys::{KeyChange, KeyEffect, changes, folder_with_inputs, keys, plan_in};

#[test]
fn a_value_gives_the_same_run_whichever_layer_sets_it() {
    let folder = folder_with_inputs();
    let unquoted = |value: &str| {
        value.starts_with(|c: char| c.is_alphabetic()) && !["true", "false"].contains(&value)
    };
    // [select] is of the study as a whole, which no arm and no axis has.
    let is_of_a_run =
        |change: &KeyChange| change.effect != KeyEffect::Nothing && change.key != "select";
    for change in changes().filter(is_of_a_run) {
        let KeyChange {
            key, context, set, ..
        } = change;
        let expected = plan_in(&folder, context, &[set]).runs.remove(0);
        let (dotted, value) = set.split_once('=').expect("key=value");
        let (dotted, value) = (dotted.trim(), value.trim());
        let value = if unquoted(value) {
            format!("\"{value}\"")
        } else {
            value.to_owned()
        };
        let same = |layer: &str, text: &str, environment: &[(&str, &str)]| {
            folder.write(
                "written.toml",
                &format!("extends = \"context.toml\"\n{text}"),
            );
            let plan = folder
                .try_plan("written.toml", &[], environment)
                .unwrap_or_else(|wrong| panic!("{key} by {layer}\n{wrong}"));
            assert_eq!(
                keys(&plan.runs[0]),
                keys(&expected),
                "{key} = {value} by {layer}"
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
    let folder = folder_with_inputs();
    let extra: [&[&str]; 3] = [
        &["balance.mode=none"],
        &["train.lr.decay=constant", "teacher.train.lr.decay=constant"],
        &[
            "loss.lm.weight={ shape = \"piecewise\", points = [[0, 0.5], [\"50%\", 1.0]] }",
            "loss.kl.weight={ shape = \"step\", from = 1, to = 2, over = \"0.5%\" }",
        ],
    ];
    let all = changes()
        .map(|change| (change.context, vec![change.set]))
        .chain(extra.map(|set| ("-", set.to_vec())));
    for (context, set) in all {
        let plan = plan_in(&folder, context, &set);
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
    let folder = folder_with_inputs();
    for file in ["a.txt", "b.txt", "c.txt"] {
        folder.write(&format!("moved/{file}.copy"), &format!("{file} of one"));
    }
    folder.write("moved/model.safetensors", "model.safetensors of one");
    folder.write("moved/tokenizer.json", "tokenizer.json of one");
    let id = |set: &[&str]| folder.plan(set).runs.remove(0).id;
    let moved = "dataset={ source = \"text\", train = [\"moved/a.txt.copy\"], \
                 validation = [\"moved/b.txt.copy\"], test = [\"moved/c.txt.copy\"] }";
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
    let folder = folder_with_inputs();
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
    let folder = folder_with_inputs();
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

#[test]
fn tasks_of_files_and_the_grammar_keep_their_keys_and_those_of_the_hub_have_their_commit() {
    let folder = folder_with_inputs();
    let key = |set: &[&str]| folder.plan(set).runs.remove(0).evaluation_key;
    // As they were before a dataset of the hub could be named.
    assert_eq!(
        key(&[
            r#"evaluate.tasks.grammar={ kind = "grammar", items = 5 }"#,
            r#"evaluate.tasks.own={ kind = "pairs", files = ["one/a.txt"] }"#,
            r#"evaluate.tasks.words={ kind = "cloze", files = ["one/a.txt", "one/b.txt"] }"#,
        ]),
        "cf013e61cbf7"
    );
    let of_hub = |more: &str| {
        let task = format!("evaluate.tasks.own={{ kind = \"pairs\", repo = \"a/b\"{more} }}");
        key(&[&task])
    };
    assert_eq!(of_hub(""), "bf7d6a343737");
    // What is written beside what holds anyway says nothing; another commit says much.
    assert_eq!(
        of_hub(", split = \"train\", revision = \"main\""),
        of_hub("")
    );
    assert_ne!(of_hub(", revision = \"old\""), of_hub(""));
}
