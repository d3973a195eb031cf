//! Layer strategies: the loss of every arm under every layer map, null controls apart.

use anyhow::Result;

use super::canvas::{Anchor, GREY, INK, Mark, PALE, SMALL, TEXT, color, sheet};
use super::panel::{LegendEntry, Panel, legend, legend_height};
use super::scale::{Scale, range};
use super::{Facet, Figure, MOST_PANELS, View, WIDTH, left_out};
use crate::report::contrasts::{NULLS, STRATEGY, TableRow};

const HEIGHT: f64 = 210.0;

pub fn draw(view: &View) -> Result<Option<Figure>> {
    let Some(axis) = view
        .data
        .study
        .axes
        .iter()
        .find(|axis| axis.key == STRATEGY && axis.values.len() > 1)
    else {
        return Ok(None);
    };
    let is_null = |strategy: &String| NULLS.contains(&strategy.as_str());
    // Null controls stand last, on a ground of their own.
    let mut strategies: Vec<&String> = axis
        .values
        .iter()
        .filter(|strategy| !is_null(strategy))
        .collect();
    let first_null = strategies.len();
    strategies.extend(axis.values.iter().filter(|strategy| is_null(strategy)));
    let facets: Vec<Facet> = view
        .facets(&[STRATEGY])
        .into_iter()
        .filter(|facet| {
            facet
                .rows
                .iter()
                .any(|&(row, _)| !view.rows[row].losses.is_empty())
        })
        .collect();
    if facets.is_empty() || view.series == Some(STRATEGY) {
        return Ok(None);
    }
    let shown = &facets[..facets.len().min(MOST_PANELS / 2)];
    let rows = || {
        shown
            .iter()
            .flat_map(|facet| &facet.rows)
            .filter(|(row, _)| !view.rows[*row].losses.is_empty())
    };
    // Every panel has a range of its own, all of one span: what matters is the spread within a
    // setting.
    let span_of = |facet: &Facet| {
        range(
            facet
                .rows
                .iter()
                .flat_map(|&(row, _)| view.rows[row].losses.iter().copied()),
        )
        .unwrap_or((0.0, 1.0))
    };
    let half = shown
        .iter()
        .map(span_of)
        .map(|(low, high)| 0.55 * (high - low))
        .fold(0.005, f64::max);
    let mut series: Vec<usize> = rows().map(|(_, series)| *series).collect();
    series.sort_unstable();
    series.dedup();
    let name = |number: usize| {
        rows()
            .find(|row| row.1 == number)
            .map(|&(row, _)| view.series_of(&view.rows[row]).1)
            .unwrap_or_default()
    };
    let entries: Vec<LegendEntry> = series
        .iter()
        .map(|&number| LegendEntry {
            name: name(number),
            color: color(number),
            mark: Some(Mark::Dot),
        })
        .collect();

    let top = 12.0 + legend_height(&entries, WIDTH - 84.0) + 26.0;
    let step = HEIGHT + 50.0;
    let svg = sheet(
        WIDTH,
        top + step * shown.len() as f64 - 18.0,
        "Test loss by layer strategy",
        |canvas| {
            legend(canvas, &entries, (66.0, 10.0), WIDTH - 84.0)?;
            for (place, facet) in shown.iter().enumerate() {
                let x = Scale {
                    low: 0.0,
                    high: strategies.len() as f64,
                    logarithmic: false,
                    ticks: Vec::new(),
                };
                let (low, high) = span_of(facet);
                let y = Scale::exactly(
                    f64::midpoint(low, high) - half,
                    f64::midpoint(low, high) + half,
                    5,
                );
                let panel = Panel {
                    left: 66.0,
                    top: top + step * place as f64,
                    width: WIDTH - 82.0,
                    height: HEIGHT,
                    x,
                    y,
                };
                if first_null < strategies.len() {
                    canvas.rectangle(
                        (panel.px(first_null as f64), panel.top),
                        (panel.right(), panel.bottom()),
                        PALE,
                        0.6,
                    )?;
                    canvas.text(
                        "null controls",
                        (panel.right(), panel.top - 10.0),
                        SMALL,
                        GREY,
                        Anchor::Right,
                    )?;
                }
                panel.axes(canvas, None, Some("test NLL (nats per token)"))?;
                panel.title(canvas, &facet.title)?;
                for (column, strategy) in strategies.iter().enumerate() {
                    canvas.text(
                        strategy,
                        (panel.px(column as f64 + 0.5), panel.bottom() + 14.0),
                        TEXT,
                        INK,
                        Anchor::Middle,
                    )?;
                }
                for &(place, number) in facet
                    .rows
                    .iter()
                    .filter(|(row, _)| !view.rows[*row].losses.is_empty())
                {
                    let row = &view.rows[place];
                    let is_untouched = untouched(view, facet, place);
                    let rank = series.iter().position(|&own| own == number).unwrap_or(0);
                    let offset = (rank as f64 + 1.0) / (series.len() as f64 + 1.0);
                    match strategies
                        .iter()
                        .position(|strategy| row.at.get(STRATEGY) == Some(strategy))
                    {
                        Some(column) if !is_untouched => {
                            dots(canvas, &panel, row, column as f64 + offset, number)?
                        }
                        _ => level(canvas, &panel, row, number)?,
                    }
                }
            }
            Ok(())
        },
    )?;
    let nulls = if first_null < strategies.len() {
        " A gain counts only over the null controls, which match layers in an order that should \
         not help."
    } else {
        ""
    };
    let caption = format!(
        "Test loss by layer strategy. Dots are seeds, ticks their means; a line across is an arm \
         that the layer map does not touch.{nulls}{}",
        left_out(shown.len(), facets.len(), "settings")
    );
    Ok(Some(Figure {
        name: "strategies",
        alt: "Test loss of every arm under every layer strategy".to_owned(),
        caption,
        svg,
    }))
}

/// Whether an arm is the same runs under several strategies: the map is no part of it.
fn untouched(view: &View, facet: &Facet, row: usize) -> bool {
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

fn dots(
    canvas: &mut super::canvas::Canvas,
    panel: &Panel,
    row: &TableRow,
    x: f64,
    series: usize,
) -> Result<()> {
    let place = panel.px(x);
    for (seed, loss) in row.losses.iter().enumerate() {
        let aside = if row.losses.len() < 2 {
            0.0
        } else {
            (seed as f64 / (row.losses.len() - 1) as f64 - 0.5) * 9.0
        };
        canvas.mark(
            Mark::Dot,
            (place + aside, panel.py(*loss)),
            3.4,
            color(series),
            0.85,
        )?;
    }
    match row.mean {
        Some(mean) => canvas.line(
            &[
                (place - 10.0, panel.py(mean)),
                (place + 10.0, panel.py(mean)),
            ],
            color(series),
            1.0,
            2.2,
        ),
        None => Ok(()),
    }
}

/// An arm without a layer map: its mean across the panel.
fn level(
    canvas: &mut super::canvas::Canvas,
    panel: &Panel,
    row: &TableRow,
    series: usize,
) -> Result<()> {
    match row.mean {
        Some(mean) => canvas.dashed(
            (panel.left, panel.py(mean)),
            (panel.right(), panel.py(mean)),
            color(series),
            1.8,
        ),
        None => Ok(()),
    }
}
