//! Whether a critic's estimate can be trusted: the estimate itself and the norm of the critic's
//! gradient, which a 1-Lipschitz critic at its optimum has at 1.

use std::collections::BTreeSet;

use anyhow::Result;

use super::averages::{NamedCurve, average_of};
use super::canvas::{Canvas, GREY, sheet};
use super::layout::PanelRows;
use super::legend::Legend;
use super::panel::{Panel, TRAINING_STEP};
use super::scale::Scale;
use super::view::View;
use super::{Figure, WIDTH, first_of, left_out};
use crate::report::curves::CriticCurve;
use crate::report::data::RunData;
use crate::report::rows::TableRow;

const MOST_ROWS: usize = 4;

/// A row with the curves of its critics, by student layer.
struct CriticRow {
    label: String,
    estimates: Vec<NamedCurve>,
    gradient_norms: Vec<NamedCurve>,
}

impl CriticRow {
    /// None of a row without critics.
    fn new(view: &View, row: &TableRow) -> Option<Self> {
        let runs: Vec<&RunData> = row.finished(view.data).collect();
        let row = Self {
            label: row.label.clone(),
            estimates: critic_curves(&runs, "estimate"),
            gradient_norms: critic_curves(&runs, "gradient_norm"),
        };
        let has_critics = row.curves().next().is_some();
        has_critics.then_some(row)
    }

    fn curves(&self) -> impl Iterator<Item = &NamedCurve> {
        self.estimates.iter().chain(&self.gradient_norms)
    }
}

/// Draws a row of two panels for each arm that has critics.
///
/// # Errors
/// The backend's own.
pub fn draw(view: &View) -> Result<Option<Figure>> {
    let all: Vec<CriticRow> = view
        .rows
        .iter()
        .filter_map(|row| CriticRow::new(view, row))
        .collect();
    if all.is_empty() {
        return Ok(None);
    }
    let shown = first_of(&all, MOST_ROWS);
    let mut names: Vec<&str> = Vec::new();
    for curve in shown.iter().flat_map(CriticRow::curves) {
        if !names.contains(&curve.name.as_str()) {
            names.push(&curve.name);
        }
    }
    let legend = Legend::of_lines(PanelRows::LEGEND, &names);
    let all_points = shown.iter().flat_map(CriticRow::curves);
    let x = Scale::of_steps(all_points.flat_map(|curve| &curve.points), 4);
    let estimates = Scale::linear(values(shown, |row| &row.estimates).chain([0.0]), 4);
    let norms = Scale::linear(
        values(shown, |row| &row.gradient_norms).chain([0.0, 1.0]),
        4,
    );
    let layout = PanelRows::new(shown.len(), 2, &legend);
    let svg = sheet(
        WIDTH,
        layout.bottom() + 8.0,
        "Critic estimates and gradient norms over training steps",
        |canvas| {
            legend.draw(canvas)?;
            let x = (&x, TRAINING_STEP);
            for (place, row) in shown.iter().enumerate() {
                let y = (&estimates, "critic estimate");
                let panel = layout.draw_panel(canvas, (place, 0), x, y, &row.label)?;
                draw_curves(canvas, &panel, &row.estimates, &legend)?;
                let y = (&norms, "mean ‖∇f‖ (dashed: 1)");
                let panel = layout.draw_panel(canvas, (place, 1), x, y, &row.label)?;
                let ends = (panel.point(0.0, 1.0), (panel.right(), panel.py(1.0)));
                canvas.dashed(ends.0, ends.1, GREY, 1.0)?;
                draw_curves(canvas, &panel, &row.gradient_norms, &legend)?;
            }
            Ok(())
        },
    )?;
    Ok(Some(Figure {
        name: "critic",
        alt: "Critic estimates and gradient norms over training steps".to_owned(),
        caption: format!(
            "Left: the critic's estimate by student layer, mean over seeds. Right: the mean norm \
             of its gradient at the points of the penalty. The estimate is a critic's, not W1: \
             how far the norm is from 1 says how far to trust it.{}",
            left_out(shown.len(), all.len(), "arms with a critic")
        ),
        svg,
    }))
}

/// The values of one column of panels.
fn values(
    rows: &[CriticRow],
    column: fn(&CriticRow) -> &Vec<NamedCurve>,
) -> impl Iterator<Item = f64> {
    rows.iter()
        .flat_map(column)
        .flat_map(|curve| curve.points.iter().map(|point| point.1))
}

fn draw_curves(
    canvas: &mut Canvas,
    panel: &Panel,
    curves: &[NamedCurve],
    legend: &Legend,
) -> Result<()> {
    for curve in curves {
        panel.curve(canvas, &curve.points, legend.color_of(&curve.name), 1.6)?;
    }
    Ok(())
}

/// What the critics of some runs recorded under a name, averaged over the runs; named by student
/// layer, and by term where there are several.
fn critic_curves(runs: &[&RunData], value: &str) -> Vec<NamedCurve> {
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
    critics
        .iter()
        .map(|critic| {
            let layer = if critic.state == "final" {
                "final state".to_owned()
            } else {
                format!("layer {}", critic.state)
            };
            NamedCurve {
                name: if terms.len() > 1 {
                    format!("{}, {layer}", critic.term)
                } else {
                    layer
                },
                points: average_of(runs, &critic.name()).mean,
            }
        })
        .filter(|curve| !curve.points.is_empty())
        .collect()
}
