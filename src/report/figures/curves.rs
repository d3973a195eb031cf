//! Validation loss over the training: one line an arm, the mean over its seeds, in a band from the
//! lowest to the highest seed.

use anyhow::Result;

use super::averages::{Averaged, average_of};
use super::canvas::{Anchor, Canvas, Mark, TEXT, color, sheet, text_width};
use super::labels::separated;
use super::layout::{PanelGrid, grid};
use super::legend::Legend;
use super::panel::{Panel, TRAINING_STEP, VALIDATION_NLL};
use super::scale::Scale;
use super::view::{Facet, View};
use super::{Figure, MOST_PANELS, WIDTH, first_of, left_out};
use crate::report::curves::VALIDATION;
use crate::report::data::RunData;

/// Below a panel, for its labels.
const BOTTOM: f64 = 46.0;

/// A line: its name, the number of its colour, its values.
struct ArmCurve {
    name: String,
    color: usize,
    values: Averaged,
}

/// A setting with the lines of its arms.
struct SettingCurves {
    title: String,
    curves: Vec<ArmCurve>,
}

/// Draws the validation loss of every arm, a panel a setting.
///
/// # Errors
/// The backend's own.
pub fn draw(view: &View) -> Result<Option<Figure>> {
    let settings: Vec<SettingCurves> = view
        .facets(&[])
        .into_iter()
        .map(|facet| SettingCurves {
            curves: arm_curves(view, &facet),
            title: facet.title,
        })
        .filter(|setting| !setting.curves.is_empty())
        .collect();
    let shown = first_of(&settings, MOST_PANELS);
    let svg = match shown {
        [] => return Ok(None),
        [only] => draw_one_panel(&only.curves)?,
        several => draw_grid(several)?,
    };
    Ok(Some(Figure {
        name: "curves",
        alt: "Validation loss over training steps, by arm".to_owned(),
        caption: format!(
            "Loss on the validation split during training, context as in training. Lines are \
             means over seeds, bands reach from the lowest to the highest seed; the first steps \
             lie above the axis.{}",
            left_out(shown.len(), settings.len(), "settings")
        ),
        svg,
    }))
}

/// The lines of a setting's arms.
fn arm_curves(view: &View, facet: &Facet) -> Vec<ArmCurve> {
    let curves = facet.rows.iter().map(|&(row, color)| {
        let row = &view.rows[row];
        let runs: Vec<&RunData> = row.with_curves(view.data).collect();
        ArmCurve {
            name: view.series_of(row).1,
            color,
            values: average_of(&runs, VALIDATION),
        }
    });
    curves
        .filter(|curve| !curve.values.mean.is_empty())
        .collect()
}

/// Scales that hold every line. The first values of a training are far above the rest: the axis is
/// cut at what lies above the third of the lines' own points.
fn scales<'a>(curves: impl Iterator<Item = &'a ArmCurve> + Clone, ticks: usize) -> (Scale, Scale) {
    let points = || curves.clone().flat_map(|curve| &curve.values.band);
    let mut all: Vec<f64> = points().map(|point| point.2).collect();
    all.sort_by(f64::total_cmp);
    let low = points().map(|point| point.1).fold(f64::INFINITY, f64::min);
    let middle = all.get(all.len() / 2).copied().unwrap_or(1.0);
    let top = all
        .last()
        .copied()
        .unwrap_or(1.0)
        .min(low + 5.0 * (middle - low).max(0.02));
    let means = curves.clone().flat_map(|curve| &curve.values.mean);
    (Scale::of_steps(means, ticks), Scale::linear([low, top], 5))
}

fn draw_curves(canvas: &mut Canvas, panel: &Panel, curves: &[ArmCurve]) -> Result<()> {
    for curve in curves {
        panel.band(canvas, &curve.values.band, color(curve.color))?;
    }
    for curve in curves {
        panel.curve(canvas, &curve.values.mean, color(curve.color), 2.0)?;
    }
    Ok(())
}

/// A single panel with the names at the ends of the lines.
fn draw_one_panel(curves: &[ArmCurve]) -> Result<String> {
    const LEFT: f64 = 72.0;
    let names = curves
        .iter()
        .map(|curve| text_width(&curve.name, TEXT))
        .fold(0.0, f64::max)
        + 14.0;
    let (x, y) = scales(curves.iter(), 6);
    let panel = Panel {
        left: LEFT,
        top: 16.0,
        width: WIDTH - LEFT - names - 8.0,
        height: 300.0,
        x,
        y,
    };
    sheet(
        WIDTH,
        panel.bottom() + BOTTOM,
        "Validation loss over training steps",
        |canvas| {
            panel.axes(canvas, Some(TRAINING_STEP), Some(VALIDATION_NLL))?;
            draw_curves(canvas, &panel, curves)?;
            draw_names(canvas, &panel, curves)
        },
    )
}

/// The names of the lines, right of where they end.
fn draw_names(canvas: &mut Canvas, panel: &Panel, curves: &[ArmCurve]) -> Result<()> {
    let ends: Vec<f64> = curves
        .iter()
        .map(|curve| curve.values.mean.last().map_or(0.0, |end| panel.py(end.1)))
        .collect();
    let places = separated(&ends, 15.0, panel.top + 6.0, panel.bottom() - 6.0);
    for (curve, y) in curves.iter().zip(places) {
        let place = (panel.right() + 8.0, y);
        canvas.text(&curve.name, place, TEXT, color(curve.color), Anchor::Left)?;
    }
    Ok(())
}

/// A panel a setting, all on the same scales, with one legend.
fn draw_grid(settings: &[SettingCurves]) -> Result<String> {
    const LEFT: f64 = 64.0;
    let all = settings.iter().flat_map(|setting| &setting.curves);
    let series = all.clone().map(|curve| (curve.color, curve.name.clone()));
    let no_mark = |_: usize| -> Option<Mark> { None };
    let legend = Legend::of_series((LEFT, WIDTH - LEFT - 10.0), series, no_mark);
    let (columns, _) = grid(settings.len());
    let (x, y) = scales(all, if columns == 3 { 3 } else { 4 });
    let layout = PanelGrid {
        count: settings.len(),
        left: LEFT,
        top: legend.bottom(26.0),
        height: 170.0,
        x,
        y,
    };
    sheet(
        WIDTH,
        layout.bottom(),
        "Validation loss over training steps, by setting",
        |canvas| {
            legend.draw(canvas)?;
            for (place, SettingCurves { title, curves }) in settings.iter().enumerate() {
                let panel = layout.draw_panel(canvas, place, title)?;
                draw_curves(canvas, &panel, curves)?;
            }
            layout.draw_y_label(canvas, VALIDATION_NLL)
        },
    )
}
