//! The answer to the study's question, in a sentence or two.

use super::names::{in_sentence, listed};
use super::trials::chosen;
use crate::record::study::Study;
use crate::report::analysis::Analysis;
use crate::report::axes::{in_words, over_others, spoken};
use crate::report::contrasts::Contrast;
use crate::report::format::{MOST_NAMES, fixed, interval, plain, signed, significant};
use crate::report::looks::when_declared;
use crate::report::questions::{Question, question_axis};
use crate::report::statistics::Paired;
use crate::report::told::setting_by_setting;
use crate::report::verdict::Verdict;

/// What the study says to its question: of the comparison that was declared beforehand, or else of
/// those along the axis that it asks about.
pub fn answer(study: &Study, analysis: &Analysis) -> String {
    let told = analysis.contrasts.iter().filter(|one| one.is_told);
    let contrasts: Vec<&Contrast> = told.collect();
    let opening = if analysis.contrasts.iter().any(|one| one.asked.is_primary) {
        let noun = if contrasts.len() == 1 {
            "comparison"
        } else {
            "comparisons"
        };
        format!("Primary {noun}, declared {}: ", when_declared(study))
    } else {
        String::new()
    };
    let words = match contrasts.as_slice() {
        [] => return alone(study, analysis),
        [only] if has_no_verdict(only) => {
            return format!("{opening}{}", sentence(study, analysis, only));
        }
        [only] => sentence(study, analysis, only),
        several
            if several
                .iter()
                .all(|one| one.verdict == Verdict::TooFewSeeds) =>
        {
            return format!("{opening}{}", too_few_for_all(study, analysis, several));
        }
        [first, second] if !opening.is_empty() => {
            let second = capital(&sentence(study, analysis, second));
            format!("{} {second}", sentence(study, analysis, first))
        }
        several => counted(study, analysis, several, ""),
    };
    format!(
        "{} {}",
        capital(&format!("{opening}{words}")),
        margin(study)
    )
}

/// Whether the answer tells its comparisons one by one, each in full.
pub(super) fn tells_each(analysis: &Analysis) -> bool {
    let told = || analysis.contrasts.iter().filter(|one| one.is_told);
    let is_declared = told().any(|one| one.asked.is_primary);
    told().count() <= if is_declared { 2 } else { 1 }
}

/// The same with a capital in front, but for names, which stay as they are written.
fn capital(sentence: &str) -> String {
    for opening in ["it is ", "of "] {
        if sentence.starts_with(opening) {
            let (first, rest) = sentence.split_at(1);
            return format!("{}{rest}", first.to_uppercase());
        }
    }
    sentence.to_owned()
}

/// What the study says of its question beside the primary comparison; none where that is all.
pub fn beside_the_primary(study: &Study, analysis: &Analysis) -> Option<String> {
    if analysis.primary == 0 {
        return None;
    }
    let axis = question_axis(study)?;
    let others = setting_by_setting(study, &analysis.contrasts, axis).into_iter();
    let mut others: Vec<&Contrast> = others.map(|place| &analysis.contrasts[place]).collect();
    others.retain(|contrast| !contrast.asked.is_primary);
    // A control against the baseline's own says nothing about what may help.
    let all = others.len();
    others.retain(|contrast| {
        let pairs = contrast.asked.pairs.iter().flat_map(|&(a, b)| [a, b]);
        let mut rows = pairs.chain(contrast.asked.row);
        rows.all(|row| !analysis.rows[row].is_control)
    });
    let aside = if others.len() < all {
        ", null controls aside"
    } else {
        ""
    };
    match others.as_slice() {
        [] => None,
        [only] => Some(capital(&sentence(study, analysis, only))),
        several => Some(capital(&counted(study, analysis, several, aside))),
    }
}

/// Whether there is nothing that δ judges.
fn has_no_verdict(contrast: &Contrast) -> bool {
    matches!(
        contrast.verdict,
        Verdict::NotComparable(_) | Verdict::TooFewSeeds
    )
}

/// A study that compares nothing: what it chose, where it was made to choose.
fn alone(study: &Study, analysis: &Analysis) -> String {
    let losses: Vec<String> = analysis
        .rows
        .iter()
        .filter_map(|row| {
            Some(format!(
                "{} nats per token, a perplexity of {}",
                fixed(row.mean?, 4),
                significant(row.mean?.exp(), 4)
            ))
        })
        .collect();
    let chosen = study.trials.as_ref().and_then(chosen);
    match (losses.as_slice(), chosen) {
        ([only], Some(chosen)) => {
            format!("{chosen} With that, the student's test loss is {only}.")
        }
        ([only], None) => {
            format!("The student's test loss is {only}; nothing is compared with it.")
        }
        (_, chosen) => {
            let chosen = chosen.map_or_else(String::new, |chosen| format!("{chosen} "));
            format!(
                "{chosen}Nothing is compared: the grid has one setting, or the others are not \
                 finished."
            )
        }
    }
}

/// One comparison in full.
pub(super) fn sentence(study: &Study, analysis: &Analysis, contrast: &Contrast) -> String {
    let (label, against) = names(study, analysis, contrast);
    let opening = match &contrast.verdict {
        Verdict::NotComparable(reason) => {
            return format!("{label} cannot be compared with {against}: {reason}.");
        }
        Verdict::TooFewSeeds => return too_few(&label, &against, contrast.paired.as_ref()),
        Verdict::Better => format!("{label} is better than {against}, by more than δ"),
        Verdict::Worse => format!("{label} is worse than {against}, by more than δ"),
        Verdict::Equivalent => format!("{label} and {against} are equivalent within δ"),
        Verdict::BetterSizeUnsure => {
            format!("{label} is better than {against}, perhaps by less than δ")
        }
        Verdict::WorseSizeUnsure => {
            format!("{label} is worse than {against}, perhaps by less than δ")
        }
        Verdict::Undecided => {
            format!("it is undecided whether {label} is better or worse than {against}")
        }
    };
    let Some((paired, (low, high))) = contrast.paired.as_ref().zip(contrast.interval) else {
        return format!("{opening}.");
    };
    let missed = if contrast.is_treatment_missed() {
        ", treatment not delivered"
    } else {
        ""
    };
    let interval = interval_in_words(study, analysis, contrast, (low, high));
    let seeds = paired.n();
    if contrast.verdict == Verdict::Equivalent {
        let difference = signed(paired.mean, 4);
        return format!(
            "{opening}{missed}: over {seeds} seeds their test losses differ by {difference} nats \
             per token ({interval})."
        );
    }
    let direction = if paired.mean < 0.0 { "lower" } else { "higher" };
    format!(
        "{opening}{missed}: over {seeds} seeds its test loss is {} nats per token {direction} \
         ({interval}), a perplexity {} times as high.",
        fixed(paired.mean.abs(), 4),
        significant(paired.mean.exp(), 4)
    )
}

/// `simultaneous 95 % interval of the difference −0.0295 to −0.0106`.
fn interval_in_words(
    study: &Study,
    analysis: &Analysis,
    contrast: &Contrast,
    (low, high): (f64, f64),
) -> String {
    // What shares α with others holds with all of theirs at once.
    let sharing = if contrast.asked.is_primary {
        analysis.primary
    } else {
        analysis.family
    };
    format!(
        "{}{} % interval{} {}",
        if sharing > 1 { "simultaneous " } else { "" },
        plain(100.0 * (1.0 - study.report.alpha)),
        if contrast.verdict == Verdict::Equivalent {
            ""
        } else {
            " of the difference"
        },
        interval(low, high, 4),
    )
}

/// What δ is.
fn margin(study: &Study) -> String {
    format!(
        "δ, the smallest difference of interest, is {} nats per token.",
        plain(study.report.margin)
    )
}

fn too_few(label: &str, against: &str, paired: Option<&Paired>) -> String {
    let Some(paired) = paired else {
        return format!("{label} and {against} have no seed in common that finished.");
    };
    let difference = signed(paired.mean, 4);
    if paired.n() == 1 {
        format!(
            "One seed decides nothing: the test loss of {label} differs from that of {against} by \
             {difference} nats per token, and nothing says by how much it would with another \
             seed. A verdict takes three."
        )
    } else {
        format!(
            "Two seeds decide nothing: the test loss of {label} differs from that of {against} by \
             {difference} nats per token on average ({} and {}). A verdict takes three.",
            signed(paired.differences[0], 4),
            signed(paired.differences[1], 4)
        )
    }
}

/// The same of several comparisons.
fn too_few_for_all(study: &Study, analysis: &Analysis, contrasts: &[&Contrast]) -> String {
    let differences: Vec<String> = contrasts
        .iter()
        .filter_map(|contrast| {
            let mean = contrast.paired.as_ref()?.mean;
            let (label, against) = names(study, analysis, contrast);
            Some(format!("{label} against {against} {}", signed(mean, 4)))
        })
        .collect();
    let paired = contrasts.iter().filter_map(|one| one.paired.as_ref());
    let opening = match paired.map(Paired::n).max() {
        Some(1) => "One seed decides nothing",
        Some(_) => "Two seeds decide nothing",
        None => return "No two settings have a seed in common that finished.".to_owned(),
    };
    format!(
        "{opening}. The test losses differ, in nats per token: {}. A verdict takes three seeds.",
        listed(&differences)
    )
}

/// What is compared and with what, in words that stand in a sentence.
pub(super) fn names(study: &Study, analysis: &Analysis, contrast: &Contrast) -> (String, String) {
    let asked = &contrast.asked;
    let label = in_sentence(&analysis.rows, &asked.label);
    let against = match &asked.against {
        Some(against) => in_sentence(&analysis.rows, against),
        None => in_words(&study.report.baseline),
    };
    match &asked.question {
        Question::Main(key) => {
            let over = asked.over.clone();
            let over = over.unwrap_or_else(|| over_others(study, &[key]));
            // The table has them as they are.
            let over: Vec<String> = over.split(", ").map(spoken).collect();
            (format!("{label} (mean over {})", over.join(", ")), against)
        }
        Question::Baseline
        | Question::Compute
        | Question::Untreated
        | Question::Null
        | Question::Axis(_)
        | Question::Interaction(..) => (label, against),
    }
}

/// What is compared, with its operations where they are not about as many.
fn with_operations(analysis: &Analysis, contrast: &Contrast) -> String {
    let label = in_sentence(&analysis.rows, &contrast.asked.label);
    match contrast.other_operations() {
        Some(ratio) => format!("{label} at {} times the operations", significant(ratio, 3)),
        None => label,
    }
}

/// Several comparisons, by their verdicts; `aside` are words for what is left out.
fn counted(study: &Study, analysis: &Analysis, contrasts: &[&Contrast], aside: &str) -> String {
    let mut ranked: Vec<&Contrast> = contrasts.to_vec();
    ranked.sort_by_key(|contrast| contrast.verdict.rank());
    let parts: Vec<String> = ranked
        .chunk_by(|a, b| a.verdict.rank() == b.verdict.rank())
        .map(|same| {
            let named = same.iter().map(|one| with_operations(analysis, one));
            let named: Vec<String> = named.collect();
            format!("{} {} ({})", same.len(), same[0].verdict, listed(&named))
        })
        .collect();
    let mut against: Vec<String> = contrasts
        .iter()
        .map(|contrast| names(study, analysis, contrast).1)
        .collect();
    against.sort_unstable();
    against.dedup();
    let against = match against.as_slice() {
        few if few.len() <= MOST_NAMES => few.join(" or "),
        _ => format!("{} settings", against.len()),
    };
    format!(
        "of {} comparisons with {against}{aside}: {}.",
        contrasts.len(),
        parts.join(", ")
    )
}

#[cfg(test)]
#[path = "answer_tests.rs"]
mod tests;
