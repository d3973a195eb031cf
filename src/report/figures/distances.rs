//! How far the student's layers are from the teacher's: linear CKA and, at equal width, sliced W2,
//! always along the uniform map.

use std::collections::BTreeMap;

use anyhow::Result;

use super::canvas::{Canvas, Mark, Rgb, color, sheet};
use super::layout::PanelRows;
use super::legend::Legend;
use super::panel::Panel;
use super::scale::Scale;
use super::view::View;
use super::{Figure, WIDTH, first_of, left_out};
use crate::record::evaluation::LayerDistance;
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
}

/// Draws the distances of every arm's layers, a row of panels a setting.
///
/// # Errors
/// The backend's own.
pub fn draw(view: &View) -> Result<Option<Figure>> {
    let mut facets = view.facets(&[]);
    facets.retain(|facet| {
        let mut rows = facet.rows.iter();
        rows.any(|&(row, _)| !CKA.by_layer(view, row).is_empty())
    });
    if facets.is_empty() {
        return Ok(None);
    }
    let shown = first_of(&facets, MOST_FACETS);
    let rows: Vec<usize> = shown
        .iter()
        .flat_map(|facet| facet.rows.iter().map(|&(row, _)| row))
        .collect();
    let all_points = |measure: &Measure| -> Vec<(f64, f64)> {
        let points = rows.iter().flat_map(|&row| measure.by_layer(view, row));
        points.collect()
    };
    let (similarities, distances) = (all_points(&CKA), all_points(&SLICED_W2));
    let x = scale_of_layers(&similarities);
    let mut measures = vec![(CKA, scale_of_similarity(&similarities))];
    let has_w2 = !distances.is_empty();
    if has_w2 {
        measures.push((SLICED_W2, scale_of_distance(&distances)));
    }
    let series = view.series_of_facets(shown, |_| true);
    let legend = Legend::of_series(PanelRows::LEGEND, series, |_| Some(Mark::Dot));
    let layout = PanelRows::new(shown.len(), measures.len(), &legend);
    let svg = sheet(
        WIDTH,
        layout.bottom() + 10.0,
        "Distances between the layers of student and teacher",
        |canvas| {
            legend.draw(canvas)?;
            for (place, facet) in shown.iter().enumerate() {
                for (column, (measure, y)) in measures.iter().enumerate() {
                    let panel = layout.draw_panel(
                        canvas,
                        (place, column),
                        (&x, "student layer"),
                        (y, measure.label),
                        &facet.title,
                    )?;
                    for &(row, number) in &facet.rows {
                        let line = measure.by_layer(view, row);
                        draw_line(canvas, &panel, &line, color(number))?;
                    }
                }
            }
            Ok(())
        },
    )?;
    Ok(Some(Figure {
        name: "distances",
        alt: "Similarity of student and teacher layers".to_owned(),
        caption: caption(has_w2, shown.len(), facets.len()),
        svg,
    }))
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

/// CKA lies between 0 and 1.
fn scale_of_similarity(points: &[(f64, f64)]) -> Scale {
    let padded = Scale::linear(points.iter().map(|point| point.1), 5);
    Scale::exactly(padded.low.max(0.0), padded.high.min(1.005), 5)
}

/// A distance is shown from 0 on.
fn scale_of_distance(points: &[(f64, f64)]) -> Scale {
    let padded = Scale::linear(points.iter().map(|point| point.1).chain([0.0]), 4);
    Scale::exactly(0.0, padded.high, 4)
}

/// A line with a dot at every layer.
fn draw_line(canvas: &mut Canvas, panel: &Panel, line: &[(f64, f64)], color: Rgb) -> Result<()> {
    panel.curve(canvas, line, color, 1.8)?;
    for &(layer, value) in line {
        canvas.mark(Mark::Dot, panel.point(layer, value), 3.6, color, 1.0)?;
    }
    Ok(())
}

fn caption(has_w2: bool, shown: usize, all: usize) -> String {
    let w2 = if has_w2 {
        "; sliced W2 is 0 for equal clouds"
    } else {
        "; sliced W2 needs equal widths and is left out"
    };
    format!(
        "Distance of every student layer to its teacher layer on the probe tokens of the test \
         text, along the uniform map whatever an arm was trained on, means over seeds. CKA of 1 \
         is the same up to rotation and scale{w2}.{}",
        left_out(shown, all, "settings")
    )
}
