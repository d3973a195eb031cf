//! The figures: one file each, drawn from the stored study alone. A figure that the study has
//! nothing for is left out.

mod canvas;
mod critic;
mod curves;
mod distances;
mod embedding;
mod frontier;
mod losses;
mod panel;
mod scale;
mod strategies;
mod terms;

use std::collections::BTreeMap;

use anyhow::Result;

use super::contrasts::{ARM, Analysis, TableRow, label, without};
use super::data::StudyData;
use super::frame::SEED;
use super::statistics::mean;

pub use critic::parts as critic_parts;

/// Width of a figure in pixels.
const WIDTH: f64 = 760.0;
/// The most panels of a figure; the caption says where some are left out.
const MOST_PANELS: usize = 12;

/// A figure as the report shows it.
#[derive(Debug, Clone)]
pub struct Figure {
    /// File name without its ending.
    pub name: &'static str,
    /// What it shows, for those who do not see it.
    pub alt: String,
    pub caption: String,
    pub svg: String,
}

impl Figure {
    /// The path below the study's folder.
    pub fn path(&self) -> String {
        format!("figures/{}.svg", self.name)
    }
}

/// Draws every figure that the study has something for.
///
/// # Errors
/// The drawing backend's own, or a damaged embedding.
pub fn draw(data: &StudyData, analysis: &Analysis) -> Result<Vec<Figure>> {
    let study = View::new(data, analysis);
    let drawn = [
        losses::draw(&study)?,
        curves::draw(&study)?,
        frontier::parameters(&study)?,
        frontier::compute(&study)?,
        strategies::draw(&study)?,
        distances::draw(&study)?,
        terms::draw(&study)?,
        critic::draw(&study)?,
        embedding::draw(&study)?,
    ];
    Ok(drawn.into_iter().flatten().collect())
}

/// A study with what every figure agrees on: which axis has the colours, and the panels of the
/// other axes.
struct View<'a> {
    data: &'a StudyData,
    rows: &'a [TableRow],
    analysis: &'a Analysis,
    /// The axis that has the colours: the arm, or else the first that varies.
    series: Option<&'a str>,
    /// Axes that vary, in the order of the spec, without the seed.
    varying: Vec<&'a str>,
}

/// Rows of one setting of the axes that have neither colours nor a place on an axis of the figure.
struct Facet {
    title: String,
    /// Places of rows, each with the number of its colour.
    rows: Vec<(usize, usize)>,
}

impl<'a> View<'a> {
    fn new(data: &'a StudyData, analysis: &'a Analysis) -> Self {
        let axes = || {
            data.study
                .axes
                .iter()
                .filter(|axis| axis.key != SEED && axis.values.len() > 1)
                .map(|axis| axis.key.as_str())
        };
        Self {
            data,
            rows: &analysis.rows,
            analysis,
            series: axes().find(|&key| key == ARM).or_else(|| axes().next()),
            varying: axes().collect(),
        }
    }

    /// The number of a row's colour, and the name of its series.
    fn series_of(&self, row: &TableRow) -> (usize, String) {
        let Some(axis) = self.series else {
            return (0, row.label.clone());
        };
        let value = row.at.get(axis).map_or("", String::as_str);
        let values = self
            .data
            .study
            .axes
            .iter()
            .find(|own| own.key == axis)
            .map(|axis| axis.values.as_slice())
            .unwrap_or_default();
        let place = values.iter().position(|own| own == value).unwrap_or(0);
        (
            place,
            label(
                &BTreeMap::from([(axis.to_owned(), value.to_owned())]),
                &[axis],
            ),
        )
    }

    /// The panels of all settings apart from the axis of the colours and `on_axis`, which the
    /// figure itself shows. A row that stands for any value of an axis is in every panel.
    fn facets(&self, on_axis: &[&str]) -> Vec<Facet> {
        let hidden: Vec<&str> = on_axis.iter().copied().chain(self.series).collect();
        let settings = self.analysis.settings_but(&hidden);
        let stands_for = |general: &BTreeMap<String, String>,
                          special: &BTreeMap<String, String>| {
            special.iter().all(|(key, value)| {
                general
                    .get(key)
                    .is_some_and(|own| own == value || own == "any")
            })
        };
        let kept = settings.iter().filter(|setting| {
            !settings
                .iter()
                .any(|other| other != *setting && stands_for(setting, other))
        });
        let shown: Vec<&str> = self
            .varying
            .iter()
            .copied()
            .filter(|key| !hidden.contains(key))
            .collect();
        kept.map(|setting| {
            let members = self
                .rows
                .iter()
                .enumerate()
                .filter(|(_, row)| stands_for(&without(&row.at, &hidden), setting));
            let rows = members
                .map(|(place, row)| (place, self.series_of(row).0))
                .collect();
            let title = if shown.is_empty() {
                String::new()
            } else {
                label(setting, &shown)
            };
            Facet { title, rows }
        })
        .collect()
    }
}

/// The mean and the range of several curves at the steps that all of them have.
struct Averaged {
    mean: Vec<(f64, f64)>,
    /// (step, low, high).
    band: Vec<(f64, f64, f64)>,
}

fn average(curves: &[&[(f64, f64)]]) -> Averaged {
    let mut averaged = Averaged {
        mean: Vec::new(),
        band: Vec::new(),
    };
    let Some((first, others)) = curves.split_first() else {
        return averaged;
    };
    let others: Vec<BTreeMap<u64, f64>> = others
        .iter()
        .map(|curve| {
            curve
                .iter()
                .map(|&(step, value)| (step.to_bits(), value))
                .collect()
        })
        .collect();
    for &(step, value) in *first {
        let values: Option<Vec<f64>> = [Some(value)]
            .into_iter()
            .chain(
                others
                    .iter()
                    .map(|curve| curve.get(&step.to_bits()).copied()),
            )
            .collect();
        if let Some(values) = values {
            averaged.mean.push((step, mean(&values)));
            let (low, high) = values.iter().fold((value, value), |(low, high), &value| {
                (f64::min(low, value), f64::max(high, value))
            });
            averaged.band.push((step, low, high));
        }
    }
    averaged
}

/// A grid of panels: columns and rows for `count` of them.
fn grid(count: usize) -> (usize, usize) {
    let columns = match count {
        0 | 1 => 1,
        2 | 4 => 2,
        _ => 3,
    };
    (columns, count.div_ceil(columns).max(1))
}

/// A sentence for the caption where only some of `all` are shown.
fn left_out(shown: usize, all: usize, what: &str) -> String {
    if shown < all {
        format!(" Shown are the first {shown} of {all} {what}.")
    } else {
        String::new()
    }
}
