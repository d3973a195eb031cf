//! Event files of a whole study: that they hold each recorded step once, change nothing else, and
//! are what TensorBoard itself reads where `KDPIPE_TEST_PYTHON` names a Python that has it.

use std::collections::BTreeMap;
use std::path::Path;

use kdpipe::record::read_metrics;

use crate::builder::{TestSite, differences, tiny};

/// A study that asks for the event files of its students and its teacher.
fn watched() -> String {
    tiny(&[
        (
            "checkpoint_every = 5\n",
            "checkpoint_every = 5\ntensorboard = true\n",
        ),
        (
            "checkpoint_every = 3\n",
            "checkpoint_every = 3\ntensorboard = true\n",
        ),
        (
            "[\"none\", \"mse\", \"wasserstein\"]",
            "[\"none\", \"wasserstein\"]",
        ),
    ])
}

fn plain() -> String {
    watched().replace("tensorboard = true\n", "")
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("a folder").flatten();
    let mut names: Vec<String> = entries
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// The steps of the values in the one file of a run's folder, as they follow each other.
fn steps(folder: &Path) -> Vec<u64> {
    let mut files = names(folder);
    // An older one may be there, empty.
    files.retain(|name| std::fs::metadata(folder.join(name)).is_ok_and(|about| about.len() > 0));
    assert_eq!(files.len(), 1, "{files:?}");
    let bytes = std::fs::read(folder.join(&files[0])).expect("an event file");
    let (mut at, mut steps) = (0, Vec::new());
    while at < bytes.len() {
        let length = u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"));
        let event = &bytes[at + 12..at + 12 + length as usize];
        // The time in nine bytes, the step (below 128 here) in two, then what the event holds: a
        // summary, whose first value begins with its tag and has a number.
        assert_eq!(event[9], 0x10);
        let is_summary = event[11] == 0x2a;
        if is_summary && !event.windows(17).any(|part| part == b"spec/text_summary") {
            steps.push(u64::from(event[10]));
        }
        at += 16 + length as usize;
    }
    steps
}

#[test]
fn event_files_hold_every_step_once_and_change_nothing_of_the_study() {
    let (watching, alone) = (TestSite::new(&watched()), TestSite::new(&plain()));
    watching.kdpipe("run study.toml").code(0);
    alone.kdpipe("run study.toml").code(0);
    let folder = watching.path("results/tiny/tensorboard");
    let found = names(&folder);
    assert_eq!(found[..2], ["arm=none seed=0", "arm=wasserstein seed=0"]);
    assert!(found[2].starts_with("teacher "), "{found:?}");
    for (name, count) in found.iter().zip([10, 10, 12]) {
        assert_eq!(
            steps(&folder.join(name)),
            (0..count).collect::<Vec<u64>>(),
            "{name}"
        );
    }
    // Neither ids nor records nor what is noted of the spec.
    let other = alone.path("results/tiny").display().to_string();
    watching
        .kdpipe(&format!("diff results/tiny {other}"))
        .code(0);
    watching.kdpipe("verify study.toml").code(0);
    watching.write("study.toml", plain().as_bytes());
    watching.kdpipe("report study.toml").code(0);
    watching.kdpipe("verify study.toml").code(0);
}

#[test]
fn a_study_that_ends_anywhere_and_goes_on_has_no_step_twice() {
    let whole = TestSite::in_memory(&watched());
    whole.kdpipe("run study.toml").code(0);
    let expected = without_events(&whole);
    for at in (150..700).step_by(110) {
        let site = TestSite::in_memory(&watched());
        let fault = format!("exit@{at}");
        site.kdpipe_with("run study.toml", &[("KDPIPE_FAULT", &fault)]);
        site.kdpipe("run study.toml").code(0);
        assert_eq!(
            differences(&expected, &without_events(&site)),
            Vec::<String>::new(),
            "ended at {at}"
        );
        let folder = site.path("results/tiny/tensorboard");
        for name in names(&folder) {
            let count = if name.starts_with("teacher") { 12 } else { 10 };
            let all: Vec<u64> = (0..count).collect();
            assert_eq!(steps(&folder.join(&name)), all, "{name} ended at {at}");
        }
    }
}

fn without_events(site: &TestSite) -> Vec<(String, Vec<u8>)> {
    let mut results = site.results();
    results.retain(|(name, _)| !name.contains("/tensorboard/"));
    results
}

#[test]
fn event_files_of_finished_runs_are_written_when_they_are_asked_for() {
    let site = TestSite::new(&plain());
    site.kdpipe("run study.toml").code(0);
    assert!(!site.path("results/tiny/tensorboard").exists());
    let before = site.results();
    site.kdpipe("run study.toml --tensorboard watch").code(0);
    assert_eq!(
        names(&site.path("watch/tiny")),
        ["arm=none seed=0", "arm=wasserstein seed=0"]
    );
    let folder = site.path("watch/tiny/arm=wasserstein seed=0");
    assert_eq!(steps(&folder), (0..10).collect::<Vec<u64>>());
    // They are left as they are the next time.
    let file = names(&folder);
    site.kdpipe("run study.toml --tensorboard watch").code(0);
    assert_eq!(names(&folder), file);
    assert_eq!(differences(&before, &site.results()), Vec::<String>::new());
}

#[test]
fn a_place_that_takes_no_event_files_costs_a_notice_and_no_run() {
    let site = TestSite::new(&plain());
    site.write("watch", b"a file");
    let done = site.kdpipe("run study.toml --tensorboard watch -v").code(0);
    let said = format!("{}{}", done.out, done.error);
    assert!(
        said.contains("no more events for TensorBoard are written of a run: "),
        "{said}"
    );
    assert!(said.contains("2 of 2 runs finished"), "{said}");
}

/// What TensorBoard's own reader finds in each folder: the values of every tag by step, the tags of
/// texts, and the settings in its table of hyperparameters.
const READER: &str = r#"
import json, os, sys
from tensorboard.backend.event_processing import event_accumulator
from tensorboard.plugins.hparams import plugin_data_pb2
found = {}
for run in sorted(os.listdir(sys.argv[1])):
    folder = os.path.join(sys.argv[1], run)
    read = event_accumulator.EventAccumulator(folder, size_guidance={"scalars": 0, "tensors": 0})
    read.Reload()
    tags = read.Tags()
    values = {tag: [[e.step, e.value] for e in read.Scalars(tag)] for tag in tags["scalars"]}
    text = read.Tensors("spec/text_summary")[0].tensor_proto.string_val[0].decode()
    settings = {}
    try:
        content = read.PluginTagToContent("hparams")["_hparams_/session_start_info"]
        start = plugin_data_pb2.HParamsPluginData.FromString(content).session_start_info
        settings = {k: v.string_value or v.number_value for k, v in start.hparams.items()}
    except KeyError:
        pass
    found[run] = {"values": values, "text": text, "settings": settings}
print(json.dumps(found))
"#;

/// What [`READER`] says of a run.
#[derive(serde::Deserialize)]
struct SeenRun {
    values: BTreeMap<String, Vec<(u64, f64)>>,
    text: String,
    settings: BTreeMap<String, serde_json::Value>,
}

#[test]
fn tensorboard_itself_reads_every_recorded_value_at_its_step() {
    let Some(python) = std::env::var_os("KDPIPE_TEST_PYTHON") else {
        eprintln!("skipped: KDPIPE_TEST_PYTHON names no Python with the package tensorboard");
        return;
    };
    let site = TestSite::new(&watched());
    site.kdpipe("run study.toml").code(0);
    let folder = site.path("results/tiny/tensorboard");
    let output = std::process::Command::new(python)
        .args(["-c", READER])
        .arg(&folder)
        .output()
        .expect("Python starts");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    let seen: BTreeMap<String, SeenRun> =
        serde_json::from_slice(&output.stdout).expect("what was seen");
    assert_eq!(seen.len(), 3);
    for run in names(&site.path("results/tiny/runs")) {
        let own = site.path("results/tiny/runs").join(&run);
        let (name, seen) = seen
            .iter()
            .find(|(_, seen)| seen.text.contains(&format!("run `{run}`")))
            .expect("a folder for every run");
        let mut expected: BTreeMap<String, Vec<(u64, f64)>> = BTreeMap::new();
        for table in ["metrics.parquet", "timings.parquet"] {
            for (step, values) in read_metrics(&own.join(table)).expect("a table") {
                for (tag, value) in values {
                    let points = expected.entry(tag.replacen('.', "/", 1)).or_default();
                    points.push((step, f64::from(value as f32)));
                }
            }
        }
        assert!(expected.len() > 8 && expected.contains_key("validation/nll"));
        assert_eq!(seen.values, expected, "{name}");
        let spec = std::fs::read_to_string(own.join("spec.toml")).expect("a spec");
        assert!(seen.text.contains(&spec), "{}", seen.text);
        assert_eq!(seen.settings["seed"], 0.0);
        assert!(name.contains(seen.settings["arm"].as_str().expect("an arm")));
    }
}
