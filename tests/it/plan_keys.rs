//! Every key of the schema is changed once, and changes the run's id exactly where it changes the
//! result.

use std::collections::BTreeSet;

use kdpipe::plan::{Plan, PlannedRun, schema_of_a_spec};
use serde_json::Value as Json;

use crate::plan::{Folder, RICH};
use crate::plan_key_changes::{CHANGES, CONTEXTS};

/// What another value of a key does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum KeyEffect {
    /// Another run.
    Run,
    /// The same run, measured anew.
    Evaluation,
    /// Nothing that is stored below a run's id.
    Nothing,
}

/// Another value of a key.
pub struct KeyChange {
    /// The place of the key in the schema.
    pub key: &'static str,
    /// The context that has the key.
    pub context: &'static str,
    /// As `--set` takes it.
    pub set: &'static str,
    pub effect: KeyEffect,
}

pub fn changes() -> impl Iterator<Item = KeyChange> {
    CHANGES.trim().lines().map(|line| {
        let fields: Vec<&str> = line.split(" | ").collect();
        let &[key, context, set, effect] = fields.as_slice() else {
            panic!("{line} has four fields");
        };
        KeyChange {
            key,
            context,
            set: set.strip_prefix('@').map_or(set, lines_of),
            effect: match effect {
                "run" => KeyEffect::Run,
                "evaluation" => KeyEffect::Evaluation,
                "nothing" => KeyEffect::Nothing,
                other => panic!("{other} is no effect"),
            },
        }
    })
}

/// The lines of the context of that name.
fn lines_of(name: &str) -> &'static str {
    CONTEXTS
        .iter()
        .find(|(known, _)| *known == name)
        .unwrap_or_else(|| panic!("no context {name}"))
        .1
}

/// The places of all keys in the schema; a variant is a part of the way, the name of a loss or a
/// task is not.
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
            .filter(|_| !["arms", "grid", "select"].contains(&at))
        {
            properties
                .iter()
                .for_each(|(key, property)| walk(property, &below(key), found));
        } else if schema["additionalProperties"].is_object()
            && ["loss", "evaluate.tasks"].contains(&at)
        {
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
pub fn folder_with_inputs() -> Folder {
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
pub fn plan_in(folder: &Folder, name: &str, set: &[&str]) -> Plan {
    let lines = lines_of(name);
    folder.write(
        "context.toml",
        &format!("extends = \"study.toml\"\n{lines}\n"),
    );
    folder
        .try_plan("context.toml", set, &[])
        .unwrap_or_else(|wrong| panic!("{name} {set:?}\n{wrong}"))
}

/// The keys that an id, an evaluation and a teacher have.
pub fn keys(run: &PlannedRun) -> [&str; 3] {
    [&run.id, &run.evaluation_key, &run.teacher_key]
}

#[test]
fn every_key_of_the_schema_changes_the_run_exactly_where_it_changes_the_result() {
    let changed: BTreeSet<String> = changes().map(|change| change.key.to_owned()).collect();
    let mut known = keys_of_the_schema();
    // Where a file starts from says nothing of what it resolves to; the test of ways to write holds
    // it.
    assert!(known.remove("extends"));
    assert_eq!(
        known, changed,
        "every key of the schema is changed here, and no other"
    );
    let folder = folder_with_inputs();
    for KeyChange {
        key,
        context,
        set,
        effect,
    } in changes()
    {
        let one = plan_in(&folder, context, &[]).runs.remove(0);
        let other = plan_in(&folder, context, &[set]).runs.remove(0);
        let is_another_run = one.id != other.id;
        let is_measured_anew = one.evaluation_key != other.evaluation_key;
        let found = match (is_another_run, is_measured_anew) {
            (true, false) => KeyEffect::Run,
            (false, true) => KeyEffect::Evaluation,
            (false, false) => KeyEffect::Nothing,
            (true, true) => panic!("{key}: both keys change"),
        };
        assert_eq!(found, effect, "{key} in the context {context:?}");
        let of_teacher = ["dataset", "tokenizer", "teacher"]
            .contains(&key.split('.').next().unwrap_or_default());
        // How its forward pass is computed makes no other teacher.
        let of_its_pass = [
            "teacher.train.precision",
            "teacher.dir.precision",
            "teacher.hub.precision",
        ]
        .contains(&key);
        assert_eq!(
            one.teacher_key != other.teacher_key,
            // A teacher is trained where its students are.
            key == "train.device" || of_teacher && !of_its_pass && effect == KeyEffect::Run,
            "the teacher's key, by {key}"
        );
    }
}
