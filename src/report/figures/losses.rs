//! The main figure: the loss of every row, seed by seed, and its difference to the baseline.

use anyhow::Result;

use super::canvas::{
    Anchor, Canvas, GREY, INK, Mark, PALE, Rgb, SMALL, TEXT, color, fitted, sheet, text_width,
};
use super::labels::seed_offset;
use super::panel::{Panel, TEST_NLL};
use super::scale::{Scale, range};
use super::view::View;
use super::{Figure, WIDTH, first_of, left_out};
use crate::report::contrasts::Contrast;
use crate::report::data::RunData;
use crate::report::format;
use crate::report::rows::TableRow;

const ROW: f64 = 26.0;
const TOP: f64 = 46.0;
const BOTTOM: f64 = 48.0;
/// Rows beyond these are left to the table.
const MOST_ROWS: usize = 40;

/// Where everything lies: names at the left, then the losses, then the differences.
struct LossPanels {
    losses: Panel,
    /// Where any row was compared.
    differences: Option<Panel>,
    /// The teacher's loss, where it lies near.
    teacher: Option<f64>,
}

/// Draws the losses of all rows beside their differences to the baseline.
///
/// # Errors
/// The backend's own.
pub fn draw(view: &View) -> Result<Option<Figure>> {
    let all: Vec<&TableRow> = view
        .rows
        .iter()
        .filter(|row| !row.losses.is_empty())
        .collect();
    let rows = first_of(&all, MOST_ROWS);
    if rows.is_empty() {
        return Ok(None);
    }
    let margin = view.data.study.report.margin;
    let panels = LossPanels::new(view, rows);
    let svg = sheet(
        WIDTH,
        panels.losses.bottom() + BOTTOM,
        "Test loss of every arm and its paired difference to the baseline",
        |canvas| {
            draw_stripes(canvas, rows.len())?;
            draw_loss_axes(canvas, &panels.losses, panels.teacher)?;
            for (place, row) in rows.iter().enumerate() {
                draw_name(canvas, &panels.losses, &row.label, middle(place))?;
                let ink = color(view.series_of(row).0);
                draw_losses(canvas, &panels.losses, row, middle(place), ink)?;
            }
            let Some(panel) = &panels.differences else {
                return Ok(());
            };
            draw_difference_axes(canvas, panel, margin)?;
            for (place, row) in rows.iter().enumerate() {
                let y = middle(place);
                if let Some(contrast) = contrast(view, row) {
                    let ink = color(view.series_of(row).0);
                    draw_difference(canvas, panel, contrast, y, ink)?;
                } else if row.is_baseline {
                    let place = (panel.px(0.0) + 6.0, y);
                    canvas.text("baseline", place, SMALL, GREY, Anchor::Left)?;
                }
            }
            Ok(())
        },
    )?;
    Ok(Some(Figure {
        name: "losses",
        alt: "Dot plot of the test loss of every arm beside its difference to the baseline"
            .to_owned(),
        caption: caption(view, panels.differences.is_some(), rows.len(), all.len()),
        svg,
    }))
}

/// The comparison of a row with its baseline.
fn contrast<'a>(view: &View<'a>, row: &TableRow) -> Option<&'a Contrast> {
    Some(&view.analysis.contrasts[row.contrast?])
}

impl LossPanels {
    fn new(view: &View, rows: &[&TableRow]) -> Self {
        let contrasts: Vec<&Contrast> = rows.iter().filter_map(|row| contrast(view, row)).collect();
        let has_differences = contrasts.iter().any(|contrast| contrast.paired.is_some());
        let names = rows
            .iter()
            .map(|row| text_width(&row.label, TEXT))
            .fold(60.0, f64::max)
            .min(210.0)
            + 14.0;
        let plots = WIDTH - names - 24.0;
        let width = if has_differences {
            plots * 0.5 - 14.0
        } else {
            plots
        };
        let losses: Vec<f64> = rows
            .iter()
            .flat_map(|row| row.losses.iter().copied())
            .collect();
        let mut teachers = view.data.teachers.iter();
        let teacher = teachers
            .find_map(RunData::nll)
            .filter(|&teacher| is_near(teacher, &losses));
        let panel = |left: f64, x: Scale| Panel {
            left,
            top: TOP,
            width,
            height: ROW * rows.len() as f64,
            x,
            y: Scale::without_ticks(0.0, 1.0),
        };
        let margin = view.data.study.report.margin;
        Self {
            losses: panel(names, scale_of_losses(rows, &losses, teacher)),
            differences: has_differences.then(|| {
                let x = scale_of_differences(&contrasts, margin);
                panel(names + width + 28.0, x)
            }),
            teacher,
        }
    }
}

fn caption(view: &View, has_differences: bool, shown: usize, all: usize) -> String {
    let share = format::plain(100.0 * (1.0 - view.data.study.report.alpha));
    let differences = if has_differences {
        format!(
            " Right: the paired difference to the baseline; rings are seeds, the diamond is their \
             mean, the line its interval, {share} % simultaneous over all comparisons, the grey \
             band ±δ. Left of the band is better."
        )
    } else {
        String::new()
    };
    format!(
        "Left: test loss by arm; dots are seeds, the tick is their mean, the line its {share} % t \
         interval (cut at the edge of the panel where it is wider).{differences}{}",
        left_out(shown, all, "rows")
    )
}

/// The middle line of a row.
fn middle(row: usize) -> f64 {
    TOP + ROW * (row as f64 + 0.5)
}

/// Whether a reference lies so near to the values that showing it does not squeeze them to less
/// than a third.
fn is_near(reference: f64, values: &[f64]) -> bool {
    range(values.iter().copied()).is_some_and(|(low, high)| {
        let span = (high - low).max(0.02);
        reference > low - 2.0 * span && reference < high + 2.0 * span
    })
}

/// Holds the losses, and as much of the intervals as does not squeeze them: an interval of few
/// seeds can be wide, and is then cut with an arrow.
fn scale_of_losses(rows: &[&TableRow], losses: &[f64], teacher: Option<f64>) -> Scale {
    let (low, high) = range(losses.iter().copied()).unwrap_or((0.0, 1.0));
    let room = 0.5 * (high - low).max(0.005);
    let intervals = rows
        .iter()
        .filter_map(|row| row.interval)
        .flat_map(|(from, to)| [from.max(low - room), to.min(high + room)]);
    Scale::linear(losses.iter().copied().chain(intervals).chain(teacher), 5)
}

/// The same for differences; 0 and ±δ are always there.
fn scale_of_differences(contrasts: &[&Contrast], margin: f64) -> Scale {
    let compared = || {
        contrasts
            .iter()
            .filter_map(|contrast| contrast.paired.as_ref())
            .flat_map(|paired| paired.differences.iter().copied())
    };
    let reach = compared().fold(margin * 2.0, |reach, difference| {
        reach.max(difference.abs() * 2.0)
    });
    let intervals = contrasts
        .iter()
        .filter_map(|contrast| contrast.interval)
        .flat_map(|(low, high)| [low, high]);
    let bound = margin * 1.6;
    Scale::linear(
        compared()
            .chain(intervals.map(|end| end.clamp(-reach, reach)))
            .chain([-bound, bound]),
        4,
    )
}

/// A row's name, left of the panel.
fn draw_name(canvas: &mut Canvas, panel: &Panel, name: &str, y: f64) -> Result<()> {
    let name = fitted(name, TEXT, panel.left - 14.0);
    canvas.text(&name, (panel.left - 10.0, y), TEXT, INK, Anchor::Right)
}

fn draw_loss_axes(canvas: &mut Canvas, panel: &Panel, teacher: Option<f64>) -> Result<()> {
    panel.x_axis(canvas, Some(TEST_NLL))?;
    canvas.text(
        "perplexity",
        (panel.left - 10.0, TOP - 9.0),
        SMALL,
        GREY,
        Anchor::Right,
    )?;
    for (value, _) in &panel.x.ticks {
        canvas.text(
            &format::significant(value.exp(), 4),
            (panel.px(*value), TOP - 9.0),
            SMALL,
            GREY,
            Anchor::Middle,
        )?;
    }
    if let Some(teacher) = teacher {
        let x = panel.px(teacher);
        canvas.dashed((x, TOP), (x, panel.bottom()), GREY, 1.2)?;
        canvas.text(
            "teacher",
            (x, TOP - 26.0),
            SMALL,
            GREY,
            if x > panel.right() - 30.0 {
                Anchor::Right
            } else {
                Anchor::Middle
            },
        )?;
    }
    panel.frame(canvas)
}

/// Every second row lies on a light stripe.
fn draw_stripes(canvas: &mut Canvas, rows: usize) -> Result<()> {
    (0..rows).step_by(2).try_for_each(|row| {
        let top = TOP + ROW * row as f64;
        canvas.rectangle((4.0, top), (WIDTH - 10.0, top + ROW), PALE, 0.3)
    })
}

/// A row's own losses.
fn draw_losses(canvas: &mut Canvas, panel: &Panel, row: &TableRow, y: f64, ink: Rgb) -> Result<()> {
    if let Some((low, high)) = row.interval {
        draw_interval(canvas, panel, y, low, high, ink)?;
    }
    for (seed, loss) in row.losses.iter().enumerate() {
        canvas.plain_dot(
            (panel.px(*loss), y + seed_offset(seed, row.losses.len())),
            3.0,
            ink,
            0.6,
        )?;
    }
    match row.mean.filter(|_| row.losses.len() > 1) {
        Some(mean) => canvas.line(
            &[(panel.px(mean), y - 9.0), (panel.px(mean), y + 9.0)],
            ink,
            1.0,
            2.2,
        ),
        None => Ok(()),
    }
}

/// A row's differences to its baseline.
fn draw_difference(
    canvas: &mut Canvas,
    panel: &Panel,
    contrast: &Contrast,
    y: f64,
    ink: Rgb,
) -> Result<()> {
    let Some(paired) = &contrast.paired else {
        return Ok(());
    };
    if let Some((low, high)) = contrast.interval {
        draw_interval(canvas, panel, y, low, high, ink)?;
    }
    for (seed, difference) in paired.differences.iter().enumerate() {
        canvas.mark(
            Mark::Ring,
            (panel.px(*difference), y + seed_offset(seed, paired.n())),
            2.6,
            ink,
            0.75,
        )?;
    }
    canvas.mark(Mark::Diamond, (panel.px(paired.mean), y), 4.2, ink, 1.0)
}

/// A line from low to high; where it leaves the panel it ends in an arrow.
fn draw_interval(
    canvas: &mut Canvas,
    panel: &Panel,
    y: f64,
    low: f64,
    high: f64,
    ink: Rgb,
) -> Result<()> {
    let (from, to) = (panel.px(low), panel.px(high));
    canvas.line(&[(from, y), (to, y)], ink, 0.7, 1.6)?;
    for (beyond, x, inwards) in [
        (low < panel.x.low, from, 5.0),
        (high > panel.x.high, to, -5.0),
    ] {
        if beyond {
            canvas.line(
                &[(x + inwards, y - 3.5), (x, y), (x + inwards, y + 3.5)],
                ink,
                0.9,
                1.4,
            )?;
        } else {
            canvas.line(&[(x, y - 4.0), (x, y + 4.0)], ink, 0.7, 1.6)?;
        }
    }
    Ok(())
}

fn draw_difference_axes(canvas: &mut Canvas, panel: &Panel, margin: f64) -> Result<()> {
    canvas.rectangle(
        (panel.px(-margin), panel.top),
        (panel.px(margin), panel.bottom()),
        GREY,
        0.16,
    )?;
    panel.x_axis(canvas, Some("difference to the baseline (nats per token)"))?;
    let zero = panel.px(0.0);
    canvas.line(&[(zero, panel.top), (zero, panel.bottom())], INK, 0.8, 1.0)?;
    canvas.text(
        "← better",
        (zero - 8.0, panel.top - 9.0),
        SMALL,
        GREY,
        Anchor::Right,
    )?;
    canvas.text(
        "worse →",
        (zero + 8.0, panel.top - 9.0),
        SMALL,
        GREY,
        Anchor::Left,
    )?;
    canvas.text("±δ", (zero, panel.top - 26.0), SMALL, GREY, Anchor::Middle)?;
    panel.frame(canvas)
}
