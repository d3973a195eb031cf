//! Runs that are being trained at this moment: the validation loss of each, as far as it is.

use super::canvas::{Canvas, sheet};
use super::legend::{Legend, LegendSample};
use super::palette::{Mark, SeriesStyle};
use super::panel::{Panel, TRAINING_STEP, VALIDATION_NLL};
use super::scale::Scale;
use super::view::View;
use super::{Figure, WIDTH};
use crate::report::curves::VALIDATION;
use crate::report::data::RunResult;
use crate::report::rows::TableRow;

const LEFT: f64 = 72.0;

/// A run's line, with the number and name of its series.
struct WorkLine<'a> {
    series: (usize, String),
    points: &'a [(f64, f64)],
    /// Steps of the whole training.
    steps: u64,
}

/// Draws a line for every run in work that was looked at on the validation split; the axis is as
/// long as the trainings will be.
pub fn draw(view: &View) -> Option<Figure> {
    let lines: Vec<WorkLine> = view.rows.iter().flat_map(|row| lines(view, row)).collect();
    if lines.is_empty() {
        return None;
    }
    let steps = lines.iter().map(|line| line.steps).max().unwrap_or(1);
    let series = lines.iter().map(|line| line.series.clone());
    let legend = Legend::of_series(
        (LEFT, WIDTH - LEFT),
        series,
        |n| view.style(n),
        LegendSample::Line,
    );
    let panel = Panel {
        left: LEFT,
        top: legend.bottom(14.0),
        width: WIDTH - LEFT - 24.0,
        height: 220.0,
        x: Scale::exactly(0.0, steps as f64 * 1.01, 6),
        y: scale(&lines),
    };
    let svg = sheet(
        WIDTH,
        panel.bottom() + 46.0,
        "Validation loss of the runs in work",
        |canvas| {
            legend.draw(canvas);
            panel.axes(canvas, Some(TRAINING_STEP), Some(VALIDATION_NLL));
            for line in &lines {
                draw_line(canvas, &panel, line, view.style(line.series.0));
            }
        },
    );
    Some(Figure {
        name: "in-work",
        alt: "Validation loss of the runs in work, as far as they are".to_owned(),
        caption: "Loss on the validation split of every run that is being trained, as far as it \
                  is; a line ends at the last look."
            .to_owned(),
        svg,
    })
}

/// The lines of a row's runs in work.
fn lines<'a>(view: &View<'a>, row: &'a TableRow) -> Vec<WorkLine<'a>> {
    let data = view.data;
    let runs = row.cells.iter().filter_map(|&cell| {
        let run = data.run(cell);
        let RunResult::InWork(work) = &run.state else {
            return None;
        };
        Some(WorkLine {
            series: view.series_of(row),
            points: run.curves.get(VALIDATION)?,
            steps: work.steps.unwrap_or(work.step),
        })
    });
    runs.collect()
}

/// The first looks of a training are far above the rest, and may lie above the axis.
fn scale(lines: &[WorkLine]) -> Scale {
    let mut all: Vec<f64> = lines
        .iter()
        .flat_map(|line| line.points.iter().map(|point| point.1))
        .collect();
    all.sort_by(f64::total_cmp);
    let (low, high) = (all[0], all[all.len() - 1]);
    let middle = all[all.len() / 2];
    Scale::linear([low, high.min(low + 5.0 * (middle - low).max(0.02))], 5)
}

fn draw_line(canvas: &mut Canvas, panel: &Panel, line: &WorkLine, style: SeriesStyle) {
    panel.curve(canvas, line.points, style.color, 2.0, style.dash);
    if let Some(&(x, y)) = line.points.last() {
        let title = format!("{}, step {x}: {y:.4}", line.series.1);
        canvas.titled(&title, |canvas| {
            canvas.mark(Mark::Dot, panel.point(x, y), 3.5, style.color, 1.0);
        });
    }
}
