//! Losses of whole clouds of states: which tokens they compare, and along which directions.

use super::objective::Objective;
use crate::ops::{CloudDistance, Mat, Ops, Scalar, Tape};
use crate::plan::run::{CloudLoss, HiddenState};
use crate::random::{Purpose, Stream};

impl Objective {
    /// A loss of the clouds `x` and `target`, all tokens or those of the step.
    pub(super) fn cloud_loss<D: Ops, T: Tape<f32, D>>(
        &self,
        name: &str,
        loss: CloudLoss,
        own: HiddenState,
        step: u64,
        x: Mat<D, T>,
        target: Mat<D>,
    ) -> (Scalar<D, T>, D::Value) {
        let count = x.shape().0;
        let rows = loss
            .tokens()
            .and_then(|tokens| self.tokens(name, step, count, tokens));
        let target = match &rows {
            None => target,
            Some(rows) => D::pick_rows(&target, rows),
        };
        let target = self.shuffled(step, target);
        let directions;
        let distance = match loss {
            CloudLoss::SlicedWasserstein { directions: count } => {
                directions = self.directions(name, own, step, count, target.shape().1);
                CloudDistance::SlicedWasserstein {
                    directions: &directions,
                }
            }
            CloudLoss::Energy { .. } => CloudDistance::Energy,
            CloudLoss::Mmd { .. } => CloudDistance::Mmd,
            CloudLoss::GaussianW2 => CloudDistance::GaussianW2,
            CloudLoss::Sinkhorn {
                epsilon,
                iterations,
                ..
            } => CloudDistance::Sinkhorn {
                epsilon,
                iterations,
            },
            CloudLoss::Cka => CloudDistance::Cka,
        };
        D::cloud_distance(x, rows.as_deref(), &target, distance)
    }

    /// The tokens of a step, in their order, where there are more than are compared: the same of
    /// every micro-batch and every pair.
    fn tokens(&self, name: &str, step: u64, count: usize, compared: usize) -> Option<Vec<usize>> {
        if count <= compared {
            return None;
        }
        let purpose = Purpose::LossTokens(name);
        let mut rows = Stream::of(self.seed, purpose, step).permutation(count);
        rows.truncate(compared);
        rows.sort_unstable();
        Some(rows)
    }

    /// Uniform directions of a step, the rows of (count, width): normal vectors, scaled to length
    /// 1.
    fn directions(
        &self,
        name: &str,
        own: HiddenState,
        step: u64,
        count: usize,
        width: usize,
    ) -> Vec<f32> {
        let state = own.to_string();
        let mut stream = Stream::of(self.seed, Purpose::LossDirections(name, &state), step);
        let mut all = Vec::with_capacity(count * width);
        for _ in 0..count {
            let direction: Vec<f64> = (0..width).map(|_| stream.normal()).collect();
            let length = direction.iter().map(|x| x * x).sum::<f64>().sqrt();
            all.extend(direction.iter().map(|x| (x / length) as f32));
        }
        all
    }
}
