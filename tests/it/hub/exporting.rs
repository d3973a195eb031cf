//! What the hub reads of an exported student: its own library's word on it where
//! `KDPIPE_TEST_PYTHON` names a Python with huggingface_hub (2.4.0 was tried). Nothing was ever
//! sent to a hub.

use std::path::Path;

use super::shelf::filled;
use super::studies::{run, spec};
use crate::builder::TestSite;

/// Reads both forms by the library, writes the entry again, and prints what it saw.
const READER: &str = r#"
import json, pathlib, sys, yaml
from huggingface_hub import ModelCard, eval_result_entries_to_yaml, parse_eval_result_entries
folder = pathlib.Path(sys.argv[1])
stored = yaml.safe_load((folder / ".eval_results" / "kdpipe.yaml").read_text())
entries = parse_eval_result_entries(stored)
assert eval_result_entries_to_yaml(entries) == stored, "something is left out"
index = ModelCard.load(folder / "README.md").data.eval_results
print(json.dumps({
    "entries": [vars(entry) for entry in entries],
    "index": {result.metric_type: vars(result) for result in index},
}))
"#;

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn results_on_a_dataset_of_the_hub_are_exported_in_both_forms_that_it_reads() {
    let server = filled();
    let site = TestSite::new(&spec("train_tokens = 3000\n"));
    run(&site, &server, "run study.toml --only arm=none").code(0);
    let mut runs = std::fs::read_dir(site.path("results/tiny/runs")).unwrap();
    let id = runs.next().unwrap().unwrap().file_name();
    let id = id.to_string_lossy();
    site.kdpipe(&format!("export results/tiny/runs/{id} student"))
        .code(0);
    let lock: toml::Table = text(&site.path("results/tiny/lock.toml")).parse().unwrap();
    let pins = lock["hub"].as_array().unwrap();
    let pin = pins
        .iter()
        .find(|pin| pin["kind"].as_str() == Some("dataset"));
    let commit = pin.unwrap()["commit"].as_str().unwrap();

    let results = text(&site.path("student/.eval_results/kdpipe.yaml"));
    let head = format!(
        "- dataset:\n    id: \"o/stories\"\n    task_id: \"default\"\n    \
         revision: \"{commit}\"\n  value: "
    );
    let (value, notes) = results
        .strip_prefix(&head)
        .and_then(|rest| rest.split_once("\n  notes: \"perplexity per token of the split test ("))
        .unwrap_or_else(|| panic!("{results}"));
    assert!(notes.ends_with("lower is better\"\n"), "{notes}");
    let card = text(&site.path("student/README.md"));
    let perplexity = format!("    - type: perplexity\n      value: {value}\n");
    assert!(card.contains(&perplexity), "{card}");

    let Some(python) = std::env::var_os("KDPIPE_TEST_PYTHON") else {
        eprintln!("skipped: KDPIPE_TEST_PYTHON names no Python with the package huggingface_hub");
        return;
    };
    let folder = site.path("student").to_string_lossy().into_owned();
    let read = site
        .program(Path::new(&python), &["-c", READER, &folder])
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&read.stderr);
    assert!(read.status.success(), "{error}");
    let seen: serde_json::Value = serde_json::from_slice(&read.stdout).unwrap();
    let entry = &seen["entries"][0];
    assert_eq!(seen["entries"].as_array().map(Vec::len), Some(1));
    assert_eq!(entry["dataset_id"], "o/stories");
    assert_eq!(entry["task_id"], "default");
    assert_eq!(entry["dataset_revision"], commit);
    assert_eq!(entry["value"].as_f64(), value.parse().ok());
    for (kind, result) in seen["index"].as_object().unwrap() {
        assert_eq!(result["task_type"], "text-generation", "{kind}");
        assert_eq!(result["dataset_type"], "o/stories", "{kind}");
        assert_eq!(result["dataset_split"], "test", "{kind}");
        assert_eq!(result["dataset_revision"], commit, "{kind}");
        assert!(result["metric_value"].is_number(), "{kind}");
    }
    assert_eq!(seen["index"]["perplexity"]["metric_value"], entry["value"]);
    assert!(seen["index"].as_object().unwrap().len() >= 3);
}
