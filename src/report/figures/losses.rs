//! The main figure: the loss of every row, seed by seed, and its difference to the baseline.

use anyhow::Result;

use super::canvas::{Anchor, Canvas, Color, GREY, INK, Mark, PALE, SMALL, TEXT, color, fitted, sheet, text_width};
use super::panel::Panel;
use super::scale::{Scale, range};
use super::{Figure, View, WIDTH};
use crate::report::contrasts::Row;
use crate::report::format;

const ROW: f64 = 26.0;
const TOP: f64 = 62.0;
const BOTTOM: f64 = 48.0;
/// Rows beyond these are left to the table.
const MOST_ROWS: usize = 40;

pub fn draw(view: &View) -> Result<Option<Figure>> {
    let all: Vec<&Row> = view.rows.iter().filter(|row| !row.losses.is_empty()).collect();
    let rows = &all[..all.len().min(MOST_ROWS)];
    if rows.is_empty() {
        return Ok(None);
    }
    let settings = &view.data.study.report;
    let contrasts: Vec<_> = rows.iter().map(|row| row.contrast.map(|contrast| &view.analysis.contrasts[contrast])).collect();
    let differences = contrasts.iter().flatten().filter_map(|contrast| contrast.paired.as_ref());
    let intervals = contrasts.iter().flatten().filter_map(|contrast| contrast.interval).flat_map(|(low, high)| [low, high]);
    let compared: Vec<f64> = differences.flat_map(|paired| paired.differences.iter().copied().chain([paired.mean])).collect();
    let has_differences = !compared.is_empty();
    // A few wide intervals of few seeds must not squeeze everything else; they are cut with an arrow.
    let reach = compared.iter().fold(settings.margin * 2.0, |reach, difference| reach.max(difference.abs() * 3.0));
    let in_reach = intervals.map(|bound| bound.clamp(-reach, reach));

    let names = rows.iter().map(|row| text_width(&row.label, TEXT)).fold(60.0, f64::max).min(210.0) + 14.0;
    let height = TOP + ROW * rows.len() as f64 + BOTTOM;
    let plots = WIDTH - names - 24.0;
    let width = if has_differences { plots * 0.5 - 14.0 } else { plots };
    let losses: Vec<f64> = rows.iter().flat_map(|row| row.losses.iter().copied()).collect();
    let teacher = view.data.teachers.iter().find_map(|teacher| teacher.nll());
    let x = Scale::linear(losses.iter().copied().chain(teacher.filter(|&teacher| is_near(teacher, &losses))), 4);
    let level = Scale { low: 0.0, high: 1.0, logarithmic: false, ticks: Vec::new() };
    let panel = Panel { left: names, top: TOP, width, height: ROW * rows.len() as f64, x, y: level.clone() };
    let middle = |row: usize| TOP + ROW * (row as f64 + 0.5);
    let bound = settings.margin * 1.6;
    let x = Scale::linear(compared.iter().copied().chain(in_reach).chain([-bound, bound, 0.0]), 4);
    let other = Panel { left: names + width + 28.0, top: TOP, width, height: panel.height, x, y: level };

    let svg = sheet(WIDTH, height, "Test loss of every arm and its paired difference to the baseline", |canvas| {
        stripes(canvas, rows.len())?;
        panel.x_axis(canvas, Some("test NLL (nats per token)"))?;
        for (value, _) in &panel.x.ticks {
            canvas.text(&format::significant(value.exp(), 3), (panel.px(*value), TOP - 9.0), SMALL, GREY, Anchor::Middle)?;
        }
        canvas.text("perplexity", (panel.left + width / 2.0, TOP - 26.0), SMALL, GREY, Anchor::Middle)?;
        if let Some(teacher) = teacher.filter(|&teacher| is_near(teacher, &losses)) {
            let x = panel.px(teacher);
            canvas.dashed((x, TOP), (x, panel.bottom()), GREY, 1.2)?;
            canvas.text("teacher", (x, TOP - 43.0), SMALL, GREY, if x > panel.right() - 30.0 { Anchor::Right } else { Anchor::Middle })?;
            canvas.line(&[(x, TOP - 36.0), (x, TOP - 16.0)], GREY, 0.5, 0.8)?;
        }
        panel.frame(canvas)?;
        for (place, row) in rows.iter().enumerate() {
            let (y, ink) = (middle(place), color(view.series_of(row).0));
            canvas.text(&fitted(&row.label, TEXT, names - 14.0), (names - 10.0, y), TEXT, INK, Anchor::Right)?;
            own(canvas, &panel, row, y, ink)?;
        }
        if has_differences {
            difference_axes(canvas, &other, settings.margin)?;
            for (place, row) in rows.iter().enumerate() {
                let (y, ink) = (middle(place), color(view.series_of(row).0));
                let Some(contrast) = contrasts[place] else {
                    if row.is_baseline {
                        canvas.text("baseline", (other.px(0.0) + 6.0, y), SMALL, GREY, Anchor::Left)?;
                    }
                    continue;
                };
                let Some(paired) = &contrast.paired else { continue };
                if let Some((low, high)) = contrast.interval {
                    interval(canvas, &other, y, low, high, ink)?;
                }
                for (seed, difference) in paired.differences.iter().enumerate() {
                    canvas.mark(Mark::Ring, (other.px(*difference), y + spread(seed, paired.n())), 2.6, ink, 0.75)?;
                }
                canvas.mark(Mark::Diamond, (other.px(paired.mean), y), 4.2, ink, 1.0)?;
            }
        }
        Ok(())
    })?;
    let share = format::significant(100.0 * (1.0 - settings.alpha), 3);
    let second = if has_differences {
        format!(
            " Right: the paired difference to the baseline; rings are seeds, the diamond is their mean, the line its interval, {share} % simultaneous over all comparisons, \
             the grey band ±δ. Left of the band is better."
        )
    } else {
        String::new()
    };
    let caption = format!(
        "Left: test loss by arm; dots are seeds, the tick is their mean, the line its {share} % t interval (cut at the edge of the panel where it is wider).{second}{}",
        super::left_out(rows.len(), all.len(), "rows")
    );
    let alt = "Dot plot of the test loss of every arm beside its difference to the baseline".to_owned();
    Ok(Some(Figure { name: "losses", alt, caption, svg }))
}

/// Whether a reference lies so near to the values that showing it does not squeeze them to less than a third.
fn is_near(reference: f64, values: &[f64]) -> bool {
    range(values.iter().copied()).is_some_and(|(low, high)| {
        let span = (high - low).max(0.02);
        reference > low - 2.0 * span && reference < high + 2.0 * span
    })
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
    if seeds < 2 { 0.0 } else { (seed as f64 / (seeds - 1) as f64 - 0.5) * 9.0 }
}

/// A row's own losses.
fn own(canvas: &mut Canvas, panel: &Panel, row: &Row, y: f64, ink: Color) -> Result<()> {
    if let Some((low, high)) = row.interval {
        interval(canvas, panel, y, low, high, ink)?;
    }
    for (seed, loss) in row.losses.iter().enumerate() {
        canvas.mark(Mark::Dot, (panel.px(*loss), y + spread(seed, row.losses.len())), 3.4, ink, 0.85)?;
    }
    match row.mean.filter(|_| row.losses.len() > 1) {
        Some(mean) => canvas.line(&[(panel.px(mean), y - 9.0), (panel.px(mean), y + 9.0)], ink, 1.0, 2.2),
        None => Ok(()),
    }
}

/// A line from low to high; where it leaves the panel it ends in an arrow.
fn interval(canvas: &mut Canvas, panel: &Panel, y: f64, low: f64, high: f64, ink: Color) -> Result<()> {
    let (from, to) = (panel.px(low), panel.px(high));
    canvas.line(&[(from, y), (to, y)], ink, 0.7, 1.6)?;
    for (beyond, x, inwards) in [(low < panel.x.low, from, 5.0), (high > panel.x.high, to, -5.0)] {
        if beyond {
            canvas.line(&[(x + inwards, y - 3.5), (x, y), (x + inwards, y + 3.5)], ink, 0.9, 1.4)?;
        } else {
            canvas.line(&[(x, y - 4.0), (x, y + 4.0)], ink, 0.7, 1.6)?;
        }
    }
    Ok(())
}

fn difference_axes(canvas: &mut Canvas, panel: &Panel, margin: f64) -> Result<()> {
    canvas.rectangle((panel.px(-margin), panel.top), (panel.px(margin), panel.bottom()), GREY, 0.16)?;
    panel.x_axis(canvas, Some("difference to the baseline (nats per token)"))?;
    let zero = panel.px(0.0);
    canvas.line(&[(zero, panel.top), (zero, panel.bottom())], INK, 0.8, 1.0)?;
    canvas.text("← better", (zero - 8.0, panel.top - 9.0), SMALL, GREY, Anchor::Right)?;
    canvas.text("worse →", (zero + 8.0, panel.top - 9.0), SMALL, GREY, Anchor::Left)?;
    canvas.text("±δ", (zero, panel.top - 26.0), SMALL, GREY, Anchor::Middle)?;
    panel.frame(canvas)
}
