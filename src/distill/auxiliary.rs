//! What is learned beside the student: projections to the teacher's width, and critics, both of
//! (term, student state), so that they survive a redraw of the pairs; weights of layers, by term.

use std::collections::BTreeMap;

use crate::model::{Config, Linear};
use crate::ops::{Constraint, CriticSettings, CriticState, Mat, Ops, tape};
use crate::plan::run::{self, HiddenState, LayerWeighting, Lipschitz, Matching};
use crate::random::{Purpose, Seed, Stream};

use super::Objective;
use super::layer_weights::LayerWeights;
use super::objective::NamedValues;

/// A term's name and the student's state.
pub type Key = (String, HiddenState);

/// The projections and critics of one run.
#[derive(Debug, Clone)]
pub struct Auxiliary<D: Ops> {
    /// (C_s, C_t) with bias; empty at equal width, where P is the identity.
    pub projections: BTreeMap<Key, Linear<D>>,
    pub critics: BTreeMap<Key, D::Critic>,
    /// By term, where the map is a transport between layers.
    pub layer_weights: BTreeMap<String, LayerWeights>,
}

impl<D: Ops> Auxiliary<D> {
    /// Fresh projections and critics for every student state that `objective` may match.
    ///
    /// Projections start uniform in ±1/√C_s, weights and biases, as a linear layer of PyTorch
    /// does. Every array has a random stream of its own.
    pub fn new(
        device: &D,
        objective: &Objective,
        student: &Config,
        teacher: Option<&Config>,
        seed: Seed,
    ) -> Self {
        let mut new = Self {
            projections: BTreeMap::new(),
            critics: BTreeMap::new(),
            layer_weights: BTreeMap::new(),
        };
        let Some(teacher) = teacher else { return new };
        for (name, term) in &objective.terms {
            if !term.is_hidden() {
                continue;
            }
            if let Matching::Emd { .. } = objective.matching {
                let weights = LayerWeights::uniform(student.layers, teacher.layers);
                new.layer_weights.insert(name.clone(), weights);
            }
            for state in objective.student_states() {
                let key = (name.clone(), state);
                if term.is_projected() && student.width != teacher.width {
                    let bound = 1.0 / (student.width as f64).sqrt();
                    let draw = |rows: usize, part: &str| {
                        let mut stream = Stream::of(
                            seed,
                            Purpose::Projection(name, &state.to_string(), part),
                            0,
                        );
                        let values = (0..rows * teacher.width)
                            .map(|_| ((2.0 * stream.uniform() - 1.0) * bound) as f32)
                            .collect();
                        tape::matrix(device, rows, teacher.width, values)
                    };
                    new.projections.insert(
                        key.clone(),
                        Linear {
                            weight: draw(student.width, "weight"),
                            bias: draw(1, "bias"),
                        },
                    );
                }
                if let Some(critic) = term.critic() {
                    let stream = Stream::of(seed, Purpose::Critic(name, &state.to_string()), 0);
                    new.critics.insert(
                        key,
                        D::Critic::new(&critic_settings(critic, teacher.width), stream),
                    );
                }
            }
        }
        new
    }

    /// After a step that recorded `found`: layers' weights follow what the transport cost, where
    /// the map says so.
    pub fn follow_costs(&mut self, matching: &Matching, found: &NamedValues) {
        if let Matching::Emd {
            weights: LayerWeighting::Learned,
            ..
        } = matching
        {
            for (name, weights) in &mut self.layer_weights {
                weights.follow(name, found);
            }
        }
    }

    /// Parameters that the student's optimizer trains beside the student, with names, in a fixed
    /// order.
    pub fn parameters_mut(&mut self) -> Vec<(String, &mut Mat<D>)> {
        let mut all = Vec::with_capacity(2 * self.projections.len());
        for ((term, state), projection) in &mut self.projections {
            all.push((
                format!("projection.{term}.{state}.weight"),
                &mut projection.weight,
            ));
            all.push((
                format!("projection.{term}.{state}.bias"),
                &mut projection.bias,
            ));
        }
        all
    }

    /// The same, to be read.
    pub fn parameters(&self) -> Vec<(String, &Mat<D>)> {
        let mut all = Vec::with_capacity(2 * self.projections.len());
        for ((term, state), projection) in &self.projections {
            all.push((
                format!("projection.{term}.{state}.weight"),
                &projection.weight,
            ));
            all.push((format!("projection.{term}.{state}.bias"), &projection.bias));
        }
        all
    }
}

/// A critic of the spec for hidden vectors of `input` coordinates.
fn critic_settings(critic: &run::CriticSpec, input: usize) -> CriticSettings {
    let constraint = match critic.lipschitz {
        Lipschitz::GradientPenalty => Constraint::GradientPenalty(
            critic
                .penalty
                .expect("a resolved gradient penalty has its weight"),
        ),
        Lipschitz::Spectral => Constraint::Spectral,
        Lipschitz::Clip => Constraint::Clip(
            critic
                .clip
                .expect("a resolved clipped critic has its bound"),
        ),
    };
    CriticSettings {
        input,
        width: critic.width,
        depth: critic.depth,
        slope: critic.slope,
        constraint,
        lr: critic.lr,
        betas: critic.betas,
    }
}
