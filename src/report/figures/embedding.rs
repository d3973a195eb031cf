//! t-SNE of the final states of student and teacher, embedded together: a panel an arm.

use anyhow::Result;

use super::canvas::{Canvas, GREY, Mark, PALE, Rgb, TEXT, color, fitted, sheet};
use super::layout::grid;
use super::legend::{Legend, LegendEntry};
use super::panel::Panel;
use super::scale::{Scale, range};
use super::view::{Facet, View};
use super::{Figure, MOST_PANELS, WIDTH, first_of, in_parentheses, left_out};
use crate::record::evaluation::EmbeddingPoint;

/// What the stored table calls the teacher.
const TEACHER: &str = "teacher";
/// The colours of teacher and student: one pair for all panels, for the panels name the arms.
const TEACHER_COLOR: Rgb = GREY;
const STUDENT_COLOR: usize = 1;
const LEFT: f64 = 16.0;
const TOP: f64 = 62.0;
/// Between two panels.
const GAP: f64 = 12.0;

/// An arm with its picture.
struct ArmEmbedding {
    arm: String,
    points: Vec<EmbeddingPoint>,
}

/// Draws the t-SNE of every arm that has one.
///
/// # Errors
/// The backend's own, or a damaged embedding.
pub fn draw(view: &View) -> Result<Option<Figure>> {
    let Some((setting, arms)) = first_setting(view)? else {
        return Ok(None);
    };
    let shown = first_of(&arms, MOST_PANELS);
    let (columns, rows) = grid(shown.len());
    let columns = columns.max(2);
    let side = (WIDTH - 20.0) / columns as f64 - GAP;
    let step = side + 34.0;
    let svg = sheet(
        WIDTH,
        TOP + step * rows as f64 - 14.0,
        "t-SNE of the final states of teacher and student",
        |canvas| {
            legend().draw(canvas)?;
            for (place, ArmEmbedding { arm, points }) in shown.iter().enumerate() {
                let (x, y) = square(points);
                let panel = Panel {
                    left: LEFT + (side + GAP) * (place % columns) as f64,
                    top: TOP + step * (place / columns) as f64,
                    width: side,
                    height: side,
                    x,
                    y,
                };
                panel.title(canvas, &fitted(arm, TEXT, side))?;
                draw_border(canvas, &panel)?;
                draw_points(canvas, &panel, points)?;
            }
            Ok(())
        },
    )?;
    Ok(Some(Figure {
        name: "embedding",
        alt: "t-SNE of the final states of teacher and student".to_owned(),
        caption: format!(
            "t-SNE of the final hidden states on the same probe tokens, teacher and student \
             embedded together, one panel an arm{}, first seed. Distances between groups and the \
             sizes of groups mean nothing in such a picture; read it for whether the two models \
             overlap.{}",
            in_parentheses(&setting),
            left_out(shown.len(), arms.len(), "arms")
        ),
        svg,
    }))
}

/// The first setting that pictures are stored of, with them.
fn first_setting(view: &View) -> Result<Option<(String, Vec<ArmEmbedding>)>> {
    for facet in view.facets(&[]) {
        let arms = arms(view, &facet)?;
        if !arms.is_empty() {
            return Ok(Some((facet.title, arms)));
        }
    }
    Ok(None)
}

/// The arms of a setting that have a picture: that of their first finished seed.
fn arms(view: &View, facet: &Facet) -> Result<Vec<ArmEmbedding>> {
    let mut arms = Vec::new();
    for &(row, _) in &facet.rows {
        let row = &view.rows[row];
        let Some(run) = row.finished(view.data).next() else {
            continue;
        };
        let points = run.embedding()?;
        if !points.is_empty() {
            arms.push(ArmEmbedding {
                arm: view.series_of(row).1,
                points,
            });
        }
    }
    Ok(arms)
}

fn legend() -> Legend {
    let entries = [
        ("teacher", TEACHER_COLOR),
        ("student", color(STUDENT_COLOR)),
    ];
    let entries = entries.map(|(name, color)| LegendEntry {
        name: name.to_owned(),
        color,
        mark: Some(Mark::Dot),
    });
    Legend {
        entries: entries.into(),
        left: LEFT,
        width: WIDTH - 2.0 * LEFT,
    }
}

fn draw_border(canvas: &mut Canvas, panel: &Panel) -> Result<()> {
    let corners = [
        (panel.left, panel.top),
        (panel.right(), panel.top),
        (panel.right(), panel.bottom()),
        (panel.left, panel.bottom()),
        (panel.left, panel.top),
    ];
    canvas.line(&corners, PALE, 1.0, 1.2)
}

/// Teacher and student by turns, so that neither hides the other.
fn draw_points(canvas: &mut Canvas, panel: &Panel, points: &[EmbeddingPoint]) -> Result<()> {
    let radius = if points.len() > 600 { 1.6 } else { 2.3 };
    let mut order: Vec<&EmbeddingPoint> = points.iter().collect();
    order.sort_by_key(|point| (point.token, point.model.clone()));
    for point in order {
        let ink = if point.model == TEACHER {
            TEACHER_COLOR
        } else {
            color(STUDENT_COLOR)
        };
        canvas.plain_dot(panel.point(point.x, point.y), radius, ink, 0.65)?;
    }
    Ok(())
}

/// Scales of one unit for both directions that hold all points.
fn square(points: &[EmbeddingPoint]) -> (Scale, Scale) {
    let (left, right) = range(points.iter().map(|point| point.x)).unwrap_or((0.0, 1.0));
    let (low, high) = range(points.iter().map(|point| point.y)).unwrap_or((0.0, 1.0));
    let half = (right - left).max(high - low).max(1e-9) * 0.53;
    let scale = |middle: f64| Scale::without_ticks(middle - half, middle + half);
    (
        scale(f64::midpoint(left, right)),
        scale(f64::midpoint(low, high)),
    )
}
