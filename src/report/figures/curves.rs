//! Validation loss over the training: one line an arm, the mean over its seeds, in a band from the
//! lowest to the highest seed.

use anyhow::Result;

use super::canvas::{Anchor, INK, TEXT, color, sheet, text_width};
use super::panel::{LegendEntry, Panel, apart, legend, legend_height};
use super::scale::Scale;
use super::{Averaged, Facet, Figure, MOST_PANELS, View, WIDTH, average, grid, left_out};

/// The recorded value.
const VALUE: &str = "validation.nll";
const BOTTOM: f64 = 46.0;

/// A line: its name, the number of its colour, its values.
struct Curve {
    name: String,
    color: usize,
    values: Averaged,
}

pub fn draw(view: &View) -> Result<Option<Figure>> {
    let facets: Vec<(Facet, Vec<Curve>)> = view
        .facets(&[])
        .into_iter()
        .map(|facet| {
            let lines = lines(view, &facet);
            (facet, lines)
        })
        .filter(|(_, lines)| !lines.is_empty())
        .collect();
    if facets.is_empty() {
        return Ok(None);
    }
    let shown = &facets[..facets.len().min(MOST_PANELS)];
    let mut entries: Vec<(usize, LegendEntry)> = Vec::new();
    for line in shown.iter().flat_map(|(_, lines)| lines) {
        if entries.iter().all(|(number, _)| *number != line.color) {
            entries.push((
                line.color,
                LegendEntry {
                    name: line.name.clone(),
                    color: color(line.color),
                    mark: None,
                },
            ));
        }
    }
    entries.sort_by_key(|entry| entry.0);
    let entries: Vec<LegendEntry> = entries.into_iter().map(|entry| entry.1).collect();
    let direct = shown.len() == 1;
    let svg = if direct {
        one(&shown[0].1)?
    } else {
        many(shown, &entries)?
    };
    let caption = format!(
        "Loss on the validation split during training, context as in training. Lines are means \
         over seeds, bands reach from the lowest to the highest seed; the first steps lie above \
         the axis.{}",
        left_out(shown.len(), facets.len(), "settings")
    );
    Ok(Some(Figure {
        name: "curves",
        alt: "Validation loss over training steps, by arm".to_owned(),
        caption,
        svg,
    }))
}

fn lines(view: &View, facet: &Facet) -> Vec<Curve> {
    let line = |&(row, color): &(usize, usize)| {
        let row = &view.rows[row];
        let curves: Vec<&[(f64, f64)]> = row
            .finished(view.data)
            .filter_map(|run| run.curves.get(VALUE))
            .map(Vec::as_slice)
            .collect();
        let values = average(&curves);
        (!values.mean.is_empty()).then(|| Curve {
            name: view.series_of(row).1,
            color,
            values,
        })
    };
    facet.rows.iter().filter_map(line).collect()
}

/// Scales that hold every line. The first values of a training are far above the rest: the axis is
/// cut at what lies above the third of the lines' own points.
fn scales<'a>(lines: impl Iterator<Item = &'a Curve> + Clone, ticks: usize) -> (Scale, Scale) {
    let points = || lines.clone().flat_map(|line| line.values.band.iter());
    let last = points().map(|point| point.0).fold(1.0, f64::max);
    let mut all: Vec<f64> = points().map(|point| point.2).collect();
    all.sort_by(f64::total_cmp);
    let low = points().map(|point| point.1).fold(f64::INFINITY, f64::min);
    let middle = all.get(all.len() / 2).copied().unwrap_or(1.0);
    let top = all
        .last()
        .copied()
        .unwrap_or(1.0)
        .min(low + 5.0 * (middle - low).max(0.02));
    (
        Scale::exactly(0.0, last * 1.01, ticks),
        Scale::linear([low, top], 5),
    )
}

fn plot(canvas: &mut super::canvas::Canvas, panel: &Panel, lines: &[Curve]) -> Result<()> {
    for line in lines {
        panel.band(canvas, &line.values.band, color(line.color))?;
    }
    for line in lines {
        panel.curve(canvas, &line.values.mean, color(line.color), 2.0)?;
    }
    Ok(())
}

/// A single panel with the names at the ends of the lines.
fn one(lines: &[Curve]) -> Result<String> {
    let names = lines
        .iter()
        .map(|line| text_width(&line.name, TEXT))
        .fold(0.0, f64::max)
        + 14.0;
    let (x, y) = scales(lines.iter(), 6);
    let panel = Panel {
        left: 72.0,
        top: 16.0,
        width: WIDTH - 72.0 - names - 8.0,
        height: 300.0,
        x,
        y,
    };
    sheet(
        WIDTH,
        panel.bottom() + BOTTOM,
        "Validation loss over training steps",
        |canvas| {
            panel.axes(
                canvas,
                Some("training step"),
                Some("validation NLL (nats per token)"),
            )?;
            plot(canvas, &panel, lines)?;
            let ends: Vec<f64> = lines
                .iter()
                .map(|line| line.values.mean.last().map_or(0.0, |end| panel.py(end.1)))
                .collect();
            for (line, y) in
                lines
                    .iter()
                    .zip(apart(&ends, 15.0, panel.top + 6.0, panel.bottom() - 6.0))
            {
                canvas.text(
                    &line.name,
                    (panel.right() + 8.0, y),
                    TEXT,
                    color(line.color),
                    Anchor::Left,
                )?;
            }
            Ok(())
        },
    )
}

/// A panel a setting, all on the same scales, with one legend.
fn many(facets: &[(Facet, Vec<Curve>)], entries: &[LegendEntry]) -> Result<String> {
    const LEFT: f64 = 64.0;
    const HEIGHT: f64 = 170.0;
    let (columns, rows) = grid(facets.len());
    let width = (WIDTH - LEFT - 10.0) / columns as f64;
    let top = 12.0 + legend_height(entries, WIDTH - LEFT - 10.0) + 26.0;
    let step = HEIGHT + 46.0;
    let (x, y) = scales(
        facets.iter().flat_map(|(_, lines)| lines),
        if columns == 3 { 3 } else { 4 },
    );
    let height = top + step * rows as f64 + 2.0;
    sheet(
        WIDTH,
        height,
        "Validation loss over training steps, by setting",
        |canvas| {
            legend(canvas, entries, (LEFT, 10.0), WIDTH - LEFT - 10.0)?;
            for (place, (facet, lines)) in facets.iter().enumerate() {
                let (column, row) = (place % columns, place / columns);
                let panel = Panel {
                    left: LEFT + width * column as f64,
                    top: top + step * row as f64,
                    width: width - 24.0,
                    height: HEIGHT,
                    x: x.clone(),
                    y: if column == 0 {
                        y.clone()
                    } else {
                        unlabelled(&y)
                    },
                };
                panel.axes(
                    canvas,
                    (place + columns >= facets.len()).then_some("training step"),
                    None,
                )?;
                panel.title(canvas, &facet.title)?;
                plot(canvas, &panel, lines)?;
            }
            canvas.upwards(
                "validation NLL (nats per token)",
                (14.0, top + (step * rows as f64 - 46.0) / 2.0),
                TEXT,
                INK,
            )
        },
    )
}

/// A scale whose ticks have no labels.
pub(super) fn unlabelled(scale: &Scale) -> Scale {
    Scale {
        ticks: scale
            .ticks
            .iter()
            .map(|tick| (tick.0, String::new()))
            .collect(),
        ..scale.clone()
    }
}
