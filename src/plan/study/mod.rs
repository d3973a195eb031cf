//! The tables of the study as a whole, once the grid is known: what they name must be there.

mod expectations;
mod selection;
mod sensitivity;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::check::{Checked, check};
use super::diagnostics::Diagnostic;
use super::grid::Grid;
use super::matching::NULL_CONTROLS;
use super::path::{InputPath, TildePath};
use super::planned::{ARM, AxisChoice, SEED, TEACHER_SEED};
use super::read_run::deserialize;
use super::schema;
use super::spec_layers::{Merged, On, PathStep, Stack};
use super::words::{is_file_name, quoted};
use super::written::WrittenStudy;

use expectations::check_expectations;
use selection::{no_question, selection};

/// Axis values by axis.
pub type AxisValues = BTreeMap<String, String>;

/// The study's tables as written, and the tree that they were read from.
pub struct StudyTables {
    study: WrittenStudy,
    merged: Merged,
}

/// The study's tables with what they resolve to.
#[derive(Debug, Clone)]
pub struct CheckedStudy {
    pub study: WrittenStudy,
    pub name: String,
    pub baseline: AxisValues,
    pub primary: Option<BTreeMap<String, AxisChoice>>,
    pub question: Option<String>,
    /// The axes that the answer should not depend on, with the value that it is given at.
    pub sensitivity: AxisValues,
}

/// Reads the tables; none where they have faults.
pub fn read(stack: &Stack, mistakes: &mut Vec<Diagnostic>) -> Option<StudyTables> {
    let merged = stack.study();
    let Checked {
        mut value, faults, ..
    } = check(&merged, schema::study());
    let faulty = !faults.is_empty();
    mistakes.extend(faults);
    if faulty {
        return None;
    }
    if let Some(table) = value.as_object_mut() {
        table.remove("arms");
        table.remove("grid");
        table.remove("select");
    }
    let study = deserialize(value, mistakes)?;
    let tables = StudyTables { study, merged };
    mistakes.extend(tables.tilde_of_template());
    Some(tables)
}

impl StudyTables {
    /// The template of the report, as it is written.
    pub fn template(&self) -> &str {
        &self.study.report.template.written
    }

    /// That the template is a path which only a shell would understand: it is one from the working
    /// folder.
    fn tilde_of_template(&self) -> Option<Diagnostic> {
        let written = self.template();
        let TildePath { reason, remedy } = InputPath::new(written, Path::new("")).tilde()?;
        let path = ["report", "template"].map(|name| PathStep::Key(name.to_owned()));
        let message = format!("report.template = {}: {reason}", quoted(written));
        let place = self.merged.place(&path, On::Value);
        Some(Diagnostic::new(message).at(place).hint(remedy))
    }

    /// Holds what the tables name against the grid.
    pub fn checked(
        mut self,
        stack: &Stack,
        grid: &Grid,
        mistakes: &mut Vec<Diagnostic>,
        notices: &mut Vec<String>,
    ) -> CheckedStudy {
        let name = self.name(stack, mistakes);
        let baseline = self.baseline(grid, mistakes, notices);
        let before = mistakes.len();
        let mut primary = self.primary(grid, mistakes, notices);
        let of_one = |(axis, value): (&String, &String)| (axis.clone(), vec![value.clone()]);
        let at: BTreeMap<String, Vec<String>> = baseline.iter().map(of_one).collect();
        let missing = without_a_cell(grid, &at).into_iter();
        for named in missing.filter(|_| grid.is_whole()) {
            mistakes.push(self.without_a_cell("baseline", &named));
        }
        let question = self.question(grid, mistakes);
        let sensitivity = self.sensitivity(grid, &baseline, primary.as_ref(), mistakes);
        let nothing = primary.as_ref().filter(|_| mistakes.len() == before);
        let nothing = nothing.and_then(|own| self.primary_of_nothing(own, &baseline, grid));
        match nothing {
            Some(diagnostic) if grid.is_whole() => mistakes.push(diagnostic),
            Some(diagnostic) => {
                notices.push(format!(
                    "report.primary is left out: {}",
                    diagnostic.message
                ));
                primary = None;
            }
            None => {}
        }
        let expect = &mut self.study.expect;
        check_expectations(expect, &self.merged, stack, grid, mistakes, notices);
        CheckedStudy {
            study: self.study,
            name,
            baseline,
            primary,
            question,
            sensitivity,
        }
    }

    /// The name that the spec gives, or else its file's.
    fn name(&self, stack: &Stack, mistakes: &mut Vec<Diagnostic>) -> String {
        let file = Path::new(&stack.spec().source.name);
        let written = self.study.pipeline.name.clone();
        let name = written
            .or_else(|| Some(file.file_stem()?.to_string_lossy().into_owned()))
            .unwrap_or_default();
        if !is_file_name(&name) {
            let message = format!(
                "the study has no name, and {} is none for a folder",
                quoted(&name)
            );
            mistakes.push(
                Diagnostic::new(message)
                    .hint("write pipeline.name = \"NAME\", of letters, digits, -, _ and ."),
            );
        }
        name
    }

    /// The cells that the others are compared with: the first arm, where nothing is written. Where
    /// the baseline's value is lost because an axis is set from outside, the value set is taken.
    fn baseline(
        &self,
        grid: &Grid,
        mistakes: &mut Vec<Diagnostic>,
        notices: &mut Vec<String>,
    ) -> AxisValues {
        let written = self.study.report.baseline.as_ref().and_then(|_| {
            selection(&self.merged, "baseline", grid, mistakes, |axis| {
                notices.push(format!(
                    "report.baseline is {0}={1}: the axis {0} is that alone",
                    axis.key, axis.values[0].text
                ));
                Some(axis.values[0].text.clone())
            })
        });
        let written = written.map(|written| {
            let single = |(axis, values): (String, Vec<String>)| {
                if values.len() > 1 {
                    mistakes.push(self.baseline_of_several(&axis));
                }
                Some((axis, values.into_iter().next()?))
            };
            written.values.into_iter().filter_map(single).collect()
        });
        written.unwrap_or_else(|| {
            // The first arm that the grid runs.
            let first = grid.cells.first().and_then(|cell| grid.arm(cell));
            first
                .map(|arm| (ARM.to_owned(), arm.to_owned()))
                .into_iter()
                .collect()
        })
    }

    /// The axis that the study asks about.
    fn question(&self, grid: &Grid, mistakes: &mut Vec<Diagnostic>) -> Option<String> {
        let question = self.study.report.question.clone()?;
        if question != SEED && grid.axes.iter().any(|axis| axis.key == question) {
            return Some(question);
        }
        let path = ["report", "question"].map(|name| PathStep::Key(name.to_owned()));
        mistakes.push(no_question(&question, grid).at(self.merged.place(&path, On::Value)));
        None
    }

    fn baseline_of_several(&self, axis: &str) -> Diagnostic {
        let path = ["report", "baseline"].map(|name| PathStep::Key(name.to_owned()));
        let message = format!("report.baseline names several values of the axis {axis}");
        Diagnostic::new(message)
            .at(self.merged.place(&path, On::Key))
            .hint("name the one that the others are compared with")
    }

    /// That the primary comparison is none: of the baseline with itself, or of null controls, which
    /// all others are held against anyway.
    fn primary_of_nothing(
        &self,
        primary: &BTreeMap<String, AxisChoice>,
        baseline: &AxisValues,
        grid: &Grid,
    ) -> Option<Diagnostic> {
        let is_control = |key: &str, value: &str| NULL_CONTROLS.contains(&(key, value));
        let mut fixed = baseline.iter();
        let names_it = !baseline.is_empty()
            && fixed.all(|(axis, value)| primary.get(axis).is_some_and(|own| own.has(value)));
        let (mut asks, mut names_control) = (false, false);
        // Of an axis that the answer should not depend on it says where the answer is given.
        let beside =
            |key: &String| key == TEACHER_SEED || self.study.report.sensitivity.contains(key);
        for (key, choice) in primary.iter().filter(|(key, _)| !beside(key)) {
            let axis = grid.axes.iter().find(|axis| axis.key == *key)?;
            let values = || axis.values.iter().map(|value| value.text.as_str());
            let reference = match baseline.get(key) {
                Some(value) => Some(value.as_str()),
                None => values().find(|value| !is_control(key, value)),
            };
            let mut others = choice
                .values()
                .iter()
                .filter(|own| Some(own.as_str()) != reference);
            let is_fixed = baseline.contains_key(key);
            asks |= others.clone().any(|own| is_fixed || !is_control(key, own));
            names_control |= others.any(|own| is_control(key, own));
        }
        let path = ["report", "primary"].map(|name| PathStep::Key(name.to_owned()));
        let (message, hint) = if names_control && !names_it {
            (
                "report.primary names a null control alone",
                "leave it out: the report holds everything against the null controls anyway",
            )
        } else {
            (
                "report.primary names the baseline, which is compared with nothing",
                "name what is held against it, as primary = { arm = \"NAME\" }",
            )
        };
        let diagnostic = Diagnostic::new(message).at(self.merged.place(&path, On::Key));
        (names_it || !asks).then(|| diagnostic.hint(hint))
    }

    /// The contrasts that are tested apart; none where their values are lost because an axis is set
    /// from outside.
    fn primary(
        &self,
        grid: &Grid,
        mistakes: &mut Vec<Diagnostic>,
        notices: &mut Vec<String>,
    ) -> Option<BTreeMap<String, AxisChoice>> {
        self.study.report.primary.as_ref()?;
        let chosen = selection(&self.merged, "primary", grid, mistakes, |axis| {
            if self.study.report.sensitivity.contains(&axis.key) {
                return Some(axis.values[0].text.clone());
            }
            notices.push(format!(
                "report.primary is left out: the axis {} is {} alone",
                axis.key,
                quoted(&axis.values[0].text)
            ));
            None
        })?;
        notices.extend(chosen.lost.iter().map(|(axis, value)| {
            format!(
                "report.primary is without {}: the axis {axis} has it no longer",
                quoted(value)
            )
        }));
        for named in without_a_cell(grid, &chosen.values) {
            if grid.is_whole() {
                mistakes.push(self.without_a_cell("primary", &named));
            } else {
                notices.push(format!(
                    "report.primary is without {named}: the grid has it not"
                ));
            }
        }
        let choice = |(axis, values)| (axis, AxisChoice::of(values));
        Some(chosen.values.into_iter().map(choice).collect())
    }

    /// That a table of the report names what the grid leaves out.
    fn without_a_cell(&self, key: &str, named: &str) -> Diagnostic {
        let path = ["report", key].map(|name| PathStep::Key(name.to_owned()));
        Diagnostic::new(format!(
            "report.{key} names {named}, of which the grid has no cell"
        ))
        .at(self.merged.place(&path, On::Key))
        .hint("take out the [[grid.exclude]] that leaves it out, or name what the grid has")
    }
}

/// The combinations of these values that no cell has, in words: `arm = sliced with match.strategy =
/// reverse`. A value of one axis alone is always that of a cell.
fn without_a_cell(grid: &Grid, values: &BTreeMap<String, Vec<String>>) -> Vec<String> {
    let mut combinations: Vec<AxisValues> = vec![AxisValues::new()];
    for (axis, values) in values {
        let with = |known: &AxisValues, value: &String| {
            let mut at = known.clone();
            at.insert(axis.clone(), value.clone());
            at
        };
        combinations = combinations
            .iter()
            .flat_map(|known| values.iter().map(move |value| with(known, value)))
            .collect();
    }
    let named = |cell: &Vec<usize>| {
        let mut at = grid.values_of(cell);
        at.retain(|axis, _| values.contains_key(axis));
        at
    };
    let there: BTreeSet<AxisValues> = grid.cells.iter().map(named).collect();
    let missing = combinations.iter().filter(|at| !there.contains(*at));
    let in_words = |at: &AxisValues| {
        let values = at.iter().map(|(axis, value)| format!("{axis} = {value}"));
        values.collect::<Vec<_>>().join(" with ")
    };
    missing.map(in_words).collect()
}
