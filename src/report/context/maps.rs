//! Layer maps as the runs had them.

use serde::Serialize;

use crate::plan::run::{HiddenState, Matching};
use crate::report::analysis::Analysis;
use crate::report::axes::{ANY, STRATEGY, is_null};
use crate::report::data::StudyData;

/// A layer map with its pairs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LayerMap {
    pub name: String,
    pub is_null: bool,
    /// `1→2, 2→4, 3→6`: student to teacher; of maps that differ by seed, those of the first.
    pub pairs: String,
    /// Whether another seed has other pairs.
    pub differs_by_seed: bool,
}

/// Every layer map that a run with a hidden term followed, by the first shape that has it.
pub fn maps(data: &StudyData, analysis: &Analysis) -> Vec<LayerMap> {
    let mut found: Vec<LayerMap> = Vec::new();
    for row in &analysis.rows {
        let Some(name) = row.at.get(STRATEGY).filter(|name| name.as_str() != ANY) else {
            continue;
        };
        if found.iter().any(|map| map.name == *name) || !row.follows_a_map(data) {
            continue;
        }
        let runs = row.cells.iter().map(|&cell| data.run(cell));
        let maps: Vec<&Matching> = runs
            .filter_map(|run| Some(&run.spec.as_ref()?.matching))
            .collect();
        if let Some(first) = maps.first() {
            found.push(LayerMap {
                name: name.clone(),
                is_null: is_null(name),
                pairs: in_words(first),
                differs_by_seed: maps.iter().any(|map| map != first),
            });
        }
    }
    found
}

fn in_words(map: &Matching) -> String {
    match map {
        Matching::Pairs { pairs, .. } => {
            let pairs: Vec<String> = pairs
                .iter()
                .map(|(student, teacher)| format!("{}→{}", state(student), state(teacher)))
                .collect();
            pairs.join(", ")
        }
        Matching::Random { .. } => "drawn again and again".to_owned(),
        Matching::Attention { .. } => "each with all, weighted token by token".to_owned(),
        Matching::Emd { .. } => "each with all, by the cheapest transport".to_owned(),
        Matching::Combine { .. } => "each with the mean of its run of layers".to_owned(),
    }
}

fn state(state: &HiddenState) -> String {
    serde_json::to_value(state).map_or_else(
        |_| "?".to_owned(),
        |value| {
            value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned)
        },
    )
}
