//! t-SNE of the final states of student and teacher, embedded together: a panel an arm.

use anyhow::Result;

use super::canvas::{GREY, Mark, PALE, TEXT, color, fitted, sheet};
use super::panel::{LegendEntry, Panel, legend};
use super::scale::{Scale, range};
use super::{Figure, MOST_PANELS, View, WIDTH, grid, left_out};
use crate::record::evaluation::EmbeddingPoint;

const TEACHER: &str = "teacher";

/// The colours of teacher and student: one pair for all panels, for the panels name the arms.
const STUDENT_COLOR: usize = 1;

pub fn draw(view: &View) -> Result<Option<Figure>> {
    let facets = view.facets(&[]);
    let mut panels: Vec<(String, Vec<EmbeddingPoint>)> = Vec::new();
    let mut setting = String::new();
    for facet in &facets {
        for &(row, _) in &facet.rows {
            let row = &view.rows[row];
            if let Some(run) = row.finished(view.data).next() {
                let points = run.embedding()?;
                if !points.is_empty() {
                    panels.push((view.series_of(row).1, points));
                }
            }
        }
        if !panels.is_empty() {
            setting.clone_from(&facet.title);
            break;
        }
    }
    if panels.is_empty() {
        return Ok(None);
    }
    let shown = &panels[..panels.len().min(MOST_PANELS)];
    let entries =
        [("teacher", GREY), ("student", color(STUDENT_COLOR))].map(|(name, color)| LegendEntry {
            name: name.to_owned(),
            color,
            mark: Some(Mark::Dot),
        });
    let (columns, rows) = grid(shown.len());
    let columns = columns.max(2);
    let side = (WIDTH - 20.0) / columns as f64 - 12.0;
    let top = 62.0;
    let step = side + 34.0;
    let svg = sheet(
        WIDTH,
        top + step * rows as f64 - 14.0,
        "t-SNE of the final states of teacher and student",
        |canvas| {
            legend(canvas, &entries, (16.0, 10.0), WIDTH - 32.0)?;
            for (place, (name, points)) in shown.iter().enumerate() {
                let (x, y) = square(points);
                let panel = Panel {
                    left: 16.0 + (side + 12.0) * (place % columns) as f64,
                    top: top + step * (place / columns) as f64,
                    width: side,
                    height: side,
                    x,
                    y,
                };
                panel.title(canvas, &fitted(name, TEXT, side))?;
                let corners = [
                    (panel.left, panel.top),
                    (panel.right(), panel.top),
                    (panel.right(), panel.bottom()),
                    (panel.left, panel.bottom()),
                    (panel.left, panel.top),
                ];
                canvas.line(&corners, PALE, 1.0, 1.2)?;
                // Teacher and student in turn, so that neither hides the other.
                let radius = if points.len() > 600 { 1.6 } else { 2.3 };
                let mut order: Vec<&EmbeddingPoint> = points.iter().collect();
                order.sort_by_key(|point| (point.token, point.model.clone()));
                for point in order {
                    let ink = if point.model == TEACHER {
                        GREY
                    } else {
                        color(STUDENT_COLOR)
                    };
                    canvas.speck(panel.point(point.x, point.y), radius, ink, 0.65)?;
                }
            }
            Ok(())
        },
    )?;
    let setting = if setting.is_empty() {
        String::new()
    } else {
        format!(" ({setting})")
    };
    let caption = format!(
        "t-SNE of the final hidden states on the same probe tokens, teacher and student embedded \
         together, one panel an arm{setting}, first seed. Distances between groups and the sizes \
         of groups mean nothing in such a picture; read it for whether the two models overlap.{}",
        left_out(shown.len(), panels.len(), "arms")
    );
    Ok(Some(Figure {
        name: "embedding",
        alt: "t-SNE of the final states of teacher and student".to_owned(),
        caption,
        svg,
    }))
}

/// Scales of one unit for both directions that hold all points.
fn square(points: &[EmbeddingPoint]) -> (Scale, Scale) {
    let (left, right) = range(points.iter().map(|point| point.x)).unwrap_or((0.0, 1.0));
    let (low, high) = range(points.iter().map(|point| point.y)).unwrap_or((0.0, 1.0));
    let half = (right - left).max(high - low).max(1e-9) * 0.53;
    let scale = |middle: f64| Scale {
        low: middle - half,
        high: middle + half,
        logarithmic: false,
        ticks: Vec::new(),
    };
    (
        scale(f64::midpoint(left, right)),
        scale(f64::midpoint(low, high)),
    )
}
