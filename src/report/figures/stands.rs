//! Points that have the same place along an axis, set side by side around it.

use super::canvas::Canvas;
use super::palette::{Dash, GREY, PALE};
use super::panel::Panel;

/// Values nearer than this share are one.
const EQUAL: f64 = 1e-3;
/// Pixels between two points of a stand, where there is room.
const STEP: f64 = 11.0;
/// The most pixels from the first point of a stand to the last: a place is no range.
const WIDEST: f64 = 80.0;
/// Pixels of ground beyond the outermost points.
const EDGE: f64 = 6.0;

/// Points of one place along x, side by side around it so that their bars do not cover each other.
#[derive(Debug)]
pub struct Stand {
    /// In the order of rows.
    members: Vec<usize>,
    /// The pixel of the place.
    x: f64,
    step: f64,
}

/// Whether two values have one place.
pub fn is_equal(a: f64, b: f64) -> bool {
    (a - b).abs() <= EQUAL * a.abs().max(b.abs())
}

impl Stand {
    /// The pixel of its first point.
    fn first(&self) -> f64 {
        self.x - self.step * (self.members.len() as f64 - 1.0) / 2.0
    }

    /// A ground under points that stand side by side, with a line at the place that is theirs.
    pub fn draw_ground(&self, canvas: &mut Canvas, panel: &Panel) {
        if self.members.len() < 2 {
            return;
        }
        let reach = self.x - self.first() + EDGE;
        let left = (self.x - reach).max(panel.left);
        let right = (self.x + reach).min(panel.right());
        canvas.rectangle((left, panel.top), (right, panel.bottom()), PALE, 0.55);
        let middle = [(self.x, panel.top), (self.x, panel.bottom())];
        canvas.broken(&middle, GREY, 0.55, 0.8, Dash::Dotted);
    }
}

/// The stands of points with these values of x, from left to right; narrower where neighbours would
/// touch.
pub fn stands(panel: &Panel, values: &[f64]) -> Vec<Stand> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]).then(a.cmp(&b)));
    let mut stands: Vec<Stand> = Vec::new();
    for index in order {
        match stands.last_mut() {
            Some(last) if is_equal(values[last.members[0]], values[index]) => {
                last.members.push(index)
            }
            Some(_) | None => stands.push(Stand {
                members: vec![index],
                x: panel.px(values[index]),
                step: STEP,
            }),
        }
    }
    let xs: Vec<f64> = stands.iter().map(|stand| stand.x).collect();
    for (place, stand) in stands.iter_mut().enumerate() {
        // Whatever a last digit says.
        stand.members.sort_unstable();
        // Two neighbours share the room between them, the edge of the panel is nobody's.
        let before = place
            .checked_sub(1)
            .map_or(stand.x - panel.left, |before| (stand.x - xs[before]) / 2.0);
        let after = xs
            .get(place + 1)
            .map_or(panel.right() - stand.x, |after| (after - stand.x) / 2.0);
        let gaps = (stand.members.len() as f64 - 1.0).max(1.0);
        stand.step =
            (2.0 * (before.min(after) - EDGE) / gaps).clamp(1.5, STEP.min(WIDEST / gaps).max(1.5));
    }
    stands
}

/// The pixel of every one of so many points.
pub fn places(stands: &[Stand], count: usize) -> Vec<f64> {
    let mut places = vec![0.0; count];
    for stand in stands {
        for (rank, &member) in stand.members.iter().enumerate() {
            places[member] = stand.first() + stand.step * rank as f64;
        }
    }
    places
}

#[cfg(test)]
#[path = "stands_tests.rs"]
mod tests;
