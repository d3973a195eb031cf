//! What a reader must know to weigh the results: what a seed varies, what was fixed, what differs
//! between arms beside the point.

use std::collections::BTreeMap;

use super::all_else::all_else;
use super::names::in_a_row;
use super::replicates::{other_seeds, own_teachers, teachers_as_blocks};
use crate::plan::run::{BalanceSpec, Init, Keep, RunSpec, Term};
use crate::plan::{Axis, is_at_or_below};
use crate::record::evaluation::{Agreement, SharedCounts};
use crate::record::study::{ALTERNATIVE, Study};
use crate::report::analysis::Analysis;
use crate::report::axes::{self, ANY, ARM, SEED, STRATEGY};
use crate::report::data::StudyData;
use crate::report::rows::TableRow;

/// All notes, in a fixed order.
pub fn notes(data: &StudyData, analysis: &Analysis) -> Vec<String> {
    let mut notes = Vec::new();
    // What a seed stands for is nothing to a single run.
    if analysis.has_spread() || analysis.rows.len() > 1 {
        notes.extend(initial_weights(data, analysis));
    }
    notes.extend(maps_beside_taken_blocks(data));
    notes.extend(values_chosen_elsewhere(data));
    notes.extend(other_seeds(data, analysis));
    if analysis.has_spread() {
        notes.push(fixed_teacher_and_text(data));
    }
    notes.extend(own_teachers(data, analysis));
    notes.extend(teachers_as_blocks(data));
    notes.extend(shared_documents(data));
    notes.extend(unbalanced_terms(data, analysis));
    notes.extend(kept_weights(data));
    notes.extend(other_training(data));
    notes.extend(absent_quantities(data));
    notes.extend(kinds_of_machines(data));
    notes
}

/// Where kernels differ, the last bits of equal runs do.
fn kinds_of_machines(data: &StudyData) -> Option<String> {
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for machine in data.runs.iter().filter_map(|run| run.machine.as_deref()) {
        *kinds.entry(machine).or_default() += 1;
    }
    let list: Vec<String> = kinds
        .iter()
        .map(|(kind, runs)| format!("{runs} with {kind}"))
        .collect();
    (kinds.len() > 1).then(|| {
        format!(
            "The runs were computed on machines of {} kinds, which differ in the last bits: {}.",
            kinds.len(),
            list.join(", ")
        )
    })
}

/// What a seed stands for depends on where the students start; where the grid varies that, each
/// sentence names the settings that it holds for.
fn initial_weights(data: &StudyData, analysis: &Analysis) -> Vec<String> {
    let inits: Vec<&str> = data.study.facts.student_init.split(ALTERNATIVE).collect();
    let rows: Vec<(&TableRow, &RunSpec)> = rows_with_spec(data, analysis).collect();
    // Within a setting of the axes: what arms do not share is what they set themselves.
    let arms_alone = Study {
        axes: Vec::new(),
        trials: None,
        ..data.study.clone()
    };
    let same = all_else(&arms_alone);
    let share = if ["data and their order", "initial student"]
        .iter()
        .all(|one| same.contains(one))
    {
        "all three"
    } else {
        "what they do not set otherwise of these"
    };
    inits
        .iter()
        .filter_map(|word| init_of_word(word))
        .filter_map(|init| {
            initial_weights_note(init, share, analysis.has_spread(), |subject| {
                if inits.len() == 1 {
                    Some(subject.to_owned())
                } else {
                    where_it_holds(data, &rows, subject, |spec| spec.student.init == init)
                }
            })
        })
        .collect()
}

/// The way to start that a fact of the study names; none of a word of another version.
fn init_of_word(word: &str) -> Option<Init> {
    serde_json::from_value(word.into()).ok()
}

/// The note on a way to start; `share` is what arms share of a seed, `has_spread` whether the page
/// tells how seeds differ, and `opening` gives a subject with the settings that it is true of.
fn initial_weights_note(
    init: Init,
    share: &str,
    has_spread: bool,
    opening: impl FnOnce(&str) -> Option<String>,
) -> Option<String> {
    let weights = match init {
        Init::Random => {
            return Some(format!(
                "{} stands for the initial weights of the student, the order of the data and the \
                 random numbers of training; the arms of a seed share {share}.",
                opening("A seed")?
            ));
        }
        Init::Teacher => "the teacher's weights",
        Init::Dir => "stored weights",
    };
    let spread = if has_spread {
        ": the spread between seeds says nothing about those"
    } else {
        ""
    };
    Some(format!(
        "{} start from {weights}, so a seed stands for the order of the data and the random \
         numbers of training (critics, projections and shuffled maps, where there are any), not \
         for other initial weights{spread}.",
        opening("The students")?
    ))
}

/// Why layer maps are not compared on equal terms where students begin as blocks of their teacher.
fn maps_beside_taken_blocks(data: &StudyData) -> Option<String> {
    let mut inits = data.study.facts.student_init.split(ALTERNATIVE);
    let are_taken = inits.any(|word| init_of_word(word) == Some(Init::Teacher));
    let maps = axes::axis(&data.study, STRATEGY)?;
    (are_taken && maps.values.len() > 1).then(|| {
        "Students that begin as blocks of their teacher do not meet all layer maps on equal terms: \
         a map that pairs a layer with the block which it began as asks it to stay what it is, \
         another to become something else. That a map does worse is in part that, and not the \
         order of layers alone."
            .to_owned()
    })
}

/// What `[select]` chose at one value of an axis of the grid that it did not try, where there are
/// several.
fn values_chosen_elsewhere(data: &StudyData) -> Option<String> {
    let tried = &data.study.trials.as_ref()?.axes;
    let is_asked = |axis: &&Axis| {
        let is_tried = tried.iter().any(|other| other.key == axis.key);
        let is_of_runs = ![ARM, SEED].contains(&axis.key.as_str()) && !is_tried;
        axis.values.len() > 1 && is_of_runs && !is_at_or_below(&axis.key, "evaluate")
    };
    let axes = data.study.axes.iter().filter(is_asked);
    let keys: Vec<&str> = axes.map(|axis| axis.key.as_str()).collect();
    (!keys.is_empty()).then(|| {
        format!(
            "[select] chose its values with the first setting of each arm, at one value of {}, and \
             the arm's other settings have them too: that another does worse may be for want of \
             values of its own.",
            keys.join(", ")
        )
    })
}

fn fixed_teacher_and_text(data: &StudyData) -> String {
    let one_teacher = if data.teachers.len() > 1 {
        "Each teacher is a single one"
    } else {
        "The teacher is a single one"
    };
    format!(
        "{one_teacher} and the test text is fixed: intervals speak of other seeds with the same \
         teacher and text. Those for other texts like this one add the sampling of documents."
    )
}

/// That a split has documents of another one, which its figures then speak of less than they seem
/// to. Where the grid varies the text, that of the first of its texts that has any is told.
fn shared_documents(data: &StudyData) -> Option<String> {
    let mut runs = data.runs.iter().chain(&data.teachers);
    runs.find_map(|run| overlap(&run.evaluation.as_ref()?.shared?))
}

fn overlap(shared: &SharedCounts) -> Option<String> {
    let told: Vec<String> = [
        (
            shared.test_in_train,
            shared.test_documents,
            "test",
            "training",
        ),
        (
            shared.validation_in_train,
            shared.validation_documents,
            "validation",
            "training",
        ),
        (
            shared.test_in_validation,
            shared.test_documents,
            "test",
            "validation",
        ),
    ]
    .into_iter()
    .filter(|(count, ..)| *count > 0)
    .map(|(count, all, split, other)| {
        format!("{count} of {all} {split} documents are {other} documents too")
    })
    .collect();
    if told.is_empty() {
        return None;
    }
    Some(format!(
        "The splits overlap: {}. Losses on what was trained on are lower than on new text.",
        told.join("; ")
    ))
}

/// That the strength of hidden terms was left to their weights, for the settings where it was.
fn unbalanced_terms(data: &StudyData, analysis: &Analysis) -> Option<String> {
    let rows: Vec<(&TableRow, &RunSpec)> = rows_with_spec(data, analysis)
        .filter(|(_, spec)| has_hidden_term(spec))
        .collect();
    Some(format!(
        "{}: two terms of the same weight push the student with different force, so a difference \
         between their arms may be one of force.",
        where_it_holds(data, &rows, "Hidden terms were not balanced", |spec| {
            !is_balanced(spec)
        })?
    ))
}

fn has_hidden_term(spec: &RunSpec) -> bool {
    spec.loss.values().any(Term::is_hidden)
}

fn is_balanced(spec: &RunSpec) -> bool {
    match spec.balance {
        BalanceSpec::None => false,
        BalanceSpec::Gradient { .. } => true,
    }
}

fn kept_weights(data: &StudyData) -> Option<String> {
    let mut specs = data.runs.iter().filter_map(|run| run.spec.as_ref());
    specs.find(|spec| spec.train.keep == Keep::Best)?;
    Some(
        "The weights of the lowest validation loss were kept; the test split had no part in that \
         choice."
            .to_owned(),
    )
}

/// Arms that change how the student is trained, beside what they are named for.
fn other_training(data: &StudyData) -> impl Iterator<Item = String> {
    data.study.arms.iter().filter_map(|arm| {
        let keys: Vec<&str> = arm
            .changes
            .iter()
            .map(|change| change.key.as_str())
            // That trainings of a budget differ in length is what they are for.
            .filter(|key| key.starts_with("train.") && *key != "train.budget")
            .collect();
        (!keys.is_empty()).then(|| {
            format!(
                "Arm {} differs from the baseline in how it trains too ({}): a difference may be \
                 owed to that.",
                axes::spoken(&arm.name),
                keys.join(", ")
            )
        })
    })
}

/// Quantities that a model has no value of, with the reason.
fn absent_quantities(data: &StudyData) -> Vec<String> {
    let mut found: BTreeMap<String, String> = BTreeMap::new();
    let all = data.runs.iter().chain(&data.teachers);
    for evaluation in all.filter_map(|run| run.evaluation.as_ref()) {
        let of_test = evaluation.test.absent().into_iter();
        let of_teacher = evaluation.teacher.iter().flat_map(Agreement::absent);
        let named = |part: &'static str| {
            move |(name, why): (&'static str, String)| (format!("{part}.{name}"), why)
        };
        for (name, why) in of_test
            .map(named("test"))
            .chain(of_teacher.map(named("teacher")))
        {
            found.entry(name).or_insert(why);
        }
    }
    let sentence = |(name, why)| {
        format!(
            "{name} has no value, a dash in tables and a gap in runs.csv: {why}. The loss in nats \
             per token does not depend on it."
        )
    };
    found.into_iter().map(sentence).collect()
}

/// The rows with the spec of one of their runs, as far as one is stored; they share what a note is
/// about.
fn rows_with_spec<'a>(
    data: &'a StudyData,
    analysis: &'a Analysis,
) -> impl Iterator<Item = (&'a TableRow, &'a RunSpec)> {
    analysis.rows.iter().filter_map(|row| {
        let mut specs = row
            .cells
            .iter()
            .filter_map(|&cell| data.run(cell).spec.as_ref());
        Some((row, specs.next()?))
    })
}

/// The subject of a sentence, after the settings that the sentence holds for where it does not hold
/// for all rows. None where it holds for none.
fn where_it_holds(
    data: &StudyData,
    rows: &[(&TableRow, &RunSpec)],
    subject: &str,
    holds: impl Fn(&RunSpec) -> bool,
) -> Option<String> {
    let side = |wanted: bool| -> Vec<&TableRow> {
        rows.iter()
            .filter(|(_, spec)| holds(spec) == wanted)
            .map(|(row, _)| *row)
            .collect()
    };
    let (holding, others) = (side(true), side(false));
    if holding.is_empty() {
        return None;
    }
    if others.is_empty() {
        return Some(subject.to_owned());
    }
    let settings = match deciding_axis(data, &holding, &others) {
        Some((ARM, arms)) => {
            let arms: Vec<String> = arms.into_iter().map(axes::spoken).collect();
            format!("In the arm {}", arms.join(" or "))
        }
        Some((key, values)) => format!("Where {key} = {}", values.join(" or ")),
        None => {
            let names: Vec<&str> = holding.iter().map(|row| row.name.as_str()).collect();
            format!("In {}", in_a_row(&names))
        }
    };
    let mut subject = subject.to_owned();
    if let Some(first) = subject.get_mut(..1) {
        first.make_ascii_lowercase();
    }
    Some(format!("{settings}, {subject}"))
}

/// The first axis whose value alone tells the two kinds of rows from each other, with the values of
/// those that something holds for.
fn deciding_axis<'a>(
    data: &'a StudyData,
    holding: &[&TableRow],
    others: &[&TableRow],
) -> Option<(&'a str, Vec<&'a str>)> {
    axes::varying(&data.study).find_map(|axis| {
        let values: Vec<&str> = axis
            .values
            .iter()
            .filter(|&value| {
                holding
                    .iter()
                    .any(|row| row.at.get(&axis.key) == Some(value))
            })
            .map(String::as_str)
            .collect();
        let has_one_of_them = |row: &&TableRow| {
            let value = row.at.get(&axis.key);
            value.is_some_and(|value| value == ANY || values.contains(&value.as_str()))
        };
        let stands_for_all = |row: &&TableRow| row.at.get(&axis.key).is_none_or(|v| v == ANY);
        let decides = !holding.iter().any(stands_for_all) && !others.iter().any(has_one_of_them);
        decides.then_some((axis.key.as_str(), values))
    })
}

#[cfg(test)]
#[path = "notes_tests.rs"]
mod tests;
