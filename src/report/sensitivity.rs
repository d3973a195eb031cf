//! Whether a verdict hangs on one seed, what it would be without each of them, or on an axis that
//! it should not depend on.

use super::blocks::{is_of_teacher, teachers};
use super::contrasts::{Contrast, differences_by_seed};
use super::data::StudyData;
use super::elsewhere::Elsewhere;
use super::rows::TableRow;
use super::statistics::{FEWEST_SEEDS, Paired};
use super::verdict::Verdict;

/// A seed without which a comparison would come out otherwise.
#[derive(Debug, Clone, PartialEq)]
pub struct HangingSeed {
    pub seed: String,
    /// What the verdict would be.
    pub verdict: Verdict,
}

/// Which way a verdict points; none of one that decides nothing.
fn direction(verdict: &Verdict) -> Option<i8> {
    match verdict {
        Verdict::Better | Verdict::BetterSizeUnsure => Some(-1),
        Verdict::Equivalent => Some(0),
        Verdict::Worse | Verdict::WorseSizeUnsure => Some(1),
        Verdict::NotComparable(_) | Verdict::TooFewSeeds | Verdict::Undecided => None,
    }
}

/// The seeds without which a comparison would point another way: better, worse or equivalent
/// instead of another of them, or where nothing was decided. A verdict that loses its direction for
/// want of a seed is told too; one that only becomes less sure of the size is not. None where there
/// is nothing to judge, or a seed less leaves nothing.
pub fn hanging_seeds(
    data: &StudyData,
    rows: &[TableRow],
    contrast: &Contrast,
) -> Option<Vec<HangingSeed>> {
    let without = without_each_seed(data, rows, contrast)?.into_iter();
    let verdicts = without.map(|(seed, without)| HangingSeed {
        verdict: Verdict::new(&without, contrast.alpha, data.study.report.margin),
        seed,
    });
    let hanging = verdicts.filter(|one| {
        let differs = direction(&one.verdict) != direction(&contrast.verdict);
        differs && one.verdict.reason().is_none()
    });
    Some(hanging.collect())
}

/// The seeds that a verdict hangs on one by one, and those of which any one less leaves nothing
/// decided, where they are most of `n`: what hangs on those hangs on how many there are. A few of
/// many are what it hangs on themselves.
pub fn alone_and_together(
    seeds: Vec<HangingSeed>,
    n: usize,
) -> (Vec<HangingSeed>, Vec<HangingSeed>) {
    let is_undecided = |one: &HangingSeed| one.verdict == Verdict::Undecided;
    let (undecided, mut alone): (Vec<_>, Vec<_>) = seeds.into_iter().partition(is_undecided);
    if 2 * undecided.len() > n {
        return (alone, undecided);
    }
    alone.extend(undecided);
    (alone, Vec::new())
}

/// A comparison without each of its seeds; none where there is nothing to judge, or a seed less
/// leaves nothing.
pub fn without_each_seed(
    data: &StudyData,
    rows: &[TableRow],
    contrast: &Contrast,
) -> Option<Vec<(String, Paired)>> {
    let all = differences_by_seed(data, rows, &contrast.asked);
    if all.len() <= FEWEST_SEEDS || contrast.verdict.reason().is_some() {
        return None;
    }
    let without = |left_out: usize| {
        let others = all
            .iter()
            .enumerate()
            .filter(|(place, _)| *place != left_out);
        Paired::of(others.map(|(_, own)| own.1).collect())
    };
    let seeds = all.iter().enumerate();
    Some(
        seeds
            .map(|(place, (seed, _))| (seed.clone(), without(place)))
            .collect(),
    )
}

/// A comparison without the pairs of one of its teachers.
#[derive(Debug, Clone, PartialEq)]
pub struct WithoutTeacher {
    pub teacher: String,
    pub paired: Paired,
    pub verdict: Verdict,
    /// It is decided in another way. That it is no longer decided is for want of pairs, and tells
    /// nothing of the teacher.
    pub is_another: bool,
}

/// A comparison without the pairs of each of its teachers, where teachers repeat it too; none of
/// those that leave too few.
pub fn without_each_teacher(
    data: &StudyData,
    rows: &[TableRow],
    contrast: &Contrast,
) -> Vec<WithoutTeacher> {
    let Some(teachers) = teachers(&data.written).filter(|_| contrast.verdict.reason().is_none())
    else {
        return Vec::new();
    };
    let all = differences_by_seed(data, rows, &contrast.asked);
    let without = |teacher: &String| {
        let others = all.iter().filter(|(own, _)| !is_of_teacher(own, teacher));
        let others: Vec<f64> = others.map(|own| own.1).collect();
        if !(FEWEST_SEEDS..all.len()).contains(&others.len()) {
            return None;
        }
        let paired = Paired::of(others);
        let verdict = Verdict::new(&paired, contrast.alpha, data.study.report.margin);
        let (own, there) = (direction(&contrast.verdict), direction(&verdict));
        Some(WithoutTeacher {
            teacher: teacher.clone(),
            paired,
            verdict,
            is_another: there.is_some() && own != there,
        })
    };
    teachers.iter().filter_map(without).collect()
}

/// Whether a comparison points another way at another value of an axis: that it is decided the
/// other way there, or that its verdict is another and the difference itself is, on the same seeds.
/// That less is sure there, of fewer seeds perhaps, is no evidence; none where nothing says more.
pub fn points_elsewhere(home: &Contrast, other: &Elsewhere) -> Option<bool> {
    let is_judged =
        |verdict: &Verdict| verdict.reason().is_none() && *verdict != Verdict::TooFewSeeds;
    let (own, there) = (&home.verdict, &other.contrast.verdict);
    if !is_judged(own) || !is_judged(there) {
        return None;
    }
    let (own, there) = (direction(own), direction(there));
    if own == there {
        return Some(false);
    }
    let is_another = other
        .beside_home
        .is_some_and(|(low, high)| low > 0.0 || high < 0.0);
    (own.is_some() && there.is_some() || is_another).then_some(true)
}

/// All that the verdict of a comparison that the answer tells hangs on, in words; `others` are the
/// same elsewhere.
pub fn hangs_on<'a>(
    data: &StudyData,
    rows: &[TableRow],
    contrast: &Contrast,
    others: impl Iterator<Item = &'a Elsewhere>,
) -> Vec<String> {
    if !contrast.is_told {
        return Vec::new();
    }
    let seeds = hanging_seeds(data, rows, contrast).unwrap_or_default();
    let n = contrast.paired.as_ref().map_or(0, |paired| paired.n());
    let (alone, together) = alone_and_together(seeds, n);
    let seeds = alone.into_iter().map(|one| format!("seed {}", one.seed));
    let number = (!together.is_empty()).then(|| "the number of seeds".to_owned());
    let teachers = without_each_teacher(data, rows, contrast).into_iter();
    let teachers = teachers.filter(|one| one.is_another);
    let teachers = teachers.map(|one| format!("teacher {}", one.teacher));
    let others = others.filter(|one| points_elsewhere(contrast, one) == Some(true));
    seeds
        .chain(number)
        .chain(teachers)
        .chain(others.map(Elsewhere::value_in_words))
        .collect()
}

#[cfg(test)]
#[path = "sensitivity_tests.rs"]
mod tests;
