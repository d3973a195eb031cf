//! Perplexity against size and against the operations that training took: who is worth the cost.

use std::collections::BTreeSet;

use anyhow::Result;

use super::canvas::{Anchor, Canvas, GREY, INK, Mark, SMALL, color, mark, sheet, text_width};
use super::labels::separated;
use super::legend::Legend;
use super::panel::Panel;
use super::scale::Scale;
use super::view::View;
use super::{Figure, WIDTH};
use crate::record::evaluation::Evaluation;
use crate::report::axes::{ANY, label};
use crate::report::data::training_flops;
use crate::report::format;
use crate::report::rows::TableRow;

const LEFT: f64 = 66.0;

/// More labels than these would hide the points; then the legend alone names the arms.
const MOST_LABELS: usize = 14;

/// What a point shows.
struct Point {
    /// What sets it apart within its series.
    label: String,
    name: String,
    series: usize,
    x: f64,
    /// exp of the mean NLL, of the lowest and of the highest seed.
    perplexity: (f64, f64, f64),
}

/// What is drawn against what.
struct Frontier {
    name: &'static str,
    x_label: &'static str,
    caption: &'static str,
    /// Where a model lies along x.
    x: fn(&Evaluation) -> Option<f64>,
    /// The label of a tick of x.
    tick: fn(f64) -> String,
    /// Whether the teacher has a place along x. Its own training is paid by others: it has one on
    /// the axis of sizes, and only a level on that of compute.
    has_teacher: bool,
}

/// Draws perplexity against size.
///
/// # Errors
/// The backend's own.
pub fn parameters(view: &View) -> Result<Option<Figure>> {
    draw(
        view,
        &Frontier {
            name: "parameters",
            x_label: "parameters",
            caption: "Test perplexity against all parameters of the model. Points are exp of the \
                      mean NLL over seeds, bars reach from the lowest to the highest seed, the \
                      ring is the teacher. Points of one size stand side by side.",
            x: |evaluation| Some(evaluation.model.parameters as f64),
            tick: |value| format::prefixed(value, 3),
            has_teacher: true,
        },
    )
}

/// Draws perplexity against the operations of training.
///
/// # Errors
/// The backend's own.
pub fn compute(view: &View) -> Result<Option<Figure>> {
    draw(
        view,
        &Frontier {
            name: "compute",
            x_label: "training compute (floating-point operations)",
            caption: "Test perplexity against the counted operations of training: student, \
                      teacher and critics, balancing included; without those of training the \
                      teacher. Points and bars as before.",
            x: training_flops,
            tick: |value| {
                let is_a_power_of_ten = value.log10().fract().abs() < 1e-9;
                format::power(value, if is_a_power_of_ten { 1 } else { 2 })
            },
            has_teacher: false,
        },
    )
}

/// The teacher: where it lies along x, if that is an axis of its own size, and its perplexity.
struct TeacherPoint {
    x: Option<f64>,
    perplexity: f64,
}

fn draw(view: &View, frontier: &Frontier) -> Result<Option<Figure>> {
    let points: Vec<Point> = view
        .rows
        .iter()
        .filter_map(|row| Point::new(view, row, frontier.x))
        .collect();
    if points.is_empty() {
        return Ok(None);
    }
    let mut teachers = view.data.teachers.iter();
    let teacher = teachers
        .find_map(|teacher| teacher.evaluation.as_ref())
        .and_then(|teacher| {
            Some(TeacherPoint {
                x: (frontier.x)(teacher).filter(|_| frontier.has_teacher),
                perplexity: teacher.test.perplexity?,
            })
        });
    let series = points
        .iter()
        .map(|point| (point.series, point.name.clone()));
    let legend = Legend::of_series((LEFT, WIDTH - 84.0), series, |number| Some(mark(number)));
    let is_labelled =
        points.len() <= MOST_LABELS && points.iter().any(|point| !point.label.is_empty());
    let (x, y) = scales(&points, teacher.as_ref(), frontier.tick);
    let panel = Panel {
        left: LEFT,
        top: legend.bottom(12.0),
        width: WIDTH - LEFT - if is_labelled { 110.0 } else { 30.0 },
        height: 280.0,
        x,
        y,
    };
    let alt = format!("Test perplexity against {}", frontier.x_label);
    let svg = sheet(WIDTH, panel.bottom() + 46.0, &alt, |canvas| {
        legend.draw(canvas)?;
        panel.axes(canvas, Some(frontier.x_label), Some("test perplexity"))?;
        if let Some(teacher) = &teacher {
            draw_teacher(canvas, &panel, teacher)?;
        }
        let places = side_by_side(&panel, &points);
        draw_points(canvas, &panel, &points, &places)?;
        if is_labelled {
            draw_labels(canvas, &panel, &points, &places)?;
        }
        Ok(())
    })?;
    Ok(Some(Figure {
        name: frontier.name,
        alt,
        caption: frontier.caption.to_owned(),
        svg,
    }))
}

/// Logarithmic scales that hold all points and the teacher.
fn scales(
    points: &[Point],
    teacher: Option<&TeacherPoint>,
    tick: fn(f64) -> String,
) -> (Scale, Scale) {
    let extremes = points
        .iter()
        .flat_map(|point| [point.perplexity.1, point.perplexity.2]);
    let perplexities = extremes.chain(teacher.map(|teacher| teacher.perplexity));
    let xs = points.iter().map(|point| point.x);
    (
        Scale::logarithmic(xs.chain(teacher.and_then(|teacher| teacher.x)), tick),
        Scale::logarithmic(perplexities, |value| format::significant(value, 3)),
    )
}

/// A ring, or a level where the teacher has no place along x.
fn draw_teacher(canvas: &mut Canvas, panel: &Panel, teacher: &TeacherPoint) -> Result<()> {
    let Some(x) = teacher.x else {
        return panel.level(canvas, teacher.perplexity, "teacher");
    };
    let (x, y) = panel.point(x, teacher.perplexity);
    canvas.mark(Mark::Ring, (x, y), 5.0, INK, 1.0)?;
    canvas.text("teacher", (x, y + 14.0), SMALL, INK, Anchor::Middle)
}

/// Bars from the lowest to the highest seed, and the points upon them.
fn draw_points(canvas: &mut Canvas, panel: &Panel, points: &[Point], places: &[f64]) -> Result<()> {
    for (point, &x) in points.iter().zip(places) {
        let (_, low, high) = point.perplexity;
        let bar = [(x, panel.py(low)), (x, panel.py(high))];
        canvas.line(&bar, color(point.series), 0.8, 1.4)?;
    }
    for (point, &x) in points.iter().zip(places) {
        let place = (x, panel.py(point.perplexity.0));
        canvas.mark(mark(point.series), place, 4.6, color(point.series), 1.0)?;
    }
    Ok(())
}

impl Point {
    /// None of a row that has no loss, or one without a perplexity, or no place along x.
    fn new(view: &View, row: &TableRow, x: fn(&Evaluation) -> Option<f64>) -> Option<Self> {
        let x = row
            .finished(view.data)
            .find_map(|run| x(run.evaluation.as_ref()?))?;
        let low = row.losses.iter().copied().fold(f64::INFINITY, f64::min);
        let high = row.losses.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let perplexity = (row.mean?.exp(), low.exp(), high.exp());
        if !perplexity.2.is_finite() {
            return None;
        }
        let (series, name) = view.series_of(row);
        Some(Self {
            label: label_within_series(view, row),
            name,
            series,
            x,
            perplexity,
        })
    }
}

/// The values of the axes that vary within a series; empty where none does.
fn label_within_series(view: &View, row: &TableRow) -> String {
    let keys: Vec<&str> = view
        .varying
        .iter()
        .copied()
        .filter(|&key| Some(key) != view.series)
        .filter(|&key| row.at.get(key).is_some_and(|value| value != ANY))
        .collect();
    if keys.is_empty() {
        String::new()
    } else {
        label(&row.at, &keys)
    }
}

/// The places of points along x in pixels: those of several series that would cover each other are
/// moved aside, each series by its own distance.
fn side_by_side(panel: &Panel, points: &[Point]) -> Vec<f64> {
    const STEP: f64 = 11.0;
    let covers =
        |a: &Point, b: &Point| a.series != b.series && (panel.px(a.x) - panel.px(b.x)).abs() < STEP;
    let numbers: BTreeSet<usize> = points.iter().map(|point| point.series).collect();
    let aside = |point: &Point| {
        let rank = numbers.range(..point.series).count();
        STEP * (rank as f64 - (numbers.len() as f64 - 1.0) / 2.0)
    };
    let is_crowded = |point: &Point| points.iter().any(|other| covers(point, other));
    points
        .iter()
        .map(|point| panel.px(point.x) + if is_crowded(point) { aside(point) } else { 0.0 })
        .collect()
}

/// Names beside the points, moved where points of about the same x lie close; a thin line leads
/// back.
fn draw_labels(canvas: &mut Canvas, panel: &Panel, points: &[Point], places: &[f64]) -> Result<()> {
    for column in label_columns(points, places) {
        let xs = column.iter().map(|&index| places[index]);
        let edge = xs.fold(0.0, f64::max) + 12.0;
        let wished: Vec<f64> = column
            .iter()
            .map(|&index| panel.py(points[index].perplexity.0))
            .collect();
        let ys = separated(&wished, 13.5, panel.top + 4.0, panel.bottom() - 6.0);
        for ((&index, from_y), y) in column.iter().zip(wished).zip(ys) {
            let from_x = places[index];
            if edge - from_x > 13.0 || (y - from_y).abs() > 5.0 {
                let leader = [(from_x + 5.0, from_y), (edge - 2.0, y)];
                canvas.line(&leader, GREY, 0.6, 0.7)?;
            }
            let Point { label, series, .. } = &points[index];
            canvas.text(label, (edge, y), SMALL, color(*series), Anchor::Left)?;
        }
    }
    Ok(())
}

/// The points that have a label, from left to right; those whose labels would cover each other
/// share a column.
fn label_columns(points: &[Point], places: &[f64]) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..points.len())
        .filter(|&index| !points[index].label.is_empty())
        .collect();
    order.sort_by(|&a, &b| places[a].total_cmp(&places[b]).then(a.cmp(&b)));
    let mut columns: Vec<Vec<usize>> = Vec::new();
    for index in order {
        let covered_by = |&other: &usize| {
            let width = text_width(&points[other].label, SMALL);
            places[index] < places[other] + width + 22.0
        };
        match columns.last_mut() {
            Some(column) if column.iter().any(covered_by) => column.push(index),
            Some(_) | None => columns.push(vec![index]),
        }
    }
    columns
}
