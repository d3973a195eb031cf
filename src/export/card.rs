//! The card of a student that leaves its study: the run's own, with the head that the hub reads and
//! what was measured.

use super::measured::{Estimated, MeasuredModels, loss};
use super::{FinishedRun, GGUF, yaml};
use crate::record::evaluation::{Evaluation, Perplexity};
use crate::record::layout::LOADING_HEADING;
use crate::record::study::ALTERNATIVE;

/// How a study calls the first of its teachers among its inputs.
const TEACHER: &str = "teacher";

/// The card, made of the one that lies beside the student.
pub(super) fn card(run: &FinishedRun, stored: &str, gguf: bool) -> String {
    // The results stand before this section of the run's card.
    let heading = format!("\n{LOADING_HEADING}\n");
    let (made, loading) = match without_head(stored).split_once(&heading) {
        Some((made, loading)) => (made, format!("{heading}{loading}")),
        None => (without_head(stored), String::new()),
    };
    let mut page = yaml::head(run);
    page += made.trim_end();
    page += &data(run);
    if let Some(measured) = &run.measured {
        page += &results(run, measured);
    }
    page += "\n";
    page += &loading;
    if gguf {
        page += &format!(
            "\nIn llama.cpp, from `{GGUF}`:\n\n```sh\nllama-completion -m {GGUF} -p \"The\"\n```\n"
        );
    }
    page
}

/// A card without the head between two lines of dashes.
fn without_head(card: &str) -> &str {
    let rest = card.strip_prefix("---\n");
    let body = rest.and_then(|rest| rest.split_once("\n---\n"));
    body.map_or(card, |(_, body)| body)
}

/// What it was trained on, and what it is called. What the study knows of its inputs is told as far
/// as it is sure to be this run's: a study may have several texts, and may name the run no more.
fn data(run: &FinishedRun) -> String {
    let mut text = String::new();
    let cell = run.study.as_ref().and_then(|study| {
        let mut cells = study.cells.iter();
        Some((study, cells.find(|cell| cell.run == run.id)?))
    });
    if let Some((study, cell)) = cell {
        text += "\n\n## Data\n";
        for (name, fact) in [
            ("Text", &study.facts.dataset),
            ("Tokenizer", &study.facts.tokenizer),
        ] {
            if !fact.contains(ALTERNATIVE) {
                text += &format!("\n- **{name}:** {fact}.");
            }
        }
        let of_all = |role: &str| {
            let mut others = study.inputs.keys();
            let numbered = format!("{role}.");
            !role.contains('.') && !others.any(|other| other.starts_with(&numbered))
        };
        for (role, hash) in &study.inputs {
            if role != TEACHER && of_all(role) {
                text += &format!("\n- **Hash of {role}:** `{hash}`.");
            }
        }
        text += &format!("\n- **Hash of {TEACHER}:** `{}`.", cell.teacher);
    }
    text += &format!(
        "\n\nThe run's name `{}` is a hash of everything that determines its result.",
        run.id
    );
    text
}

/// Student and teacher in a table.
fn results(run: &FinishedRun, measured: &MeasuredModels) -> String {
    let student = &measured.student;
    let protocol = &student.protocol;
    let mut text = format!(
        "\n\n## Results\n\nOn the test split ({} tokens in {} documents, windows of {} tokens \
         every {}), by the study of the run `{}`:\n",
        student.test.scored_tokens,
        measured.documents(),
        protocol.context,
        protocol.stride,
        run.id
    );
    text += "\n| | student | teacher |\n| --- | ---: | ---: |\n";
    let teacher = measured.teacher.as_ref();
    let mut row = |name: &str, value: &dyn Fn(&Evaluation) -> String| {
        let of_teacher = teacher.map_or_else(|| "–".to_owned(), value);
        text += &format!("| {name} | {} | {of_teacher} |\n", value(student));
    };
    row("loss, nats per token", &|found| {
        with_error(loss(&found.test))
    });
    row("perplexity", &|found| number(found.test.perplexity));
    row("word perplexity", &|found| {
        number(found.test.word_perplexity)
    });
    row("bits per byte", &|found| bits(&found.test));
    row("parameters", &|found| found.model.parameters.to_string());
    if let Some(difference) = measured.difference() {
        let side = if difference.value < 0.0 {
            "below"
        } else {
            "above"
        };
        text += &format!(
            "\nThe student's loss is {} nats per token {side} its teacher's.",
            with_error(Estimated {
                value: difference.value.abs(),
                ..difference
            })
        );
    }
    if let Some(agreement) = &student.teacher {
        let kl = number(agreement.kl_nats_per_token);
        let top1 = 100.0 * agreement.top1;
        text += &format!(
            " Its predictions are {kl} nats per token from the teacher's (KL), and {top1:.1} % of \
             its most probable tokens are the teacher's."
        );
    }
    if measured.documents() < 2 {
        return text;
    }
    text += &format!(
        "\n\n± is half of a 95 % interval over the n = {} documents; it says nothing of other \
         seeds.",
        measured.documents()
    );
    text
}

fn with_error(found: Estimated) -> String {
    match found.error {
        Some(error) => format!("{:.4} ± {error:.4}", found.value),
        None => format!("{:.4}", found.value),
    }
}

fn number(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| format!("{value:.4}"))
}

fn bits(test: &Perplexity) -> String {
    number(test.bits_per_byte)
}
