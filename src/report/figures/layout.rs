//! Where the panels of a figure lie.

use super::WIDTH;
use super::canvas::{Canvas, TEXT};
use super::legend::Legend;
use super::panel::{Panel, TRAINING_STEP};
use super::scale::Scale;

/// A grid of panels: columns and rows for `count` of them.
pub fn grid(count: usize) -> (usize, usize) {
    let columns = match count {
        0 | 1 => 1,
        2 | 4 => 2,
        _ => 3,
    };
    (columns, count.div_ceil(columns).max(1))
}

/// Panels over training steps in a grid, all on the same scales, below a legend. Labels stand at
/// the left and below the last panel of each column.
pub struct PanelGrid {
    pub count: usize,
    pub left: f64,
    pub top: f64,
    /// Of a panel.
    pub height: f64,
    pub x: Scale,
    pub y: Scale,
}

impl PanelGrid {
    /// From one row of panels to the next, the panel itself left out.
    const GAP: f64 = 46.0;

    fn step(&self) -> f64 {
        self.height + Self::GAP
    }

    /// The height of all rows.
    fn rows_height(&self) -> f64 {
        self.step() * grid(self.count).1 as f64
    }

    /// The height of the figure.
    pub fn bottom(&self) -> f64 {
        self.top + self.rows_height() + 2.0
    }

    /// The panel at a place.
    pub fn panel(&self, place: usize) -> Panel {
        let (columns, _) = grid(self.count);
        let (column, row) = (place % columns, place / columns);
        let width = (WIDTH - self.left - 10.0) / columns as f64;
        Panel {
            left: self.left + width * column as f64,
            top: self.top + self.step() * row as f64,
            width: width - 24.0,
            height: self.height,
            x: self.x.clone(),
            y: if column == 0 {
                self.y.clone()
            } else {
                self.y.unlabelled()
            },
        }
    }

    /// Draws the axes and the title of the panel at a place, and gives it.
    pub fn draw_panel(&self, canvas: &mut Canvas, place: usize, title: &str) -> Panel {
        let panel = self.panel(place);
        let is_last_of_column = place + grid(self.count).0 >= self.count;
        panel.axes(canvas, is_last_of_column.then_some(TRAINING_STEP), None);
        panel.title(canvas, title);
        panel
    }

    /// Draws the label that the vertical axes of all panels share.
    pub fn draw_y_label(&self, canvas: &mut Canvas, label: &str) {
        let middle = self.top + (self.rows_height() - Self::GAP) / 2.0;
        canvas.upwards(label, (14.0, middle), TEXT);
    }
}

/// Rows of one panel or two side by side, below a legend. Labels stand below the last row.
pub struct PanelRows {
    pub rows: usize,
    pub columns: usize,
    pub top: f64,
}

impl PanelRows {
    /// Where the first column begins.
    pub const LEFT: f64 = 72.0;
    /// Where a legend lies: its left and its width.
    pub const LEGEND: (f64, f64) = (Self::LEFT, WIDTH - Self::LEFT);
    /// Between two panels of a row.
    const GAP: f64 = 76.0;
    /// Of a panel.
    const HEIGHT: f64 = 175.0;
    /// From one row to the next.
    const STEP: f64 = Self::HEIGHT + 36.0;

    /// Rows below a legend.
    pub fn new(rows: usize, columns: usize, legend: &Legend, has_titles: bool) -> Self {
        Self {
            rows,
            columns,
            top: legend.bottom(if has_titles { 26.0 } else { 12.0 }),
        }
    }

    /// The end of the last row with its labels.
    pub fn bottom(&self) -> f64 {
        self.top + Self::STEP * self.rows as f64
    }

    /// Draws the axes and the title of a panel, and gives it; only the last row has the label of x.
    pub fn draw_panel(
        &self,
        canvas: &mut Canvas,
        (row, column): (usize, usize),
        (x, x_label): (&Scale, &str),
        (y, y_label): (&Scale, &str),
        title: &str,
    ) -> Panel {
        let whole = WIDTH - Self::LEFT - 16.0;
        let width = match self.columns {
            0 | 1 => whole,
            _ => (whole - Self::GAP) / 2.0,
        };
        let is_last = row + 1 == self.rows;
        let panel = Panel {
            left: Self::LEFT + (width + Self::GAP) * column as f64,
            top: self.top + Self::STEP * row as f64,
            width,
            height: Self::HEIGHT,
            x: if is_last { x.clone() } else { x.unlabelled() },
            y: y.clone(),
        };
        panel.axes(canvas, is_last.then_some(x_label), Some(y_label));
        panel.title(canvas, title);
        panel
    }
}
