//! How far the student's layers are from the teacher's: linear CKA and, at equal width, sliced W2,
//! always along the uniform map.

use std::collections::BTreeMap;

use anyhow::Result;

use super::canvas::{Mark, color, sheet};
use super::curves::unlabelled;
use super::panel::{LegendEntry, Panel, legend, legend_height};
use super::scale::Scale;
use super::{Facet, Figure, View, WIDTH, left_out};
use crate::record::evaluation::LayerDistance;
use crate::report::statistics::mean;

const HEIGHT: f64 = 165.0;
const MOST_FACETS: usize = 4;

/// A line of one measure over the student's layers.
type DistanceSeries = Vec<(f64, f64)>;

pub fn draw(view: &View) -> Result<Option<Figure>> {
    let facets: Vec<Facet> = view
        .facets(&[])
        .into_iter()
        .filter(|facet| {
            facet
                .rows
                .iter()
                .any(|&(row, _)| !cka(view, row).is_empty())
        })
        .collect();
    if facets.is_empty() {
        return Ok(None);
    }
    let shown = &facets[..facets.len().min(MOST_FACETS)];
    let rows: Vec<(usize, usize)> = shown.iter().flat_map(|facet| facet.rows.clone()).collect();
    let layers = rows
        .iter()
        .flat_map(|&(row, _)| cka(view, row))
        .map(|point| point.0)
        .fold(1.0, f64::max);
    let has_w2 = rows
        .iter()
        .any(|&(row, _)| !sliced_w2(view, row).is_empty());
    let x = Scale {
        low: 0.7,
        high: layers + 0.3,
        logarithmic: false,
        ticks: (1..=layers as usize)
            .step_by((layers as usize).div_ceil(12))
            .map(|layer| (layer as f64, layer.to_string()))
            .collect(),
    };
    let similarity = Scale::linear(
        rows.iter()
            .flat_map(|&(row, _)| cka(view, row))
            .map(|point| point.1),
        5,
    );
    let similarity = Scale::exactly(similarity.low.max(0.0), similarity.high.min(1.005), 5);
    let distance = Scale::linear(
        rows.iter()
            .flat_map(|&(row, _)| sliced_w2(view, row))
            .map(|point| point.1)
            .chain([0.0]),
        4,
    );
    let distance = Scale::exactly(0.0, distance.high, 4);
    let mut entries: BTreeMap<usize, LegendEntry> = BTreeMap::new();
    for &(row, number) in &rows {
        entries.entry(number).or_insert_with(|| LegendEntry {
            name: view.series_of(&view.rows[row]).1,
            color: color(number),
            mark: Some(Mark::Dot),
        });
    }
    let entries: Vec<LegendEntry> = entries.into_values().collect();

    const LEFT: f64 = 72.0;
    let columns = if has_w2 { 2.0 } else { 1.0 };
    let gap = 76.0;
    let width = if has_w2 {
        (WIDTH - LEFT - 16.0 - gap) / 2.0
    } else {
        WIDTH - LEFT - 16.0
    };
    let top = 12.0 + legend_height(&entries, WIDTH - LEFT) + 26.0;
    let step = HEIGHT + 36.0;
    let svg = sheet(
        WIDTH,
        top + step * shown.len() as f64 + 10.0,
        "Distances between the layers of student and teacher",
        |canvas| {
            legend(canvas, &entries, (LEFT, 10.0), WIDTH - LEFT)?;
            for (place, facet) in shown.iter().enumerate() {
                let last = place + 1 == shown.len();
                for column in 0..columns as usize {
                    let (y, y_label) = if column == 0 {
                        (&similarity, "linear CKA")
                    } else {
                        (&distance, "sliced W2")
                    };
                    let panel = Panel {
                        left: LEFT + (width + gap) * column as f64,
                        top: top + step * place as f64,
                        width,
                        height: HEIGHT,
                        x: if last { x.clone() } else { unlabelled(&x) },
                        y: y.clone(),
                    };
                    panel.axes(canvas, last.then_some("student layer"), Some(y_label))?;
                    panel.title(canvas, &facet.title)?;
                    for &(row, number) in &facet.rows {
                        let line = if column == 0 {
                            cka(view, row)
                        } else {
                            sliced_w2(view, row)
                        };
                        panel.curve(canvas, &line, color(number), 1.8)?;
                        for &(layer, value) in &line {
                            canvas.mark(
                                Mark::Dot,
                                panel.point(layer, value),
                                3.6,
                                color(number),
                                1.0,
                            )?;
                        }
                    }
                }
            }
            Ok(())
        },
    )?;
    let caption = format!(
        "Distance of every student layer to its teacher layer on the probe tokens of the test \
         text, along the uniform map whatever an arm was trained on, means over seeds. CKA of 1 \
         is the same up to rotation and scale{}.{}",
        if has_w2 {
            "; sliced W2 is 0 for equal clouds"
        } else {
            "; sliced W2 needs equal widths and is left out"
        },
        left_out(shown.len(), facets.len(), "settings")
    );
    Ok(Some(Figure {
        name: "distances",
        alt: "Similarity of student and teacher layers".to_owned(),
        caption,
        svg,
    }))
}

fn cka(view: &View, row: usize) -> DistanceSeries {
    averaged(view, row, |layer| Some(layer.cka))
}

fn sliced_w2(view: &View, row: usize) -> DistanceSeries {
    averaged(view, row, |layer| layer.sliced_w2)
}

/// Means over seeds by student layer.
fn averaged(view: &View, row: usize, value: fn(&LayerDistance) -> Option<f64>) -> DistanceSeries {
    let mut values: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
    let layers = view.rows[row]
        .finished(view.data)
        .filter_map(|run| run.evaluation.as_ref()?.teacher.as_ref())
        .flat_map(|teacher| &teacher.layers);
    for layer in layers {
        if let Some(value) = value(layer) {
            values.entry(layer.student).or_default().push(value);
        }
    }
    values
        .into_iter()
        .map(|(layer, values)| (layer as f64, mean(&values)))
        .collect()
}
