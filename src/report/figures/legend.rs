//! The legend above the panels of a figure.

use std::collections::BTreeMap;

use super::canvas::{Anchor, Canvas, TEXT, fitted, text_width};
use super::palette::{INK, SeriesStyle};

/// Where a legend begins, from the top of its figure.
const TOP: f64 = 10.0;
/// The height of a row.
const ROW: f64 = 19.0;
/// What comes before a name.
const SAMPLE: f64 = 32.0;
/// Names beyond this width are cut.
const WIDEST: f64 = 240.0;

/// What an entry shows before its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LegendSample {
    Line,
    /// A line with its mark, as curves of arms have it: whoever sees no colours needs both.
    MarkedLine,
    Mark,
}

/// An entry of a legend.
#[derive(Debug, Clone)]
pub struct LegendEntry {
    pub name: String,
    pub style: SeriesStyle,
    pub sample: LegendSample,
}

/// Entries in rows, from `left` and `width` wide.
#[derive(Debug, Clone)]
pub struct Legend {
    pub entries: Vec<LegendEntry>,
    pub left: f64,
    pub width: f64,
}

impl Legend {
    /// An entry for each series, in the order of their numbers, with the first name that a number
    /// comes with.
    pub fn of_series(
        (left, width): (f64, f64),
        series: impl IntoIterator<Item = (usize, String)>,
        style: impl Fn(usize) -> SeriesStyle,
        sample: LegendSample,
    ) -> Self {
        let mut names: BTreeMap<usize, String> = BTreeMap::new();
        for (number, name) in series {
            names.entry(number).or_insert(name);
        }
        let entries = names.into_iter().map(|(number, name)| LegendEntry {
            name,
            style: style(number),
            sample,
        });
        Self {
            entries: entries.collect(),
            left,
            width,
        }
    }

    /// An entry for each name in their order, as a line.
    pub fn of_lines(
        place: (f64, f64),
        names: &[&str],
        style: impl Fn(usize) -> SeriesStyle,
    ) -> Self {
        let series = names.iter().map(|&name| name.to_owned()).enumerate();
        Self::of_series(place, series, style, LegendSample::Line)
    }

    /// The style of a name.
    pub fn style_of(&self, name: &str) -> SeriesStyle {
        let entry = self.entries.iter().find(|entry| entry.name == name);
        entry.map_or(SeriesStyle::NEUTRAL, |entry| entry.style)
    }

    /// Where what comes below it begins, `gap` pixels lower.
    pub fn bottom(&self, gap: f64) -> f64 {
        12.0 + self.height() + gap
    }

    fn height(&self) -> f64 {
        self.places().last().map_or(0.0, |place| place.1 + ROW)
    }

    /// The places of the entries from the upper left corner.
    fn places(&self) -> Vec<(f64, f64)> {
        let (mut x, mut y) = (0.0, 0.0);
        let places = self.entries.iter().map(|entry| {
            let width = SAMPLE + text_width(&entry.name, TEXT).min(WIDEST) + 14.0;
            if x > 0.0 && x + width > self.width {
                (x, y) = (0.0, y + ROW);
            }
            let place = (x, y);
            x += width;
            place
        });
        places.collect()
    }

    /// Draws it.
    pub fn draw(&self, canvas: &mut Canvas) {
        for (entry, (x, y)) in self.entries.iter().zip(self.places()) {
            let (x, y) = (self.left + x, TOP + y + 9.0);
            let SeriesStyle { color, mark, dash } = entry.style;
            let line = [(x, y), (x + 26.0, y)];
            match entry.sample {
                LegendSample::Mark => canvas.mark(mark, (x + 18.0, y), 4.5, color, 1.0),
                LegendSample::Line => canvas.broken(&line, color, 1.0, 2.4, dash),
                LegendSample::MarkedLine => {
                    canvas.broken(&line, color, 1.0, 2.4, dash);
                    canvas.mark(mark, (x + 13.0, y), 4.0, color, 1.0);
                }
            }
            let name = fitted(&entry.name, TEXT, WIDEST);
            canvas.text(&name, (x + SAMPLE, y), TEXT, INK, Anchor::Left);
        }
    }
}
