//! t-SNE of the final states of student and teacher, embedded together: a panel an arm, in which a
//! thin line joins each token of the student with the same token of the teacher.

use std::collections::BTreeMap;

use anyhow::Result;

use super::canvas::{Canvas, sheet};
use super::layout::grid;
use super::legend::{Legend, LegendEntry, LegendSample};
use super::palette::{Dash, GREY, INK, Mark, PALE, Rgb, SeriesStyle};
use super::panel::Panel;
use super::scale::{Scale, range};
use super::tokens::{TokenKind, kinds};
use super::view::{Facet, View};
use super::{Figure, MOST_PANELS, WIDTH, first_of, in_parentheses, left_out};
use crate::record::evaluation::EmbeddingPoint;

/// What the stored table calls the teacher.
const TEACHER: &str = "teacher";
const LEFT: f64 = 16.0;
/// Between two panels.
const GAP: f64 = 12.0;

/// A token with its places in both models.
struct TokenPair {
    student: (f64, f64),
    teacher: (f64, f64),
    kind: Option<TokenKind>,
    /// As the tokenizer has it; empty where that is not stored.
    text: String,
}

/// An arm with its picture.
struct ArmEmbedding {
    arm: String,
    style: SeriesStyle,
    pairs: Vec<TokenPair>,
}

/// Draws the t-SNE of every arm that has one.
///
/// # Errors
/// A damaged embedding.
pub fn draw(view: &View) -> Result<Option<Figure>> {
    let Some((setting, arms)) = first_setting(view)? else {
        return Ok(None);
    };
    let shown = first_of(&arms, MOST_PANELS);
    let legend = legend(shown);
    let has_kinds = legend.entries.len() > 2;
    let (columns, rows) = grid(shown.len());
    let columns = columns.max(2);
    let side = (WIDTH - 20.0) / columns as f64 - GAP;
    let step = side + 34.0;
    let top = legend.bottom(30.0);
    let svg = sheet(
        WIDTH,
        top + step * rows as f64 - 14.0,
        "t-SNE of the final states of teacher and student",
        |canvas| {
            legend.draw(canvas);
            for (place, arm) in shown.iter().enumerate() {
                let (x, y) = square(&arm.pairs);
                let panel = Panel {
                    left: LEFT + (side + GAP) * (place % columns) as f64,
                    top: top + step * (place / columns) as f64,
                    width: side,
                    height: side,
                    x,
                    y,
                };
                draw_arm(canvas, &panel, arm);
            }
        },
    );
    let kinds = if has_kinds {
        ", coloured by what the token is"
    } else {
        ""
    };
    Ok(Some(Figure {
        name: "embedding",
        alt: "t-SNE of the final states of teacher and student".to_owned(),
        caption: format!(
            "t-SNE of the final hidden states on the same probe tokens, teacher and student \
             embedded together, one panel an arm{}, first seed. A line joins a token of the \
             student (dot) with the same token of the teacher (ring){kinds}: the shorter the \
             lines, the nearer the two are in the same coordinates, which only a hidden loss \
             asks for. Distances between groups and the sizes of groups mean nothing in such a \
             picture.{}",
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
    for &(row, series) in &facet.rows {
        let row = &view.rows[row];
        let Some(run) = row.finished(view.data).next() else {
            continue;
        };
        let pairs = pairs(&run.embedding()?);
        if !pairs.is_empty() {
            arms.push(ArmEmbedding {
                arm: view.series_of(row).1,
                style: view.style(series),
                pairs,
            });
        }
    }
    Ok(arms)
}

/// The tokens that both models have, in their order.
fn pairs(points: &[EmbeddingPoint]) -> Vec<TokenPair> {
    let mut of_token: BTreeMap<u32, [Option<&EmbeddingPoint>; 2]> = BTreeMap::new();
    for point in points {
        let both = of_token.entry(point.token).or_default();
        both[usize::from(point.model == TEACHER)] = Some(point);
    }
    let both: Vec<(&EmbeddingPoint, &EmbeddingPoint)> = of_token
        .values()
        .filter_map(|[student, teacher]| (*student).zip(*teacher))
        .collect();
    let texts: Option<Vec<&str>> = both.iter().map(|(own, _)| own.text.as_deref()).collect();
    let kinds = texts.as_deref().map(kinds);
    let pair = |place: usize, student: &EmbeddingPoint, teacher: &EmbeddingPoint| TokenPair {
        student: (student.x, student.y),
        teacher: (teacher.x, teacher.y),
        kind: kinds.as_ref().map(|kinds| kinds[place]),
        text: student.text.clone().unwrap_or_default(),
    };
    both.into_iter()
        .enumerate()
        .map(|(place, (student, teacher))| pair(place, student, teacher))
        .collect()
}

/// The two models, then the kinds of tokens that there are.
fn legend(arms: &[ArmEmbedding]) -> Legend {
    let entry = |name: &str, color: Rgb, mark: Mark| LegendEntry {
        name: name.to_owned(),
        style: SeriesStyle {
            color,
            mark,
            dash: Dash::Solid,
        },
        sample: LegendSample::Mark,
    };
    let mut entries = vec![
        entry("student", INK, Mark::Dot),
        entry("teacher", INK, Mark::Ring),
    ];
    for kind in TokenKind::ALL {
        let has_kind = |arm: &ArmEmbedding| arm.pairs.iter().any(|pair| pair.kind == Some(kind));
        if arms.iter().any(has_kind) {
            entries.push(entry(kind.name(), kind.color(), Mark::Square));
        }
    }
    Legend {
        entries,
        left: LEFT,
        width: WIDTH - 2.0 * LEFT,
    }
}

/// Lines first, so that they hide no point.
fn draw_arm(canvas: &mut Canvas, panel: &Panel, arm: &ArmEmbedding) {
    panel.arm_title(canvas, &arm.arm, arm.style);
    let corners = [
        (panel.left, panel.top),
        (panel.right(), panel.top),
        (panel.right(), panel.bottom()),
        (panel.left, panel.bottom()),
        (panel.left, panel.top),
    ];
    canvas.line(&corners, PALE, 1.0, 1.2);
    let place = |(x, y): (f64, f64)| panel.point(x, y);
    let color = |pair: &TokenPair| pair.kind.map_or(GREY, TokenKind::color);
    let radius = if arm.pairs.len() > 300 { 1.7 } else { 2.2 };
    for pair in &arm.pairs {
        let ends = [place(pair.student), place(pair.teacher)];
        canvas.line(&ends, color(pair), 0.38, 0.8);
    }
    for pair in &arm.pairs {
        let color = color(pair);
        let draw = |canvas: &mut Canvas| {
            canvas.mark(Mark::Ring, place(pair.teacher), radius, color, 0.9);
            canvas.plain_dot(place(pair.student), radius, color, 0.9);
        };
        if pair.text.is_empty() {
            draw(canvas);
        } else {
            canvas.titled(&format!("“{}”", pair.text.replace('\n', "↵")), draw);
        }
    }
}

/// Scales of one unit for both directions that hold all points.
fn square(pairs: &[TokenPair]) -> (Scale, Scale) {
    let points = || pairs.iter().flat_map(|pair| [pair.student, pair.teacher]);
    let (left, right) = range(points().map(|point| point.0)).unwrap_or((0.0, 1.0));
    let (low, high) = range(points().map(|point| point.1)).unwrap_or((0.0, 1.0));
    let half = (right - left).max(high - low).max(1e-9) * 0.53;
    let scale = |middle: f64| Scale::without_ticks(middle - half, middle + half);
    (
        scale(f64::midpoint(left, right)),
        scale(f64::midpoint(low, high)),
    )
}
