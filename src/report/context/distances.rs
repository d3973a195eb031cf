//! How far the layers of the models are from the teacher's.

use serde::Serialize;

use crate::record::evaluation::LayerDistance;
use crate::report::analysis::Analysis;
use crate::report::data::StudyData;
use crate::report::rows::TableRow;
use crate::report::statistics::mean_of;

/// The layers of a row against the teacher's, means over seeds.
#[derive(Debug, Clone, Serialize)]
pub struct DistanceFacts {
    pub label: String,
    pub layers: Vec<LayerDistance>,
    /// Means over the layers.
    pub cka: Option<f64>,
    pub sliced_w2: Option<f64>,
}

/// Of every row that was measured so.
pub fn distances(data: &StudyData, analysis: &Analysis) -> Vec<DistanceFacts> {
    analysis
        .rows
        .iter()
        .filter_map(|row| DistanceFacts::new(data, row))
        .collect()
}

impl DistanceFacts {
    fn new(data: &StudyData, row: &TableRow) -> Option<Self> {
        let runs: Vec<&[LayerDistance]> = row
            .finished(data)
            .filter_map(|run| Some(run.evaluation.as_ref()?.teacher.as_ref()?.layers.as_slice()))
            .collect();
        let first = runs.first().filter(|layers| !layers.is_empty())?;
        let layers: Vec<LayerDistance> = first
            .iter()
            .enumerate()
            .map(|(place, layer)| mean_distance(&runs, place, layer))
            .collect();
        Some(Self {
            label: row.label.clone(),
            cka: mean_of(layers.iter().filter_map(|layer| layer.cka)),
            sliced_w2: mean_of(layers.iter().filter_map(|layer| layer.sliced_w2)),
            layers,
        })
    }
}

/// The mean over runs of the layer at a place, of which `layer` is the first run's.
fn mean_distance(runs: &[&[LayerDistance]], place: usize, layer: &LayerDistance) -> LayerDistance {
    let same_layer = || runs.iter().filter_map(|layers| layers.get(place));
    LayerDistance {
        cka: mean_of(same_layer().filter_map(|layer| layer.cka)),
        sliced_w2: mean_of(same_layer().filter_map(|layer| layer.sliced_w2)),
        ..*layer
    }
}
