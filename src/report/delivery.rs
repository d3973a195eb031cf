//! Whether a hidden loss did what it is there for: whether the states that it matches came closer
//! to the teacher's than without it, in what the loss itself is about.
//!
//! What it is judged by is the setting that is the same but for its hidden losses. Where the study
//! has none, it is the setting that it is compared with; that one alone would not do, since two
//! losses may both do their work, one more than the other.

use super::data::{RunData, StudyData};
use super::pairing::both_finished;
use super::rows::TableRow;
use super::statistics::mean_of;
use crate::plan::run::{
    CloudLoss, Comparison, HiddenDistance, HiddenLoss, HiddenState, Matching, RunSpec, StateForm,
};
use crate::record::evaluation::{CloudDistances, MeasuredPair, Treatment};

/// What a hidden loss is about, as it is measured of finished models. Less is closer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantity {
    /// Mean squared difference, token by token.
    Mse,
    /// Exact Wasserstein-1 distance of the two clouds.
    W1,
    /// Sliced Wasserstein-2 distance of the two clouds.
    SlicedW2,
    /// Energy distance of the two clouds.
    Energy,
}

impl Quantity {
    /// What a distance lowers, or the nearest to it that is measured; what a cosine lowers, or the
    /// squares of unit vectors, is the mean squared difference of standardised states, up to their
    /// means. None where nothing near is measured pair by pair.
    fn of(distance: HiddenDistance) -> Option<Self> {
        Some(match distance {
            HiddenDistance::Mse { .. } | HiddenDistance::Cosine => Self::Mse,
            HiddenDistance::Wasserstein(_) | HiddenDistance::Cloud(CloudLoss::Sinkhorn { .. }) => {
                Self::W1
            }
            HiddenDistance::Cloud(CloudLoss::SlicedWasserstein { .. } | CloudLoss::GaussianW2) => {
                Self::SlicedW2
            }
            HiddenDistance::Cloud(CloudLoss::Energy { .. } | CloudLoss::Mmd { .. }) => Self::Energy,
            HiddenDistance::Cloud(CloudLoss::Cka)
            | HiddenDistance::Lens { .. }
            | HiddenDistance::Attention => return None,
        })
    }

    /// In words.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mse => "MSE",
            Self::W1 => "W1",
            Self::SlicedW2 => "sliced W2",
            Self::Energy => "energy distance",
        }
    }

    /// Where nothing is left to be removed, given what two samples of the teacher's own states are
    /// apart: of pairs of tokens a difference of 0.
    pub(super) fn end(self, floor: Option<f64>) -> Option<f64> {
        match self {
            Self::Mse => Some(0.0),
            Self::W1 | Self::SlicedW2 | Self::Energy => floor,
        }
    }

    fn among(self, distances: &CloudDistances) -> Option<f64> {
        match self {
            Self::Mse => distances.mse,
            Self::W1 => distances.w1,
            Self::SlicedW2 => distances.sliced_w2,
            Self::Energy => distances.energy,
        }
    }
}

/// A hidden loss of a row, and what became of the states that it matches.
#[derive(Debug, Clone, PartialEq)]
pub struct Delivery {
    /// The setting that has the loss, and the one that it is compared with.
    pub label: String,
    pub against: String,
    pub term: String,
    pub quantity: Quantity,
    pub form: StateForm,
    /// Mean over the matched pairs and the seeds.
    pub value: f64,
    /// The same of the setting that it is compared with, on the same pairs.
    pub compared: f64,
    /// The setting that is the same without hidden losses, and what it comes to; none where the
    /// study has none.
    pub untreated: Option<(String, f64)>,
    /// What two samples of the teacher's own states are apart; none of what needs pairs of tokens.
    pub floor: Option<f64>,
}

impl Delivery {
    /// The setting that it is judged by, and what that comes to.
    pub fn beside(&self) -> (&str, f64) {
        let untreated = self.untreated.as_ref();
        untreated.map_or((&self.against, self.compared), |(label, value)| {
            (label, *value)
        })
    }

    /// Whether the loss brought nothing closer.
    pub fn is_missed(&self) -> bool {
        self.value >= self.beside().1
    }

    /// Whether the other setting brought it closer still, or as close.
    pub fn is_behind(&self) -> bool {
        !self.is_missed() && self.untreated.is_some() && self.value >= self.compared
    }

    /// How much of what could be removed was: of the way from the setting that it is judged by to
    /// what two samples of the teacher's own states are apart.
    pub fn share(&self) -> Option<f64> {
        self.share_of(self.value)
    }

    /// The same of the other setting; none where it is the one that both are judged by.
    pub fn compared_share(&self) -> Option<f64> {
        let (label, _) = self.untreated.as_ref()?;
        if *label == self.against {
            return None;
        }
        self.share_of(self.compared)
    }

    fn share_of(&self, value: f64) -> Option<f64> {
        share_removed(self.beside().1, self.quantity.end(self.floor)?, value)
    }
}

/// What states of a form are called.
pub fn form_in_words(form: StateForm) -> &'static str {
    match form {
        StateForm::Raw => "raw",
        StateForm::Layernorm => "layer-normed",
    }
}

/// The form of states in which a hidden loss is judged: what is blind to their length, as a cosine
/// is and the squares of unit vectors, which are 2·(1 − cos), is judged by standardised ones.
pub(super) fn form_of(loss: HiddenLoss) -> StateForm {
    match loss.distance {
        HiddenDistance::Cosine | HiddenDistance::Mse { normalize: true } => StateForm::Layernorm,
        HiddenDistance::Mse { normalize: false }
        | HiddenDistance::Wasserstein(_)
        | HiddenDistance::Cloud(_)
        | HiddenDistance::Lens { .. }
        | HiddenDistance::Attention => loss.states,
    }
}

/// How far a value is on the way from `start` to the lesser `end`.
pub(super) fn share_removed(start: f64, end: f64, value: f64) -> Option<f64> {
    (start > end).then(|| (start - value) / (start - end))
}

/// Of every hidden loss of row `a`, how close it brought what it matches, beside row `b` and the
/// row without the loss, where `rows` has it; nothing of runs that were not measured so, and
/// nothing of what matches the states of other tokens pair by pair, which is to miss them.
pub fn deliveries(
    data: &StudyData,
    rows: &[TableRow],
    a: &TableRow,
    b: &TableRow,
) -> Vec<Delivery> {
    let pairs = both_finished(data, &a.cells, &b.cells);
    let untreated = a.untreated.map(|place| &rows[place]);
    let is_shuffled = a.shuffles_tokens(data);
    let Some(first) = pairs.first().and_then(|(run, _)| run.spec.as_ref()) else {
        return Vec::new();
    };
    let terms = first.loss.iter().filter_map(|(name, term)| {
        let Comparison::Hidden(loss) = term.comparison() else {
            return None;
        };
        let quantity = Quantity::of(loss.distance)?;
        if is_shuffled && quantity == Quantity::Mse {
            return None;
        }
        let form = form_of(loss);
        let mut values = Vec::new();
        let mut compared = Vec::new();
        let mut floors = Vec::new();
        for (run, other) in &pairs {
            let matched = matched(run.spec.as_ref()?)?;
            values.push(mean_over(run, matched, quantity, form)?);
            compared.push(mean_over(other, matched, quantity, form)?);
            floors.extend(floor(data, run, matched, quantity, form));
        }
        let without = untreated.and_then(|row| {
            let pairs = both_finished(data, &a.cells, &row.cells);
            let of_pair = |(run, other): &(&RunData, &RunData)| {
                mean_over(other, matched(run.spec.as_ref()?)?, quantity, form)
            };
            let values: Option<Vec<f64>> = pairs.iter().map(of_pair).collect();
            Some((row.label.clone(), mean_of(values?)?))
        });
        Some(Delivery {
            untreated: without,
            label: a.label.clone(),
            against: b.label.clone(),
            term: name.clone(),
            quantity,
            form,
            value: mean_of(values)?,
            compared: mean_of(compared)?,
            floor: mean_of(floors),
        })
    });
    terms.collect()
}

/// The pairs of states that a run matches at every step.
pub(super) fn matched(spec: &RunSpec) -> Option<&[(HiddenState, HiddenState)]> {
    match &spec.matching {
        Matching::Pairs { pairs, .. } => Some(pairs),
        Matching::Random { .. }
        | Matching::Attention { .. }
        | Matching::Combine { .. }
        | Matching::Emd { .. } => None,
    }
}

/// The pairs of the uniform map, along which every student is measured: they stand for maps that
/// have no fixed ones.
pub(super) fn uniform_pairs(run: &RunData) -> Option<Vec<(HiddenState, HiddenState)>> {
    let layers = &run.evaluation.as_ref()?.teacher.as_ref()?.layers;
    let pairs = layers.iter().map(|layer| {
        let (own, other) = (layer.student, layer.teacher);
        (HiddenState::Layer(own), HiddenState::Layer(other))
    });
    (!layers.is_empty()).then(|| pairs.collect())
}

/// Why nobody knows whether a hidden loss did its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unmeasured {
    /// The setting that it would be judged by was measured on other pairs.
    OtherPairs,
    /// Its map has no fixed pairs.
    NoPairs,
    /// It is about nothing that is measured pair by pair.
    NoQuantity,
}

/// Why nothing is known of a row's hidden losses that could be judged by the same without them;
/// none where something is, where there is no such setting, and in records of builds that measured
/// nothing.
pub fn unmeasured(data: &StudyData, rows: &[TableRow], row: &TableRow) -> Option<Unmeasured> {
    let beside = &rows[row.untreated?];
    let runs = both_finished(data, &row.cells, &beside.cells);
    let &(run, other) = runs.first()?;
    let spec = run.spec.as_ref()?;
    run.evaluation.as_ref()?.treatment.as_ref()?;
    let losses = spec.loss.values().map(|term| term.comparison());
    let mut losses = losses.filter_map(|compared| match compared {
        Comparison::Hidden(loss) => Some((Quantity::of(loss.distance), form_of(loss))),
        Comparison::Logits(_) => None,
    });
    let Some((quantity, form)) = losses.find_map(|(quantity, form)| Some((quantity?, form))) else {
        return Some(Unmeasured::NoQuantity);
    };
    let Some(pairs) = matched(spec) else {
        return Some(Unmeasured::NoPairs);
    };
    let is_known = |run: &RunData| mean_over(run, pairs, quantity, form).is_some();
    (is_known(run) && !is_known(other)).then_some(Unmeasured::OtherPairs)
}

/// A quantity of a finished model, as the mean over pairs of states.
pub(super) fn mean_over(
    run: &RunData,
    pairs: &[(HiddenState, HiddenState)],
    quantity: Quantity,
    form: StateForm,
) -> Option<f64> {
    let treatment = run.evaluation.as_ref()?.treatment.as_ref()?;
    let values = pairs
        .iter()
        .map(|pair| among(treatment, *pair, quantity, form))
        .collect::<Option<Vec<f64>>>()?;
    mean_of(values)
}

/// The same of a run's teacher.
pub(super) fn floor(
    data: &StudyData,
    run: &RunData,
    pairs: &[(HiddenState, HiddenState)],
    quantity: Quantity,
    form: StateForm,
) -> Option<f64> {
    let own: Vec<(HiddenState, HiddenState)> =
        pairs.iter().map(|&(_, state)| (state, state)).collect();
    let mut places = data.run_of_cell.iter();
    let cell = places.position(|&place| std::ptr::eq(&data.runs[place], run))?;
    let id = &data.study.cells[cell].teacher;
    let teacher = data.teachers.iter().find(|teacher| teacher.id == *id)?;
    mean_over(teacher, &own, quantity, form)
}

fn among(
    treatment: &Treatment,
    (own, other): (HiddenState, HiddenState),
    quantity: Quantity,
    form: StateForm,
) -> Option<f64> {
    let is_it = |pair: &&MeasuredPair| pair.student_state == own && pair.teacher_state == other;
    let pair = treatment.pairs.iter().find(is_it)?;
    let distances = match form {
        StateForm::Raw => &pair.raw,
        StateForm::Layernorm => &pair.layernorm,
    };
    quantity.among(distances.as_ref()?)
}

#[cfg(test)]
#[path = "delivery_tests.rs"]
mod tests;
