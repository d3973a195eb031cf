//! From the checked cells and the facts of their inputs to the plan.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

use super::advice::Advice;
use super::arms;
use super::budget::within_budget;
use super::diagnostics::{Diagnostic, Diagnostics};
use super::estimate::estimate;
use super::facts::{AskedInputs, CellFacts};
use super::findings::CellProblems;
use super::identity;
use super::input_fault::InputFault;
use super::load::Loaded;
use super::planned::{
    ARM, Arm, Axis, Inputs, Overrides, Plan, PlannedCell, PlannedRun, ReportSettings,
};
use super::read_run::located;
use super::resolve::{Problem, Resolved, resolve};
use super::settings::as_axis;
use super::spec_layers::{Merged, On, Stack, key_path};
use super::study::{self, CheckedStudy};
use super::twins::arms_of_the_same_runs;
use super::written::WrittenRun;

impl Loaded {
    /// The plan, with the facts of the inputs.
    ///
    /// # Errors
    /// Mistakes that only the inputs show, and inputs that cannot be used.
    pub fn resolve(&self, inputs: &dyn Inputs) -> Result<Plan, Diagnostics> {
        let mut problems = CellProblems::default();
        let mut asked = AskedInputs::new(inputs);
        let mut distinct = DistinctRuns::default();
        let mut cells = Vec::with_capacity(self.cells.len());
        for (run, cell) in self.cells.iter().zip(&self.grid.cells) {
            let facts = asked.facts_of(run);
            let place = (&self.stack, &self.grid, cell.as_slice());
            let paid = within_budget(run, &facts.known, place, &mut asked);
            let (run, over_budget) = match paid {
                Ok(run) => (run, None),
                Err(problem) => (Cow::Borrowed(run), Some(problem)),
            };
            let mut resolved = resolve(&run, &facts.known);
            resolved.problems.extend(over_budget);
            if facts.unusable.is_empty() && resolved.problems.is_empty() {
                let label = self.grid.label(cell);
                cells.push(PlannedCell {
                    at: self.grid.values_of(cell),
                    run: distinct.index_of(&run, resolved, facts, label),
                });
            } else {
                self.add_problems(cell, resolved.problems, facts.unusable, &mut problems);
            }
        }
        let mut mistakes = Vec::new();
        problems.report(self.cells.len(), &mut mistakes);
        if !mistakes.is_empty() {
            return Err(Diagnostics(mistakes).sorted());
        }
        Ok(self.plan(cells, distinct))
    }

    fn add_problems(
        &self,
        cell: &[usize],
        from_values: Vec<Problem>,
        unusable_inputs: Vec<InputFault>,
        problems: &mut CellProblems,
    ) {
        let merged = self.stack.run(self.grid.arm(cell), &self.grid.layers(cell));
        let label = self.grid.label(cell);
        for problem in from_values {
            problems.add(located(&merged, problem), &label);
        }
        for fault in unusable_inputs {
            problems.add(located_fault(&merged, fault), &label);
        }
    }

    /// What is wrong with the inputs of the run at an index of the plan, each at its place.
    pub fn diagnose(&self, plan: &Plan, run: usize, faults: Vec<InputFault>) -> Diagnostics {
        // A plan has all cells of its grid, in their order.
        let of_run = plan.cells.iter().position(|cell| cell.run == run);
        let cell = &self.grid.cells[of_run.unwrap_or_default()];
        let merged = self.stack.run(self.grid.arm(cell), &self.grid.layers(cell));
        let located = faults
            .into_iter()
            .map(|fault| located_fault(&merged, fault));
        Diagnostics(located.collect()).sorted()
    }

    /// What is wrong with something that a table of the study names, at its place.
    pub fn diagnose_study(&self, fault: InputFault) -> Diagnostics {
        Diagnostics(vec![located_fault(&self.stack.study(), fault)])
    }

    /// The axes of the grid, in the order of the spec.
    pub fn axes(&self) -> Vec<Axis> {
        self.grid.axes.iter().map(as_axis).collect()
    }

    /// Whether the grid has these cells, by their axis values, and no others.
    pub fn has_cells<'a>(&self, cells: impl Iterator<Item = &'a BTreeMap<String, String>>) -> bool {
        let own = self.grid.cells.iter().map(|cell| self.grid.values_of(cell));
        own.eq(cells.cloned())
    }

    /// What each arm changes against the baseline arm.
    pub fn arms(&self) -> Vec<Arm> {
        let baseline = self.study.baseline.get(ARM).map(String::as_str);
        arms::arms(&self.stack, &self.grid, baseline)
    }

    /// `[report]` as resolved.
    pub fn report_settings(&self) -> ReportSettings {
        let CheckedStudy {
            study,
            baseline,
            primary,
            question,
            sensitivity,
            ..
        } = &self.study;
        ReportSettings {
            template: study.report.template.clone(),
            baseline: baseline.clone(),
            margin: study.report.margin,
            alpha: study.report.alpha,
            primary: primary.clone(),
            question: question.clone(),
            sensitivity: sensitivity.clone(),
        }
    }

    /// The question that the study asks, and the label that its report carries.
    pub fn description_and_note(&self) -> (String, Option<String>) {
        let pipeline = &self.study.study.pipeline;
        (pipeline.description.clone(), pipeline.note.clone())
    }

    fn plan(&self, cells: Vec<PlannedCell>, runs: DistinctRuns) -> Plan {
        let (description, note) = self.description_and_note();
        let notices = self.notices.iter().cloned();
        let notices = notices.chain(runs.advice.notices());
        // What stands in for a choice may make two arms the same for now.
        let settled = if self.awaits_choice { &[][..] } else { &cells };
        let notices = notices.chain(arms_of_the_same_runs(settled)).collect();
        Plan {
            name: self.study.name.clone(),
            description,
            note,
            axes: self.axes(),
            cells,
            runs: runs.runs,
            trials: None,
            arms: self.arms(),
            settings: self.settings(),
            report: self.report_settings(),
            expect: self.study.study.expect.clone(),
            notices,
        }
    }
}

/// What is wrong with the template of a spec that has other mistakes, and so is not loaded; `look`
/// knows what a template is.
pub fn fault_of_template(
    spec: &Path,
    options: &Overrides,
    look: impl Fn(&str) -> Result<(), InputFault>,
) -> Option<Diagnostic> {
    // What was read of a pipe is gone from it.
    if !spec.is_file() {
        return None;
    }
    let stack = Stack::load(spec, options).ok()?;
    let mut mistakes = Vec::new();
    let tables = study::read(&stack, &mut mistakes)?;
    // These are told by whoever loads it.
    if !mistakes.is_empty() {
        return None;
    }
    let fault = look(tables.template()).err()?;
    Some(located_fault(&stack.study(), fault))
}

/// A mistake in an input of a cell with the place of the key that names it.
fn located_fault(merged: &Merged, fault: InputFault) -> Diagnostic {
    let place = fault
        .key
        .and_then(|key| merged.place(&key_path(&key), On::Value));
    Diagnostic {
        message: fault.message,
        place,
        hint: fault.hint,
    }
}

/// The runs that the cells come to: cells of one id that are measured in the same way are one run.
#[derive(Default)]
struct DistinctRuns {
    runs: Vec<PlannedRun>,
    /// Index of the run by its id and the keys of both evaluations.
    by_keys: BTreeMap<[String; 3], usize>,
    advice: Advice,
}

impl DistinctRuns {
    fn index_of(
        &mut self,
        written: &WrittenRun,
        resolved: Resolved,
        facts: CellFacts,
        label: String,
    ) -> usize {
        let spec = resolved.spec;
        let fingerprints = &facts.fingerprints;
        let identity = identity::identity(&spec, fingerprints, resolved.unmatched.as_ref());
        let id = identity::key(&identity);
        let evaluation_key = identity::evaluation_key(&spec.evaluate, fingerprints);
        let teacher_evaluation_key = identity::teacher_evaluation_key(&spec, fingerprints);
        let keys = [
            id.clone(),
            evaluation_key.clone(),
            teacher_evaluation_key.clone(),
        ];
        if let Some(index) = self.by_keys.get(&keys) {
            return *index;
        }
        let index = self.runs.len();
        self.by_keys.insert(keys, index);
        self.advice.look_at(&spec, facts.known.teacher.as_ref());
        self.runs.push(PlannedRun {
            identity,
            evaluation_key,
            fingerprints: fingerprints.clone(),
            teacher_key: identity::teacher_key(&spec, fingerprints),
            teacher_evaluation_key,
            group_key: identity::group_key(&spec, fingerprints, &written.balance),
            estimate: estimate(&spec, &facts.known),
            id,
            label,
            unknown: facts.unknown,
            spec,
        });
        index
    }
}
