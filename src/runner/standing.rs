//! Where a planned run stands: what of it is stored, and what is left to do.

use std::collections::BTreeMap;

use anyhow::Result;

use super::Site;
use crate::plan::PlannedRun;
use crate::record::layout::Layout;
use crate::record::{
    Failure, RunState, SharedWork, has_evaluation, is_begun, run_owner, run_state,
};

/// Where a run stands.
#[derive(Debug, Clone, PartialEq)]
pub enum Standing {
    /// Trained and evaluated, its teacher too. Its weights may be gone.
    Finished,
    /// It diverged, and is not tried again.
    Diverged(Failure),
    /// Trained; an evaluation that the spec asks for is to come.
    Trained,
    /// Trained, and its weights are gone, which an evaluation that is to come needs: it has to be
    /// trained again.
    WithoutWeights,
    /// Some steps may be done.
    Begun,
    /// Nothing is done.
    Open,
}

impl Standing {
    /// Where `run` stands in the folder of its study.
    ///
    /// # Errors
    /// A `failure.json` that is damaged.
    pub fn of(run: &PlannedRun, layout: &Layout) -> Result<Self> {
        Self::beside(run, layout, is_compared(run, layout))
    }

    /// The same where it is known whether its teacher is evaluated.
    fn beside(run: &PlannedRun, layout: &Layout, is_compared: bool) -> Result<Self> {
        let is_evaluated = has_evaluation(&layout.run(&run.id), &run.evaluation_key);
        Ok(match run_state(layout, &run.id)? {
            RunState::Diverged(failure) => Self::Diverged(failure),
            RunState::Published | RunState::WithoutWeights if is_evaluated && is_compared => {
                Self::Finished
            }
            RunState::WithoutWeights if !is_evaluated => Self::WithoutWeights,
            RunState::Published | RunState::WithoutWeights => Self::Trained,
            RunState::Absent if is_begun(layout, &run.id) => Self::Begun,
            RunState::Absent => Self::Open,
        })
    }

    /// A word or two for it.
    pub fn words(&self) -> &'static str {
        match self {
            Self::Finished => "finished",
            Self::Diverged(_) => "diverged",
            Self::Trained => "trained",
            Self::WithoutWeights => "no weights",
            Self::Begun => "begun",
            Self::Open => "open",
        }
    }

    /// Whether training is left to do.
    pub fn is_to_train(&self) -> bool {
        match self {
            Self::Finished | Self::Diverged(_) | Self::Trained => false,
            Self::WithoutWeights | Self::Begun | Self::Open => true,
        }
    }
}

/// One look at where the runs of a study stand: what they share is looked at once.
pub struct Standings<'a> {
    layout: &'a Layout,
    /// Whether a teacher is evaluated, by its key and that of its evaluation.
    compared: BTreeMap<[&'a str; 2], bool>,
}

impl<'a> Standings<'a> {
    pub fn new(layout: &'a Layout) -> Self {
        Self {
            layout,
            compared: BTreeMap::new(),
        }
    }

    /// Where `run` stands.
    ///
    /// # Errors
    /// A `failure.json` that is damaged.
    pub fn of(&mut self, run: &'a PlannedRun) -> Result<Standing> {
        let is_compared = *self
            .compared
            .entry([&run.teacher_key, &run.teacher_evaluation_key])
            .or_insert_with(|| is_compared(run, self.layout));
        Standing::beside(run, self.layout, is_compared)
    }
}

fn is_compared(run: &PlannedRun, layout: &Layout) -> bool {
    has_evaluation(
        &layout.teacher(&run.teacher_key),
        &run.teacher_evaluation_key,
    )
}

/// Whether nothing of a run is left to do.
pub fn is_over(run: &PlannedRun, layout: &Layout) -> bool {
    matches!(
        Standing::of(run, layout),
        Ok(Standing::Finished | Standing::Diverged(_))
    )
}

/// Whether nothing of a run is left to do for a process that may evaluate nothing.
pub(super) fn is_done(run: &PlannedRun, site: &Site) -> bool {
    let is_trained = || matches!(Standing::of(run, &site.layout), Ok(Standing::Trained));
    is_over(run, &site.layout) || !site.evaluates && is_trained()
}

/// Whether something of a run is left to do, and nobody is at it.
pub fn is_free(run: &PlannedRun, layout: &Layout) -> bool {
    !is_over(run, layout)
        && SharedWork::Group(&run.group_key).owner(layout).is_none()
        && run_owner(layout, &run.id).is_none()
}
