//! What a run is computed on, and whether that device can do all of it.

use std::collections::BTreeMap;

use super::super::matching::Strategy;
use super::super::run::{DeviceSpec, TeacherSpec, Term, TrainSpec};
use super::CellReport;

/// A teacher is trained where its students are; a card refuses what it has no kernels for.
pub(super) fn resolve_device(
    train: &TrainSpec,
    teacher: &mut TeacherSpec,
    loss: &BTreeMap<String, Term>,
    matching: &Strategy,
    report: &mut CellReport,
) {
    let device = train.device;
    if let Some(of_teacher) = teacher.train_mut() {
        if !of_teacher.device.is_cpu() && of_teacher.device != device {
            let message = format!(
                "teacher.train.device = \"{}\" is not that of the students, \"{device}\"",
                of_teacher.device
            );
            let hint = "leave teacher.train.device out: a study is computed on one device, that \
                        of train.device";
            report.problem("teacher.train.device", message, hint);
        }
        of_teacher.device = device;
    }
    match device {
        DeviceSpec::Cpu => {}
        DeviceSpec::Cuda(_) => {
            refuse_what_a_card_lacks(loss, report);
            if loss.values().any(Term::is_hidden) {
                refuse_maps_that_a_card_lacks(matching, report);
            }
        }
    }
}

/// Maps that a card has no kernels for.
fn refuse_maps_that_a_card_lacks(matching: &Strategy, report: &mut CellReport) {
    if matches!(
        matching,
        Strategy::Attention { .. } | Strategy::Combine { .. } | Strategy::Emd { .. }
    ) {
        report.problem(
            "match.strategy",
            format!("the map {} has no CUDA form yet", matching.name()),
            "take another strategy, or write train.device = \"cpu\"",
        );
    }
}

/// Losses that a card has no kernels for, by their kinds.
fn refuse_what_a_card_lacks(loss: &BTreeMap<String, Term>, report: &mut CellReport) {
    for (name, term) in loss {
        let Some(kind) = lacking_on_a_card(term) else {
            continue;
        };
        report.problem(
            &format!("loss.{name}.kind"),
            format!("the loss {kind} has no CUDA form yet"),
            "take another kind, or write train.device = \"cpu\"",
        );
    }
}

/// The kind of a loss that has no kernels on a card yet.
fn lacking_on_a_card(term: &Term) -> Option<&'static str> {
    let kind = match term {
        Term::LogitsKl { skew, .. } if *skew != 0.0 => "logits.kl with a skew",
        Term::Lm { .. }
        | Term::LogitsKl { .. }
        | Term::HiddenMse { .. }
        | Term::HiddenCosine { .. }
        | Term::HiddenWasserstein { .. } => return None,
        Term::LogitsJs { .. } => "logits.js",
        Term::LogitsTv { .. } => "logits.tv",
        Term::LogitsMse { .. } => "logits.mse",
        Term::LogitsWasserstein { .. } => "logits.wasserstein",
        Term::LogitsLens { .. } => "logits.lens",
        Term::HiddenSlicedWasserstein { .. } => "hidden.sliced-wasserstein",
        Term::HiddenEnergy { .. } => "hidden.energy",
        Term::HiddenMmd { .. } => "hidden.mmd",
        Term::HiddenGaussianW2 { .. } => "hidden.gaussian-w2",
        Term::HiddenSinkhorn { .. } => "hidden.sinkhorn",
        Term::HiddenCka { .. } => "hidden.cka",
        Term::AttentionKl { .. } => "attention.kl",
    };
    Some(kind)
}
