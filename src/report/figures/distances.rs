//! How far the student's layers are from the teacher's: linear CKA and, at equal width, sliced W2,
//! always along the uniform map.

use std::collections::BTreeMap;

use super::canvas::{Canvas, sheet};
use super::layout::PanelRows;
use super::legend::{Legend, LegendSample};
use super::palette::SeriesStyle;
use super::panel::Panel;
use super::scale::Scale;
use super::view::{Facet, View};
use super::{Figure, WIDTH, first_of, left_out};
use crate::record::evaluation::LayerDistance;
use crate::report::axes::STRATEGY;
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
    /// Means over the seeds of some rows, by student layer.
    fn by_layer(&self, view: &View, rows: &[usize]) -> Vec<(f64, f64)> {
        let mut values: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
        let layers = rows
            .iter()
            .flat_map(|&row| view.rows[row].finished(view.data))
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

    /// The points of every row of some facets.
    fn of_facets(&self, view: &View, facets: &[Facet]) -> Vec<(f64, f64)> {
        let rows = facets.iter().flat_map(|facet| &facet.rows);
        rows.flat_map(|&(row, _)| self.by_layer(view, &[row]))
            .collect()
    }
}

/// Draws the distances of every arm's layers, a row of panels a setting; layer maps share a panel.
pub fn draw(view: &View) -> Option<Figure> {
    let mut facets = view.facets(&[STRATEGY]);
    facets.retain(|facet| {
        let mut rows = facet.rows.iter();
        rows.any(|&(row, _)| !CKA.by_layer(view, &[row]).is_empty())
    });
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
    let series = view.series_of_facets(shown, |row| !CKA.by_layer(view, &[row]).is_empty());
    let style = |number| view.style(number);
    let legend = Legend::of_series(PanelRows::LEGEND, series, style, LegendSample::Line);
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
    let has_maps = shown
        .iter()
        .any(|facet| by_series(facet).len() < facet.rows.len());
    Some(Figure {
        name: "distances",
        alt: "Similarity of student and teacher layers".to_owned(),
        caption: caption(has_w2, has_maps, shown.len(), facets.len()),
        svg,
    })
}

/// The rows of a facet by their series: those of several layer maps belong together.
fn by_series(facet: &Facet) -> BTreeMap<usize, Vec<usize>> {
    let mut series: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for &(row, number) in &facet.rows {
        series.entry(number).or_default().push(row);
    }
    series
}

/// A thin line for every layer map of an arm, a thick one for their mean.
fn draw_facet(canvas: &mut Canvas, panel: &Panel, view: &View, facet: &Facet, measure: &Measure) {
    let series = by_series(facet);
    for (&number, rows) in series.iter().filter(|(_, rows)| rows.len() > 1) {
        let SeriesStyle { color, dash, .. } = view.style(number);
        for &row in rows {
            canvas.titled(&view.rows[row].label, |canvas| {
                let line = measure.by_layer(view, &[row]);
                let line: Vec<(f64, f64)> = line.iter().map(|&(x, y)| panel.point(x, y)).collect();
                canvas.broken(&line, color, 0.5, 0.9, dash);
            });
        }
    }
    for (number, rows) in series {
        let style = view.style(number);
        let name = view.series_of(&view.rows[rows[0]]).1;
        let line = measure.by_layer(view, &rows);
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

fn caption(has_w2: bool, has_maps: bool, shown: usize, all: usize) -> String {
    let w2 = if has_w2 {
        "; sliced W2 is 0 for equal clouds"
    } else {
        "; sliced W2 needs equal widths and is left out"
    };
    let maps = if has_maps {
        "; a thin line is a layer map of the arm, the thick one the mean of all its maps"
    } else {
        ""
    };
    format!(
        "Distance of every student layer to its teacher layer on the probe tokens of the test \
         text, along the uniform map whatever an arm was trained on, means over seeds{maps}. CKA \
         of 1 is the same up to rotation and scale{w2}. The axes do not begin at 0.{}",
        left_out(shown, all, "settings")
    )
}
