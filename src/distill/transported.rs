//! The map by the cheapest transport between layers (BERT-EMD, arXiv 2010.06133): which pairs of
//! layers a term compares on a micro-batch, and how the layers' weights follow from what they cost.

use super::layer_weights::LayerWeights;
use super::objective::Objective;
use super::pair_loss::{HiddenTerm, StatePair};
use super::pairs::Matched;
use crate::model::HiddenStates;
use crate::ops::{NoneTape, Ops, cheapest_flow};
use crate::plan::run::HiddenState;
use crate::recorded;

/// What a term compares.
pub(super) struct Transport<D: Ops> {
    /// The pairs of layers that something flows between, each with its flow; all flows sum to 1.
    pub pairs: Vec<(StatePair<D>, f64)>,
    /// Σ flow·loss.
    pub cost: f64,
    /// What is recorded of it, by name.
    pub values: Vec<(String, f64)>,
}

impl Objective {
    /// The least Σ F·D over flows F whose sums are the layers' weights, D the term's value for
    /// every pair of layers. Values are waited for, and F stands in the backward pass.
    pub(super) fn transported<D: Ops>(
        &self,
        term: &HiddenTerm<D>,
        pairs: &[StatePair<D>],
        teacher: &HiddenStates<D>,
    ) -> Transport<D> {
        let weights = &term.auxiliary.layer_weights[term.name];
        let single = |pair: &StatePair<D>, of_teacher: HiddenState| StatePair {
            own: pair.own,
            student: pair.student.clone(),
            form: pair.form,
            matched: Matched::One(of_teacher),
        };
        let all: Vec<StatePair<D>> = pairs
            .iter()
            .flat_map(|pair| {
                pair.matched
                    .states()
                    .iter()
                    .map(|&state| single(pair, state))
            })
            .collect();
        let losses: Vec<D::Value> = all
            .iter()
            .map(|pair| {
                let target = self.target(term.loss, &pair.matched, teacher, || {
                    unreachable!("a single state is its own target")
                });
                let x = pair.student.clone().put_tape(NoneTape);
                self.pair_loss(term, pair, x, target).1
            })
            .collect();
        let losses = D::fetch(&losses);
        let flow = if losses.iter().all(|loss| loss.is_finite()) {
            cheapest_flow(&losses, &weights.student, &weights.teacher)
        } else {
            // The step that finds this is not taken.
            vec![1.0 / losses.len() as f64; losses.len()]
        };
        Transport {
            cost: flow
                .iter()
                .zip(&losses)
                .map(|(flow, loss)| flow * loss)
                .sum(),
            values: recorded_of(term.name, weights, &flow, &losses),
            pairs: all
                .into_iter()
                .zip(flow)
                .filter(|(_, flow)| *flow > 0.0)
                .collect(),
        }
    }
}

/// Of every layer its weight and what a unit of that cost; of the student's, also the entropy of
/// where it went.
fn recorded_of(
    term: &str,
    weights: &LayerWeights,
    flow: &[f64],
    losses: &[f64],
) -> Vec<(String, f64)> {
    let columns = weights.teacher.len();
    let mut values = Vec::new();
    let mut add = |layer: String, weight: f64, ways: Vec<usize>| {
        let cost: f64 = ways.iter().map(|&way| flow[way] * losses[way]).sum();
        values.push((recorded::map(term, &layer, recorded::LAYER_WEIGHT), weight));
        values.push((
            recorded::map(term, &layer, recorded::LAYER_COST),
            cost / weight,
        ));
    };
    for (source, &weight) in weights.student.iter().enumerate() {
        let ways = source * columns..(source + 1) * columns;
        add((source + 1).to_string(), weight, ways.collect());
    }
    for (sink, &weight) in weights.teacher.iter().enumerate() {
        let ways = (0..weights.student.len()).map(|source| source * columns + sink);
        add(recorded::of_teacher(sink + 1), weight, ways.collect());
    }
    for (source, &weight) in weights.student.iter().enumerate() {
        let shares = flow[source * columns..(source + 1) * columns]
            .iter()
            .map(|f| f / weight);
        let entropy: f64 = shares
            .filter(|share| *share > 0.0)
            .map(|p| -p * p.ln())
            .sum();
        let layer = (source + 1).to_string();
        let column = recorded::map(term, &layer, recorded::ENTROPY);
        // Rounding may leave a share a little above 1.
        values.push((column, entropy.max(0.0)));
    }
    values
}
