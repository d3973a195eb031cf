//! Tests of `changed.rs`.

use std::fs;
use std::path::Path;

use super::*;
use crate::hub::Settings;
use crate::plan::{Overrides, load};
use crate::record::layout::Layout;
use crate::runner::resolve_study;

const SPEC: &str = r#"
pipeline.name = "small"
dataset = { source = "text", train = ["train*.txt"], validation = ["a.txt"], test = ["b.txt"] }
tokenizer = { source = "train", vocab_size = 270 }
teacher = { source = "train", layers = 1, width = 8, heads = 1, train = { context = 8 } }
student = { layers = 1, width = 8, heads = 1 }
train = { steps = 1, context = 8 }
loss.kl.kind = "logits.kl"
evaluate.context = 8
evaluate.stride = 8
evaluate.tasks.own = { kind = "pairs", files = ["*.jsonl"] }
"#;

const PAIR: &str =
    r#"{"sentence_good": "a cat", "sentence_bad": "a cats", "phenomenon": "number"}"#;

fn write(folder: &Path, name: &str, text: &str) {
    fs::write(folder.join(name), text).expect("a file");
}

#[test]
fn text_and_items_that_changed_since_the_plan_are_refused_by_their_key() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    write(folder, "study.toml", SPEC);
    for name in ["train1.txt", "a.txt", "b.txt"] {
        write(folder, name, &format!("{name}: the cat sat on the mat.\n"));
    }
    write(folder, "number.jsonl", PAIR);
    let hub = Hub::quiet(Settings::from_environment(true), Vec::new());
    let loaded = load(&folder.join("study.toml"), &Overrides::default());
    let loaded = loaded.unwrap_or_else(|wrong| panic!("{wrong}"));
    let layout = Layout::new(folder, "small");
    let study = resolve_study(loaded, &StudyInputs::to_run(&hub), &layout);
    let study = study.unwrap_or_else(|wrong| panic!("{wrong}"));
    let run = &study.plan.runs[0];
    let refused = || refuse_changed_text(&[run], &hub).map_err(|error| format!("{error:#}"));
    assert_eq!(refused(), Ok(()));

    // A pattern matches a file more.
    write(folder, "train2.txt", "the dog ran home.\n");
    let error = refused().expect_err("more text");
    assert!(
        error.contains("the files of dataset are not what they were"),
        "{error}"
    );
    fs::remove_file(folder.join("train2.txt")).expect("a file");
    assert_eq!(refused(), Ok(()));

    write(folder, "number.jsonl", &format!("{PAIR}\n{PAIR}\n"));
    let error = refused().expect_err("other items");
    assert!(error.contains("evaluate.tasks.own"), "{error}");
    fs::remove_file(folder.join("number.jsonl")).expect("a file");
    let error = refused().expect_err("no items");
    assert!(error.contains("matches no file"), "{error}");
}
