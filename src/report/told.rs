//! Which comparisons the answer of a study is about.

use super::axes;
use super::contrasts::Contrast;
use super::questions::{Question, question_axis};
use crate::record::study::Study;

/// The places of the comparisons that the answer tells: the primary ones, or else those along the
/// axis of the question.
pub fn told(study: &Study, contrasts: &[Contrast]) -> Vec<usize> {
    let primary = those(contrasts, |contrast| contrast.asked.is_primary);
    if primary.is_empty() {
        of_the_question(study, contrasts)
    } else {
        primary
    }
}

fn those(contrasts: &[Contrast], is_one: impl Fn(&Contrast) -> bool) -> Vec<usize> {
    let places = contrasts.iter().enumerate();
    let places = places.filter(|(_, contrast)| is_one(contrast));
    places.map(|(place, _)| place).collect()
}

/// The comparisons along the axis of the question: as means over the other axes where there is one
/// of each value, and otherwise one by one.
fn of_the_question(study: &Study, contrasts: &[Contrast]) -> Vec<usize> {
    let Some(axis) = question_axis(study) else {
        return Vec::new();
    };
    let means = those(
        contrasts,
        |contrast| matches!(&contrast.asked.question, Question::Main(key) if key == axis),
    );
    let values = axes::axis(study, axis).map_or(0, |axis| axis.values.len());
    if !means.is_empty() && means.len() + 1 >= values {
        means
    } else {
        setting_by_setting(study, contrasts, axis)
    }
}

/// The comparisons along an axis at every setting of the others.
pub fn setting_by_setting(study: &Study, contrasts: &[Contrast], axis: &str) -> Vec<usize> {
    let is_of_the_baseline = study.report.baseline.contains_key(axis);
    those(contrasts, |contrast| match &contrast.asked.question {
        Question::Baseline => is_of_the_baseline,
        Question::Axis(key) => key == axis,
        Question::Compute
        | Question::Untreated
        | Question::Null
        | Question::Main(_)
        | Question::Interaction(..) => false,
    })
}
