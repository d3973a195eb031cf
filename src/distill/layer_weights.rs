//! Weights of the layers of both models, which a transport between them goes by.

use super::objective::NamedValues;
use crate::recorded;

/// The least weight of a layer: one without any could not come back.
const LEAST: f64 = 1e-6;

/// Of one term. Those of either side sum to 1.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerWeights {
    pub student: Vec<f64>,
    pub teacher: Vec<f64>,
}

impl LayerWeights {
    /// Equal ones.
    pub fn uniform(student: usize, teacher: usize) -> Self {
        let equal = |layers: usize| vec![1.0 / layers as f64; layers];
        Self {
            student: equal(student),
            teacher: equal(teacher),
        }
    }

    /// Follows what a step recorded of the term `name`: softmax of Σ_k c_k / c_i over the layers i
    /// of either side, c_i what a unit of its weight cost, so that more goes where it costs less.
    /// A side with a cost that is not above 0 stays as it is: an unbiased distance may be below.
    pub fn follow(&mut self, name: &str, found: &NamedValues) {
        let costs = |layer: String| {
            let column = recorded::map(name, &layer, recorded::LAYER_COST);
            found.get(&column).copied()
        };
        let of_student = (1..=self.student.len()).map(|layer| costs(layer.to_string()));
        let of_teacher = (1..=self.teacher.len()).map(|layer| costs(recorded::of_teacher(layer)));
        if let Some(costs) = of_student.collect::<Option<Vec<f64>>>() {
            reweigh(&mut self.student, &costs);
        }
        if let Some(costs) = of_teacher.collect::<Option<Vec<f64>>>() {
            reweigh(&mut self.teacher, &costs);
        }
    }
}

fn reweigh(weights: &mut [f64], costs: &[f64]) {
    if !costs.iter().all(|cost| *cost > 0.0 && cost.is_finite()) {
        return;
    }
    let sum: f64 = costs.iter().sum();
    let cheapness: Vec<f64> = costs.iter().map(|cost| sum / cost).collect();
    let top = cheapness.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    for (weight, cheapness) in weights.iter_mut().zip(&cheapness) {
        *weight = (cheapness - top).exp().max(LEAST);
    }
    let sum: f64 = weights.iter().sum();
    weights.iter_mut().for_each(|weight| *weight /= sum);
}

#[cfg(test)]
#[path = "layer_weights_tests.rs"]
mod tests;
