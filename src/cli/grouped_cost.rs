//! What training the runs of a plan in groups costs, for `kdpipe plan` to show.

use std::collections::{BTreeMap, BTreeSet};

use crate::plan::{Plan, PlannedRun};

/// What training runs in groups costs.
pub(super) struct GroupedCost {
    pub groups: usize,
    /// Operations of training all of them.
    pub flops: f64,
    /// Operations that are saved because the runs of a group share the teacher's forward pass,
    /// where memory lets them advance together.
    pub saved_flops: f64,
}

impl GroupedCost {
    pub fn of<'a>(runs: impl IntoIterator<Item = &'a PlannedRun>) -> Self {
        let mut alone = 0.0;
        let mut teacher_passes = BTreeMap::<&str, Vec<f64>>::new();
        for run in runs {
            alone += run.estimate.flops;
            let of_group = teacher_passes.entry(&run.group_key).or_default();
            of_group.push(run.estimate.teacher_pass_flops);
        }
        let saved_flops: f64 = teacher_passes
            .values()
            .map(|all| all.iter().sum::<f64>() - all.iter().copied().fold(0.0, f64::max))
            .sum();
        Self {
            groups: teacher_passes.len(),
            flops: alone - saved_flops,
            saved_flops,
        }
    }
}

/// Operations of training the teachers, each once.
pub(super) fn teacher_flops(plan: &Plan) -> f64 {
    let mut seen = BTreeSet::new();
    plan.runs
        .iter()
        .filter(|run| seen.insert(&run.teacher_key))
        .map(|run| run.estimate.teacher_training_flops)
        .sum()
}
