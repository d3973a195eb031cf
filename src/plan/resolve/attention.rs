//! Whether the attention of two models can be compared: as many heads, and layers that have one.

use super::super::matching::Strategy;
use super::super::run::{HiddenDistance, HiddenState, Matching, Term};
use super::super::written::WrittenRun;
use super::{CellReport, KnownFacts};

/// Refuses losses of attention that the shapes or the map have no meaning for; `matching` is the
/// resolved map.
pub(super) fn check_attention(
    run: &WrittenRun,
    known: &KnownFacts,
    matching: &Matching,
    report: &mut CellReport,
) {
    for (name, term) in &run.loss {
        if !compares_attention(term) {
            continue;
        }
        let key = format!("loss.{name}.kind");
        if let Some(teacher) = &known.teacher
            && teacher.heads != run.student.heads
        {
            report.problem(
                &key,
                format!(
                    "attention.kl compares models head by head, and the student has {} heads, the \
                     teacher {}",
                    run.student.heads, teacher.heads
                ),
                format!(
                    "write student.heads = {}, which has to divide student.width, or another kind",
                    teacher.heads
                ),
            );
        }
        if let Strategy::Combine { .. } = run.matching {
            report.problem(
                &key,
                "match.strategy = \"combine\" takes means of the teacher's states, and attention \
                 has none"
                    .to_owned(),
                "take another strategy, such as \"uniform\", or another kind",
            );
        }
        if let Some(message) = without_attention(matching) {
            report.problem(
                &key,
                message,
                "match layers from 1 on, by strategy = \"uniform\" or pairs of your own, or take \
                 another kind",
            );
        }
    }
}

fn compares_attention(term: &Term) -> bool {
    let loss = term.hidden();
    loss.is_some_and(|loss| loss.distance == HiddenDistance::Attention)
}

/// The first state of a map that no layer's attention lies before.
fn without_attention(matching: &Matching) -> Option<String> {
    let Matching::Pairs { pairs, .. } = matching else {
        return None;
    };
    let both = pairs
        .iter()
        .flat_map(|(student, teacher)| [("student", student), ("teacher", teacher)]);
    let mut lacking = both.filter_map(|(who, state)| match state {
        HiddenState::Layer(0) => Some(format!("the embeddings of the {who}")),
        HiddenState::Final => Some(format!("the {who}'s state after the final norm")),
        HiddenState::Layer(_) => None,
    });
    lacking
        .next()
        .map(|state| format!("the map names {state}, which has no attention of its own to compare"))
}
