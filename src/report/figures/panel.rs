//! A panel: two axes with labels and whatever is plotted between them; and the legend.

use anyhow::Result;

use super::canvas::{Anchor, Canvas, GREY, INK, Mark, PALE, Rgb, SMALL, TEXT, text_width};
use super::scale::Scale;

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
    pub fn right(&self) -> f64 {
        self.left + self.width
    }

    pub fn bottom(&self) -> f64 {
        self.top + self.height
    }

    pub fn px(&self, x: f64) -> f64 {
        self.left + self.width * self.x.share(x)
    }

    pub fn py(&self, y: f64) -> f64 {
        self.bottom() - self.height * self.y.share(y)
    }

    pub fn point(&self, x: f64, y: f64) -> (f64, f64) {
        (self.px(x), self.py(y))
    }

    /// The axes: light lines at the ticks, labels where they are wanted.
    ///
    /// # Errors
    /// The backend's own, as all that follow.
    pub fn axes(
        &self,
        canvas: &mut Canvas,
        x_label: Option<&str>,
        y_label: Option<&str>,
    ) -> Result<()> {
        self.x_axis(canvas, x_label)?;
        self.y_axis(canvas, y_label)?;
        self.frame(canvas)
    }

    pub fn frame(&self, canvas: &mut Canvas) -> Result<()> {
        canvas.line(
            &[
                (self.left, self.top),
                (self.left, self.bottom()),
                (self.right(), self.bottom()),
            ],
            INK,
            1.0,
            1.0,
        )
    }

    pub fn x_axis(&self, canvas: &mut Canvas, label: Option<&str>) -> Result<()> {
        let mut free = f64::NEG_INFINITY;
        for (value, text) in &self.x.ticks {
            let x = self.px(*value);
            canvas.line(&[(x, self.top), (x, self.bottom())], PALE, 1.0, 0.8)?;
            canvas.line(
                &[(x, self.bottom()), (x, self.bottom() + 4.0)],
                INK,
                1.0,
                1.0,
            )?;
            let half = text_width(text, SMALL) / 2.0;
            if x - half > free {
                canvas.text(text, (x, self.bottom() + 13.0), SMALL, INK, Anchor::Middle)?;
                free = x + half + 4.0;
            }
        }
        match label {
            Some(label) => canvas.text(
                label,
                (self.left + self.width / 2.0, self.bottom() + 31.0),
                TEXT,
                INK,
                Anchor::Middle,
            ),
            None => Ok(()),
        }
    }

    pub fn y_axis(&self, canvas: &mut Canvas, label: Option<&str>) -> Result<()> {
        let mut widest = 0.0f64;
        for (value, text) in &self.y.ticks {
            let y = self.py(*value);
            canvas.line(&[(self.left, y), (self.right(), y)], PALE, 1.0, 0.8)?;
            canvas.line(&[(self.left - 4.0, y), (self.left, y)], INK, 1.0, 1.0)?;
            canvas.text(text, (self.left - 7.0, y), SMALL, INK, Anchor::Right)?;
            widest = widest.max(text_width(text, SMALL));
        }
        match label {
            Some(label) => canvas.upwards(
                label,
                (self.left - widest - 19.0, self.top + self.height / 2.0),
                TEXT,
                INK,
            ),
            None => Ok(()),
        }
    }

    /// A title above the panel, at its left.
    pub fn title(&self, canvas: &mut Canvas, title: &str) -> Result<()> {
        canvas.bold(title, (self.left, self.top - 10.0), TEXT, INK, Anchor::Left)
    }

    /// A curve; what lies above or below the panel is cut off.
    pub fn curve(
        &self,
        canvas: &mut Canvas,
        points: &[(f64, f64)],
        color: Rgb,
        width: f64,
    ) -> Result<()> {
        for piece in clipped(points, self.y.low, self.y.high) {
            let piece: Vec<(f64, f64)> = piece.iter().map(|&(x, y)| self.point(x, y)).collect();
            canvas.line(&piece, color, 1.0, width)?;
        }
        Ok(())
    }

    /// The area between two curves of the same x: (x, low, high).
    pub fn band(&self, canvas: &mut Canvas, band: &[(f64, f64, f64)], color: Rgb) -> Result<()> {
        let upper = band.iter().map(|&(x, _, high)| self.point(x, high));
        let lower = band.iter().rev().map(|&(x, low, _)| self.point(x, low));
        canvas.polygon(&upper.chain(lower).collect::<Vec<_>>(), color, 0.18)
    }

    /// A dashed horizontal line with its name at the right end, above it.
    pub fn level(&self, canvas: &mut Canvas, y: f64, name: &str) -> Result<()> {
        let place = self.py(y);
        canvas.dashed((self.left, place), (self.right(), place), GREY, 1.0)?;
        let above = place - 8.0 > self.top;
        canvas.text(
            name,
            (
                self.right() - 2.0,
                if above { place - 8.0 } else { place + 9.0 },
            ),
            SMALL,
            GREY,
            Anchor::Right,
        )
    }
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

/// Moves places apart so that neighbours have `gap` between them, as near to where they were as
/// that allows, within low … high. Gives the places in the order given.
pub fn apart(places: &[f64], gap: f64, low: f64, high: f64) -> Vec<f64> {
    let mut order: Vec<usize> = (0..places.len()).collect();
    order.sort_by(|&a, &b| places[a].total_cmp(&places[b]).then(a.cmp(&b)));
    // Clusters of labels that touch share their displacement: (sum of wished starts, members).
    let mut clusters: Vec<(f64, Vec<usize>)> = Vec::new();
    let start = |cluster: &(f64, Vec<usize>)| {
        let length = gap * (cluster.1.len() - 1) as f64;
        (cluster.0 / cluster.1.len() as f64)
            .min(high - length)
            .max(low)
    };
    for index in order {
        clusters.push((places[index], vec![index]));
        while let [.., before, last] = clusters.as_slice()
            && start(before) + gap * before.1.len() as f64 > start(last)
        {
            let shift = gap * before.1.len() as f64 * last.1.len() as f64;
            let (sum, members) = (last.0 - shift, last.1.clone());
            clusters.pop();
            if let Some(before) = clusters.last_mut() {
                before.0 += sum;
                before.1.extend(members);
            }
        }
    }
    let mut moved = vec![0.0; places.len()];
    for cluster in &clusters {
        let from = start(cluster);
        cluster
            .1
            .iter()
            .enumerate()
            .for_each(|(rank, &index)| moved[index] = from + gap * rank as f64);
    }
    moved
}

/// An entry of a legend.
#[derive(Debug, Clone)]
pub struct LegendEntry {
    pub name: String,
    pub color: Rgb,
    /// A mark; a line where there is none.
    pub mark: Option<Mark>,
}

/// The places of a legend's entries in rows of `width`, and the height of all rows.
fn rows(entries: &[LegendEntry], width: f64) -> (Vec<(f64, f64)>, f64) {
    const ROW: f64 = 19.0;
    let (mut x, mut y) = (0.0, 0.0);
    let places = entries.iter().map(|entry| {
        let own = 26.0 + text_width(&entry.name, TEXT) + 14.0;
        if x > 0.0 && x + own > width {
            (x, y) = (0.0, y + ROW);
        }
        let place = (x, y);
        x += own;
        place
    });
    let places: Vec<(f64, f64)> = places.collect();
    let height = places.last().map_or(0.0, |place| place.1 + ROW);
    (places, height)
}

/// The height of a legend in rows of `width`.
pub fn legend_height(entries: &[LegendEntry], width: f64) -> f64 {
    rows(entries, width).1
}

/// Draws a legend in rows of `width` from the point (left, top).
///
/// # Errors
/// The backend's own.
pub fn legend(
    canvas: &mut Canvas,
    entries: &[LegendEntry],
    (left, top): (f64, f64),
    width: f64,
) -> Result<()> {
    for (entry, (x, y)) in entries.iter().zip(rows(entries, width).0) {
        let (x, y) = (left + x, top + y + 9.0);
        match entry.mark {
            Some(mark) => canvas.mark(mark, (x + 11.0, y), 4.5, entry.color, 1.0)?,
            None => canvas.line(&[(x, y), (x + 20.0, y)], entry.color, 1.0, 2.5)?,
        }
        canvas.text(&entry.name, (x + 26.0, y), TEXT, INK, Anchor::Left)?;
    }
    Ok(())
}

#[cfg(test)]
#[path = "panel_tests.rs"]
mod tests;
