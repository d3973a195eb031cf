//! Layer strategies: the loss of every arm under every layer map, null controls apart.

use std::collections::BTreeSet;

use anyhow::Result;

use super::canvas::{Anchor, Canvas, GREY, INK, Mark, PALE, SMALL, TEXT, color, sheet};
use super::labels::seed_offset;
use super::legend::Legend;
use super::panel::{Panel, TEST_NLL};
use super::scale::{Scale, range};
use super::view::{Facet, View};
use super::{Figure, MOST_PANELS, WIDTH, first_of, left_out};
use crate::record::study::Axis;
use crate::report::axes::{self, STRATEGY, is_null};
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
///
/// # Errors
/// The backend's own.
pub fn draw(view: &View) -> Result<Option<Figure>> {
    let Some(axis) = axes::axis(&view.data.study, STRATEGY).filter(|axis| axis.values.len() > 1)
    else {
        return Ok(None);
    };
    let columns = MapColumns::new(axis);
    let mut facets = view.facets(&[STRATEGY]);
    facets.retain(|facet| losses(view, facet).next().is_some());
    if facets.is_empty() || view.series == Some(STRATEGY) {
        return Ok(None);
    }
    let shown = first_of(&facets, MOST_PANELS / 2);
    let series = |facets| view.series_of_facets(facets, |row| !view.rows[row].losses.is_empty());
    let legend = Legend::of_series((66.0, WIDTH - 84.0), series(shown), |_| Some(Mark::Dot));
    let numbers: BTreeSet<usize> = series(shown).map(|(number, _)| number).collect();
    let numbers: Vec<usize> = numbers.into_iter().collect();
    let half = half_span(view, shown);
    let top = legend.bottom(26.0);
    let svg = sheet(
        WIDTH,
        top + STEP * shown.len() as f64 - 18.0,
        "Test loss by layer strategy",
        |canvas| {
            legend.draw(canvas)?;
            for (place, facet) in shown.iter().enumerate() {
                let panel = panel(top + STEP * place as f64, &columns, span(view, facet), half);
                draw_axes(canvas, &panel, &columns, &facet.title)?;
                draw_rows(canvas, &panel, &columns, view, facet, &numbers)?;
            }
            Ok(())
        },
    )?;
    let nulls = if columns.has_nulls() {
        " A gain counts only over the null controls, which match layers in an order that should \
         not help."
    } else {
        ""
    };
    Ok(Some(Figure {
        name: "strategies",
        alt: "Test loss of every arm under every layer strategy".to_owned(),
        caption: format!(
            "Test loss by layer strategy. Dots are seeds, ticks their means; a line across is an \
             arm that the layer map does not touch.{nulls}{}",
            left_out(shown.len(), facets.len(), "settings")
        ),
        svg,
    }))
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

fn draw_axes(canvas: &mut Canvas, panel: &Panel, columns: &MapColumns, title: &str) -> Result<()> {
    if columns.has_nulls() {
        let left = panel.px(columns.first_null as f64);
        canvas.rectangle(
            (left, panel.top),
            (panel.right(), panel.bottom()),
            PALE,
            0.6,
        )?;
        let place = (panel.right(), panel.top - 10.0);
        canvas.text("null controls", place, SMALL, GREY, Anchor::Right)?;
    }
    panel.axes(canvas, None, Some(TEST_NLL))?;
    panel.title(canvas, title)?;
    for (column, map) in columns.maps.iter().enumerate() {
        let place = (panel.px(column as f64 + 0.5), panel.bottom() + 14.0);
        canvas.text(map, place, TEXT, INK, Anchor::Middle)?;
    }
    Ok(())
}

/// The rows of a facet; `numbers` are those of all series, which share the width of a column.
fn draw_rows(
    canvas: &mut Canvas,
    panel: &Panel,
    columns: &MapColumns,
    view: &View,
    facet: &Facet,
    numbers: &[usize],
) -> Result<()> {
    for &(place, number) in &facet.rows {
        let row = &view.rows[place];
        if row.losses.is_empty() {
            continue;
        }
        let rank = numbers
            .iter()
            .position(|&other| other == number)
            .unwrap_or(0);
        let offset = (rank as f64 + 1.0) / (numbers.len() as f64 + 1.0);
        let map = row.at.get(STRATEGY);
        let column = columns
            .maps
            .iter()
            .position(|column| map.is_some_and(|map| map == column));
        match column.filter(|_| !ignores_the_map(view, facet, place)) {
            Some(column) => draw_seeds(canvas, panel, row, column as f64 + offset, number)?,
            None => draw_level(canvas, panel, row, number)?,
        }
    }
    Ok(())
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

/// A dot for each seed, a tick for their mean.
fn draw_seeds(
    canvas: &mut Canvas,
    panel: &Panel,
    row: &TableRow,
    x: f64,
    series: usize,
) -> Result<()> {
    let place = panel.px(x);
    for (seed, loss) in row.losses.iter().enumerate() {
        let point = (place + seed_offset(seed, row.losses.len()), panel.py(*loss));
        canvas.mark(Mark::Dot, point, 3.4, color(series), 0.85)?;
    }
    let Some(mean) = row.mean else { return Ok(()) };
    let y = panel.py(mean);
    canvas.line(
        &[(place - 10.0, y), (place + 10.0, y)],
        color(series),
        1.0,
        2.2,
    )
}

/// An arm without a layer map: its mean across the panel.
fn draw_level(canvas: &mut Canvas, panel: &Panel, row: &TableRow, series: usize) -> Result<()> {
    let Some(mean) = row.mean else { return Ok(()) };
    let y = panel.py(mean);
    canvas.dashed((panel.left, y), (panel.right(), y), color(series), 1.8)
}
