//! Perplexity against size and against the operations that training took: who is worth the cost.

use anyhow::Result;

use super::canvas::{Anchor, GREY, INK, Mark, SMALL, color, mark, sheet, text_width};
use super::panel::{LegendEntry, Panel, apart, legend, legend_height};
use super::scale::Scale;
use super::{Figure, View, WIDTH};
use crate::record::evaluation::Evaluation;
use crate::report::contrasts::TableRow;
use crate::report::format;

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

pub fn parameters(view: &View) -> Result<Option<Figure>> {
    let size = |evaluation: &Evaluation| Some(evaluation.model.parameters as f64);
    let caption = "Test perplexity against all parameters of the model. Points are exp of the \
                   mean NLL over seeds, bars reach from the lowest to the highest seed, the ring \
                   is the teacher. Points of one size stand side by side.";
    draw(view, "parameters", "parameters", caption, size, &|value| {
        format::prefixed(value, 3)
    })
}

pub fn compute(view: &View) -> Result<Option<Figure>> {
    let flops = |evaluation: &Evaluation| {
        let training = evaluation.training.as_ref()?;
        Some(training.flops())
    };
    let caption = "Test perplexity against the counted operations of training: student, teacher \
                   and critics, balancing included; without those of training the teacher. Points \
                   and bars as before.";
    draw(
        view,
        "compute",
        "training compute (floating-point operations)",
        caption,
        flops,
        &|value| {
            format::power(
                value,
                if value.log10().fract().abs() < 1e-9 {
                    1
                } else {
                    2
                },
            )
        },
    )
}

fn draw(
    view: &View,
    name: &'static str,
    x_label: &str,
    caption: &str,
    x: fn(&Evaluation) -> Option<f64>,
    tick: &dyn Fn(f64) -> String,
) -> Result<Option<Figure>> {
    let points: Vec<Point> = view
        .rows
        .iter()
        .filter_map(|row| point(view, row, x))
        .collect();
    if points.is_empty() {
        return Ok(None);
    }
    let teacher = view
        .data
        .teachers
        .iter()
        .find_map(|teacher| teacher.evaluation.as_ref());
    // The teacher's own training is paid by others: it has a place on the axis of sizes, and a
    // level on that of compute.
    let teacher_x = teacher.filter(|_| name == "parameters").and_then(x);
    let teacher_y = teacher.map(|teacher| teacher.test.perplexity);
    let extremes = points
        .iter()
        .flat_map(|point| [point.perplexity.1, point.perplexity.2]);
    let y = Scale::logarithmic(extremes.chain(teacher_y), |value| {
        format::significant(value, 3)
    });
    let x = Scale::logarithmic(points.iter().map(|point| point.x).chain(teacher_x), tick);
    let mut entries: Vec<(usize, LegendEntry)> = Vec::new();
    for point in &points {
        if entries.iter().all(|entry| entry.0 != point.series) {
            entries.push((
                point.series,
                LegendEntry {
                    name: point.name.clone(),
                    color: color(point.series),
                    mark: Some(mark(point.series)),
                },
            ));
        }
    }
    entries.sort_by_key(|entry| entry.0);
    let entries: Vec<LegendEntry> = entries.into_iter().map(|entry| entry.1).collect();
    let top = 12.0 + legend_height(&entries, WIDTH - 84.0) + 12.0;
    let is_labelled =
        points.len() <= MOST_LABELS && points.iter().any(|point| !point.label.is_empty());
    let panel = Panel {
        left: 66.0,
        top,
        width: WIDTH - 66.0 - if is_labelled { 110.0 } else { 30.0 },
        height: 280.0,
        x,
        y,
    };
    let svg = sheet(
        WIDTH,
        panel.bottom() + 46.0,
        &format!("Test perplexity against {x_label}"),
        |canvas| {
            legend(canvas, &entries, (66.0, 10.0), WIDTH - 84.0)?;
            panel.axes(canvas, Some(x_label), Some("test perplexity"))?;
            match (teacher_x, teacher_y) {
                (Some(x), Some(y)) => {
                    canvas.mark(Mark::Ring, panel.point(x, y), 5.0, INK, 1.0)?;
                    canvas.text(
                        "teacher",
                        (panel.px(x), panel.py(y) + 14.0),
                        SMALL,
                        INK,
                        Anchor::Middle,
                    )?;
                }
                (None, Some(y)) => panel.level(canvas, y, "teacher")?,
                _ => {}
            }
            let places = side_by_side(&panel, &points, entries.len());
            for (point, &x) in points.iter().zip(&places) {
                let (_, low, high) = point.perplexity;
                canvas.line(
                    &[(x, panel.py(low)), (x, panel.py(high))],
                    color(point.series),
                    0.8,
                    1.4,
                )?;
            }
            for (point, &x) in points.iter().zip(&places) {
                canvas.mark(
                    mark(point.series),
                    (x, panel.py(point.perplexity.0)),
                    4.6,
                    color(point.series),
                    1.0,
                )?;
            }
            if is_labelled {
                labels(canvas, &panel, &points, &places)
            } else {
                Ok(())
            }
        },
    )?;
    Ok(Some(Figure {
        name,
        alt: format!("Test perplexity against {x_label}"),
        caption: caption.to_owned(),
        svg,
    }))
}

fn point(view: &View, row: &TableRow, x: fn(&Evaluation) -> Option<f64>) -> Option<Point> {
    let x = row
        .finished(view.data)
        .find_map(|run| x(run.evaluation.as_ref()?))?;
    let low = row.losses.iter().copied().fold(f64::INFINITY, f64::min);
    let high = row.losses.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let (series, name) = view.series_of(row);
    let rest: Vec<&str> = view
        .varying
        .iter()
        .copied()
        .filter(|&key| Some(key) != view.series)
        .collect();
    let at = super::without(&row.at, &[super::ARM]);
    let label = if rest.is_empty() {
        String::new()
    } else {
        super::label(&at, &rest)
    };
    let label = if label == "student" {
        String::new()
    } else {
        label
    };
    Some(Point {
        label,
        name,
        series,
        x,
        perplexity: (row.mean?.exp(), low.exp(), high.exp()),
    })
}

/// The places of points along x in pixels: those of several series that would cover each other are
/// moved aside, each series by its own distance.
fn side_by_side(panel: &Panel, points: &[Point], series: usize) -> Vec<f64> {
    const STEP: f64 = 11.0;
    let covers =
        |a: &Point, b: &Point| a.series != b.series && (panel.px(a.x) - panel.px(b.x)).abs() < STEP;
    let mut numbers: Vec<usize> = points.iter().map(|point| point.series).collect();
    numbers.sort_unstable();
    numbers.dedup();
    let aside = |point: &Point| {
        let rank = numbers
            .iter()
            .position(|&number| number == point.series)
            .unwrap_or(0);
        STEP * (rank as f64 - (series as f64 - 1.0) / 2.0)
    };
    let is_crowded = |point: &Point| points.iter().any(|other| covers(point, other));
    points
        .iter()
        .map(|point| panel.px(point.x) + if is_crowded(point) { aside(point) } else { 0.0 })
        .collect()
}

/// Names beside the points, moved apart where points of about the same x lie close; a thin line
/// leads back.
fn labels(
    canvas: &mut super::canvas::Canvas,
    panel: &Panel,
    points: &[Point],
    places: &[f64],
) -> Result<()> {
    // Points whose labels would cover each other share a column.
    let mut order: Vec<usize> = (0..points.len())
        .filter(|&i| !points[i].label.is_empty())
        .collect();
    order.sort_by(|&a, &b| places[a].total_cmp(&places[b]).then(a.cmp(&b)));
    let mut columns: Vec<Vec<usize>> = Vec::new();
    for index in order {
        match columns.last_mut() {
            Some(column)
                if column.iter().any(|&other| {
                    places[index] < places[other] + text_width(&points[other].label, SMALL) + 22.0
                }) =>
            {
                column.push(index);
            }
            _ => columns.push(vec![index]),
        }
    }
    for column in columns {
        let edge = column
            .iter()
            .map(|&index| places[index])
            .fold(0.0, f64::max)
            + 12.0;
        let wished: Vec<f64> = column
            .iter()
            .map(|&index| panel.py(points[index].perplexity.0))
            .collect();
        for (&index, y) in
            column
                .iter()
                .zip(apart(&wished, 13.5, panel.top + 4.0, panel.bottom() - 6.0))
        {
            let at = (places[index], panel.py(points[index].perplexity.0));
            if edge - at.0 > 13.0 || (y - at.1).abs() > 5.0 {
                canvas.line(&[(at.0 + 5.0, at.1), (edge - 2.0, y)], GREY, 0.6, 0.7)?;
            }
            canvas.text(
                &points[index].label,
                (edge, y),
                SMALL,
                color(points[index].series),
                Anchor::Left,
            )?;
        }
    }
    Ok(())
}
