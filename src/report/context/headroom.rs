//! Whether the teacher leaves students room to differ.

use super::names::listed;
use crate::report::analysis::Analysis;
use crate::report::data::{RunData, StudyData};
use crate::report::format::{fixed, plain};
use crate::report::verdict::Verdict;

/// A teacher that is ahead by fewer margins than this leaves nothing to be told apart.
const HEADROOM: f64 = 10.0;

/// A teacher that students have caught up with: the baseline, or the same without hidden losses.
pub fn headroom(data: &StudyData, analysis: &Analysis) -> Option<String> {
    let losses = analysis.teachers(data).into_iter().filter_map(RunData::nll);
    let teacher = losses.reduce(f64::min)?;
    let rows = &analysis.rows;
    let baseline = rows
        .iter()
        .find(|row| row.is_baseline && row.mean.is_some());
    let untreated = baseline.and_then(|row| rows[row.untreated?].mean.map(|_| row.untreated));
    let (student, whose) = match (untreated.flatten(), baseline) {
        (Some(place), _) => (rows[place].mean?, format!("that of {}", rows[place].name)),
        (None, Some(row)) => (row.mean?, "the baseline's".to_owned()),
        // The best, and no control: what does harm leaves room for nothing else.
        (None, None) => {
            let students = rows.iter().filter(|row| !row.is_control);
            let best = students.filter_map(|row| row.mean).reduce(f64::min)?;
            (best, "that of any student".to_owned())
        }
    };
    let margin = data.study.report.margin;
    let ahead = student - teacher;
    if ahead <= 0.0 {
        return Some(format!(
            "The teacher's test loss, {}, is not below {whose}: there was nothing to learn from \
             it that a student does not come to without it.",
            fixed(teacher, 4)
        ));
    }
    (ahead < HEADROOM * margin).then(|| {
        format!(
            "The teacher's test loss is only {} nats per token below {whose}, less than {} δ: \
             ways to learn from it can hardly be told apart.",
            fixed(ahead, 4),
            plain(HEADROOM)
        )
    })
}

/// Settings that are said to be equivalent where both are about as good as the teacher: they may be
/// so for want of room.
pub fn equal_near_the_teacher(data: &StudyData, analysis: &Analysis) -> Option<String> {
    let losses = analysis.teachers(data).into_iter().filter_map(RunData::nll);
    let teacher = losses.reduce(f64::min)?;
    let room = HEADROOM * data.study.report.margin;
    let near = |place: usize| {
        let row = &analysis.rows[place];
        !row.is_control && row.mean.is_some_and(|mean| mean - teacher < room)
    };
    let contrasts = analysis.contrasts.iter();
    let words: Vec<String> = contrasts
        .filter(|one| one.verdict == Verdict::Equivalent)
        .filter_map(|one| one.rows())
        .filter(|&(a, b)| near(a) && near(b))
        .map(|(a, b)| format!("{} and {}", analysis.rows[a].name, analysis.rows[b].name))
        .collect();
    (!words.is_empty()).then(|| {
        format!(
            "What is equivalent may be so for want of room: less than {} δ above the teacher's \
             test loss, {}, are {}.",
            plain(HEADROOM),
            fixed(teacher, 4),
            listed(&words)
        )
    })
}
