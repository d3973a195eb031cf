//! Null controls: maps that match layers in an order that should not help, or tokens that do not
//! belong together. A gain counts only over them.

use std::borrow::Cow;

use super::axes;
use super::axes::STRATEGY;
use super::contrasts::Contrast;
use super::data::StudyData;
use super::questions::Question;
use super::rows::TableRow;
use super::statistics::FEWEST_SEEDS;
use super::verdict::Verdict;
use crate::plan::NULL_CONTROLS;

/// Whether a map is better than the senseless ones of the same arm.
#[derive(Debug, Clone, PartialEq)]
pub struct Nulls {
    /// Lower beyond doubt than all controls, than the same without hidden losses, and than the
    /// baseline where the row is not the baseline itself; none where that cannot be told.
    pub beats: Option<bool>,
    /// The same of the controls alone.
    pub beats_controls: Option<bool>,
    /// The largest of the corrected p values.
    pub p: Option<f64>,
    /// Each control that is there.
    pub controls: Vec<NullControl>,
    /// Controls that the grid does not have, or that have fewer than three seeds in common.
    pub lacking: Vec<String>,
    /// Those of them that the grid does not have with this setting.
    pub not_run: Vec<String>,
    /// What else it would have to be better than, and is not shown to be: "the baseline", "the same
    /// without hidden losses".
    pub not_beaten: Vec<&'static str>,
}

/// A null control with what the row's loss is less its own.
#[derive(Debug, Clone, PartialEq)]
pub struct NullControl {
    pub name: String,
    /// Mean over seeds.
    pub difference: f64,
    /// Simultaneous.
    pub interval: Option<(f64, f64)>,
}

/// Of every row, what its comparisons with the null controls say together; none where it is a
/// control itself, or the grid has no null control, or no hidden term follows a map. The judgement
/// is that of the comparisons themselves, with their correction.
pub fn nulls(data: &StudyData, rows: &[TableRow], contrasts: &[Contrast]) -> Vec<Option<Nulls>> {
    (0..rows.len())
        .map(|row| nulls_of_row(data, rows, contrasts, row))
        .collect()
}

fn nulls_of_row(
    data: &StudyData,
    rows: &[TableRow],
    contrasts: &[Contrast],
    row: usize,
) -> Option<Nulls> {
    let at = &rows[row].at;
    if axes::is_null_setting(at) || rows[row].shuffles_tokens(data) {
        return None;
    }
    let has_map = at.get(STRATEGY).is_some_and(|map| map != axes::ANY);
    let follows_one = has_map && rows[row].follows_a_map(data);
    let asked = follows_one && !axes::null_maps(&data.study).is_empty();
    let own: Vec<AgainstControl> = contrasts
        .iter()
        .filter_map(|contrast| AgainstControl::of(contrast, row))
        .collect();
    let (mut controls, mut lacking, mut not_run) = (Vec::new(), Vec::new(), Vec::new());
    let (mut judged, others) = beside_controls(rows, contrasts, row);
    let of_maps = NULL_CONTROLS
        .into_iter()
        .filter(|(key, _)| asked && *key == STRATEGY);
    for (key, name) in of_maps {
        let beside_it = |row: &TableRow| axes::without(&row.at, &[key]);
        let has_it = |one: &AgainstControl, control: &TableRow| {
            // What is compared with the baseline may differ in more.
            let is_same_but_for_it = !one.is_turned || beside_it(control) == beside_it(&rows[row]);
            is_same_but_for_it && control.at.get(key).is_some_and(|map| map == name)
        };
        let found = compared_with(&own, rows, has_it);
        match found.and_then(AgainstControl::with_mean) {
            Some((found, mean)) => {
                controls.push(NullControl::new(name, found, mean));
                judged.push(found.clone());
            }
            None => lacking.push(name.to_owned()),
        }
        not_run.extend(found.is_none().then(|| name.to_owned()));
    }
    // Clouds do not notice it: that is no test of theirs.
    let pairing = compared_with(&own, rows, |_, control| {
        control.is_pairing_null_of(&rows[row], data)
    });
    let pairing = pairing.filter(|_| rows[row].sees_pairs(data));
    if let Some((found, mean)) = pairing.and_then(AgainstControl::with_mean) {
        controls.push(NullControl::new(axes::SHUFFLED_TOKENS, found, mean));
        judged.push(found.clone());
    }
    if !asked && controls.is_empty() {
        return None;
    }
    Some(Nulls::judged(
        &judged,
        &others,
        controls,
        [lacking, not_run],
    ))
}

/// A row's comparisons with what it would have to be better than beside the controls, each with
/// what that is called: the baseline, and the same without hidden losses.
fn beside_controls<'a>(
    rows: &[TableRow],
    contrasts: &'a [Contrast],
    row: usize,
) -> (Vec<AgainstControl<'a>>, Vec<&'static str>) {
    let with_baseline = rows[row].contrast.map(|place| &contrasts[place]);
    let with_baseline = with_baseline.map(AgainstControl::as_asked);
    let untreated = against_untreated(rows, contrasts, row);
    let others = [
        (with_baseline, "the baseline"),
        (untreated, "the same without hidden losses"),
    ];
    let others = others.into_iter();
    others.filter_map(|(one, name)| Some((one?, name))).unzip()
}

/// A row's comparison with the same setting without hidden losses, unless that is the baseline: to
/// do better than controls that only harm is no gain.
fn against_untreated<'a>(
    rows: &[TableRow],
    contrasts: &'a [Contrast],
    row: usize,
) -> Option<AgainstControl<'a>> {
    let untreated = rows[row]
        .untreated
        .filter(|&place| !rows[place].is_baseline)?;
    contrasts.iter().find_map(|contrast| {
        let (a, b) = contrast.rows()?;
        if (a, b) == (row, untreated) {
            return Some(AgainstControl::as_asked(contrast));
        }
        ((a, b) == (untreated, row)).then(|| AgainstControl::turned(contrast))
    })
}

impl Nulls {
    /// What the comparisons say together: the first of them are with these others, the rest with
    /// controls, which may be all of them.
    fn judged(
        judged: &[AgainstControl],
        others: &[&'static str],
        controls: Vec<NullControl>,
        [lacking, not_run]: [Vec<String>; 2],
    ) -> Self {
        let is_complete = lacking.is_empty();
        let p = judged.iter().map(|judged| judged.contrast.p);
        let beside = others.iter().zip(judged);
        let not_beaten = beside.filter(|(_, judged)| judged.is_gain() != Some(true));
        Self {
            beats: all_are_gains(judged, is_complete),
            beats_controls: all_are_gains(&judged[others.len()..], is_complete),
            p: p.collect::<Option<Vec<f64>>>()
                .filter(|_| is_complete)
                .and_then(|p| p.into_iter().reduce(f64::max)),
            controls,
            lacking,
            not_run,
            not_beaten: not_beaten.map(|(name, _)| *name).collect(),
        }
    }
}

/// A row's comparison with one of its controls. Where the row is the baseline, the controls are
/// compared with it, and what is found is read the other way round.
#[derive(Clone)]
struct AgainstControl<'a> {
    contrast: Cow<'a, Contrast>,
    is_turned: bool,
}

impl<'a> AgainstControl<'a> {
    fn as_asked(contrast: &'a Contrast) -> Self {
        Self {
            contrast: Cow::Borrowed(contrast),
            is_turned: false,
        }
    }

    fn turned(contrast: &Contrast) -> Self {
        Self {
            contrast: Cow::Owned(contrast.turned()),
            is_turned: true,
        }
    }

    /// The comparison, where it may be one of `row` with a control of it.
    fn of(contrast: &'a Contrast, row: usize) -> Option<Self> {
        let (a, b) = contrast.rows()?;
        match contrast.asked.question {
            Question::Null if a == row => Some(Self::as_asked(contrast)),
            Question::Baseline if b == row => Some(Self::turned(contrast)),
            _ => None,
        }
    }

    /// The row that is held against the row itself.
    fn control(&self) -> Option<usize> {
        Some(self.contrast.rows()?.1)
    }

    /// What the row's loss is less the control's, where there are seeds enough.
    fn mean(&self) -> Option<f64> {
        let paired = self.contrast.paired.as_ref();
        Some(paired.filter(|paired| paired.n() >= FEWEST_SEEDS)?.mean)
    }

    /// It, with what the row's loss is less the control's, where there are seeds enough.
    fn with_mean(&self) -> Option<(&Self, f64)> {
        Some((self, self.mean()?))
    }

    /// Whether the loss is lower beyond doubt, by however little; none where that cannot be told.
    fn is_gain(&self) -> Option<bool> {
        match &self.contrast.verdict {
            Verdict::NotComparable(_) | Verdict::TooFewSeeds => None,
            Verdict::Better
            | Verdict::Worse
            | Verdict::Equivalent
            | Verdict::BetterSizeUnsure
            | Verdict::WorseSizeUnsure
            | Verdict::Undecided => Some(self.contrast.interval?.1 < 0.0),
        }
    }
}

/// The comparison with the control that is so, however few seeds it has.
fn compared_with<'a, 'b>(
    comparisons: &'b [AgainstControl<'a>],
    rows: &[TableRow],
    is_it: impl Fn(&AgainstControl, &TableRow) -> bool,
) -> Option<&'b AgainstControl<'a>> {
    let mut all = comparisons.iter();
    all.find(|one| one.control().is_some_and(|row| is_it(one, &rows[row])))
}

impl NullControl {
    fn new(name: &str, against: &AgainstControl, difference: f64) -> Self {
        Self {
            name: name.to_owned(),
            difference,
            interval: against.contrast.interval,
        }
    }
}

/// Whether the loss is lower in all of them; one that is not decides, whatever the others say.
fn all_are_gains(judged: &[AgainstControl], is_complete: bool) -> Option<bool> {
    let gains: Vec<Option<bool>> = judged.iter().map(AgainstControl::is_gain).collect();
    if gains.contains(&Some(false)) {
        Some(false)
    } else {
        (is_complete && !gains.contains(&None)).then_some(true)
    }
}

#[cfg(test)]
#[path = "nulls_tests.rs"]
mod tests;
