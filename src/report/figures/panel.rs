//! A panel: two axes with labels and whatever is plotted between them.

use super::canvas::{Anchor, Canvas, SMALL, TEXT, fitted, text_width};
use super::palette::{Dash, GREY, INK, PALE, Rgb, SeriesStyle};
use super::scale::Scale;

/// The label of an axis of training steps.
pub const TRAINING_STEP: &str = "training step";
/// The label of an axis of test losses.
pub const TEST_NLL: &str = "test NLL (nats per token)";
/// The label of an axis of validation losses.
pub const VALIDATION_NLL: &str = "validation NLL (nats per token)";

/// A plotting area in pixels with its two scales.
#[derive(Debug, Clone)]
pub struct Panel {
    pub left: f64,
    pub top: f64,
    pub width: f64,
    pub height: f64,
    pub x: Scale,
    pub y: Scale,
}

impl Panel {
    /// The pixel of its right edge.
    pub fn right(&self) -> f64 {
        self.left + self.width
    }

    /// The pixel of its lower edge.
    pub fn bottom(&self) -> f64 {
        self.top + self.height
    }

    /// The pixel of a value of x, outside held at the edges.
    pub fn px(&self, x: f64) -> f64 {
        self.left + self.width * self.x.share(x)
    }

    /// The pixel of a value of y, outside held at the edges.
    pub fn py(&self, y: f64) -> f64 {
        self.bottom() - self.height * self.y.share(y)
    }

    /// The pixels of a pair of values.
    pub fn point(&self, x: f64, y: f64) -> (f64, f64) {
        (self.px(x), self.py(y))
    }

    /// The axes: light lines at the ticks, labels where they are wanted.
    pub fn axes(&self, canvas: &mut Canvas, x_label: Option<&str>, y_label: Option<&str>) {
        self.x_axis(canvas, x_label);
        self.y_axis(canvas, y_label);
        self.frame(canvas);
    }

    /// The lines of both axes.
    pub fn frame(&self, canvas: &mut Canvas) {
        let corners = [
            (self.left, self.top),
            (self.left, self.bottom()),
            (self.right(), self.bottom()),
        ];
        canvas.line(&corners, INK, 1.0, 1.0);
    }

    /// Ticks of x with their labels as far as they have room, and the label of the axis.
    pub fn x_axis(&self, canvas: &mut Canvas, label: Option<&str>) {
        let mut free = f64::NEG_INFINITY;
        for (value, text) in &self.x.ticks {
            let x = self.px(*value);
            canvas.line(&[(x, self.top), (x, self.bottom())], PALE, 1.0, 0.8);
            let tick = [(x, self.bottom()), (x, self.bottom() + 4.0)];
            canvas.line(&tick, INK, 1.0, 1.0);
            let half = text_width(text, SMALL) / 2.0;
            if x - half > free {
                let place = (x, self.bottom() + 13.0);
                canvas.text(text, place, SMALL, INK, Anchor::Middle);
                free = x + half + 4.0;
            }
        }
        if let Some(label) = label {
            let place = (self.left + self.width / 2.0, self.bottom() + 31.0);
            canvas.text(label, place, TEXT, INK, Anchor::Middle);
        }
    }

    /// Ticks of y with their labels, and the label of the axis.
    pub fn y_axis(&self, canvas: &mut Canvas, label: Option<&str>) {
        let mut widest = 0.0f64;
        for (value, text) in &self.y.ticks {
            let y = self.py(*value);
            canvas.line(&[(self.left, y), (self.right(), y)], PALE, 1.0, 0.8);
            canvas.line(&[(self.left - 4.0, y), (self.left, y)], INK, 1.0, 1.0);
            canvas.text(text, (self.left - 7.0, y), SMALL, INK, Anchor::Right);
            widest = widest.max(text_width(text, SMALL));
        }
        if let Some(label) = label {
            let left = (self.left - widest - 19.0).max(9.0);
            canvas.upwards(label, (left, self.top + self.height / 2.0), TEXT);
        }
    }

    /// A title above the panel, at its left, cut to what has room there.
    pub fn title(&self, canvas: &mut Canvas, title: &str) {
        if title.is_empty() {
            return;
        }
        // Bold letters are wider.
        let fits = fitted(title, TEXT * 1.08, self.width + 12.0);
        let place = (self.left, self.top - 10.0);
        canvas.titled(title, |canvas| {
            canvas.bold(&fits, place, TEXT, INK, Anchor::Left)
        });
    }

    /// The name of an arm above the panel, after its mark.
    pub fn arm_title(&self, canvas: &mut Canvas, title: &str, arm: SeriesStyle) {
        let mark = (self.left + 5.0, self.top - 10.0);
        canvas.mark(arm.mark, mark, 4.5, arm.color, 1.0);
        let rest = Self {
            left: self.left + 14.0,
            width: self.width - 14.0,
            ..self.clone()
        };
        rest.title(canvas, title);
    }

    /// A curve; what lies above or below the panel is cut off. A single point is a dot.
    pub fn curve(
        &self,
        canvas: &mut Canvas,
        points: &[(f64, f64)],
        color: Rgb,
        width: f64,
        dash: Dash,
    ) {
        for piece in clipped(points, self.y.low, self.y.high) {
            let piece: Vec<(f64, f64)> = piece.iter().map(|&(x, y)| self.point(x, y)).collect();
            match piece.as_slice() {
                [only] => canvas.plain_dot(*only, 1.2 + width, color, 1.0),
                piece => canvas.broken(piece, color, 1.0, width, dash),
            }
        }
    }

    /// Marks at the points of a curve that lie within the panel, each with a title.
    pub fn marks(
        &self,
        canvas: &mut Canvas,
        points: &[(f64, f64)],
        style: SeriesStyle,
        radius: f64,
        title: impl Fn(f64, f64) -> String,
    ) {
        for &(x, y) in points {
            if (self.y.low..=self.y.high).contains(&y) {
                canvas.titled(&title(x, y), |canvas| {
                    canvas.mark(style.mark, self.point(x, y), radius, style.color, 1.0)
                });
            }
        }
    }

    /// The area between two curves of the same x: (x, low, high); of a single x a line.
    pub fn band(&self, canvas: &mut Canvas, band: &[(f64, f64, f64)], color: Rgb) {
        let is_outside = |&(_, low, high): &(f64, f64, f64)| low > self.y.high || high < self.y.low;
        if band.iter().all(is_outside) {
            return;
        }
        if let [(x, low, high)] = *band {
            canvas.line(&[self.point(x, low), self.point(x, high)], color, 0.6, 1.4);
            return;
        }
        // Held at the edges, which it crosses where its ends do.
        let band = with_crossings(band, [self.y.low, self.y.high]);
        let upper = band.iter().map(|&(x, _, high)| self.point(x, high));
        let lower = band.iter().rev().map(|&(x, low, _)| self.point(x, low));
        canvas.polygon(&upper.chain(lower).collect::<Vec<_>>(), color, 0.18);
    }

    /// A dashed horizontal line with its name at the right end, above it.
    pub fn level(&self, canvas: &mut Canvas, y: f64, name: &str) {
        let place = self.py(y);
        let ends = [(self.left, place), (self.right(), place)];
        canvas.broken(&ends, GREY, 1.0, 1.0, Dash::Dashed);
        let above = place - 8.0 > self.top;
        let y = if above { place - 8.0 } else { place + 9.0 };
        canvas.label(name, (self.right() - 2.0, y), SMALL, GREY, Anchor::Right);
    }
}

/// A band with points of its own where its upper or lower end crosses a level.
fn with_crossings(band: &[(f64, f64, f64)], levels: [f64; 2]) -> Vec<(f64, f64, f64)> {
    let mut all: Vec<(f64, f64, f64)> = band.first().copied().into_iter().collect();
    for pair in band.windows(2) {
        let (from, to) = (pair[0], pair[1]);
        let crossing = |level: f64, a: f64, b: f64| {
            let share = (level - a) / (b - a);
            (share > 0.0 && share < 1.0).then_some(share)
        };
        let mut shares: Vec<f64> = levels
            .iter()
            .flat_map(|&level| [crossing(level, from.1, to.1), crossing(level, from.2, to.2)])
            .flatten()
            .collect();
        shares.sort_by(f64::total_cmp);
        let mix = |a: f64, b: f64, share: f64| a + share * (b - a);
        let points = shares.iter().map(|&share| {
            (
                mix(from.0, to.0, share),
                mix(from.1, to.1, share),
                mix(from.2, to.2, share),
            )
        });
        all.extend(points);
        all.push(to);
    }
    all
}

/// The pieces of a curve between two levels; where it crosses one, it ends there.
fn clipped(points: &[(f64, f64)], low: f64, high: f64) -> Vec<Vec<(f64, f64)>> {
    let inside = |y: f64| (low..=high).contains(&y);
    let mut pieces: Vec<Vec<(f64, f64)>> = vec![Vec::new()];
    let mut push = |point: (f64, f64), starts: bool| {
        if starts {
            pieces.push(Vec::new());
        }
        if let Some(piece) = pieces.last_mut() {
            piece.push(point);
        }
    };
    for (place, &(x, y)) in points.iter().enumerate() {
        let before = place.checked_sub(1).map(|before| points[before]);
        // Where the line from the point before crosses the level that one of the two lies beyond.
        let crossing = |beyond: f64, (from_x, from_y): (f64, f64)| {
            let level = if beyond > high { high } else { low };
            (
                from_x + (x - from_x) * (level - from_y) / (y - from_y),
                level,
            )
        };
        match (before, inside(y)) {
            (Some(before), true) if !inside(before.1) => {
                push(crossing(before.1, before), true);
                push((x, y), false);
            }
            (_, true) => push((x, y), false),
            (Some(before), false) if inside(before.1) => push(crossing(y, before), false),
            (Some(_) | None, false) => {}
        }
    }
    pieces
}

#[cfg(test)]
#[path = "panel_tests.rs"]
mod tests;
