//! The main figure: the loss of every row, seed by seed, and its difference to the row that it is
//! compared with.

use super::canvas::{Anchor, Canvas, SMALL, TEXT, fitted, sheet, text_width};
use super::labels::seed_offset;
use super::losses_layout::{LossPanels, LossRow, ROW, TOP};
use super::losses_layout::{mark_far_rows, middle, name_baselines};
use super::palette::{Dash, GREY, INK, Mark, PALE, SeriesStyle};
use super::panel::{Panel, TEST_NLL};
use super::scale::round_values;
use super::view::View;
use super::{Figure, WIDTH, first_of, left_out};
use crate::report::format;

const BOTTOM: f64 = 48.0;
/// Rows beyond these are left to the table.
const MOST_ROWS: usize = 40;

/// Draws the losses of all rows beside their differences to the baseline; nothing of a single run,
/// which is one number.
pub fn draw(view: &View) -> Option<Figure> {
    let is_alone = view.rows.len() == 1 && view.rows[0].losses.len() == 1;
    if is_alone || view.rows.iter().all(|row| row.losses.is_empty()) {
        return None;
    }
    let rows = view.rows.iter();
    let mut all: Vec<LossRow> = rows.map(|row| LossRow::new(view, row)).collect();
    name_baselines(&mut all);
    mark_far_rows(&mut all);
    let rows = first_of(&all, MOST_ROWS);
    let panels = LossPanels::new(view, rows);
    let svg = sheet(
        WIDTH,
        panels.losses.bottom() + BOTTOM,
        "Test loss of every arm and its paired difference to the baseline",
        |canvas| {
            draw_stripes(canvas, rows.len());
            draw_loss_axes(canvas, &panels.losses, panels.teacher);
            if let Some(panel) = &panels.differences {
                let margin = view.data.study.report.margin;
                draw_difference_axes(canvas, panel, margin, panels.against.as_deref());
            }
            if let (Some(left), Some(_), None) =
                (panels.notes, &panels.differences, &panels.against)
            {
                canvas.text("against", (left, TOP - 11.0), SMALL, GREY, Anchor::Left);
            }
            for (place, row) in rows.iter().enumerate() {
                draw_row(canvas, &panels, row, middle(place));
            }
        },
    );
    Some(Figure {
        name: "losses",
        alt: "Dot plot of the test loss of every arm beside its difference to the baseline"
            .to_owned(),
        caption: caption(view, &panels, rows, all.len()),
        svg,
    })
}

fn caption(view: &View, panels: &LossPanels, rows: &[LossRow], all: usize) -> String {
    let share = format::plain(100.0 * (1.0 - view.data.study.report.alpha));
    let margin = format::plain(view.data.study.report.margin);
    let has_intervals = rows.iter().any(|row| row.row.interval.is_some());
    let losses = if has_intervals {
        format!(
            "dots are seeds, the tick is their mean, the line its {share} % t interval (an arrow \
             where it goes on)"
        )
    } else {
        "dots are runs; one seed has no interval".to_owned()
    };
    let differences = if panels.differences.is_none() {
        String::new()
    } else {
        let correction = match view.analysis.primary {
            0 => "widened for the number of comparisons",
            1 => "widened for the number of comparisons, but for the one that was declared",
            _ => {
                "widened for the number of comparisons, those that were declared for their own \
                 number alone"
            }
        };
        let marks = if rows.iter().any(|row| row.has_interval()) {
            format!(
                "rings are seeds, the diamond is their mean, the line its {share} % interval, \
                 {correction}"
            )
        } else {
            "a ring is one seed, which decides nothing".to_owned()
        };
        let against = panels.against.as_ref();
        let against = against.and_then(|label| {
            let mut rows = view.rows.iter();
            rows.find(|row| row.label == *label)
        });
        format!(
            " Right: the difference to {}, paired by seed; {marks}; the grey band is ±δ = \
             {margin}. Left of it is better.",
            against.map_or("the row named at the right", |row| row.name.as_str())
        )
    };
    let is_far = |row: &LossRow| {
        let difference = panels.differences.as_ref();
        far_loss(row, &panels.losses).is_some()
            || difference.is_some_and(|panel| far_difference(row, panel).is_some())
    };
    let far = if rows.iter().any(is_far) {
        " A row far beyond the others is a number at the edge."
    } else {
        ""
    };
    format!(
        "Left: test loss; {losses}.{differences}{far}{}",
        left_out(rows.len(), all, "rows")
    )
}

/// Every second row lies on a light stripe.
fn draw_stripes(canvas: &mut Canvas, rows: usize) {
    for row in (0..rows).step_by(2) {
        let top = TOP + ROW * row as f64;
        canvas.rectangle((4.0, top), (WIDTH - 6.0, top + ROW), PALE, 0.3);
    }
}

fn draw_row(canvas: &mut Canvas, panels: &LossPanels, row: &LossRow, y: f64) {
    let panel = &panels.losses;
    let name = fitted(&row.row.label, TEXT, panel.left - 16.0);
    canvas.titled(&row.row.label, |canvas| {
        canvas.text(&name, (panel.left - 10.0, y), TEXT, INK, Anchor::Right)
    });
    draw_losses(canvas, panel, row, y);
    if let Some(panel) = &panels.differences {
        draw_difference(canvas, panel, row, y);
    }
    if let Some(left) = panels.notes.filter(|_| !row.note.is_empty()) {
        let note = fitted(&row.note, SMALL, WIDTH - 8.0 - left);
        canvas.titled(&row.note, |canvas| {
            canvas.text(&note, (left, y), SMALL, GREY, Anchor::Left)
        });
    }
}

/// A row's own losses.
fn draw_losses(canvas: &mut Canvas, panel: &Panel, row: &LossRow, y: f64) {
    let color = row.style.color;
    if let Some(mean) = far_loss(row, panel) {
        draw_far(canvas, panel, row, y, (mean, format::fixed(mean, 4)));
        return;
    }
    if let Some(ends) = row.row.interval {
        draw_interval(canvas, panel, y, ends, row.style);
    }
    for (seed, (name, loss)) in row.losses.iter().enumerate() {
        let place = (panel.px(*loss), y + seed_offset(seed, row.losses.len()));
        let title = format!("{name}: {}", format::fixed(*loss, 4));
        canvas.titled(&title, |canvas| canvas.plain_dot(place, 3.0, color, 0.6));
    }
    if let Some(mean) = row.row.mean.filter(|_| row.losses.len() > 1) {
        let x = panel.px(mean);
        let title = format!("{}, mean: {}", row.row.label, format::fixed(mean, 4));
        canvas.titled(&title, |canvas| {
            canvas.line(&[(x, y - 9.0), (x, y + 9.0)], color, 1.0, 2.4)
        });
    }
    if row.losses.is_empty() {
        let place = (panel.left + 8.0, y);
        canvas.label("no run finished", place, SMALL, GREY, Anchor::Left);
    }
}

/// Where a word stands: right of a mark, or left of it where there is no room.
fn beside(panel: &Panel, (x, y): (f64, f64), text: &str) -> ((f64, f64), Anchor) {
    let width = text_width(text, SMALL) + 8.0;
    if x + width > panel.right() + 4.0 && x - width > panel.left {
        ((x - 8.0, y), Anchor::Right)
    } else {
        ((x + 8.0, y), Anchor::Left)
    }
}

/// A row's differences to its baseline.
fn draw_difference(canvas: &mut Canvas, panel: &Panel, row: &LossRow, y: f64) {
    if row.row.is_baseline {
        // Nothing is held against a control of the baseline's.
        if row.row.is_control {
            return;
        }
        let (place, anchor) = beside(panel, (panel.px(0.0), y), "baseline");
        canvas.label("baseline", place, SMALL, GREY, anchor);
        return;
    }
    let Some((paired, interval)) = row.contrast.and_then(|contrast| {
        let paired = contrast.paired.as_ref()?;
        Some((paired, contrast.interval))
    }) else {
        return;
    };
    let color = row.style.color;
    if let Some(mean) = far_difference(row, panel) {
        draw_far(canvas, panel, row, y, (mean, format::signed(mean, 4)));
        return;
    }
    if let Some(ends) = interval {
        draw_interval(canvas, panel, y, ends, row.style);
    }
    for (seed, difference) in paired.differences.iter().enumerate() {
        let name = row.pairs.get(seed).map_or("", String::as_str);
        let title = format!("{name}: {}", format::signed(*difference, 4));
        let place = (panel.px(*difference), y + seed_offset(seed, paired.n()));
        let radius = if paired.n() == 1 { 3.6 } else { 2.7 };
        canvas.titled(&title, |canvas| {
            canvas.mark(Mark::Ring, place, radius, color, 0.85)
        });
    }
    let x = panel.px(paired.mean);
    if paired.n() == 1 {
        // A diamond by itself would look like a result.
        let text = "n = 1, no interval";
        let (place, anchor) = beside(panel, (x, y), text);
        canvas.label(text, place, SMALL, GREY, anchor);
        return;
    }
    let ends = interval.map_or_else(String::new, |(low, high)| {
        format!(", {}", format::interval(low, high, 4))
    });
    let title = format!(
        "{}, mean of n = {}: {}{ends}",
        row.row.label,
        paired.n(),
        format::signed(paired.mean, 4)
    );
    canvas.titled(&title, |canvas| {
        canvas.mark(Mark::Diamond, (x, y), 4.2, color, 1.0)
    });
}

/// The mean loss of a row that lies beyond its panel.
fn far_loss(row: &LossRow, panel: &Panel) -> Option<f64> {
    let mean = row.row.mean.filter(|_| row.is_far[0])?;
    (!panel.x.holds(mean)).then_some(mean)
}

/// The mean difference of such a row.
fn far_difference(row: &LossRow, panel: &Panel) -> Option<f64> {
    let mean = row.difference().filter(|_| row.is_far[1])?;
    (!panel.x.holds(mean)).then_some(mean)
}

/// An arrow at the edge beyond which a row lies, with its mean.
fn draw_far(
    canvas: &mut Canvas,
    panel: &Panel,
    row: &LossRow,
    y: f64,
    (mean, text): (f64, String),
) {
    let color = row.style.color;
    let is_above = mean > panel.x.high;
    let (x, inwards) = if is_above {
        (panel.right() - 4.0, -5.0)
    } else {
        (panel.left + 4.0, 5.0)
    };
    canvas.line(&[(x + 3.0 * inwards, y), (x, y)], color, 0.9, 1.6);
    let head = [(x + inwards, y - 3.5), (x, y), (x + inwards, y + 3.5)];
    canvas.line(&head, color, 0.9, 1.6);
    let anchor = if is_above {
        Anchor::Right
    } else {
        Anchor::Left
    };
    let title = format!("{}, mean: {text}", row.row.label);
    canvas.titled(&title, |canvas| {
        canvas.text(&text, (x + 4.0 * inwards, y), SMALL, INK, anchor)
    });
}

/// A line from low to high; where it leaves the panel it ends in an arrow.
fn draw_interval(
    canvas: &mut Canvas,
    panel: &Panel,
    y: f64,
    (low, high): (f64, f64),
    SeriesStyle { color, .. }: SeriesStyle,
) {
    let (from, to) = (panel.px(low), panel.px(high));
    canvas.line(&[(from, y), (to, y)], color, 0.7, 1.6);
    for (beyond, x, inwards) in [
        (low < panel.x.low, from, 5.0),
        (high > panel.x.high, to, -5.0),
    ] {
        if beyond {
            let arrow = [(x + inwards, y - 3.5), (x, y), (x + inwards, y + 3.5)];
            canvas.line(&arrow, color, 0.9, 1.4);
        } else {
            canvas.line(&[(x, y - 4.0), (x, y + 4.0)], color, 0.7, 1.6);
        }
    }
}

fn draw_loss_axes(canvas: &mut Canvas, panel: &Panel, teacher: Option<f64>) {
    panel.x_axis(canvas, Some(TEST_NLL));
    let above = TOP - 11.0;
    let place = (panel.left - 10.0, above);
    canvas.text("perplexity", place, SMALL, GREY, Anchor::Right);
    let mut free = f64::NEG_INFINITY;
    for (value, text) in round_values(panel.x.low.exp(), panel.x.high.exp()) {
        let x = panel.px(value.ln());
        let half = text_width(&text, SMALL) / 2.0;
        if x - half > free {
            canvas.text(&text, (x, above), SMALL, GREY, Anchor::Middle);
            canvas.line(&[(x, TOP - 3.5), (x, TOP)], GREY, 1.0, 0.8);
            free = x + half + 6.0;
        }
    }
    if let Some(teacher) = teacher {
        let x = panel.px(teacher);
        canvas.broken(
            &[(x, TOP), (x, panel.bottom())],
            GREY,
            1.0,
            1.2,
            Dash::Dashed,
        );
        let anchor = if x > panel.right() - 30.0 {
            Anchor::Right
        } else {
            Anchor::Middle
        };
        canvas.text("teacher", (x, TOP - 28.0), SMALL, GREY, anchor);
    }
    panel.frame(canvas);
}

fn draw_difference_axes(canvas: &mut Canvas, panel: &Panel, margin: f64, against: Option<&str>) {
    let (from, to) = (panel.px(-margin), panel.px(margin));
    canvas.rectangle((from, panel.top), (to, panel.bottom()), GREY, 0.16);
    panel.x_axis(canvas, None);
    let to = against.map_or_else(String::new, |against| {
        let room = panel.width - text_width("difference to  (nats per token)", TEXT);
        format!(" to {}", fitted(against, TEXT, room + 40.0))
    });
    let label = format!("difference{to} (nats per token)");
    let middle = panel.left + panel.width / 2.0;
    canvas.text(
        &label,
        (middle, panel.bottom() + 31.0),
        TEXT,
        INK,
        Anchor::Middle,
    );
    let zero = panel.px(0.0);
    canvas.line(&[(zero, panel.top), (zero, panel.bottom())], INK, 0.8, 1.0);
    let above = panel.top - 11.0;
    // Beside 0, and within the panel.
    let widths = ["← better", "worse →"].map(|word| text_width(word, SMALL));
    let end = (zero - 8.0)
        .max(panel.left + widths[0])
        .min(panel.right() - widths[1] - 16.0);
    canvas.text("← better", (end, above), SMALL, GREY, Anchor::Right);
    canvas.text("worse →", (end + 16.0, above), SMALL, GREY, Anchor::Left);
    let band = format!("±δ = {}", format::plain(margin));
    canvas.text(&band, (zero, panel.top - 28.0), SMALL, GREY, Anchor::Middle);
    panel.frame(canvas);
}
