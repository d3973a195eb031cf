//! The student: what its first weights are made of, and whether they fit its shape.

use super::super::matching::init_blocks;
use super::super::planned::TeacherFact;
use super::super::run::{Init, InitBlocks, StudentSpec};
use super::super::written::WrittenRun;
use super::shapes::fits;
use super::{CellReport, KnownFacts};

/// The student of a cell, with the blocks that it starts from.
pub(super) fn resolve_student(
    run: &WrittenRun,
    known: &KnownFacts,
    report: &mut CellReport,
) -> StudentSpec {
    let mut student = run.student.clone();
    let init = match student.init {
        Init::Random => "random",
        Init::Teacher => "teacher",
        Init::Dir => "dir",
    };
    let reason = format!("student.init = \"{init}\"");
    if student.init != Init::Teacher && student.init_blocks.take().is_some() {
        report.unused("student.init_blocks".to_owned(), reason.clone());
    }
    if student.init != Init::Dir && student.init_dir.take().is_some() {
        report.unused("student.init_dir".to_owned(), reason);
    }
    match student.init {
        Init::Random => {}
        Init::Teacher => {
            if let Some(teacher) = &known.teacher {
                resolve_init_blocks(&mut student, teacher, report);
            }
        }
        Init::Dir => match (&student.init_dir, &known.init) {
            (None, _) => report.problem(
                "student.init",
                "student.init = \"dir\" without student.init_dir",
                "write init_dir = \"FOLDER\"",
            ),
            (Some(_), None) => {}
            (Some(_), Some(found)) => check_init_dir(&student, found, known, report),
        },
    }
    student
}

/// A student that starts from its teacher has the teacher's width and heads.
fn resolve_init_blocks(student: &mut StudentSpec, teacher: &TeacherFact, report: &mut CellReport) {
    for (key, own, of_teacher) in [
        ("width", student.width, teacher.width),
        ("heads", student.heads, teacher.heads),
    ] {
        if own != of_teacher {
            let message = format!(
                "student.init = \"teacher\" with student.{key} = {own} and a teacher of {key} \
                 {of_teacher}"
            );
            report.problem(
                "student.init",
                message,
                format!("write init = \"random\", or {key} = {of_teacher}"),
            );
        }
    }
    match init_blocks(student.init_blocks.as_ref(), student.layers, teacher.layers) {
        Ok(blocks) => student.init_blocks = Some(InitBlocks::List(blocks)),
        Err((message, hint)) => report.problem("student.init_blocks", message, hint),
    }
}

/// The model in the folder has the student's shape, and the vocabulary and positions of its
/// teacher.
fn check_init_dir(
    student: &StudentSpec,
    found: &TeacherFact,
    known: &KnownFacts,
    report: &mut CellReport,
) {
    for (key, own, there) in [
        ("layers", student.layers, found.layers),
        ("width", student.width, found.width),
        ("heads", student.heads, found.heads),
    ] {
        if own != there {
            report.problem(
                &format!("student.{key}"),
                format!("student.{key} = {own}, and the model in student.init_dir has {there}"),
                format!("write {key} = {there}"),
            );
        }
    }
    if let (Some(tokens), Some(there)) = (known.vocabulary, found.vocabulary) {
        check_init_vocabulary(tokens, there, known, report);
    }
    if let Some(teacher) = &known.teacher
        && teacher.positions != found.positions
    {
        let message = format!(
            "the teacher has {} positions, and the model in student.init_dir {}",
            teacher.positions, found.positions
        );
        report.problem(
            "student.init_dir",
            message,
            "a student has its teacher's positions",
        );
    }
}

/// The student has its teacher's rows, padding included.
fn check_init_vocabulary(tokens: usize, there: usize, known: &KnownFacts, report: &mut CellReport) {
    let rows = known
        .teacher
        .as_ref()
        .and_then(|teacher| teacher.vocabulary);
    let padded = rows.filter(|&rows| rows != tokens && fits(tokens, known.own_vocabulary, rows));
    if padded.unwrap_or(tokens) == there {
        return;
    }
    let of_teacher = padded.map_or_else(String::new, |rows| {
        format!(", the teacher a vocabulary of {rows}")
    });
    let message = format!(
        "the tokenizer has {tokens} tokens{of_teacher}, and the model in student.init_dir a \
         vocabulary of {there}"
    );
    report.problem(
        "student.init_dir",
        message,
        "take a model that was trained with this tokenizer",
    );
}
