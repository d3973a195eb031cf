//! What repeats a comparison, and what a reader must know of it.

use std::collections::BTreeSet;

use crate::report::analysis::Analysis;
use crate::report::axes::SEED;
use crate::report::blocks::{seeds_by_teacher, teachers};
use crate::report::data::StudyData;
use crate::report::rows::TableRow;

/// What n counts where several teachers stand in the grid.
pub fn teachers_as_blocks(data: &StudyData) -> Option<String> {
    let all = teachers(&data.written)?;
    let by_teacher = seeds_by_teacher(&data.written);
    let cells = data.written.cells.iter();
    let seeds: BTreeSet<_> = cells.map(|cell| cell.at.get(SEED)).collect();
    let is_crossed = by_teacher.iter().all(|(_, own)| *own == seeds.len());
    let which = if is_crossed {
        format!(
            "Every seed was run with each of {} teachers (teacher.seed), and n counts seeds times \
             teachers.",
            all.len()
        )
    } else {
        let counts = by_teacher.iter();
        let counts: Vec<String> = counts
            .map(|(teacher, own)| format!("teacher {teacher} with {own}"))
            .collect();
        format!(
            "Seeds were run with one of {} teachers or another (teacher.seed: {} of {} seeds), and \
             n counts pairs of both: a mean weighs teachers by their seeds.",
            all.len(),
            counts.join(", "),
            seeds.len()
        )
    };
    let chosen = if data.study.trials.is_some() {
        " [select] chose its values with the first of them."
    } else {
        ""
    };
    Some(format!(
        "{which}{chosen} A comparison pairs runs of one seed and one teacher; its interval is for \
         other seeds with these teachers, and is wider where the difference depends on the teacher."
    ))
}

/// That what students are from their teacher is each from its own, where several teach.
pub fn own_teachers(data: &StudyData, analysis: &Analysis) -> Option<String> {
    let of_row = |row: &TableRow| -> BTreeSet<&str> {
        let cells = row.cells.iter().map(|&cell| &data.study.cells[cell]);
        cells.map(|cell| cell.teacher.as_str()).collect()
    };
    let of_rows: BTreeSet<BTreeSet<&str>> = analysis.rows.iter().map(of_row).collect();
    let all: BTreeSet<&str> = of_rows.iter().flatten().copied().collect();
    let consequence = match (all.len(), of_rows.len()) {
        (0 | 1, _) => return None,
        (_, 1) => "and a row has their mean",
        _ => "so that they do not compare students of different teachers",
    };
    Some(format!(
        "There are {} teachers: KL to teacher, top-1 agreement, CKA and all other distances are \
         each to the student's own, {consequence}.",
        all.len()
    ))
}

/// Rows whose means are of other seeds than those of others.
pub fn other_seeds(data: &StudyData, analysis: &Analysis) -> Option<String> {
    let seeds = |row: &TableRow| -> BTreeSet<&str> {
        let cells = row.cells.iter().map(|&cell| &data.study.cells[cell].at);
        cells
            .filter_map(|at| at.get(SEED))
            .map(String::as_str)
            .collect()
    };
    let all: BTreeSet<_> = analysis.rows.iter().map(seeds).collect();
    (all.len() > 1).then(|| {
        let others = teachers(&data.written).map_or("", |_| " and other teachers");
        format!(
            "Not every setting has all seeds, so mean losses beside each other may be of other \
             seeds{others}: differences are of those that both settings have."
        )
    })
}
