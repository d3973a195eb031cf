//! The legend above the panels of a figure.

use std::collections::BTreeMap;

use anyhow::Result;

use super::canvas::{Anchor, Canvas, INK, Mark, Rgb, TEXT, color, text_width};

/// Where a legend begins, from the top of its figure.
const TOP: f64 = 10.0;
/// The height of a row.
const ROW: f64 = 19.0;

/// An entry of a legend.
#[derive(Debug, Clone)]
pub struct LegendEntry {
    pub name: String,
    pub color: Rgb,
    /// A mark; a line where there is none.
    pub mark: Option<Mark>,
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
    /// comes with; `mark` gives a series its mark.
    pub fn of_series(
        (left, width): (f64, f64),
        series: impl IntoIterator<Item = (usize, String)>,
        mark: impl Fn(usize) -> Option<Mark>,
    ) -> Self {
        let mut names: BTreeMap<usize, String> = BTreeMap::new();
        for (number, name) in series {
            names.entry(number).or_insert(name);
        }
        let entries = names.into_iter().map(|(number, name)| LegendEntry {
            name,
            color: color(number),
            mark: mark(number),
        });
        Self {
            entries: entries.collect(),
            left,
            width,
        }
    }

    /// An entry for each name in their order, as a line.
    pub fn of_lines(place: (f64, f64), names: &[&str]) -> Self {
        let series = names.iter().map(|&name| name.to_owned()).enumerate();
        Self::of_series(place, series, |_| None)
    }

    /// The colour of a name; that of text where the legend does not have it.
    pub fn color_of(&self, name: &str) -> Rgb {
        let entry = self.entries.iter().find(|entry| entry.name == name);
        entry.map_or(INK, |entry| entry.color)
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
            let width = 26.0 + text_width(&entry.name, TEXT) + 14.0;
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
    ///
    /// # Errors
    /// The backend's own.
    pub fn draw(&self, canvas: &mut Canvas) -> Result<()> {
        for (entry, (x, y)) in self.entries.iter().zip(self.places()) {
            let (x, y) = (self.left + x, TOP + y + 9.0);
            match entry.mark {
                Some(mark) => canvas.mark(mark, (x + 11.0, y), 4.5, entry.color, 1.0)?,
                None => canvas.line(&[(x, y), (x + 20.0, y)], entry.color, 1.0, 2.5)?,
            }
            canvas.text(&entry.name, (x + 26.0, y), TEXT, INK, Anchor::Left)?;
        }
        Ok(())
    }
}
