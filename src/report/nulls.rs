//! Null controls: layer maps that match layers in an order that should not help. A gain counts only
//! over them.

use super::axes;
use super::axes::{STRATEGY, is_null};
use super::contrasts::Contrast;
use super::data::StudyData;
use super::questions::Question;
use super::rows::TableRow;
use super::statistics::FEWEST_SEEDS;
use super::verdict::Verdict;
use crate::plan::NULL_CONTROLS;

/// Whether a layer map is better than the senseless ones of the same arm.
#[derive(Debug, Clone, PartialEq)]
pub struct Nulls {
    /// Lower beyond doubt than both controls, and than the baseline where the row is not the
    /// baseline itself; none where that cannot be told.
    pub beats: Option<bool>,
    /// The same of the controls alone, whatever the baseline.
    pub beats_controls: Option<bool>,
    /// The largest of the corrected p values.
    pub p: Option<f64>,
    /// Each control that is there.
    pub controls: Vec<NullControl>,
    /// Controls that the grid does not have, or that have fewer than three seeds in common.
    pub lacking: Vec<String>,
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
    let map = rows[row].at.get(STRATEGY)?;
    let maps = &axes::axis(&data.study, STRATEGY)?.values;
    let has_nulls = maps.iter().any(|map| is_null(map));
    if is_null(map) || !has_nulls || !rows[row].follows_a_map(data) || *map == axes::ANY {
        return None;
    }
    let own: Vec<&Contrast> = contrasts
        .iter()
        .filter(|contrast| {
            contrast.asked.question == Question::Null && contrast.asked.row == Some(row)
        })
        .collect();
    let (mut controls, mut lacking) = (Vec::new(), Vec::new());
    let mut judged: Vec<&Contrast> = rows[row]
        .contrast
        .map(|place| &contrasts[place])
        .into_iter()
        .collect();
    for name in NULL_CONTROLS {
        let contrast = own.iter().find(|contrast| {
            let control = contrast.rows().and_then(|(_, b)| rows[b].at.get(STRATEGY));
            control.is_some_and(|control| control == name)
        });
        let paired = contrast
            .and_then(|contrast| contrast.paired.as_ref())
            .filter(|paired| paired.n() >= FEWEST_SEEDS);
        match contrast.zip(paired) {
            Some((contrast, paired)) => {
                judged.push(contrast);
                controls.push(NullControl {
                    name: name.to_owned(),
                    difference: paired.mean,
                    interval: contrast.interval,
                });
            }
            None => lacking.push(name.to_owned()),
        }
    }
    let is_complete = lacking.is_empty();
    let with_controls = usize::from(rows[row].contrast.is_some());
    let p = judged.iter().map(|contrast| contrast.p);
    Some(Nulls {
        beats: all_are_gains(&judged, is_complete),
        beats_controls: all_are_gains(&judged[with_controls..], is_complete),
        p: p.collect::<Option<Vec<f64>>>()
            .filter(|_| is_complete)
            .and_then(|p| p.into_iter().reduce(f64::max)),
        controls,
        lacking,
    })
}

/// Whether the loss is lower in all of them; one that is not decides, whatever the others say.
fn all_are_gains(contrasts: &[&Contrast], is_complete: bool) -> Option<bool> {
    let gains: Vec<Option<bool>> = contrasts.iter().map(|contrast| is_gain(contrast)).collect();
    if gains.contains(&Some(false)) {
        Some(false)
    } else {
        (is_complete && !gains.contains(&None)).then_some(true)
    }
}

/// Whether the loss is lower beyond doubt, by however little; none where that cannot be told.
fn is_gain(contrast: &Contrast) -> Option<bool> {
    match &contrast.verdict {
        Verdict::NotComparable(_) | Verdict::TooFewSeeds => None,
        Verdict::Better
        | Verdict::Worse
        | Verdict::Equivalent
        | Verdict::BetterSizeUnsure
        | Verdict::WorseSizeUnsure
        | Verdict::Undecided => Some(contrast.interval?.1 < 0.0),
    }
}
