//! Perplexity against size and against the operations that training took: who is worth the cost.

use super::canvas::{Anchor, Canvas, SMALL, sheet, text_width};
use super::labels::separated;
use super::legend::{Legend, LegendSample};
use super::palette::{GREY, INK, Mark, SeriesStyle};
use super::panel::Panel;
use super::scale::{Scale, far_off, is_near, range};
use super::stands::{is_equal, places, stands};
use super::view::View;
use super::{Figure, WIDTH, beyond};
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
    /// The name of its row.
    row: String,
    name: String,
    series: usize,
    style: SeriesStyle,
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
    /// The label of a tick of x with so many digits.
    tick: fn(f64, usize) -> String,
    /// Whether the teacher has a place along x. Its own training is paid by others: it has one on
    /// the axis of sizes, and only a level on that of compute.
    has_teacher: bool,
}

/// Draws perplexity against size; nothing where all students have one size.
pub fn parameters(view: &View) -> Option<Figure> {
    draw(
        view,
        &Frontier {
            name: "parameters",
            x_label: "parameters",
            caption: "Test perplexity against all parameters of the model",
            x: |evaluation| Some(evaluation.model.parameters as f64),
            tick: format::prefixed,
            has_teacher: true,
        },
    )
}

/// Draws perplexity against the operations of training; nothing where all took the same.
pub fn compute(view: &View) -> Option<Figure> {
    draw(
        view,
        &Frontier {
            name: "compute",
            x_label: "training compute (floating-point operations)",
            caption: "Test perplexity against the counted operations of training: student, \
                      teacher and critics, balancing included; without those of training the \
                      teacher",
            x: training_flops,
            tick: format::power,
            has_teacher: false,
        },
    )
}

/// The teacher: where it lies along x, if that is an axis of its own size, and its perplexity.
struct TeacherPoint {
    x: Option<f64>,
    perplexity: f64,
    /// Whether it has a place among the students without squeezing them.
    is_near: bool,
}

impl TeacherPoint {
    fn new(view: &View, frontier: &Frontier, points: &[Point]) -> Option<Self> {
        let teacher = view.teacher()?.evaluation.as_ref()?;
        let perplexity = teacher.test.perplexity?;
        let students = points
            .iter()
            .flat_map(|point| [point.perplexity.1.ln(), point.perplexity.2.ln()]);
        Some(Self {
            x: (frontier.x)(teacher).filter(|_| frontier.has_teacher),
            perplexity,
            is_near: is_near(perplexity.ln(), &students.collect::<Vec<_>>()),
        })
    }
}

impl TeacherPoint {
    /// What the caption says of it.
    fn words(&self) -> &'static str {
        match (self.is_near, self.x) {
            (false, _) => "; the teacher lies beyond the axis",
            (true, Some(_)) => "; the ring is the teacher",
            (true, None) => "; the dashed line is the teacher",
        }
    }
}

fn draw(view: &View, frontier: &Frontier) -> Option<Figure> {
    let (points, far) = points_and_far_ones(view, frontier);
    if points.iter().all(|point| is_equal(point.x, points[0].x)) {
        return None;
    }
    let teacher = TeacherPoint::new(view, frontier, &points);
    let series = points
        .iter()
        .map(|point| (point.series, point.name.clone()));
    let style = |number| view.style(number);
    let legend = Legend::of_series((LEFT, WIDTH - 84.0), series, style, LegendSample::Mark);
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
        legend.draw(canvas);
        let own: Vec<f64> = points.iter().map(|point| point.x).collect();
        let stands = stands(&panel, &own);
        for stand in &stands {
            stand.draw_ground(canvas, &panel);
        }
        panel.axes(canvas, Some(frontier.x_label), Some("test perplexity"));
        if let Some(teacher) = &teacher {
            draw_teacher(canvas, &panel, teacher);
        }
        let xs = places(&stands, points.len());
        draw_points(canvas, &panel, &points, &xs);
        if is_labelled {
            draw_labels(canvas, &panel, &points, &xs);
        }
    });
    let teacher = teacher.map_or("", |teacher| teacher.words());
    Some(Figure {
        name: frontier.name,
        alt,
        caption: format!(
            "{}. Points are exp of the mean NLL over seeds, bars reach from the lowest to the \
             highest seed{teacher}. Points on one grey ground have the same place along the axis, \
             its middle.{}",
            frontier.caption,
            beyond(far.iter().map(|point| point.row.as_str()))
        ),
        svg,
    })
}

/// A point for every row that has one, and those of null controls apart that would squeeze the
/// others: what harms is no offer.
fn points_and_far_ones(view: &View, frontier: &Frontier) -> (Vec<Point>, Vec<Point>) {
    let of_row = |row: &TableRow| Some((Point::new(view, row, frontier.x)?, row.is_control));
    let points: Vec<(Point, bool)> = view.rows.iter().filter_map(of_row).collect();
    let far = far_off(
        points
            .iter()
            .map(|(point, _)| Some(point.perplexity.0.ln())),
    );
    let (mut near, mut apart) = (Vec::new(), Vec::new());
    for (place, (point, is_control)) in points.into_iter().enumerate() {
        let list = if is_control && far.contains(&place) {
            &mut apart
        } else {
            &mut near
        };
        list.push(point);
    }
    (near, apart)
}

/// Logarithmic scales that hold all points, and the teacher where it is near.
fn scales(
    points: &[Point],
    teacher: Option<&TeacherPoint>,
    tick: fn(f64, usize) -> String,
) -> (Scale, Scale) {
    let teacher = teacher.filter(|teacher| teacher.is_near);
    let extremes = points
        .iter()
        .flat_map(|point| [point.perplexity.1, point.perplexity.2]);
    let perplexities = extremes.chain(teacher.map(|teacher| teacher.perplexity));
    let xs = points.iter().map(|point| point.x);
    let xs: Vec<f64> = xs.chain(teacher.and_then(|teacher| teacher.x)).collect();
    (
        Scale::logarithmic(xs.iter().copied().chain(room_around(&xs)), tick),
        Scale::logarithmic(perplexities, format::significant),
    )
}

/// The ends of a range so wide that values which hardly differ lie beside each other.
fn room_around(values: &[f64]) -> [f64; 2] {
    const LEAST: f64 = 2.0;
    let (low, high) = range(values.iter().copied()).unwrap_or((1.0, 1.0));
    let more = (LEAST * low / high).max(1.0).sqrt();
    [low / more, high * more]
}

/// A ring, or a level where the teacher has no place along x; a word where it is far away.
fn draw_teacher(canvas: &mut Canvas, panel: &Panel, teacher: &TeacherPoint) {
    let value = format::significant(teacher.perplexity, 3);
    if !teacher.is_near {
        let is_below = teacher.perplexity < panel.y.low;
        let (arrow, y) = if is_below {
            ('↓', panel.bottom() - 9.0)
        } else {
            ('↑', panel.top + 9.0)
        };
        let text = format!("{arrow} teacher: {value}");
        canvas.label(&text, (panel.right() - 4.0, y), SMALL, GREY, Anchor::Right);
        return;
    }
    let Some(x) = teacher.x else {
        return panel.level(canvas, teacher.perplexity, "teacher");
    };
    let (x, y) = panel.point(x, teacher.perplexity);
    canvas.titled(&format!("teacher: {value}"), |canvas| {
        canvas.mark(Mark::Ring, (x, y), 5.0, INK, 1.0)
    });
    canvas.label("teacher", (x, y - 14.0), SMALL, INK, Anchor::Middle);
}

/// Bars from the lowest to the highest seed, and the points upon them.
fn draw_points(canvas: &mut Canvas, panel: &Panel, points: &[Point], places: &[f64]) {
    for (point, &x) in points.iter().zip(places) {
        let (_, low, high) = point.perplexity;
        let bar = [(x, panel.py(low)), (x, panel.py(high))];
        canvas.line(&bar, point.style.color, 0.8, 1.4);
    }
    for (point, &x) in points.iter().zip(places) {
        let (mean, low, high) = point.perplexity;
        let [mean_text, low, high] = [mean, low, high].map(|value| format::significant(value, 4));
        let title = format!("{}: {mean_text} ({low} to {high})", point.row);
        let SeriesStyle { mark, color, .. } = point.style;
        canvas.titled(&title, |canvas| {
            canvas.mark(mark, (x, panel.py(mean)), 4.6, color, 1.0)
        });
    }
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
            row: row.name.clone(),
            name,
            series,
            style: view.style(series),
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

/// Names beside the points, moved where points of about the same x lie close; a thin line leads
/// back.
fn draw_labels(canvas: &mut Canvas, panel: &Panel, points: &[Point], places: &[f64]) {
    for column in label_columns(points, places) {
        let xs = column.iter().map(|&index| places[index]);
        let edge = xs.fold(0.0, f64::max) + 14.0;
        let wished: Vec<f64> = column
            .iter()
            .map(|&index| panel.py(points[index].perplexity.0))
            .collect();
        let ys = separated(&wished, 13.5, panel.top + 4.0, panel.bottom() - 6.0);
        for ((&index, from_y), y) in column.iter().zip(wished).zip(ys) {
            let from_x = places[index];
            if edge - from_x > 15.0 || (y - from_y).abs() > 5.0 {
                let leader = [(from_x + 5.0, from_y), (edge - 2.0, y)];
                canvas.line(&leader, GREY, 0.6, 0.7);
            }
            let Point { label, style, .. } = &points[index];
            let color = style.color.for_text();
            canvas.label(label, (edge, y), SMALL, color, Anchor::Left);
        }
    }
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
