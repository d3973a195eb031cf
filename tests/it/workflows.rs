//! Workflows for GitHub Actions: read, and the steps that are commands executed.

use std::path::Path;
use std::process::Command;

use saphyr_parser::{Event, Parser};
use serde_json::{Map, Value};

use crate::builder::{TINY, TestSite};

/// A workflow's tree; every scalar is a text.
pub type Workflow = Value;

pub fn read_workflow(path: &str) -> Workflow {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
    let events = Parser::new_from_str(&text).map(|event| event.unwrap().0);
    node(&mut events.into_iter()).unwrap()
}

/// The next node; none at the end of a list or map.
fn node<'a>(events: &mut impl Iterator<Item = Event<'a>>) -> Option<Value> {
    loop {
        return match events.next()? {
            Event::Scalar(text, ..) => Some(Value::String(text.into_owned())),
            Event::SequenceStart(..) => {
                let items = std::iter::from_fn(|| node(events));
                Some(Value::Array(items.collect()))
            }
            Event::MappingStart(..) => {
                let mut map = Map::new();
                while let Some(key) = node(events) {
                    let key = key.as_str().unwrap().to_owned();
                    let value = node(events).unwrap();
                    assert!(map.insert(key, value).is_none(), "a key stands twice");
                }
                Some(Value::Object(map))
            }
            Event::Alias(_) => panic!("GitHub's own reader has had no aliases for long"),
            Event::StreamStart | Event::DocumentStart(_) | Event::Nothing => continue,
            _ => None,
        };
    }
}

/// The steps of a job that are commands: names and scripts.
pub fn run_steps(workflow: &Workflow, job: &str) -> Vec<(String, String)> {
    let steps = workflow["jobs"][job]["steps"].as_array().unwrap();
    let text = |step: &Value, key: &str| Some(step[key].as_str()?.trim_end().to_owned());
    let scripts = steps
        .iter()
        .filter_map(|step| Some((text(step, "name")?, text(step, "run")?)));
    scripts.collect()
}

/// One job of the example as GitHub runs it: each step by bash, in the folder of the checkout,
/// until one fails. What was said, and the code of the last step.
fn job(site: &TestSite, workflow: &Workflow) -> (String, i32) {
    let path = format!(
        "{}:{}",
        site.path("bin").display(),
        std::env::var("PATH").unwrap()
    );
    let mut said = String::new();
    let steps = run_steps(workflow, "smoke");
    assert!(steps.len() >= 4, "{steps:?}");
    for (name, script) in steps {
        assert!(
            !script.contains("${{"),
            "{name}: only GitHub can fill this in"
        );
        let mut bash = Command::new("bash");
        bash.args([
            "--noprofile",
            "--norc",
            "-e",
            "-o",
            "pipefail",
            "-c",
            &script,
        ])
        .current_dir(site.path(""))
        .env("PATH", &path)
        .env("GITHUB_STEP_SUMMARY", site.path("summary.md"))
        .env_remove("KDPIPE_FAULT");
        for (name, value) in workflow["env"].as_object().unwrap() {
            bash.env(name, value.as_str().unwrap());
        }
        let done = bash.output().unwrap();
        said += &String::from_utf8_lossy(&done.stdout);
        said += &String::from_utf8_lossy(&done.stderr);
        if !done.status.success() {
            return (said, done.status.code().unwrap());
        }
    }
    (said, 0)
}

#[test]
fn the_steps_of_the_example_for_github_run_as_they_stand() {
    let workflow = read_workflow("pipelines/github-actions.yml");
    let site = TestSite::new("");
    for folder in ["bin", "pipelines"] {
        std::fs::create_dir(site.path(folder)).unwrap();
    }
    let spec = TINY.replace("name = \"tiny\"", "name = \"smoke\"");
    site.write("pipelines/smoke.toml", spec.as_bytes());
    let program = env!("CARGO_BIN_EXE_kdpipe");
    std::os::unix::fs::symlink(program, site.path("bin/kdpipe")).unwrap();
    // No network: what pip would bring is there.
    site.write("bin/pip", b"#!/bin/sh\necho \"$@\"\n");
    let runs = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(site.path("bin/pip"), runs).unwrap();

    let (said, code) = job(&site, &workflow);
    assert_eq!(code, 0, "{said}");
    let wheel = concat!("install ./kdpipe-", env!("CARGO_PKG_VERSION"), "-py3-none-");
    assert!(said.starts_with(wheel), "{said}");
    let trains = "training the teacher";
    assert!(said.contains(trains), "{said}");
    let report = std::fs::read_to_string(site.path("results/smoke/report.md")).unwrap();
    let summary = std::fs::read_to_string(site.path("summary.md")).unwrap();
    assert_eq!(summary, report);

    // The next job begins with a new checkout and what the cache kept.
    let steps = workflow["jobs"]["smoke"]["steps"].as_array().unwrap();
    let uses = |action: &str| {
        let is_it = |step: &&Value| {
            step["uses"]
                .as_str()
                .is_some_and(|it| it.starts_with(action))
        };
        steps.iter().find(is_it).unwrap()
    };
    let cache = &uses("actions/cache@")["with"];
    assert_eq!(cache["path"], workflow["env"]["KDPIPE_CACHE"]);
    assert!(site.path(cache["path"].as_str().unwrap()).is_dir());
    let key = cache["key"].as_str().unwrap();
    assert!(key.contains("hashFiles('pipelines/smoke.toml')"), "{key}");
    assert_eq!(
        uses("actions/upload-artifact@")["with"]["path"],
        "results/smoke"
    );
    std::fs::remove_dir_all(site.path("results")).unwrap();
    let (said, code) = job(&site, &workflow);
    assert_eq!(code, 0, "{said}");
    assert!(!said.contains(trains), "{said}");

    // A mistake in the spec, and an expectation that is not met, end the job.
    site.write(
        "pipelines/smoke.toml",
        spec.replace("steps = 10", "stpes = 10").as_bytes(),
    );
    assert_eq!(job(&site, &workflow).1, 2);
    let missed = "[expect]\nperplexity = [{ arm = \"mse\", at_most = 1.0 }]\n";
    site.write("pipelines/smoke.toml", format!("{spec}{missed}").as_bytes());
    assert_eq!(job(&site, &workflow).1, 1);
}
