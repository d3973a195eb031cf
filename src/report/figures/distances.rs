//! How far the student's layers are from the teacher's: linear CKA and, at equal width, sliced W2,
//! always along the uniform map.

use std::collections::BTreeMap;

use super::canvas::{Canvas, sheet};
use super::layout::PanelRows;
use super::legend::{Legend, LegendSample};
use super::palette::{Dash, SeriesStyle};
use super::panel::Panel;
use super::scale::Scale;
use super::view::{Facet, View};
use super::{Figure, WIDTH, first_of, left_out};
use crate::record::evaluation::LayerDistance;
use crate::report::axes::{self, STRATEGY};
use crate::report::format;
use crate::report::statistics::mean;

const MOST_FACETS: usize = 4;

/// A measure, which has a column of panels.
struct Measure {
    label: &'static str,
    of: fn(&LayerDistance) -> Option<f64>,
}

const CKA: Measure = Measure {
    label: "linear CKA",
    of: |layer| layer.cka,
};

const SLICED_W2: Measure = Measure {
    label: "sliced W2",
    of: |layer| layer.sliced_w2,
};

impl Measure {
    /// Means over the seeds of a row, by student layer.
    fn by_layer(&self, view: &View, row: usize) -> Vec<(f64, f64)> {
        let mut values: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
        let layers = view.rows[row]
            .finished(view.data)
            .filter_map(|run| run.evaluation.as_ref()?.teacher.as_ref())
            .flat_map(|teacher| &teacher.layers);
        for layer in layers {
            if let Some(value) = (self.of)(layer) {
                values.entry(layer.student).or_default().push(value);
            }
        }
        values
            .into_iter()
            .map(|(layer, values)| (layer as f64, mean(&values)))
            .collect()
    }

    /// The points of every row of some facets that the axes hold: whatever does harm would squeeze
    /// the others.
    fn of_facets(&self, view: &View, facets: &[Facet]) -> Vec<(f64, f64)> {
        let rows = facets.iter().flat_map(|facet| &facet.rows);
        let rows = rows.filter(|(row, _)| !view.rows[*row].is_control);
        rows.flat_map(|&(row, _)| self.by_layer(view, row))
            .collect()
    }
}

/// Draws the distances of every arm's layers, a row of panels a setting; layer maps share a panel.
/// A setting of null controls alone is left to the table.
pub fn draw(view: &View) -> Option<Figure> {
    let has_layers = |row: usize| !CKA.by_layer(view, row).is_empty();
    let is_drawn = |facet: &Facet| {
        let mut rows = facet.rows.iter();
        rows.any(|&(row, _)| !view.rows[row].is_control && has_layers(row))
    };
    let all = view.facets(&[STRATEGY]).into_iter();
    let (facets, aside): (Vec<Facet>, Vec<Facet>) = all.partition(is_drawn);
    let mut aside = aside.iter().flat_map(|facet| &facet.rows);
    let has_aside = aside.any(|&(row, _)| has_layers(row));
    if facets.is_empty() {
        return None;
    }
    let shown = first_of(&facets, MOST_FACETS);
    let (similarities, distances) = (CKA.of_facets(view, shown), SLICED_W2.of_facets(view, shown));
    let x = scale_of_layers(&similarities);
    let mut measures = vec![(CKA, scale_of(&similarities, 1.005))];
    let has_w2 = !distances.is_empty();
    if has_w2 {
        measures.push((SLICED_W2, scale_of(&distances, f64::INFINITY)));
    }
    let series = view.series_of_facets(shown, has_layers);
    let style = |number| view.style(number);
    let legend = Legend::of_series(PanelRows::LEGEND, series, style, LegendSample::MarkedLine);
    let layout = PanelRows::new(
        shown.len(),
        measures.len(),
        &legend,
        shown.iter().any(|facet| !facet.title.is_empty()),
    );
    let svg = sheet(
        WIDTH,
        layout.bottom() + 10.0,
        "Distances between the layers of student and teacher",
        |canvas| {
            legend.draw(canvas);
            for (place, facet) in shown.iter().enumerate() {
                for (column, (measure, y)) in measures.iter().enumerate() {
                    let panel = layout.draw_panel(
                        canvas,
                        (place, column),
                        (&x, "student layer"),
                        (y, measure.label),
                        if column == 0 { &facet.title } else { "" },
                    );
                    draw_facet(canvas, &panel, view, facet, measure);
                }
            }
        },
    );
    Some(Figure {
        name: "distances",
        alt: "Similarity of student and teacher layers".to_owned(),
        caption: caption(view, has_w2, shown, facets.len()) + words_aside(has_aside),
        svg,
    })
}

/// The rows of a facet by their series: those of several layer maps belong together. The first of
/// each is the one of the map that others are compared with, or what comes nearest to it.
fn by_series(view: &View, facet: &Facet) -> BTreeMap<usize, Vec<usize>> {
    let mut series: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for &(row, number) in &facet.rows {
        series.entry(number).or_default().push(row);
    }
    let reference = reference_map(view);
    for rows in series.values_mut() {
        rows.sort_by_key(|&row| {
            let row = &view.rows[row];
            let is_of_it = row.at.get(STRATEGY).map(String::as_str) == reference;
            (row.is_control, !is_of_it)
        });
    }
    series
}

/// The layer map that others are compared with.
fn reference_map<'a>(view: &View<'a>) -> Option<&'a str> {
    let study = &view.data.study;
    axes::reference(study, axes::axis(study, STRATEGY)?)
}

/// A thick line for an arm's map that others are compared with, a thin one for every other map of
/// it, dotted where that is a null control.
fn draw_facet(canvas: &mut Canvas, panel: &Panel, view: &View, facet: &Facet, measure: &Measure) {
    let series = by_series(view, facet);
    let is_thick = |place: usize, row: usize| place == 0 && !view.rows[row].is_control;
    for (&number, rows) in &series {
        let SeriesStyle { color, dash, .. } = view.style(number);
        let rows = rows.iter().enumerate();
        for (_, &row) in rows.filter(|(place, row)| !is_thick(*place, **row)) {
            let is_control = view.rows[row].is_control;
            let dash = if is_control { Dash::Dotted } else { dash };
            let color = color.pale();
            canvas.titled(&view.rows[row].label, |canvas| {
                panel.curve(canvas, &measure.by_layer(view, row), color, 0.9, dash);
            });
        }
    }
    for (number, rows) in series {
        let Some(&row) = rows.first().filter(|row| is_thick(0, **row)) else {
            continue;
        };
        let style = view.style(number);
        let name = &view.rows[row].label;
        let line = measure.by_layer(view, row);
        panel.curve(canvas, &line, style.color, 2.0, style.dash);
        panel.marks(canvas, &line, style, 3.4, |layer, value| {
            let value = format::significant(value, 4);
            format!("{name}, layer {layer}: {} {value}", measure.label)
        });
    }
}

/// A tick for every layer, of many for every second, third, ….
fn scale_of_layers(points: &[(f64, f64)]) -> Scale {
    let layers = points.iter().map(|point| point.0).fold(1.0, f64::max);
    let ticks = (1..=layers as usize).step_by((layers as usize).div_ceil(12));
    Scale {
        ticks: ticks
            .map(|layer| (layer as f64, layer.to_string()))
            .collect(),
        ..Scale::without_ticks(0.7, layers + 0.3)
    }
}

/// Holds all values; neither measure is below 0, and CKA is not above 1.
fn scale_of(points: &[(f64, f64)], most: f64) -> Scale {
    let padded = Scale::linear(points.iter().map(|point| point.1), 5);
    Scale::exactly(padded.low.max(0.0), padded.high.min(most), 5)
}

/// A sentence for the caption where settings of null controls alone were measured.
fn words_aside(has_aside: bool) -> &'static str {
    if has_aside {
        " Settings of null controls alone are in the table."
    } else {
        ""
    }
}

fn caption(view: &View, has_w2: bool, shown: &[Facet], all: usize) -> String {
    let w2 = if has_w2 {
        "; sliced W2 is 0 for equal clouds"
    } else {
        "; sliced W2 needs equal widths and is left out"
    };
    let drawn = || shown.iter().flat_map(|facet| by_series(view, facet));
    let has_maps = drawn().any(|(_, rows)| rows.len() > 1);
    let maps = match reference_map(view).filter(|_| has_maps) {
        Some(reference) => format!(
            "; a thick line is an arm with the map {reference} (its first, where it has not that), \
             a thin one another of its maps"
        ),
        None => String::new(),
    };
    let has_controls = drawn().any(|(_, rows)| rows.iter().any(|&row| view.rows[row].is_control));
    let controls = if has_controls {
        "; a thin dotted line is a null control, which may leave the panel"
    } else {
        ""
    };
    format!(
        "Distance of every student layer to its teacher layer on the probe tokens of the test \
         text, along the uniform map whatever an arm was trained on, means over seeds{maps}\
         {controls}. CKA of 1 is the same up to rotation and scale{w2}. The axes do not begin at \
         0.{}",
        left_out(shown.len(), all, "settings")
    )
}

#[cfg(test)]
#[path = "distances_tests.rs"]
mod tests;
