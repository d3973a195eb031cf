//! Whether a critic's estimate can be trusted: the estimate itself and the norm of the critic's
//! gradient, which a 1-Lipschitz critic at its optimum has at 1.

use std::collections::BTreeSet;

use super::averages::{Averaged, average, average_of};
use super::canvas::{Canvas, sheet};
use super::layout::PanelRows;
use super::legend::Legend;
use super::palette::{Dash, GREY, INK, Mark, SeriesStyle, layer};
use super::panel::{Panel, TRAINING_STEP};
use super::scale::{Scale, range};
use super::view::View;
use super::{Figure, WIDTH, first_of, left_out};
use crate::report::curves::{CriticCurve, StepValues};
use crate::report::data::RunData;
use crate::report::rows::TableRow;

const MOST_ROWS: usize = 4;
/// Settings of an arm share a panel while their curves stay within this share of what the panel
/// spans.
const ALIKE: f64 = 0.12;

/// A curve with its name in the legend.
struct CriticLine {
    name: String,
    values: Averaged,
}

/// A row, or several that say the same, with the curves of its critics by student layer.
struct CriticRow {
    series: usize,
    labels: Vec<String>,
    arm: String,
    estimates: Vec<CriticLine>,
    gradient_norms: Vec<CriticLine>,
}

impl CriticRow {
    /// None of a row without critics.
    fn new(view: &View, row: &TableRow) -> Option<Self> {
        let runs: Vec<&RunData> = row.finished(view.data).collect();
        let (series, arm) = view.series_of(row);
        let row = Self {
            series,
            labels: vec![row.label.clone()],
            arm,
            estimates: critic_curves(&runs, "estimate"),
            gradient_norms: critic_curves(&runs, "gradient_norm"),
        };
        let has_critics = row.curves().next().is_some();
        has_critics.then_some(row)
    }

    fn curves(&self) -> impl Iterator<Item = &CriticLine> {
        self.estimates.iter().chain(&self.gradient_norms)
    }

    /// What stands above its panels.
    fn title(&self) -> String {
        match self.labels.as_slice() {
            [only] => only.clone(),
            several => format!("{}, {} settings", self.arm, several.len()),
        }
    }

    /// Whether another row of the same arm has the same curves, as far as an eye can tell.
    fn is_like(&self, other: &Self, spans: (f64, f64)) -> bool {
        let alike = |own: &[CriticLine], other: &[CriticLine], span: f64| {
            own.len() == other.len()
                && own.iter().zip(other).all(|(own, other)| {
                    own.name == other.name
                        && distance(&own.values.mean, &other.values.mean) <= ALIKE * span
                })
        };
        self.series == other.series
            && alike(&self.estimates, &other.estimates, spans.0)
            && alike(&self.gradient_norms, &other.gradient_norms, spans.1)
    }
}

/// The mean distance of two curves at the steps that both have.
fn distance(own: &StepValues, other: &StepValues) -> f64 {
    let pairs = own.iter().zip(other);
    let (sum, count) = pairs
        .filter(|(own, other)| own.0 == other.0)
        .fold((0.0, 0.0), |(sum, count), (own, other)| {
            (sum + (own.1 - other.1).abs(), count + 1.0)
        });
    if count > 0.0 {
        sum / count
    } else {
        f64::INFINITY
    }
}

/// Puts rows of an arm together that say the same: the mean of them, in a band of their range.
fn merged(rows: Vec<CriticRow>) -> Vec<CriticRow> {
    let span = |column: fn(&CriticRow) -> &Vec<CriticLine>, least: f64| {
        let ends = range(values(&rows, column));
        ends.map_or(least, |(low, high)| (high - low).max(least))
    };
    // Norms that all lie beside 1 need no panels of their own.
    let spans = (
        span(|row| &row.estimates, 1e-9),
        span(|row| &row.gradient_norms, 0.2),
    );
    let mut groups: Vec<Vec<CriticRow>> = Vec::new();
    for row in rows {
        match groups
            .iter_mut()
            .find(|group| group[0].is_like(&row, spans))
        {
            Some(group) => group.push(row),
            None => groups.push(vec![row]),
        }
    }
    groups.into_iter().filter_map(joined).collect()
}

fn joined(mut group: Vec<CriticRow>) -> Option<CriticRow> {
    if group.len() == 1 {
        return group.pop();
    }
    let lines = |column: fn(&CriticRow) -> &Vec<CriticLine>| -> Vec<CriticLine> {
        let first = column(&group[0]).iter().enumerate();
        first
            .map(|(place, line)| {
                let curves: Vec<&[(f64, f64)]> = group
                    .iter()
                    .map(|row| column(row)[place].values.mean.as_slice())
                    .collect();
                CriticLine {
                    name: line.name.clone(),
                    values: average(&curves),
                }
            })
            .collect()
    };
    Some(CriticRow {
        series: group[0].series,
        arm: group[0].arm.clone(),
        labels: group.iter().flat_map(|row| row.labels.clone()).collect(),
        estimates: lines(|row| &row.estimates),
        gradient_norms: lines(|row| &row.gradient_norms),
    })
}

/// Draws a row of two panels for each arm that has critics; one for each of its settings where they
/// differ.
pub fn draw(view: &View) -> Option<Figure> {
    let rows = view.rows.iter();
    let all = merged(rows.filter_map(|row| CriticRow::new(view, row)).collect());
    if all.is_empty() {
        return None;
    }
    let shown = first_of(&all, MOST_ROWS);
    let mut names: Vec<&str> = Vec::new();
    for curve in shown.iter().flat_map(CriticRow::curves) {
        if !names.contains(&curve.name.as_str()) {
            names.push(&curve.name);
        }
    }
    let legend = Legend::of_lines(PanelRows::LEGEND, &names, |place| {
        style(names[place], place, names.len())
    });
    let all_points = shown.iter().flat_map(CriticRow::curves);
    let x = Scale::of_steps(all_points.flat_map(|curve| &curve.values.mean), 4);
    let estimates = Scale::linear(values(shown, |row| &row.estimates).chain([0.0]), 4);
    let norms = scale_of_norms(values(shown, |row| &row.gradient_norms));
    let layout = PanelRows::new(shown.len(), 2, &legend, true);
    let svg = sheet(
        WIDTH,
        layout.bottom() + 8.0,
        "Critic estimates and gradient norms over training steps",
        |canvas| {
            legend.draw(canvas);
            let x = (&x, TRAINING_STEP);
            for (place, row) in shown.iter().enumerate() {
                let y = (&estimates, "critic estimate");
                let panel = layout.draw_panel(canvas, (place, 0), x, y, "");
                panel.arm_title(canvas, &row.title(), view.style(row.series));
                draw_curves(canvas, &panel, &row.estimates, &legend);
                let y = (&norms, "mean ‖∇f‖");
                let panel = layout.draw_panel(canvas, (place, 1), x, y, "");
                let one = [panel.point(0.0, 1.0), (panel.right(), panel.py(1.0))];
                canvas.broken(&one, GREY, 1.0, 1.0, Dash::Dashed);
                draw_curves(canvas, &panel, &row.gradient_norms, &legend);
            }
        },
    );
    let settings = shown.iter().any(|row| row.labels.len() > 1);
    let settings = if settings {
        ", and over the settings of an arm that say the same, whose range is the band"
    } else {
        ""
    };
    Some(Figure {
        name: "critic",
        alt: "Critic estimates and gradient norms over training steps".to_owned(),
        caption: format!(
            "Left: the critic's estimate by student layer, mean over seeds{settings}. Right: the \
             mean norm of its gradient at the points of the penalty; dashed is 1. The estimate is \
             a critic's, not W1: a norm far from 1 says that it cannot be read.{}",
            left_out(shown.len(), all.len(), "arms with a critic")
        ),
        svg,
    })
}

/// Layers on a scale, the final state in black.
fn style(name: &str, place: usize, count: usize) -> SeriesStyle {
    if name.ends_with(FINAL) {
        SeriesStyle {
            color: INK,
            mark: Mark::Dot,
            dash: Dash::Alternating,
        }
    } else {
        layer(place, count)
    }
}

/// How the state after the last norm is called.
const FINAL: &str = "final state";

/// Holds 1, and enough around it that a norm beside 1 looks like one.
fn scale_of_norms(norms: impl Iterator<Item = f64>) -> Scale {
    Scale::linear(norms.chain([0.85, 1.15]), 4)
}

/// The values of one column of panels.
fn values(
    rows: &[CriticRow],
    column: fn(&CriticRow) -> &Vec<CriticLine>,
) -> impl Iterator<Item = f64> {
    let curves = rows.iter().flat_map(column);
    curves.flat_map(|curve| curve.values.mean.iter().map(|point| point.1))
}

fn draw_curves(canvas: &mut Canvas, panel: &Panel, curves: &[CriticLine], legend: &Legend) {
    for CriticLine { name, values } in curves {
        panel.band(canvas, &values.band, legend.style_of(name).color);
    }
    for CriticLine { name, values } in curves {
        let style = legend.style_of(name);
        canvas.titled(name, |canvas| {
            panel.curve(canvas, &values.mean, style.color, 1.7, style.dash)
        });
    }
}

/// What the critics of some runs recorded under a name, averaged over the runs; named by student
/// layer, and by term where there are several.
fn critic_curves(runs: &[&RunData], value: &str) -> Vec<CriticLine> {
    let Some(first) = runs.first() else {
        return Vec::new();
    };
    let mut critics: Vec<CriticCurve> = first
        .curves
        .keys()
        .filter_map(|name| CriticCurve::of(name))
        .filter(|critic| critic.value == value)
        .collect();
    critics.sort_by_key(CriticCurve::order);
    let terms: BTreeSet<&str> = critics.iter().map(|critic| critic.term).collect();
    let line = |critic: &CriticCurve| {
        let layer = if critic.state == "final" {
            FINAL.to_owned()
        } else {
            format!("layer {}", critic.state)
        };
        // Seeds are averaged; the band is for settings.
        let mean = average_of(runs, &critic.name()).mean;
        CriticLine {
            name: if terms.len() > 1 {
                format!("{}, {layer}", critic.term)
            } else {
                layer
            },
            values: Averaged {
                mean,
                band: Vec::new(),
            },
        }
    };
    let lines = critics.iter().map(line);
    lines.filter(|line| !line.values.mean.is_empty()).collect()
}
