//! What limits the answer to a study's question: said right below it, since a reader who stops
//! there must know.

use super::answer::{names, sentence, tells_each};
use super::contrasts::{at_equal_compute, with_one_budget};
use super::headroom::{equal_near_the_teacher, headroom};
use super::names::{in_a_row, in_sentence, listed};
use super::trials::chosen_at_an_end;
use crate::report::analysis::Analysis;
use crate::report::axes::ARM;
use crate::report::contrasts::Contrast;
use crate::report::curves::{StepValues, VALIDATION};
use crate::report::data::{RunData, StudyData};
use crate::report::delivery::{Delivery, Quantity};
use crate::report::format::{MOST_NAMES, fixed, plain, signed, significant};
use crate::report::pairing::both_finished;
use crate::report::questions::Question;
use crate::report::rows::TableRow;
use crate::report::sensitivity::{
    HangingSeed, alone_and_together, hanging_seeds, points_elsewhere, without_each_teacher,
};
use crate::report::statistics::mean_of;

/// All that limits the answer, in sentences.
pub fn cautions(data: &StudyData, analysis: &Analysis) -> Vec<String> {
    let mut cautions: Vec<String> = not_delivered(analysis).into_iter().collect();
    cautions.extend(delivered_less(analysis));
    cautions.extend(compute(data, analysis));
    cautions.extend(hanging(data, analysis));
    cautions.extend(hanging_on_an_axis(data, analysis));
    cautions.extend(headroom(data, analysis).or_else(|| equal_near_the_teacher(data, analysis)));
    cautions.extend(still_learning(data, analysis));
    cautions.extend(hardly_looked_at(data, analysis));
    cautions.extend(shrinking(data, analysis));
    cautions.extend(one_document(data));
    let trials = data.study.trials.iter();
    cautions.extend(trials.flat_map(chosen_at_an_end));
    cautions
}

/// Primary comparisons of two losses that both did their work, one of them less of it than the
/// other did without being about it.
fn delivered_less(analysis: &Analysis) -> Vec<String> {
    let primary = analysis.contrasts.iter().filter(|one| one.asked.is_primary);
    let deliveries = primary.flat_map(|contrast| &contrast.deliveries);
    let words = |delivery: &Delivery| {
        let (own, other) = (delivery.share()?, delivery.compared_share()?);
        let spoken = |label: &str| in_sentence(&analysis.rows, label);
        let against = spoken(&delivery.against);
        let end = match delivery.quantity {
            Quantity::Mse => "0",
            Quantity::W1 | Quantity::SlicedW2 | Quantity::Energy => {
                "what two samples of the teacher's states are apart"
            }
        };
        Some(format!(
            "The hidden loss of {} did less of its own work than {against} did: in {} it came {} % \
             of the way from that of {} to {end}, and {against} {} %.",
            spoken(&delivery.label),
            delivery.quantity.name(),
            fixed(100.0 * own, 0),
            spoken(delivery.beside().0),
            fixed(100.0 * other, 0),
        ))
    };
    let behind = deliveries.filter(|delivery| delivery.is_behind());
    behind.filter_map(words).collect()
}

/// Primary comparisons whose difference still went towards 0 when the trainings ended: by more
/// than a tenth of it over the second half of the steps. Trainings of different lengths are at
/// different places of their schedules at one step.
fn shrinking(data: &StudyData, analysis: &Analysis) -> Vec<String> {
    let steps = |run: &RunData| run.spec.as_ref().map(|spec| spec.train.steps);
    let words = |contrast: &Contrast| {
        let (a, b) = contrast.rows()?;
        let pairs = both_finished(data, &analysis.rows[a].cells, &analysis.rows[b].cells);
        let curves: Option<Vec<_>> = pairs
            .iter()
            .filter(|(a, b)| steps(a) == steps(b))
            .map(|(a, b)| Some((a.curves.get(VALIDATION)?, b.curves.get(VALIDATION)?)))
            .collect();
        let [(middle, then), (end, now)] = half_way_and_at_the_end(&curves?)?;
        let least = data.study.report.margin.max(then.abs() / 10.0);
        (then * now > 0.0 && then.abs() - now.abs() > least).then(|| {
            format!(
                "The difference between {} and {} still shrank: on the validation split it was \
                 {} at step {} and {} at step {}.",
                analysis.rows[a].name,
                analysis.rows[b].name,
                signed(then, 4),
                plain(middle),
                signed(now, 4),
                plain(end),
            )
        })
    };
    let primary = analysis.contrasts.iter().filter(|one| one.asked.is_primary);
    primary.filter_map(words).collect()
}

/// The mean difference of pairs of curves at the last step in the first half of the first, and at
/// its last, with the steps; none where a curve has no value there.
fn half_way_and_at_the_end(curves: &[(&StepValues, &StepValues)]) -> Option<[(f64, f64); 2]> {
    let first = curves.first()?.0;
    let (&(end, _), _) = first.split_last()?;
    let at = |step: f64| {
        let value = |curve: &StepValues| {
            let mut points = curve.iter();
            Some(points.find(|point| point.0 == step)?.1)
        };
        let differences: Option<Vec<f64>> = curves
            .iter()
            .map(|(a, b)| Some(value(a)? - value(b)?))
            .collect();
        mean_of(differences?)
    };
    let mut steps = first.iter().map(|point| point.0);
    let middle = steps.rfind(|&step| step <= end / 2.0 && step > 0.0)?;
    Some([(middle, at(middle)?), (end, at(end)?)])
}

/// Hidden losses that brought nothing closer: what their arms came to is no effect of it.
fn not_delivered(analysis: &Analysis) -> Option<String> {
    let contrasts = analysis.contrasts.iter();
    let missed: Vec<String> = contrasts
        .flat_map(|contrast| {
            let missed = contrast.deliveries.iter().filter(|one| one.is_missed());
            missed.map(move |delivery| {
                format!(
                    "{}, {} {} where that of {} is {}",
                    in_sentence(&analysis.rows, &delivery.label),
                    delivery.quantity.name(),
                    significant(delivery.value, 3),
                    in_sentence(&analysis.rows, delivery.beside().0),
                    significant(delivery.beside().1, 3)
                )
            })
        })
        .collect();
    (!missed.is_empty()).then(|| {
        format!(
            "Treatment not delivered: in what the loss itself is about, the matched states came \
             no closer to the teacher's: {}. A difference there says nothing about what \
             matching them does.",
            listed(&missed)
        )
    })
}

/// What was found at equal operations, or that nothing was where steps differ in what they cost.
fn compute(data: &StudyData, analysis: &Analysis) -> Vec<String> {
    let equal = at_equal_compute(&data.study, analysis);
    let told = equal.iter().take(MOST_NAMES).map(|contrast| {
        // What the answer says of it needs no second time.
        if contrast.is_told && tells_each(analysis) {
            let (label, against) = names(&data.study, analysis, contrast);
            return format!("Operations are equal: {label} took about as many as {against}.");
        }
        let words = sentence(&data.study, analysis, contrast);
        format!("At equal operations, {words}")
    });
    let mut told: Vec<String> = told.collect();
    // An arm whose runs are not finished is in the grid, and will tell.
    let asked = with_one_budget(&data.study, analysis);
    let is_paid = |row: usize| {
        let mut pairs = asked.iter().filter_map(|one| one.rows());
        pairs.any(|(a, b)| a == row || b == row)
    };
    // A mean over several pairs is told by each of them.
    let is_asked = |contrast: &&Contrast| {
        let is_of_the_baseline = contrast.asked.question == Question::Baseline;
        contrast.asked.is_primary || (analysis.primary == 0 && is_of_the_baseline)
    };
    let dear: Vec<(&Contrast, f64)> = analysis
        .contrasts
        .iter()
        .filter(is_asked)
        .filter_map(|contrast| Some((contrast, contrast.other_operations()?)))
        .filter(|(contrast, ratio)| {
            let rows = contrast.rows();
            rows.is_none_or(|(a, b)| !is_paid(if *ratio > 1.0 { a } else { b }))
        })
        .collect();
    let Some((first, ratio)) = dear.first() else {
        return told;
    };
    let named: Vec<String> = dear
        .iter()
        .map(|(contrast, ratio)| {
            let (label, against) = names(&data.study, analysis, contrast);
            let times = significant(*ratio, 3);
            format!("{label} {times} times those of {against}")
        })
        .collect();
    let dearer = first.rows().map(|(a, b)| if *ratio > 1.0 { a } else { b });
    let arm = dearer.and_then(|row| analysis.rows[row].at.get(ARM));
    let remedy = arm.map_or_else(String::new, |arm| {
        format!(" (an arm with train.budget = \"flops of {arm}\" would tell)")
    });
    told.push(format!(
        "Operations are not equal: {}. What the cheaper makes of as many was not run{remedy}.",
        listed(&named)
    ));
    told
}

/// Verdicts that one seed decides, of the comparisons that the answer tells, and those that hang on
/// how many seeds there are.
fn hanging(data: &StudyData, analysis: &Analysis) -> Vec<String> {
    let (mut of_one, mut of_number): (Vec<String>, Vec<String>) = Default::default();
    for contrast in analysis.contrasts.iter().filter(|one| one.is_told) {
        let label = in_sentence(&analysis.rows, &contrast.asked.label);
        let words = |alike: &[HangingSeed]| {
            let names: Vec<&str> = alike.iter().map(|one| one.seed.as_str()).collect();
            let without = match names.as_slice() {
                [only] => format!("seed {only}"),
                several => format!("any one of the seeds {}", several.join(", ")),
            };
            format!("{label} would be {} without {without}", alike[0].verdict)
        };
        let seeds = hanging_seeds(data, &analysis.rows, contrast).unwrap_or_default();
        let n = contrast.paired.as_ref().map_or(0, |paired| paired.n());
        let (mut alone, together) = alone_and_together(seeds, n);
        alone.sort_by_key(|one| one.verdict.rank());
        let alike = alone.chunk_by(|a, b| a.verdict.rank() == b.verdict.rank());
        of_one.extend(alike.map(words));
        of_number.extend((!together.is_empty()).then(|| words(&together)));
    }
    let told = [(of_one, "one seed"), (of_number, "the number of seeds")];
    let told = told.iter().filter(|(words, _)| !words.is_empty());
    told.map(|(words, what)| format!("A verdict hangs on {what}: {}.", listed(words)))
        .collect()
}

/// Verdicts that come out otherwise without a teacher, or at another value of an axis that they
/// should not depend on.
fn hanging_on_an_axis(data: &StudyData, analysis: &Analysis) -> Option<String> {
    let told = analysis.contrasts.iter().filter(|one| one.is_told);
    let without_teachers = told.flat_map(|contrast| {
        let label = in_sentence(&analysis.rows, &contrast.asked.label);
        let without = without_each_teacher(data, &analysis.rows, contrast).into_iter();
        let without = without.filter(|one| one.is_another);
        without.map(move |one| {
            let (verdict, teacher) = (one.verdict, one.teacher);
            format!("{label} would be {verdict} without teacher {teacher}")
        })
    });
    let hanging = analysis
        .elsewhere
        .iter()
        .filter(|other| points_elsewhere(&analysis.contrasts[other.of], other) == Some(true));
    let words = hanging.map(|other| {
        let home = &analysis.contrasts[other.of];
        let (label, against) = names(&data.study, analysis, home);
        format!(
            "{label} against {against} would be {} with {}",
            other.contrast.verdict,
            other.value_in_words()
        )
    });
    let words: Vec<String> = without_teachers.chain(words).collect();
    (!words.is_empty()).then(|| {
        format!(
            "A verdict hangs on what it should not depend on: {}.",
            listed(&words)
        )
    })
}

/// Settings whose validation loss still fell by more than δ when their training ended.
fn still_learning(data: &StudyData, analysis: &Analysis) -> Option<String> {
    let margin = data.study.report.margin;
    let rows = || analysis.rows.iter().filter(|row| !row.is_control);
    let mut falling: Vec<(&str, f64)> = rows()
        .filter_map(|row| {
            let falls = row
                .finished(data)
                .filter_map(|run| last_fall(run.curves.get(VALIDATION)?));
            Some((row.name.as_str(), mean_of(falls)?))
        })
        .filter(|(_, fall)| *fall > margin)
        .collect();
    falling.sort_by(|a, b| b.1.total_cmp(&a.1));
    let (_, most) = falling.first()?;
    if rows().count() == 1 {
        return Some(format!(
            "The student was still learning: over the last tenth of the steps its validation loss \
             fell by {} nats per token, more than δ.",
            fixed(*most, 4)
        ));
    }
    let whose = if falling.len() == rows().count() {
        "in every setting".to_owned()
    } else {
        let names: Vec<&str> = falling.iter().map(|one| one.0).collect();
        format!("of {}", in_a_row(&names))
    };
    Some(format!(
        "Students were still learning: over the last tenth of the steps the validation loss \
         {whose} fell by up to {} nats per token, more than δ. With more steps a difference may \
         become another.",
        fixed(*most, 4)
    ))
}

/// Settings of which nobody can say whether they were still learning: [`still_learning`] is silent
/// about them, which must not read as if they were not.
fn hardly_looked_at(data: &StudyData, analysis: &Analysis) -> Option<String> {
    let rows = analysis.rows.iter().filter(|row| !row.is_control);
    let rows: Vec<_> = rows
        .filter(|row| row.finished(data).next().is_some())
        .collect();
    let unknown = |row: &&&TableRow| {
        let mut curves = row.finished(data).map(|run| run.curves.get(VALIDATION));
        curves.all(|curve| curve.and_then(last_fall).is_none())
    };
    let names: Vec<&str> = rows
        .iter()
        .filter(unknown)
        .map(|row| row.name.as_str())
        .collect();
    let whose = match (names.len(), rows.len()) {
        (0, _) => return None,
        (of, all) if of == all => String::new(),
        _ => format!(" of {}", in_a_row(&names)),
    };
    Some(format!(
        "Whether students{whose} were still learning is not known: their validation loss was \
         looked at too seldom (train.evaluate_every) to have an end that could be read."
    ))
}

/// How much a curve falls over the last tenth of its steps; none of fewer than three points.
fn last_fall(curve: &StepValues) -> Option<f64> {
    let (&(end, last), earlier) = curve.split_last()?;
    let begin = 0.9 * end;
    let after = earlier.iter().position(|&(step, _)| step >= begin);
    let value = match after {
        Some(0) => return None,
        Some(place) => between(curve[place - 1], curve[place], begin),
        None => between(*earlier.last()?, (end, last), begin),
    };
    (earlier.len() > 1).then_some(value - last)
}

/// The value at a step on the straight line between two points.
fn between(before: (f64, f64), after: (f64, f64), step: f64) -> f64 {
    let share = (step - before.0) / (after.0 - before.0);
    before.1 + share * (after.1 - before.1)
}

/// A test text without parts that could have been others.
fn one_document(data: &StudyData) -> Option<String> {
    let mut tests = data
        .runs
        .iter()
        .filter_map(|run| Some(&run.evaluation.as_ref()?.test))
        .peekable();
    tests.peek()?;
    tests.all(|test| test.documents.len() == 1).then(|| {
        "The test split is one document: seeds tell how sure a difference is on this text, and \
         nothing tells how it would be on another."
            .to_owned()
    })
}

#[cfg(test)]
#[path = "cautions_tests.rs"]
mod tests;
