//! What a reader must know to weigh the results: what a seed varies, what was fixed, what differs
//! between arms beside the point.

use super::contrasts::Analysis;
use super::data::{RunData, StudyData};
use crate::plan::run::Keep;

pub fn notes(data: &StudyData, analysis: &Analysis) -> Vec<String> {
    let mut notes = Vec::new();
    let facts = &data.study.facts;
    match facts.student_init.as_str() {
        "random" => notes.push(
            "A seed stands for the initial weights of the student, the order of the data and the \
             random numbers of training; the arms of a seed share all three."
                .to_owned(),
        ),
        "teacher" | "dir" => notes.push(format!(
            "The students start from {}, so a seed stands for the order of the data, the \
             projections and the critics only, not for other initial weights: the spread between \
             seeds says nothing about those.",
            if facts.student_init == "teacher" {
                "the teacher's weights"
            } else {
                "stored weights"
            }
        )),
        _ => {}
    }
    let one_teacher = if data.teachers.len() > 1 {
        "Each teacher is a single one"
    } else {
        "The teacher is a single one"
    };
    notes.push(format!(
        "{one_teacher} and the test text is fixed: intervals speak of other seeds with the same \
         teacher and text. Those for text like the test text add the sampling of documents."
    ));
    if facts.balance == "none" && data.runs.iter().any(has_hidden_term) {
        notes.push(
            "Hidden terms were not balanced: two terms of the same weight push the student with \
             different force, so a difference between their arms may be one of force."
                .to_owned(),
        );
    }
    if data
        .runs
        .iter()
        .filter_map(|run| run.spec.as_ref())
        .any(|spec| spec.train.keep == Keep::Best)
    {
        notes.push(
            "The weights of the lowest validation loss were kept; the test split had no part in \
             that choice."
                .to_owned(),
        );
    }
    for arm in &data.study.arms {
        let keys: Vec<&str> = arm
            .changes
            .iter()
            .map(|change| change.key.as_str())
            .filter(|key| key.starts_with("train."))
            .collect();
        if !keys.is_empty() {
            notes.push(format!(
                "Arm {} differs from the baseline in how it trains too ({}): a difference may be \
                 owed to that.",
                arm.name,
                keys.join(", ")
            ));
        }
    }
    let costly = analysis
        .contrasts
        .iter()
        .filter(|contrast| contrast.compute_ratio.is_some_and(|ratio| ratio > 1.05))
        .count();
    if costly > 0 {
        notes.push(
            "Arms are compared at equal data and steps, not at equal compute; the column of \
             training operations says what a difference cost."
                .to_owned(),
        );
    }
    notes
}

fn has_hidden_term(run: &RunData) -> bool {
    run.spec
        .as_ref()
        .is_some_and(|spec| spec.loss.values().any(crate::plan::run::Term::is_hidden))
}
