//! Where a planned run stands: what of it is stored, and what is left to do.

use anyhow::Result;

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
        let own = layout.run(&run.id);
        let is_evaluated = has_evaluation(&own, &run.evaluation_key);
        let is_compared = has_evaluation(
            &layout.teacher(&run.teacher_key),
            &run.teacher_evaluation_key,
        );
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

/// Whether nothing of a run is left to do.
pub fn is_over(run: &PlannedRun, layout: &Layout) -> bool {
    matches!(
        Standing::of(run, layout),
        Ok(Standing::Finished | Standing::Diverged(_))
    )
}

/// Whether something of a run is left to do, and nobody is at it.
pub fn is_free(run: &PlannedRun, layout: &Layout) -> bool {
    !is_over(run, layout)
        && SharedWork::Group(&run.group_key).owner(layout).is_none()
        && run_owner(layout, &run.id).is_none()
}
