//! What the answer should not depend on, and whether it does.

use serde::Serialize;

use crate::report::analysis::Analysis;
use crate::report::axes;
use crate::report::contrasts::Contrast;
use crate::report::data::StudyData;
use crate::report::sensitivity::{
    WithoutTeacher, hanging_seeds, points_elsewhere, without_each_seed, without_each_teacher,
};

/// The comparisons that the answer tells, without each seed and at other values of axes.
#[derive(Debug, Clone, Serialize)]
pub struct SensitivityFacts {
    pub axes: Vec<HeldAxis>,
    pub rows: Vec<SensitivityRow>,
}

/// An axis that the answer should not depend on.
#[derive(Debug, Clone, Serialize)]
pub struct HeldAxis {
    pub key: String,
    /// The value that the answer is for.
    pub home: String,
    pub others: Vec<String>,
}

/// A comparison, or the same comparisons without each of the seeds.
#[derive(Debug, Clone, Serialize)]
pub struct SensitivityRow {
    pub label: String,
    pub against: Option<String>,
    /// What is another than in the answer: "nothing", "each seed left out",
    /// "train.lr.peak = 0.003".
    pub change: String,
    pub n: usize,
    /// Mean losses of the setting and of what it is held against, of one comparison.
    pub loss: Option<f64>,
    pub loss_against: Option<f64>,
    /// D in nats per token: the least and the greatest, which are the same of one comparison.
    pub least: Option<f64>,
    pub greatest: Option<f64>,
    /// Simultaneous interval, at the level of the answer; none of several comparisons.
    pub low: Option<f64>,
    pub high: Option<f64>,
    /// The fixed words; of several comparisons those that point another way, with their seeds, or
    /// "the same".
    pub verdict: String,
    /// Whether it points another way than in the answer; none where that cannot be told.
    pub differs: Option<bool>,
}

/// Gathers them.
pub fn sensitivity(data: &StudyData, analysis: &Analysis) -> SensitivityFacts {
    let study = &data.study;
    let held = study.report.sensitivity.iter().filter_map(|(key, home)| {
        let values = axes::axis(study, key)?.values.iter();
        Some(HeldAxis {
            key: key.clone(),
            home: home.clone(),
            others: values.filter(|value| *value != home).cloned().collect(),
        })
    });
    let told = (0..analysis.contrasts.len()).filter(|&place| {
        let contrast = &analysis.contrasts[place];
        contrast.is_told && contrast.paired.is_some()
    });
    let rows = told.flat_map(|place| rows_of(data, analysis, place));
    SensitivityFacts {
        axes: held.filter(|axis| !axis.others.is_empty()).collect(),
        rows: rows.collect(),
    }
}

/// A comparison of the answer and what it is held against; nothing where that is nothing.
fn rows_of(data: &StudyData, analysis: &Analysis, place: usize) -> Vec<SensitivityRow> {
    let home = &analysis.contrasts[place];
    let mut rows = vec![row(home, home, "nothing".to_owned(), Some(false))];
    rows.extend(left_out(data, analysis, home));
    rows.extend(teachers_left_out(data, analysis, home));
    let others = analysis.elsewhere.iter().filter(|other| other.of == place);
    rows.extend(others.map(|other| {
        let differs = points_elsewhere(home, other);
        row(home, &other.contrast, other.value_in_words(), differs)
    }));
    if rows.len() > 1 { rows } else { Vec::new() }
}

/// One comparison.
fn row(home: &Contrast, own: &Contrast, change: String, differs: Option<bool>) -> SensitivityRow {
    let mean = own.paired.as_ref().map(|paired| paired.mean);
    SensitivityRow {
        label: home.asked.label.clone(),
        against: home.asked.against.clone(),
        change,
        n: own.paired.as_ref().map_or(0, |paired| paired.n()),
        loss: own.losses.map(|losses| losses.0),
        loss_against: own.losses.map(|losses| losses.1),
        least: mean,
        greatest: mean,
        low: own.interval.map(|interval| interval.0),
        high: own.interval.map(|interval| interval.1),
        verdict: match own.verdict.reason() {
            Some(reason) => format!("{}: {reason}", own.verdict),
            None => own.verdict.to_string(),
        },
        differs,
    }
}

/// The same comparison without each of its seeds.
fn left_out(data: &StudyData, analysis: &Analysis, home: &Contrast) -> Option<SensitivityRow> {
    let without = without_each_seed(data, &analysis.rows, home)?;
    let hanging = hanging_seeds(data, &analysis.rows, home)?;
    let means = || without.iter().map(|(_, own)| own.mean);
    let words: Vec<String> = hanging
        .iter()
        .map(|one| format!("{} without seed {}", one.verdict, one.seed))
        .collect();
    Some(SensitivityRow {
        n: without.len() - 1,
        loss: None,
        loss_against: None,
        least: means().reduce(f64::min),
        greatest: means().reduce(f64::max),
        low: None,
        high: None,
        verdict: if words.is_empty() {
            "the same".to_owned()
        } else {
            words.join("; ")
        },
        ..row(
            home,
            home,
            "each seed left out".to_owned(),
            Some(!words.is_empty()),
        )
    })
}

/// The same comparison without the pairs of each of its teachers.
fn teachers_left_out(
    data: &StudyData,
    analysis: &Analysis,
    home: &Contrast,
) -> Vec<SensitivityRow> {
    let without = without_each_teacher(data, &analysis.rows, home).into_iter();
    let row = |without: WithoutTeacher| {
        let own = without.paired;
        let interval = own.interval(home.alpha, own.error);
        SensitivityRow {
            n: own.n(),
            loss: None,
            loss_against: None,
            least: Some(own.mean),
            greatest: Some(own.mean),
            low: interval.map(|interval| interval.0),
            high: interval.map(|interval| interval.1),
            verdict: without.verdict.to_string(),
            ..row(
                home,
                home,
                format!("teacher {} left out", without.teacher),
                Some(without.is_another),
            )
        }
    };
    without.map(row).collect()
}
