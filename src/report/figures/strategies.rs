//! Layer strategies: the loss of every arm under every layer map, null controls apart.

use std::collections::BTreeSet;

use super::canvas::{Anchor, Canvas, SMALL, TEXT, fitted, sheet};
use super::labels::{seed_offset, separated};
use super::legend::{Legend, LegendSample};
use super::palette::{Dash, GREY, INK, PALE};
use super::panel::{Panel, TEST_NLL};
use super::scale::{Scale, far_off, range};
use super::view::{Facet, View};
use super::{Figure, MOST_PANELS, WIDTH, beyond, left_out};
use crate::record::study::Axis;
use crate::report::axes::{self, STRATEGY, is_null};
use crate::report::format;
use crate::report::rows::TableRow;

const HEIGHT: f64 = 210.0;
/// From one panel to the next.
const STEP: f64 = HEIGHT + 50.0;

/// The columns of a panel: null controls stand last, on a ground of their own.
struct MapColumns<'a> {
    maps: Vec<&'a str>,
    first_null: usize,
}

impl<'a> MapColumns<'a> {
    fn new(axis: &'a Axis) -> Self {
        let maps = axis.values.iter().map(String::as_str);
        let (nulls, mut maps): (Vec<&str>, Vec<&str>) = maps.partition(|map| is_null(map));
        let first_null = maps.len();
        maps.extend(nulls);
        Self { maps, first_null }
    }

    fn has_nulls(&self) -> bool {
        self.first_null < self.maps.len()
    }
}

/// Draws the loss by layer map, a panel a setting; nothing where the grid has one map.
pub fn draw(view: &View) -> Option<Figure> {
    let axis = axes::axis(&view.data.study, STRATEGY).filter(|axis| axis.values.len() > 1)?;
    let columns = MapColumns::new(axis);
    let mut facets = view.facets(&[STRATEGY]);
    facets.retain(|facet| losses(view, facet).next().is_some() && has_several_maps(view, facet));
    if facets.is_empty() || view.series == Some(STRATEGY) {
        return None;
    }
    let all = facets.len();
    facets.truncate(MOST_PANELS / 2);
    // Every panel has a range of its own.
    let mut far = Vec::new();
    for facet in &mut facets {
        let places = far_off(facet.rows.iter().map(|&(row, _)| view.rows[row].mean));
        let apart: Vec<usize> = places.iter().map(|&place| facet.rows[place].0).collect();
        facet.rows.retain(|(row, _)| !apart.contains(row));
        far.extend(apart);
    }
    let shown = facets.as_slice();
    let series = view.series_of_facets(shown, |row| !view.rows[row].losses.is_empty());
    let style = |number| view.style(number);
    let legend = Legend::of_series((66.0, WIDTH - 84.0), series, style, LegendSample::Mark);
    let half = half_span(view, shown);
    let top = legend.bottom(26.0);
    let svg = sheet(
        WIDTH,
        top + STEP * shown.len() as f64 - 18.0,
        "Test loss by layer strategy",
        |canvas| {
            legend.draw(canvas);
            for (place, facet) in shown.iter().enumerate() {
                let panel = panel(top + STEP * place as f64, &columns, span(view, facet), half);
                draw_axes(canvas, &panel, &columns, &facet.title);
                draw_rows(canvas, &panel, &columns, view, facet);
            }
        },
    );
    let nulls = if columns.has_nulls() {
        " A gain counts only over the null controls, which match layers in an order that should \
         not help."
    } else {
        ""
    };
    Some(Figure {
        name: "strategies",
        alt: "Test loss of every arm under every layer strategy".to_owned(),
        caption: format!(
            "Test loss by layer strategy. Marks are seeds, ticks their means; a line across is an \
             arm that the layer map does not touch.{nulls}{}{}",
            beyond(far.iter().map(|&row| view.rows[row].name.as_str())),
            left_out(shown.len(), all, "settings")
        ),
        svg,
    })
}

/// Whether there is anything to see between maps.
fn has_several_maps(view: &View, facet: &Facet) -> bool {
    let rows = facet.rows.iter().map(|&(row, _)| &view.rows[row]);
    let maps = rows.filter_map(|row| row.at.get(STRATEGY));
    let maps: BTreeSet<&String> = maps.filter(|map| *map != axes::ANY).collect();
    maps.len() > 1
}

/// All losses of a facet.
fn losses<'a>(view: &'a View, facet: &'a Facet) -> impl Iterator<Item = f64> + 'a {
    facet
        .rows
        .iter()
        .flat_map(|&(row, _)| view.rows[row].losses.iter().copied())
}

/// The range of a facet's losses.
fn span(view: &View, facet: &Facet) -> (f64, f64) {
    range(losses(view, facet)).unwrap_or((0.0, 1.0))
}

/// Every panel has a range of its own, all of one span: what matters is the spread within a
/// setting. Half of that span.
fn half_span(view: &View, shown: &[Facet]) -> f64 {
    shown
        .iter()
        .map(|facet| span(view, facet))
        .map(|(low, high)| 0.55 * (high - low))
        .fold(0.005, f64::max)
}

/// The panel of a facet.
fn panel(top: f64, columns: &MapColumns, (low, high): (f64, f64), half: f64) -> Panel {
    let middle = f64::midpoint(low, high);
    Panel {
        left: 66.0,
        top,
        width: WIDTH - 82.0,
        height: HEIGHT,
        x: Scale::without_ticks(0.0, columns.maps.len() as f64),
        y: Scale::exactly(middle - half, middle + half, 5),
    }
}

fn draw_axes(canvas: &mut Canvas, panel: &Panel, columns: &MapColumns, title: &str) {
    if columns.has_nulls() {
        let left = panel.px(columns.first_null as f64);
        let corner = (panel.right(), panel.bottom());
        canvas.rectangle((left, panel.top), corner, PALE, 0.6);
        let place = (panel.right(), panel.top - 10.0);
        canvas.text("null controls", place, SMALL, GREY, Anchor::Right);
    }
    panel.axes(canvas, None, Some(TEST_NLL));
    panel.title(canvas, title);
    let width = panel.width / columns.maps.len() as f64 - 6.0;
    for (column, map) in columns.maps.iter().enumerate() {
        let place = (panel.px(column as f64 + 0.5), panel.bottom() + 14.0);
        let map = fitted(map, TEXT, width);
        canvas.text(&map, place, TEXT, INK, Anchor::Middle);
    }
}

/// The rows of a facet. The series that follow a map share the width of a column.
fn draw_rows(canvas: &mut Canvas, panel: &Panel, columns: &MapColumns, view: &View, facet: &Facet) {
    let column = |place: usize| -> Option<usize> {
        let map = view.rows[place].at.get(STRATEGY)?;
        let column = columns.maps.iter().position(|column| column == map)?;
        (!ignores_the_map(view, facet, place)).then_some(column)
    };
    let with_losses = || {
        let rows = facet.rows.iter();
        rows.filter(|(row, _)| !view.rows[*row].losses.is_empty())
    };
    let in_columns: BTreeSet<usize> = with_losses()
        .filter(|(row, _)| column(*row).is_some())
        .map(|&(_, number)| number)
        .collect();
    let mut levels: Vec<(&TableRow, usize)> = Vec::new();
    for &(place, number) in with_losses() {
        let row = &view.rows[place];
        match column(place) {
            Some(column) => {
                let rank = in_columns.range(..number).count();
                let offset = (rank as f64 + 1.0) / (in_columns.len() as f64 + 1.0);
                draw_seeds(canvas, panel, view, row, column as f64 + offset);
            }
            // Of several rows of one arm that are the same runs, one line is enough.
            None if levels.iter().all(|&(_, other)| other != number) => levels.push((row, number)),
            None => {}
        }
    }
    draw_levels(canvas, panel, view, &levels);
}

/// Whether an arm is the same runs under several strategies: the map is no part of it.
fn ignores_the_map(view: &View, facet: &Facet, row: usize) -> bool {
    let runs = |row: usize| -> Vec<usize> {
        view.rows[row]
            .cells
            .iter()
            .map(|&cell| view.data.run_of_cell[cell])
            .collect()
    };
    facet
        .rows
        .iter()
        .any(|&(other, _)| other != row && runs(other) == runs(row))
}

/// A mark for each seed, a tick for their mean.
fn draw_seeds(canvas: &mut Canvas, panel: &Panel, view: &View, row: &TableRow, x: f64) {
    let style = view.style_of(row);
    let place = panel.px(x);
    let finished = view.finished(row);
    for (seed, found) in finished.iter().enumerate() {
        let Some(loss) = found.run.nll() else {
            continue;
        };
        let point = (place + seed_offset(seed, finished.len()), panel.py(loss));
        let title = format!("{}, {}: {}", row.label, found.seed, format::fixed(loss, 4));
        canvas.titled(&title, |canvas| {
            canvas.mark(style.mark, point, 3.4, style.color, 0.85)
        });
    }
    if let Some(mean) = row.mean.filter(|_| finished.len() > 1) {
        let y = panel.py(mean);
        let title = format!("{}, mean: {}", row.label, format::fixed(mean, 4));
        canvas.titled(&title, |canvas| {
            canvas.line(
                &[(place - 10.0, y), (place + 10.0, y)],
                style.color,
                1.0,
                2.2,
            )
        });
    }
}

/// Arms without a layer map: their means across the panel, with their names.
fn draw_levels(canvas: &mut Canvas, panel: &Panel, view: &View, rows: &[(&TableRow, usize)]) {
    let means: Vec<f64> = rows.iter().filter_map(|(row, _)| row.mean).collect();
    let wished: Vec<f64> = means.iter().map(|&mean| panel.py(mean) - 8.0).collect();
    let places = separated(&wished, 13.0, panel.top + 4.0, panel.bottom() - 6.0);
    for (((row, number), mean), y) in rows.iter().zip(means).zip(places) {
        let color = view.style(*number).color;
        let ends = [panel.left, panel.right()].map(|x| (x, panel.py(mean)));
        let name = view.series_of(row).1;
        canvas.titled(
            &format!("{name}, mean: {}", format::fixed(mean, 4)),
            |canvas| canvas.broken(&ends, color, 1.0, 1.6, Dash::Dashed),
        );
        let place = (panel.left + 6.0, y);
        canvas.label(&name, place, SMALL, color.for_text(), Anchor::Left);
    }
}
