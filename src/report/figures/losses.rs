//! The main figure: the loss of every row, seed by seed, and its difference to the baseline.

use anyhow::Result;

use super::canvas::{
    Anchor, Canvas, GREY, INK, Mark, PALE, Rgb, SMALL, TEXT, color, fitted, sheet, text_width,
};
use super::panel::Panel;
use super::scale::{Scale, range};
use super::{Figure, View, WIDTH};
use crate::report::contrasts::{Contrast, TableRow};
use crate::report::format;

const ROW: f64 = 26.0;
const TOP: f64 = 46.0;
const BOTTOM: f64 = 48.0;
/// Rows beyond these are left to the table.
const MOST_ROWS: usize = 40;

pub fn draw(view: &View) -> Result<Option<Figure>> {
    let all: Vec<&TableRow> = view
        .rows
        .iter()
        .filter(|row| !row.losses.is_empty())
        .collect();
    let rows = &all[..all.len().min(MOST_ROWS)];
    if rows.is_empty() {
        return Ok(None);
    }
    let settings = &view.data.study.report;
    let contrasts: Vec<Option<&Contrast>> = rows
        .iter()
        .map(|row| {
            row.contrast
                .map(|contrast| &view.analysis.contrasts[contrast])
        })
        .collect();
    let has_differences = contrasts
        .iter()
        .flatten()
        .any(|contrast| contrast.paired.is_some());
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
    let teacher = view
        .data
        .teachers
        .iter()
        .find_map(|teacher| teacher.nll())
        .filter(|&teacher| is_near(teacher, &losses));
    let nothing = Scale {
        low: 0.0,
        high: 1.0,
        logarithmic: false,
        ticks: Vec::new(),
    };
    let own = Panel {
        left: names,
        top: TOP,
        width,
        height: ROW * rows.len() as f64,
        x: scale_of_losses(rows, &losses, teacher),
        y: nothing,
    };
    let paired = Panel {
        left: names + width + 28.0,
        x: scale_of_differences(&contrasts, settings.margin),
        ..own.clone()
    };

    let svg = sheet(
        WIDTH,
        own.bottom() + BOTTOM,
        "Test loss of every arm and its paired difference to the baseline",
        |canvas| {
            stripes(canvas, rows.len())?;
            loss_axes(canvas, &own, teacher)?;
            for (place, row) in rows.iter().enumerate() {
                let y = middle(place);
                canvas.text(
                    &fitted(&row.label, TEXT, names - 14.0),
                    (names - 10.0, y),
                    TEXT,
                    INK,
                    Anchor::Right,
                )?;
                draw_losses(canvas, &own, row, y, color(view.series_of(row).0))?;
            }
            if has_differences {
                difference_axes(canvas, &paired, settings.margin)?;
                for (place, row) in rows.iter().enumerate() {
                    match contrasts[place] {
                        Some(contrast) => draw_difference(
                            canvas,
                            &paired,
                            contrast,
                            middle(place),
                            color(view.series_of(row).0),
                        )?,
                        None if row.is_baseline => canvas.text(
                            "baseline",
                            (paired.px(0.0) + 6.0, middle(place)),
                            SMALL,
                            GREY,
                            Anchor::Left,
                        )?,
                        None => {}
                    }
                }
            }
            Ok(())
        },
    )?;
    let share = format::plain(100.0 * (1.0 - settings.alpha));
    let second = if has_differences {
        format!(
            " Right: the paired difference to the baseline; rings are seeds, the diamond is their \
             mean, the line its interval, {share} % simultaneous over all comparisons, the grey \
             band ±δ. Left of the band is better."
        )
    } else {
        String::new()
    };
    let caption = format!(
        "Left: test loss by arm; dots are seeds, the tick is their mean, the line its {share} % t \
         interval (cut at the edge of the panel where it is wider).{second}{}",
        super::left_out(rows.len(), all.len(), "rows")
    );
    let alt =
        "Dot plot of the test loss of every arm beside its difference to the baseline".to_owned();
    Ok(Some(Figure {
        name: "losses",
        alt,
        caption,
        svg,
    }))
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
fn scale_of_differences(contrasts: &[Option<&Contrast>], margin: f64) -> Scale {
    let compared = || {
        contrasts
            .iter()
            .flatten()
            .filter_map(|contrast| contrast.paired.as_ref())
            .flat_map(|paired| paired.differences.iter().copied())
    };
    let reach = compared().fold(margin * 2.0, |reach, difference| {
        reach.max(difference.abs() * 2.0)
    });
    let intervals = contrasts
        .iter()
        .flatten()
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

fn loss_axes(canvas: &mut Canvas, panel: &Panel, teacher: Option<f64>) -> Result<()> {
    panel.x_axis(canvas, Some("test NLL (nats per token)"))?;
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
fn stripes(canvas: &mut Canvas, rows: usize) -> Result<()> {
    (0..rows).step_by(2).try_for_each(|row| {
        let top = TOP + ROW * row as f64;
        canvas.rectangle((4.0, top), (WIDTH - 10.0, top + ROW), PALE, 0.3)
    })
}

/// Seeds lie a little above and below each other.
fn spread(seed: usize, seeds: usize) -> f64 {
    if seeds < 2 {
        0.0
    } else {
        (seed as f64 / (seeds - 1) as f64 - 0.5) * 9.0
    }
}

/// A row's own losses.
fn draw_losses(canvas: &mut Canvas, panel: &Panel, row: &TableRow, y: f64, ink: Rgb) -> Result<()> {
    if let Some((low, high)) = row.interval {
        interval(canvas, panel, y, low, high, ink)?;
    }
    for (seed, loss) in row.losses.iter().enumerate() {
        canvas.speck(
            (panel.px(*loss), y + spread(seed, row.losses.len())),
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
        interval(canvas, panel, y, low, high, ink)?;
    }
    for (seed, difference) in paired.differences.iter().enumerate() {
        canvas.mark(
            Mark::Ring,
            (panel.px(*difference), y + spread(seed, paired.n())),
            2.6,
            ink,
            0.75,
        )?;
    }
    canvas.mark(Mark::Diamond, (panel.px(paired.mean), y), 4.2, ink, 1.0)
}

/// A line from low to high; where it leaves the panel it ends in an arrow.
fn interval(
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

fn difference_axes(canvas: &mut Canvas, panel: &Panel, margin: f64) -> Result<()> {
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
