//! The entry point: `load` reads a spec and checks every cell as far as that goes without its
//! inputs; `Loaded::resolve` asks for the inputs' facts and gives the plan.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use super::arms;
use super::check::{Checked, check};
use super::diagnostics::{Diagnostic, Diagnostics, Place};
use super::estimate::estimate;
use super::grid::Grid;
use super::identity::{self, Fingerprints};
use super::layers::{Merged, On, Origin, PathStep, Stack, way};
use super::path::InputPath;
use super::planned::{
    Axis, DatasetFact, Fact, Inputs, Overrides, Plan, PlannedCell, PlannedRun, ReportSettings,
    TeacherFact,
};
use super::resolve::{Known, Problem, known_from_spec, resolve};
use super::run::{DatasetSpec, Init, TeacherSpec, Term, TokenizerSpec};
use super::schema;
use super::study::{self, Named};
use super::written::WrittenRun;

/// A spec whose every cell was checked as far as that goes without its inputs.
#[derive(Debug)]
pub struct Loaded {
    pub(super) stack: Stack,
    pub(super) grid: Grid,
    named: Named,
    /// In the order of `grid.cells`.
    cells: Vec<WrittenRun>,
    notices: Vec<String>,
}

/// Reads the spec at `spec` with everything that it extends.
///
/// # Errors
/// Every mistake that can be known without inputs.
pub fn load(spec: &Path, options: &Overrides) -> Result<Loaded, Diagnostics> {
    let stack = Stack::load(spec, options)?;
    let mut wrong = Vec::new();
    let study = study::read(&stack, &mut wrong);
    let grid = match Grid::read(&stack) {
        Ok(grid) => grid,
        Err(more) => {
            wrong.extend(more.0);
            // The cells are unknown, but the faults of the spec and its arms are not.
            for arm in [None]
                .into_iter()
                .chain(stack.arms().iter().map(|arm| Some(arm.as_str())))
            {
                read_run(
                    &stack.run(arm, &[]),
                    "",
                    &mut wrong,
                    &mut SpecProblems::default(),
                    &mut Idle::default(),
                );
            }
            return Err(Diagnostics(wrong).tidy());
        }
    };
    let (mut idle, mut problems) = (Idle::default(), SpecProblems::default());
    let mut cells = Vec::with_capacity(grid.cells.len());
    for cell in &grid.cells {
        let merged = stack.run(grid.arm(cell), &grid.layers(cell));
        let run = read_run(
            &merged,
            &grid.label(cell),
            &mut wrong,
            &mut problems,
            &mut idle,
        );
        idle.cells += 1;
        cells.extend(run);
    }
    problems.report(grid.cells.len(), &mut wrong);
    let used: BTreeSet<&str> = grid
        .cells
        .iter()
        .filter_map(|cell| grid.arm(cell))
        .collect();
    for arm in stack
        .arms()
        .iter()
        .filter(|arm| !used.contains(arm.as_str()))
    {
        // With the axes of some cell, as an arm may need them; what its values together show is no
        // matter while it is not run.
        let merged = stack.run(Some(arm), &grid.layers(&grid.cells[0]));
        read_run(
            &merged,
            "",
            &mut wrong,
            &mut SpecProblems::default(),
            &mut Idle::default(),
        );
    }
    let mut notices = grid.notices.clone();
    idle.report(&mut wrong, &mut notices);
    let named = study.map(|study| study::finish(study, &stack, &grid, &mut wrong, &mut notices));
    match named {
        Some(named) if wrong.is_empty() => Ok(Loaded {
            stack,
            grid,
            named,
            cells,
            notices,
        }),
        _ => Err(Diagnostics(wrong).tidy()),
    }
}

/// Mistakes that only the values of a cell together show, over all cells.
#[derive(Default)]
struct SpecProblems(BTreeMap<(Option<Place>, String), (Diagnostic, usize, String)>);

impl SpecProblems {
    fn add(&mut self, diagnostic: Diagnostic, cell: &str) {
        let key = (diagnostic.place.clone(), diagnostic.message.clone());
        self.0
            .entry(key)
            .or_insert_with(|| (diagnostic, 0, cell.to_owned()))
            .1 += 1;
    }

    /// Says of those that only some of the cells have, which.
    fn report(self, cells: usize, wrong: &mut Vec<Diagnostic>) {
        for (mut diagnostic, count, first) in self.0.into_values() {
            if count < cells {
                let others = if count > 1 {
                    format!(" and {} more", count - 1)
                } else {
                    String::new()
                };
                diagnostic
                    .message
                    .push_str(&format!(" (in the cell {first}{others})"));
            }
            wrong.push(diagnostic);
        }
    }
}

/// Keys without effect, over all cells.
#[derive(Default)]
struct Idle {
    cells: usize,
    keys: BTreeMap<String, IdleKey>,
}

struct IdleKey {
    cells: usize,
    /// Cells whose user should hear of it, even where others have a use for the key.
    worth_saying: usize,
    diagnostic: Diagnostic,
}

impl Idle {
    fn add(&mut self, key: String, worth_saying: bool, diagnostic: impl FnOnce() -> Diagnostic) {
        match self.keys.entry(key) {
            Entry::Vacant(free) => {
                free.insert(IdleKey {
                    cells: 1,
                    worth_saying: usize::from(worth_saying),
                    diagnostic: diagnostic(),
                });
            }
            Entry::Occupied(known) => {
                let known = known.into_mut();
                if worth_saying && known.worth_saying == 0 {
                    known.diagnostic = diagnostic();
                }
                known.cells += 1;
                known.worth_saying += usize::from(worth_saying);
            }
        }
    }

    fn report(self, wrong: &mut Vec<Diagnostic>, notices: &mut Vec<String>) {
        for (
            key,
            IdleKey {
                cells,
                worth_saying,
                diagnostic,
            },
        ) in self.keys
        {
            if cells == self.cells {
                wrong.push(diagnostic);
            } else if worth_saying > 0 {
                notices.push(format!(
                    "{key} has no effect in {worth_saying} of {} cells: {}",
                    self.cells, diagnostic.message
                ));
            }
        }
    }
}

/// Checks a merged run and reads it; none where it has faults.
fn read_run(
    merged: &Merged,
    cell: &str,
    wrong: &mut Vec<Diagnostic>,
    problems: &mut SpecProblems,
    idle: &mut Idle,
) -> Option<WrittenRun> {
    let Checked {
        mut value,
        faults,
        idle: foreign,
    } = check(merged, schema::run());
    let faulty = !faults.is_empty();
    wrong.extend(faults);
    for (key, diagnostic) in foreign {
        idle.add(key, true, || diagnostic);
    }
    if faulty {
        return None;
    }
    let disabled = take_disabled(&mut value);
    let run: WrittenRun = deserialize(value, wrong)?;
    for name in &disabled {
        soft_leaves(
            merged,
            &[
                PathStep::Key("loss".to_owned()),
                PathStep::Key(name.clone()),
            ],
            &mut |key, place| {
                if !key.ends_with(".enabled") {
                    let reason = format!("{key} has no effect: loss.{name} is not enabled");
                    idle.add(key.to_owned(), false, || {
                        Diagnostic::new(reason)
                            .at(place)
                            .hint("leave it out, or enable the loss in some cell")
                    });
                }
            },
        );
    }
    if !run.loss.values().any(Term::is_hidden) {
        soft_leaves(
            merged,
            &[PathStep::Key("match".to_owned())],
            &mut |key, place| {
                let reason = format!("{key} has no effect: no hidden loss is enabled");
                idle.add(key.to_owned(), false, || {
                    Diagnostic::new(reason)
                        .at(place)
                        .hint("leave it out, or add a hidden loss")
                });
            },
        );
    }
    let resolved = resolve(&run, &known_from_spec(&run));
    for (key, reason) in resolved.idle {
        let path = way(&key);
        if merged
            .origin(&path)
            .is_some_and(|(layer, _)| layer.origin != Origin::Defaults)
        {
            let place = merged.place(&path, On::Key);
            idle.add(key.clone(), false, || {
                Diagnostic::new(format!("{key} has no effect with {reason}"))
                    .at(place)
                    .hint("leave it out")
            });
        }
    }
    resolved
        .problems
        .into_iter()
        .for_each(|problem| problems.add(placed(merged, problem), cell));
    Some(run)
}

fn placed(merged: &Merged, problem: Problem) -> Diagnostic {
    let place = merged.place(&way(&problem.key), problem.on);
    Diagnostic {
        message: problem.message,
        place,
        hint: Some(problem.hint),
    }
}

/// Takes disabled losses, and the switch itself, out of a checked run.
fn take_disabled(value: &mut Json) -> Vec<String> {
    let mut disabled = Vec::new();
    if let Some(losses) = value.get_mut("loss").and_then(Json::as_object_mut) {
        losses.retain(|name, term| {
            let enabled = term
                .as_object_mut()
                .and_then(|term| term.remove("enabled"))
                .is_none_or(|enabled| enabled == true);
            if !enabled {
                disabled.push(name.clone());
            }
            enabled
        });
    }
    disabled
}

/// Calls `visit` on every value below `path` that an axis, the environment or `--set` gives.
fn soft_leaves(merged: &Merged, path: &[PathStep], visit: &mut dyn FnMut(&str, Option<Place>)) {
    let Some(value) = merged.find(path) else {
        return;
    };
    if let figment::value::Value::Dict(_, dict) = value {
        for key in dict.keys() {
            let mut below = path.to_vec();
            below.push(PathStep::Key(key.clone()));
            soft_leaves(merged, &below, visit);
        }
    } else if merged.layer_of(value).is_some_and(|layer| {
        matches!(
            layer.origin,
            Origin::Axis | Origin::Environment | Origin::Set
        )
    }) {
        visit(&super::layers::dotted(path), merged.place(path, On::Value));
    }
}

/// A checked value as its type; a value that passed the check and is refused here is a gap between
/// schema and type, which is said rather than hidden.
pub(super) fn deserialize<T: DeserializeOwned>(
    value: Json,
    wrong: &mut Vec<Diagnostic>,
) -> Option<T> {
    match T::deserialize(value) {
        Ok(read) => Some(read),
        Err(error) => {
            wrong.push(Diagnostic::new(format!("the spec cannot be read: {error}")));
            None
        }
    }
}

/// Facts that were asked for, each input once.
struct Asked<K, T> {
    known: Vec<(K, Fact<T>)>,
}

impl<K: PartialEq + Clone, T: Clone> Asked<K, T> {
    fn new() -> Self {
        Self { known: Vec::new() }
    }

    fn get(&mut self, key: &K, ask: impl FnOnce() -> Fact<T>) -> Fact<T> {
        if let Some((_, fact)) = self.known.iter().find(|(known, _)| known == key) {
            return fact.clone();
        }
        let fact = ask();
        self.known.push((key.clone(), fact.clone()));
        fact
    }
}

/// What one cell's facts came to.
struct CellFacts {
    known: Known,
    fingerprints: Fingerprints,
    unknown: Vec<String>,
    /// Key of the input, and the message.
    bad: Vec<(&'static str, String)>,
}

impl CellFacts {
    /// Files a fact under the input at `key`; the value where it is known.
    fn take<T>(&mut self, key: &'static str, fact: Fact<T>) -> Option<T> {
        match fact {
            Fact::Known(value) => Some(value),
            Fact::Unknown(why) => {
                self.unknown.push(why);
                None
            }
            Fact::Bad(message) => {
                self.bad.push((key, message));
                None
            }
        }
    }
}

impl Loaded {
    /// The name of the study's folder below the results.
    pub fn name(&self) -> &str {
        &self.named.name
    }

    /// What each distinct run is made of, before any input is looked at, in the order of the cells:
    /// for a caller that fetches inputs first.
    pub fn datasets(&self) -> impl Iterator<Item = &DatasetSpec> {
        self.cells.iter().map(|run| &run.dataset)
    }

    /// Whether some run takes something from the hub.
    pub fn uses_hub(&self) -> bool {
        self.cells.iter().any(|run| {
            matches!(run.dataset, DatasetSpec::Hub { .. })
                || matches!(run.tokenizer, TokenizerSpec::Hub { .. })
                || matches!(run.teacher, TeacherSpec::Hub { .. })
        })
    }

    /// The plan, with the facts of the inputs.
    ///
    /// # Errors
    /// Mistakes that only the inputs show, and inputs that cannot be used.
    pub fn resolve(&self, inputs: &dyn Inputs) -> Result<Plan, Diagnostics> {
        let mut problems = SpecProblems::default();
        let mut asked = (Asked::new(), Asked::new(), Asked::new(), Asked::new());
        let mut runs: Vec<PlannedRun> = Vec::new();
        let mut by_key: BTreeMap<[String; 3], usize> = BTreeMap::new();
        let mut cells = Vec::with_capacity(self.cells.len());
        for (run, cell) in self.cells.iter().zip(&self.grid.cells) {
            let mut facts = CellFacts {
                known: known_from_spec(run),
                fingerprints: Fingerprints::default(),
                unknown: Vec::new(),
                bad: Vec::new(),
            };
            self.ask(run, inputs, &mut asked, &mut facts);
            let resolved = resolve(run, &facts.known);
            if !facts.bad.is_empty() || !resolved.problems.is_empty() {
                let merged = self.stack.run(self.grid.arm(cell), &self.grid.layers(cell));
                let label = self.grid.label(cell);
                resolved
                    .problems
                    .into_iter()
                    .for_each(|problem| problems.add(placed(&merged, problem), &label));
                for (key, message) in facts.bad {
                    problems.add(
                        Diagnostic::new(message).at(merged.place(&way(key), On::Value)),
                        &label,
                    );
                }
                continue;
            }
            let spec = resolved.spec;
            let prints = &facts.fingerprints;
            let identity = identity::identity(&spec, prints, resolved.unmatched.as_ref());
            let id = identity::key(&identity);
            let evaluation_key = identity::evaluation_key(&spec.evaluate);
            let teacher_evaluation_key = identity::teacher_evaluation_key(&spec, prints);
            let at: BTreeMap<String, String> = self
                .grid
                .axes
                .iter()
                .zip(cell)
                .map(|(axis, value)| (axis.key.clone(), axis.values[*value].text.clone()))
                .collect();
            let label = self.grid.label(cell);
            let key = [
                id.clone(),
                evaluation_key.clone(),
                teacher_evaluation_key.clone(),
            ];
            let index = *by_key.entry(key).or_insert_with(|| {
                runs.push(PlannedRun {
                    identity,
                    evaluation_key,
                    teacher_key: identity::teacher_key(&spec, prints),
                    teacher_evaluation_key,
                    group_key: identity::group_key(&spec, prints, &run.balance),
                    estimate: estimate(&spec, &facts.known),
                    id,
                    label,
                    unknown: facts.unknown,
                    spec,
                });
                runs.len() - 1
            });
            cells.push(PlannedCell { at, run: index });
        }
        let mut wrong = Vec::new();
        problems.report(self.cells.len(), &mut wrong);
        if !wrong.is_empty() {
            return Err(Diagnostics(wrong).tidy());
        }
        let Named {
            study,
            name,
            baseline,
            primary,
        } = &self.named;
        let axes = self.grid.axes.iter().map(|axis| Axis {
            key: axis.key.clone(),
            values: axis.values.iter().map(|value| value.text.clone()).collect(),
        });
        Ok(Plan {
            name: name.clone(),
            description: study.pipeline.description.clone(),
            note: study.pipeline.note.clone(),
            axes: axes.collect(),
            cells,
            runs,
            arms: arms::arms(
                &self.stack,
                &self.grid,
                baseline.get("arm").map(String::as_str),
            ),
            report: ReportSettings {
                template: study.report.template.clone(),
                baseline: baseline.clone(),
                margin: study.report.margin,
                alpha: study.report.alpha,
                primary: primary.clone(),
            },
            expect: study.expect.clone(),
            notices: self.notices.clone(),
        })
    }

    fn ask(
        &self,
        run: &WrittenRun,
        inputs: &dyn Inputs,
        asked: &mut AskedAll,
        facts: &mut CellFacts,
    ) {
        let unknown = || "unknown".to_owned();
        facts.known.bf16 = Some(inputs.bf16());
        if !matches!(run.dataset, DatasetSpec::Synthetic { .. }) {
            let fact = asked.0.get(&run.dataset, || inputs.dataset(&run.dataset));
            facts.fingerprints.dataset = facts
                .take(dataset_key(&run.dataset, &fact), fact)
                .map_or_else(unknown, |fact| fact.fingerprint);
        }
        if !matches!(run.tokenizer, TokenizerSpec::Train { .. }) {
            let fact = asked
                .1
                .get(&(run.dataset.clone(), run.tokenizer.clone()), || {
                    inputs.tokenizer(&run.dataset, &run.tokenizer)
                });
            let key = if matches!(run.tokenizer, TokenizerSpec::Dir { .. }) {
                "tokenizer.path"
            } else {
                "tokenizer.repo"
            };
            let fact = facts.take(key, fact);
            facts.known.vocabulary = fact.as_ref().and_then(|fact| fact.vocabulary);
            facts.fingerprints.tokenizer = fact.map_or_else(unknown, |fact| fact.fingerprint);
        }
        if !matches!(run.teacher, TeacherSpec::Train { .. }) {
            let fact = asked.2.get(&run.teacher, || inputs.teacher(&run.teacher));
            let key = if matches!(run.teacher, TeacherSpec::Dir { .. }) {
                "teacher.path"
            } else {
                "teacher.repo"
            };
            facts.known.teacher = facts.take(key, fact);
            facts.fingerprints.teacher = facts
                .known
                .teacher
                .as_ref()
                .map_or_else(unknown, |fact| fact.fingerprint.clone());
        }
        if let (Init::Dir, Some(folder)) = (run.student.init, &run.student.init_dir) {
            let fact = asked.3.get(folder, || inputs.student(folder));
            facts.known.init = facts.take("student.init_dir", fact);
            facts.fingerprints.student = facts
                .known
                .init
                .as_ref()
                .map_or_else(unknown, |fact| fact.fingerprint.clone());
        }
    }
}

/// The key that a dataset's fault is about: the one that its message names, else the one that says
/// where it is.
fn dataset_key(dataset: &DatasetSpec, fact: &Fact<DatasetFact>) -> &'static str {
    let place = if matches!(dataset, DatasetSpec::Hub { .. }) {
        "dataset.repo"
    } else {
        "dataset.source"
    };
    let Fact::Bad(message) = fact else {
        return place;
    };
    [
        "dataset.config",
        "dataset.train",
        "dataset.validation",
        "dataset.test",
    ]
    .into_iter()
    .find(|key| message.contains(key))
    .unwrap_or(place)
}

type AskedAll = (
    Asked<DatasetSpec, DatasetFact>,
    Asked<(DatasetSpec, TokenizerSpec), super::planned::TokenizerFact>,
    Asked<TeacherSpec, TeacherFact>,
    Asked<InputPath, TeacherFact>,
);
