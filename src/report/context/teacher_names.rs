//! What teachers are called: where there are several, by what tells them apart.

use std::collections::BTreeSet;

use super::names::in_a_row;
use crate::record::study::{Axis, Cell};
use crate::report::axes::{ARM, SEED, TEACHER_SEED, spoken, value_label};
use crate::report::data::{RunData, StudyData};

/// The teachers, each with its name in a table: by its seed where that is an axis, as cautions call
/// it, or else by the arms that have it, or by the values of another axis.
pub fn named_teachers(data: &StudyData) -> impl Iterator<Item = (String, &RunData)> {
    names(data, str::to_owned).into_iter().zip(&data.teachers)
}

/// Their names in sentences, which might take that of an arm for a word, in the same order.
pub fn names_in_sentences(data: &StudyData) -> Vec<String> {
    names(data, spoken)
}

/// The name of the teacher of a cell.
pub fn teacher_of(data: &StudyData, cell: usize) -> Option<String> {
    let cell = &data.study.cells[cell];
    let mut teachers = named_teachers(data);
    let own = teachers.find(|(_, teacher)| is_its_teacher(cell, teacher))?;
    Some(own.0)
}

fn is_its_teacher(cell: &Cell, teacher: &RunData) -> bool {
    cell.teacher == teacher.id && cell.teacher_evaluation == teacher.evaluation_key
}

/// The names in the order of the teachers; `spell` gives that of an arm.
fn names(data: &StudyData, spell: fn(&str) -> String) -> Vec<String> {
    let count = data.teachers.len();
    if count < 2 {
        return vec!["teacher".to_owned(); count];
    }
    let axes = data.written.axes.iter();
    let mut axes: Vec<&Axis> = axes.filter(|axis| axis.key != SEED).collect();
    axes.sort_by_key(|axis| match axis.key.as_str() {
        TEACHER_SEED => 0,
        ARM => 1,
        _ => 2,
    });
    let by_one = axes.iter().find_map(|axis| {
        let values = values_of_each(data, axis);
        let names = values.iter().map(|own| name_by(axis, own, spell));
        are_told_apart(&values).then(|| names.collect())
    });
    by_one.unwrap_or_else(|| by_seed_and_arm(data, &axes, spell))
}

/// Of every teacher the values of an axis that cells with it have, in their order.
fn values_of_each<'a>(data: &StudyData, axis: &'a Axis) -> Vec<Vec<&'a str>> {
    let of_teacher = |teacher: &RunData| {
        let cells = data.written.cells.iter();
        let own = cells.filter(|cell| is_its_teacher(cell, teacher));
        let own: BTreeSet<&String> = own.filter_map(|cell| cell.at.get(&axis.key)).collect();
        let values = axis.values.iter().filter(|value| own.contains(value));
        values.map(String::as_str).collect()
    };
    data.teachers.iter().map(of_teacher).collect()
}

/// Whether every teacher has values, and no two have one in common.
fn are_told_apart(values: &[Vec<&str>]) -> bool {
    let all = || values.iter().flatten();
    let distinct: BTreeSet<&&str> = all().collect();
    values.iter().all(|own| !own.is_empty()) && distinct.len() == all().count()
}

/// `teacher 3`, `teacher of mse and sliced`, `teacher (6 layers)`.
fn name_by(axis: &Axis, values: &[&str], spell: fn(&str) -> String) -> String {
    match axis.key.as_str() {
        TEACHER_SEED => format!("teacher {}", in_a_row(values)),
        ARM => format!("teacher of {}", arms_in_a_row(values, spell)),
        key => {
            let values: Vec<String> = values.iter().map(|own| value_label(key, own)).collect();
            format!("teacher ({})", values.join(", "))
        }
    }
}

fn arms_in_a_row(arms: &[&str], spell: fn(&str) -> String) -> String {
    let arms: Vec<String> = arms.iter().map(|arm| spell(arm)).collect();
    in_a_row(&arms)
}

/// `teacher 3 of mse and sliced`; by their numbers where not even both tell them apart.
fn by_seed_and_arm(data: &StudyData, axes: &[&Axis], spell: fn(&str) -> String) -> Vec<String> {
    let of = |key: &str| {
        let axis = axes.iter().find(|axis| axis.key == key)?;
        Some(values_of_each(data, axis))
    };
    let both = of(TEACHER_SEED).zip(of(ARM)).map(|(seeds, arms)| {
        let both = seeds.iter().zip(&arms);
        let named = both.map(|(seeds, arms)| {
            let arms = arms_in_a_row(arms, spell);
            format!("teacher {} of {arms}", in_a_row(seeds))
        });
        named.collect::<Vec<String>>()
    });
    let are_distinct =
        |names: &Vec<String>| names.iter().collect::<BTreeSet<_>>().len() == names.len();
    let numbered = || {
        let numbers = 1..=data.teachers.len();
        numbers.map(|number| format!("teacher {number}")).collect()
    };
    both.filter(are_distinct).unwrap_or_else(numbered)
}

#[cfg(test)]
#[path = "teacher_names_tests.rs"]
mod tests;
