//! Validation loss over the training, and below it the difference to the baseline's arm in the same
//! setting, paired by seed: one line an arm, the mean over its seeds, in a band from the lowest to
//! the highest seed.

use std::collections::BTreeSet;

use super::canvas::{Anchor, Canvas, SMALL, TEXT, fitted, sheet, text_width};
use super::labels::separated;
use super::legend::{Legend, LegendSample};
use super::palette::{GREY, INK, Rgb, SeriesStyle};
use super::panel::{Panel, TRAINING_STEP, VALIDATION_NLL};
use super::scale::Scale;
use super::setting_curves::{ArmCurve, SettingCurves};
use super::view::View;
use super::{Figure, MOST_PANELS, WIDTH, first_of, left_out_by_name};
use crate::report::axes::spoken;
use crate::report::format;

const LEFT: f64 = 72.0;
/// Panels side by side.
const MOST_COLUMNS: usize = 4;
/// Curves of so few points show each of them.
const FEW_POINTS: usize = 25;
/// An arm whose difference is so many times that of the nearest leaves the panel, where others
/// stay: they would be one line on its scale.
const FAR: f64 = 4.0;

/// Draws the validation loss of every arm, a column a setting.
pub fn draw(view: &View) -> Option<Figure> {
    let settings: Vec<SettingCurves> = view
        .facets(&[])
        .into_iter()
        .map(|facet| SettingCurves::new(view, facet))
        .filter(|setting| !setting.losses.is_empty())
        .collect();
    let shown = first_of(&settings, MOST_PANELS);
    if shown.is_empty() {
        return None;
    }
    let has_differences = shown.iter().any(|setting| !setting.differences.is_empty());
    let baseline = view.baseline_of_series().unwrap_or_default();
    let svg = CurveSheet::new(shown, view.data.study.report.margin, &baseline).draw(shown);
    let differences = if has_differences {
        let gone = if svg.contains(['↑', '↓']) {
            "; an arm that lies far beyond the others is named at the edge"
        } else {
            ""
        };
        let controls = if shown.iter().any(|setting| setting.leaves_out_controls) {
            "; two null controls are not held against each other"
        } else {
            ""
        };
        let setting = if settings.len() > 1 {
            " in the same setting"
        } else {
            ""
        };
        let baseline = spoken(&baseline);
        format!(
            " Below: the difference to {baseline}{setting}, at the same step of as long a \
             training, paired by seed; the grey band is ±δ{gone}{controls}."
        )
    } else {
        String::new()
    };
    let titles: Vec<&str> = settings.iter().map(|one| one.title.as_str()).collect();
    Some(Figure {
        name: "curves",
        alt: "Validation loss over training steps, by arm".to_owned(),
        caption: format!(
            "Loss in nats per token on the validation split, context as in training. Lines are \
             means over seeds, bands reach from the lowest to the highest; the first steps may lie \
             above the axis.{differences}{}",
            left_out_by_name(shown.len(), &titles, "settings")
        ),
        svg,
    })
}

/// Where the panels of the figure lie: blocks of columns, each with losses above differences.
struct CurveSheet<'a> {
    columns: usize,
    blocks: usize,
    top: f64,
    /// Of the names right of a single column.
    names: f64,
    legend: Option<Legend>,
    x: Scale,
    losses: Scale,
    differences: Option<Scale>,
    margin: f64,
    baseline: &'a str,
}

impl<'a> CurveSheet<'a> {
    fn new(settings: &[SettingCurves], margin: f64, baseline: &'a str) -> Self {
        let all = || settings.iter().flat_map(|setting| &setting.losses);
        let blocks = settings.len().div_ceil(MOST_COLUMNS);
        let columns = settings.len().div_ceil(blocks);
        // Names at the ends of lines do not tell those of one colour apart.
        let of_color = |color: Rgb| {
            let same = all().filter(|curve| curve.style.color == color);
            same.map(|curve| curve.series).collect::<BTreeSet<_>>()
        };
        let share_colors = all().any(|curve| of_color(curve.style.color).len() > 1);
        let legend = (settings.len() > 1 || share_colors).then(|| {
            let series = all().map(|curve| (curve.series, curve.name.clone()));
            let style = |number: usize| {
                let curve = all().find(|curve| curve.series == number);
                curve.map_or(SeriesStyle::NEUTRAL, |curve| curve.style)
            };
            let place = (LEFT, WIDTH - LEFT - 10.0);
            let has_marks = all().any(|curve| curve.values.mean.len() <= FEW_POINTS);
            let sample = if has_marks {
                LegendSample::MarkedLine
            } else {
                LegendSample::Line
            };
            Legend::of_series(place, series, style, sample)
        });
        let names = if legend.is_none() {
            let widths = all().map(|curve| text_width(&curve.name, TEXT));
            widths.fold(0.0, f64::max).min(150.0) + 16.0
        } else {
            0.0
        };
        let points = all().flat_map(|curve| &curve.values.mean);
        let ticks = [6, 4, 3, 3][columns.min(4) - 1];
        Self {
            columns,
            blocks,
            top: legend.as_ref().map_or(16.0, |legend| legend.bottom(26.0)),
            names,
            legend,
            x: Scale::of_steps(points, ticks),
            losses: scale_of_losses(&all().collect::<Vec<_>>()),
            differences: scale_of_differences(settings, margin),
            margin,
            baseline,
        }
    }

    fn heights(&self) -> (f64, f64) {
        let losses = if self.columns == 1 { 230.0 } else { 170.0 };
        (losses, if self.columns == 1 { 180.0 } else { 150.0 })
    }

    /// From one block to the next.
    fn block(&self) -> f64 {
        let (losses, differences) = self.heights();
        let below = self
            .differences
            .as_ref()
            .map_or(0.0, |_| differences + 20.0);
        losses + below + 46.0 + if self.blocks > 1 { 24.0 } else { 0.0 }
    }

    fn draw(&self, settings: &[SettingCurves]) -> String {
        sheet(
            WIDTH,
            self.top + self.block() * self.blocks as f64,
            "Validation loss over training steps",
            |canvas| {
                if let Some(legend) = &self.legend {
                    legend.draw(canvas);
                }
                for (block, row) in settings.chunks(self.columns).enumerate() {
                    // The first that has differences has the labels of theirs.
                    let has_below = |setting: &SettingCurves| !setting.differences.is_empty();
                    let labelled = row.iter().position(has_below);
                    for (column, setting) in row.iter().enumerate() {
                        let is_labelled = labelled == Some(column);
                        self.draw_setting(canvas, (column, block), setting, is_labelled);
                    }
                }
            },
        )
    }

    /// The panels of a setting; of one without differences the upper alone.
    fn draw_setting(
        &self,
        canvas: &mut Canvas,
        (column, block): (usize, usize),
        setting: &SettingCurves,
        is_labelled: bool,
    ) {
        let (losses, differences) = self.heights();
        let below = self.differences.as_ref();
        let below = below.filter(|_| !setting.differences.is_empty());
        let top = self.top + self.block() * block as f64;
        let is_first = column == 0;
        let above = Panel {
            x: if below.is_none() {
                self.x.clone()
            } else {
                self.x.unlabelled()
            },
            ..self.panel(column, (top, losses), &self.losses, is_first)
        };
        above.title(canvas, &setting.title);
        let label = below.is_none().then_some(TRAINING_STEP);
        // The unit has room beside a high panel.
        let y_label = if self.columns == 1 {
            VALIDATION_NLL
        } else {
            "validation NLL"
        };
        above.axes(canvas, label, is_first.then_some(y_label));
        self.draw_curves(canvas, &above, &setting.losses);
        if let Some(scale) = below {
            let place = (top + losses + 20.0, differences);
            let below = self.panel(column, place, scale, is_labelled);
            self.draw_differences(canvas, &below, setting, is_labelled);
        }
    }

    /// A panel of a column, at a top with a height.
    fn panel(
        &self,
        column: usize,
        (top, height): (f64, f64),
        y: &Scale,
        is_labelled: bool,
    ) -> Panel {
        let step = (WIDTH - LEFT - 12.0 - self.names + 18.0) / self.columns as f64;
        Panel {
            left: LEFT + step * column as f64,
            top,
            width: step - 18.0,
            height,
            x: self.x.clone(),
            y: if is_labelled {
                y.clone()
            } else {
                y.unlabelled()
            },
        }
    }

    fn draw_differences(
        &self,
        canvas: &mut Canvas,
        panel: &Panel,
        setting: &SettingCurves,
        is_labelled: bool,
    ) {
        let band = [self.margin, -self.margin].map(|y| panel.py(y));
        canvas.rectangle((panel.left, band[0]), (panel.right(), band[1]), GREY, 0.16);
        panel.axes(canvas, Some(TRAINING_STEP), None);
        if is_labelled {
            let label = format!("difference to {}", self.baseline);
            let label = fitted(&label, TEXT, panel.height);
            let place = (panel.left - LEFT + 16.0, panel.top + panel.height / 2.0);
            canvas.upwards(&label, place, TEXT);
        }
        let zero = [(panel.left, panel.py(0.0)), (panel.right(), panel.py(0.0))];
        canvas.line(&zero, INK, 0.8, 1.0);
        self.draw_curves(canvas, panel, &setting.differences);
        draw_absent(canvas, panel, &setting.differences);
    }

    fn draw_curves(&self, canvas: &mut Canvas, panel: &Panel, curves: &[ArmCurve]) {
        for curve in curves {
            panel.band(canvas, &curve.values.band, curve.style.color);
        }
        for ArmCurve {
            name,
            style,
            values,
            seeds,
            ..
        } in curves
        {
            let points = &values.mean;
            canvas.titled(name, |canvas| {
                panel.curve(canvas, points, style.color, 1.8, style.dash)
            });
            if points.len() <= FEW_POINTS {
                let radius = if points.len() == 1 { 4.2 } else { 2.4 };
                panel.marks(canvas, points, *style, radius, |step, value| {
                    let value = format::fixed(value, 4);
                    format!("{name}, step {step:.0}: {value} (n = {seeds})")
                });
            }
        }
        if self.legend.is_none() {
            draw_names(canvas, panel, curves, self.names - 12.0);
        }
    }
}

/// Holds every line. The first values of a training are far above the rest: the axis is cut at what
/// lies above the third of the lines' own points.
fn scale_of_losses(curves: &[&ArmCurve]) -> Scale {
    let points = || curves.iter().flat_map(|curve| &curve.values.band);
    let mut all: Vec<f64> = points().map(|point| point.2).collect();
    all.sort_by(f64::total_cmp);
    let low = points().map(|point| point.1).fold(f64::INFINITY, f64::min);
    let middle = all.get(all.len() / 2).copied().unwrap_or(1.0);
    let top = all.last().copied().unwrap_or(1.0);
    Scale::linear([low, top.min(low + 5.0 * (middle - low).max(0.02))], 5)
}

/// Holds 0, ±δ and the second half of the lines that do not lie far beyond the nearest; none
/// where there are no lines.
fn scale_of_differences(settings: &[SettingCurves], margin: f64) -> Option<Scale> {
    let curves = || settings.iter().flat_map(|setting| &setting.differences);
    let late = |curve: &'_ ArmCurve| -> Vec<(f64, f64)> {
        let last = curve.values.band.last().map_or(0.0, |point| point.0);
        let points = curve.values.band.iter();
        points
            .filter(|point| 2.0 * point.0 >= last)
            .map(|point| (point.1, point.2))
            .collect()
    };
    let reach = |curve: &ArmCurve| {
        let ends = late(curve).into_iter();
        ends.map(|(low, high)| low.abs().max(high.abs()))
            .fold(0.0, f64::max)
    };
    let nearest = curves().map(reach).reduce(f64::min)?.max(margin);
    let is_near = |curve: &&ArmCurve| reach(curve) <= FAR * nearest;
    // Only of several arms that lie together one may leave.
    let arms = |curves: &mut dyn Iterator<Item = &ArmCurve>| -> usize {
        curves
            .map(|curve| curve.series)
            .collect::<BTreeSet<_>>()
            .len()
    };
    let lie_together = arms(&mut curves().filter(is_near)) >= 2;
    let near = curves().filter(|curve| !lie_together || is_near(curve));
    let near: Vec<&ArmCurve> = near.collect();
    let ends = near.iter().flat_map(|curve| late(curve));
    let ends: Vec<f64> = ends.flat_map(|(low, high)| [low, high]).collect();
    // The means of the first half as far as they do not squeeze the second.
    let most = 2.5 * ends.iter().fold(margin, |most, end| most.max(end.abs()));
    let means = near.iter().flat_map(|curve| &curve.values.mean);
    let means = means.map(|point| point.1).filter(|mean| mean.abs() <= most);
    let bound = 1.4 * margin;
    let all = ends.iter().copied().chain(means);
    Some(Scale::linear(all.chain([-bound, bound]), 4))
}

/// The names of the lines, right of where they end.
fn draw_names(canvas: &mut Canvas, panel: &Panel, curves: &[ArmCurve], width: f64) {
    let is_inside = |point: &(f64, f64)| (panel.y.low..=panel.y.high).contains(&point.1);
    let curves: Vec<&ArmCurve> = curves
        .iter()
        .filter(|curve| curve.values.mean.iter().any(is_inside))
        .collect();
    let ends: Vec<f64> = curves
        .iter()
        .map(|curve| curve.values.mean.last().map_or(0.0, |end| panel.py(end.1)))
        .collect();
    let places = separated(&ends, 14.0, panel.top + 4.0, panel.bottom() - 6.0);
    for ((curve, end), y) in curves.into_iter().zip(ends).zip(places) {
        let left = panel.right() + 1.0;
        canvas.line(&[(left, end), (left + 9.0, y)], curve.style.color, 0.6, 1.0);
        let name = fitted(&curve.name, TEXT, width);
        let color = curve.style.color.for_text();
        canvas.text(&name, (left + 12.0, y), TEXT, color, Anchor::Left);
    }
}

/// The names of the lines that lie outside of the panel as a whole, at the edge beyond which they
/// are.
fn draw_absent(canvas: &mut Canvas, panel: &Panel, curves: &[ArmCurve]) {
    for (is_beyond, arrow, top, step) in [
        (
            &(|y: f64| y > panel.y.high) as &dyn Fn(f64) -> bool,
            '↑',
            panel.top + 8.0,
            13.0,
        ),
        (&|y: f64| y < panel.y.low, '↓', panel.bottom() - 8.0, -13.0),
    ] {
        let absent = curves
            .iter()
            .filter(|curve| curve.values.mean.iter().all(|point| is_beyond(point.1)));
        for (place, curve) in absent.enumerate() {
            let at = (panel.left + 6.0, top + step * place as f64);
            let last = curve.values.mean.last().map_or(0.0, |point| point.1);
            let text = format!("{arrow} {} ({})", curve.name, format::signed(last, 2));
            let text = fitted(&text, SMALL, panel.width - 10.0);
            let color = curve.style.color.for_text();
            canvas.label(&text, at, SMALL, color, Anchor::Left);
        }
    }
}
