//! `lock.toml` from a plan: what the report says about a study without its inputs.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result, ensure};

use super::MadeBy;
use super::inputs::{pin_for_lock, repos};
use crate::data;
use crate::hub::{Hub, Pin, Repo, short_commit};
use crate::plan::run::{
    BalanceSpec, DatasetSpec, Init, ItemSource, PrecisionSpec, RunSpec, TaskSpec, TeacherSpec,
    Term, TokenizerSpec,
};
use crate::plan::{ARM, Plan, PlannedRun, counted, grouped};
use crate::record;
use crate::record::layout::Layout;
use crate::record::study::{ALTERNATIVE, Cell, HubPin, STUDY_FORMAT, SetupFacts, Study};

/// The study that a plan describes; `command`, which names the file `spec`, reproduces it, and what
/// the hub was asked for stays at its commits.
pub fn study(plan: &Plan, spec: &Path, command: &str, hub: &Hub) -> Study {
    let cell = |cell: &crate::plan::PlannedCell| {
        let run = &plan.runs[cell.run];
        Cell {
            at: cell.at.clone(),
            run: run.id.clone(),
            evaluation: run.evaluation_key.clone(),
            teacher: run.teacher_key.clone(),
            teacher_evaluation: run.teacher_evaluation_key.clone(),
        }
    };
    Study {
        format: STUDY_FORMAT,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        name: plan.name.clone(),
        description: plan.description.clone(),
        inputs: inputs(plan),
        hub: pins(plan, hub),
        axes: plan.axes.clone(),
        cells: plan.cells.iter().map(cell).collect(),
        trials: plan.trials.clone(),
        arms: plan.arms.clone(),
        report: plan.report.clone(),
        spec: Some(spec.to_owned()),
        settings: Some(plan.settings.clone()),
        facts: facts(plan, command, hub),
        looks: Vec::new(),
        seen: None,
        found: None,
    }
}

/// Writes `lock.toml`, with what was seen of the study before it became this one.
///
/// # Errors
/// A results folder that cannot be written, or whose runs this machine would make otherwise.
pub fn record_study(
    plan: &Plan,
    made_by: MadeBy,
    layout: &Layout,
    hub: &Hub,
    notice: &dyn Fn(&str),
) -> Result<()> {
    let looks = record::read_looks(layout);
    if let Some(words) = record::set_damaged_study_aside(layout)? {
        notice(&words);
    }
    let mut study = study(plan, made_by.spec, made_by.command, hub);
    study.looks = looks;
    match record::read_study(layout) {
        Ok(stored) => {
            let otherwise = came_to_something_else(plan, &stored, layout);
            ensure!(
                otherwise.is_empty(),
                "{}",
                words_on_another_machine(layout, &otherwise)
            );
            if let Some(look) = record::carry_what_was_seen(layout, &stored, &mut study) {
                notice(&look.notice());
            }
        }
        // The looks of a damaged file say what was seen before.
        Err(_) if study.looks.is_empty() => record::note_what_was_found(layout, &mut study),
        Err(_) => {}
    }
    record::write_study(layout, &study).context("the results folder cannot be used")
}

/// Ends a precision, as TOML, that is taken where the machine has it.
const WHERE_THERE_IS_ONE: &str = "-or-f32\"";

/// The precision of a run that a key sets, as its own spec has it.
type PrecisionOf = fn(&RunSpec) -> Option<PrecisionSpec>;

/// The keys that set a precision.
const PRECISIONS: [(&str, PrecisionOf); 3] = [
    ("train.precision", |spec| Some(spec.train.precision)),
    ("teacher.precision", |spec| Some(spec.teacher.precision())),
    ("teacher.train.precision", |spec| match &spec.teacher {
        TeacherSpec::Train { train, .. } => Some(train.precision),
        TeacherSpec::Dir { .. } | TeacherSpec::Hub { .. } => None,
    }),
];

/// The settings that came to something else where runs of `stored` were begun than they come to
/// here, though nothing of them was changed.
fn came_to_something_else(plan: &Plan, stored: &Study, layout: &Layout) -> Vec<String> {
    let tried = stored.trials.iter().flat_map(|trials| &trials.tried);
    let tried = tried.flat_map(|one| one.runs.iter().map(move |run| (one.arm.as_ref(), run)));
    let cells = stored.cells.iter();
    let runs = cells.map(|cell| (cell.at.get(ARM), &cell.run)).chain(tried);
    let mut found = BTreeSet::new();
    for (arm, run) in runs {
        let name = arm.map(String::as_str);
        let after = plan.settings.of_arm(name);
        let before = stored.settings.as_ref().map(|before| before.of_arm(name));
        let depends = |key: &str| {
            let value = *after.get(key)?;
            let is_kept = before.as_ref()?.get(key) == Some(&value);
            (is_kept && value.ends_with(WHERE_THERE_IS_ONE)).then_some(value)
        };
        let depending = PRECISIONS.map(|(key, of)| depends(key).map(|value| (key, value, of)));
        let now = plan.cells.iter().find(|cell| cell.at.get(ARM) == arm);
        let Some(now) = now.filter(|_| depending.iter().any(Option::is_some)) else {
            continue;
        };
        let finished = record::read_spec(&layout.run(run)).ok();
        let in_work = || record::read_in_work(layout, run)?.spec;
        let Some(then) = finished.or_else(in_work) else {
            continue;
        };
        let now = &plan.runs[now.run].spec;
        let differing = depending.into_iter().flatten();
        let differing = differing.filter(|(_, _, of)| of(&then) != of(now));
        found.extend(differing.map(|(key, value, _)| format!("{key} = {value}")));
    }
    found.into_iter().collect()
}

fn words_on_another_machine(layout: &Layout, settings: &[String]) -> String {
    format!(
        "the runs in {} are not those that this machine would train: {} comes to something else \
         here. A study is computed in one precision; write the one that its runs have \
         (spec.toml of any of them), go on where they were made, or give another folder with \
         --results",
        layout.root.display(),
        settings.join(", ")
    )
}

/// `teacher`, `teacher.2`, …
fn numbered(part: &str, number: usize) -> String {
    if number == 0 {
        part.to_owned()
    } else {
        format!("{part}.{}", number + 1)
    }
}

/// Keys and hashes of what the runs were made from.
fn inputs(plan: &Plan) -> BTreeMap<String, String> {
    let mut inputs = BTreeMap::new();
    for (number, key) in distinct(plan.runs.iter().map(|run| run.teacher_key.clone()))
        .into_iter()
        .enumerate()
    {
        inputs.insert(numbered("teacher", number), key);
    }
    // What is made from the spec alone has no hash of its own.
    for part in ["dataset", "tokenizer", "student"] {
        let hashes = plan.runs.iter().filter_map(|run| {
            ["files", "commit", "weights"]
                .iter()
                .find_map(|key| run.identity[part][*key].as_str())
        });
        for (number, hash) in distinct(hashes.map(str::to_owned)).into_iter().enumerate() {
            inputs.insert(numbered(part, number), hash);
        }
    }
    let mut of_tasks: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for run in &plan.runs {
        for (name, task) in &run.spec.evaluate.tasks {
            let is_made = matches!(task.source(), None | Some(ItemSource::Grammar(_)));
            if let Some(hash) = run.fingerprints.tasks.get(name).filter(|_| !is_made) {
                of_tasks.entry(name).or_default().push(hash.clone());
            }
        }
    }
    for (name, hashes) in of_tasks {
        let role = format!("evaluate.tasks.{name}");
        for (number, hash) in distinct(hashes.into_iter()).into_iter().enumerate() {
            inputs.insert(numbered(&role, number), hash);
        }
    }
    inputs
}

/// The pins of everything that the plan takes from the hub.
fn pins(plan: &Plan, hub: &Hub) -> Vec<HubPin> {
    let repos: BTreeSet<_> = plan.runs.iter().flat_map(|run| repos(&run.spec)).collect();
    repos
        .iter()
        .filter_map(|repo| hub.pin(repo))
        .map(pin_for_lock)
        .collect()
}

fn facts(plan: &Plan, command: &str, hub: &Hub) -> SetupFacts {
    let all =
        |words: fn(&PlannedRun) -> String| distinct(plan.runs.iter().map(words)).join(ALTERNATIVE);
    let datasets = plan.runs.iter().map(|run| dataset(run, hub));
    SetupFacts {
        dataset: distinct(datasets).join(ALTERNATIVE),
        tokenizer: all(tokenizer),
        teacher: all(teacher),
        student_init: all(|run| {
            match run.spec.student.init {
                Init::Random => "random",
                Init::Teacher => "teacher",
                Init::Dir => "dir",
            }
            .to_owned()
        }),
        balance: distinct(
            plan.runs
                .iter()
                .filter(|run| run.spec.loss.values().any(Term::is_hidden))
                .map(|run| {
                    match run.spec.balance {
                        BalanceSpec::None => "none",
                        BalanceSpec::Gradient { .. } => "gradient",
                    }
                    .to_owned()
                }),
        )
        .join(ALTERNATIVE),
        command: command.to_owned(),
        note: plan.note.clone(),
        tasks: distinct(plan.runs.iter().flat_map(|run| tasks(run, hub))),
    }
}

/// `blimp: nyu-mll/blimp (2 of its configurations), split train, of the hub at the commit …`, of
/// each task whose items are of the hub.
fn tasks(run: &PlannedRun, hub: &Hub) -> Vec<String> {
    let in_words = |(name, task): (&String, &TaskSpec)| {
        let Some(ItemSource::Hub(items)) = task.source() else {
            return None;
        };
        let configs = match items.configs {
            [] => String::new(),
            few if few.len() <= 4 => format!(" ({})", few.join(", ")),
            many => format!(" ({} of its configurations)", many.len()),
        };
        let pin = hub.pin(&Repo::dataset(items.repo, items.revision))?;
        Some(format!(
            "{name}: {}{configs}, split {}, of the hub at the commit {}{}",
            items.repo,
            items.split,
            short_commit(&pin.commit),
            own_copies(Some(&pin))
        ))
    };
    let tasks = run.spec.evaluate.tasks.iter();
    tasks.filter_map(in_words).collect()
}

/// Where a dataset was read from the hub's copies, that it was.
fn own_copies(pin: Option<&Pin>) -> String {
    let branch = pin.and_then(|pin| pin.branch.as_ref());
    branch.map_or_else(String::new, |branch| {
        format!(", the hub's own copies ({branch})")
    })
}

/// Each text once, in the order of first appearance.
fn distinct(texts: impl Iterator<Item = String>) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for text in texts {
        if !found.contains(&text) {
            found.push(text);
        }
    }
    found
}

/// `of the hub at the commit 607a30d783df`.
fn on_the_hub(run: &PlannedRun, part: &str) -> String {
    format!(
        "of the hub at the commit {}",
        short_commit(run.identity[part]["commit"].as_str().unwrap_or("unknown"))
    )
}

fn dataset(run: &PlannedRun, hub: &Hub) -> String {
    let files = |paths: &[crate::plan::path::InputPath]| {
        paths
            .iter()
            .map(|path| path.written.as_str())
            .collect::<Vec<_>>()
            .join(", ")
    };
    let source = match &run.spec.dataset {
        DatasetSpec::Synthetic {
            seed, train_words, ..
        } => {
            format!(
                "stories of the embedded grammar (seed {seed}, {} words to train on)",
                grouped(&train_words.to_string())
            )
        }
        DatasetSpec::Text { train, .. } => format!("text files ({})", files(train)),
        DatasetSpec::Parquet { train, column, .. } => {
            format!("column {column} of parquet files ({})", files(train))
        }
        DatasetSpec::Jsonl { train, column, .. } => {
            format!("key {column} of JSON files ({})", files(train))
        }
        DatasetSpec::Hub {
            repo,
            config,
            revision,
            ..
        } => {
            let config = config
                .as_ref()
                .map_or_else(String::new, |config| format!(" ({config})"));
            let copies = own_copies(hub.pin(&Repo::dataset(repo, revision)).as_ref());
            format!("{repo}{config} {}{copies}", on_the_hub(run, "dataset"))
        }
    };
    let first = run.spec.dataset.train_tokens().map(|count| {
        let count = grouped(&count.to_string());
        format!(", the first {count} tokens of the training split")
    });
    let first = first.unwrap_or_default();
    format!("{source}{first}{}", shares(&run.spec.dataset))
}

/// `, of which validation is 5% by documents`.
fn shares(dataset: &DatasetSpec) -> String {
    let shares = dataset.shares().into_iter();
    let shares: Vec<String> = shares
        .map(|(split, share)| format!("{split} is {share}"))
        .collect();
    if shares.is_empty() {
        return String::new();
    }
    let by = match dataset.cut() {
        None => "documents".to_owned(),
        Some(cut) => format!(
            "blocks of {} lines, with {} left out between splits",
            grouped(&cut.lines.to_string()),
            grouped(&cut.gap.to_string())
        ),
    };
    format!(", of which {} by {by}", shares.join(" and "))
}

fn tokenizer(run: &PlannedRun) -> String {
    match &run.spec.tokenizer {
        TokenizerSpec::Train { vocab_size } => {
            let trainer = data::trained_with();
            format!(
                "byte-level BPE of {vocab_size} tokens, trained on the training split by {trainer}"
            )
        }
        TokenizerSpec::Dir { path } => format!("the one in {}", path.written),
        TokenizerSpec::Hub { repo, .. } => {
            format!("that of {repo} {}", on_the_hub(run, "tokenizer"))
        }
    }
}

fn teacher(run: &PlannedRun) -> String {
    match &run.spec.teacher {
        TeacherSpec::Train {
            layers,
            width,
            heads,
            train,
            ..
        } => {
            let tokens = train.steps * (train.batch * train.accumulate * train.context) as u64;
            let tokens = grouped(&tokens.to_string());
            format!(
                "a GPT-2 of {}, width {width}, {heads} heads, trained here on {tokens} tokens",
                counted(*layers, "layer")
            )
        }
        TeacherSpec::Dir { path, .. } => format!("the GPT-2 in {}", path.written),
        TeacherSpec::Hub { repo, .. } => format!("{repo} {}", on_the_hub(run, "teacher")),
    }
}
