//! Critics against autograd and Adam of PyTorch: every update, and the student's term.

use kdpipe::ops::{
    Constraint, Cpu, Critic, CriticSettings, CriticState, CriticTask, Losses, Mat, StateArray,
    composed, tape,
};
use kdpipe::random::Stream;

use super::arrays::{Reference, assert_close};
use super::{TOLERANCE, gradients};

/// Student and teacher states of an update, and the mixing numbers of the gradient penalty.
fn batch(reference: &Reference, update: usize) -> [Mat<Cpu>; 3] {
    ["student", "teacher", "epsilon"]
        .map(|part| reference.matrix(&format!("batch.{update}.{part}")))
}

fn settings(reference: &Reference, constraint: Constraint) -> CriticSettings {
    let setting = |key: &str| reference.number(&["settings", key]);
    let betas = reference.list(&["settings", "betas"]);
    CriticSettings {
        input: batch(reference, 0)[0].shape().1,
        width: setting("width") as usize,
        depth: setting("depth") as usize,
        slope: setting("slope"),
        constraint,
        lr: setting("lr"),
        betas: [betas[0], betas[1]],
    }
}

/// A critic with the initial parameters, and singular vectors if it has some, under `prefix`.
fn initial_critic(settings: &CriticSettings, reference: &Reference, prefix: &str) -> Critic {
    let mut critic = Critic::new(settings, Stream::new(0, "test", 0));
    let given = reference.arrays_under(prefix);
    let take = |(name, shape, zero): StateArray| {
        if name.starts_with("adam.") {
            return (name, shape, vec![0.0; zero.len()]);
        }
        let array = given
            .get(&name)
            .unwrap_or_else(|| panic!("the reference has no {prefix}{name}"));
        (name, array.shape.clone(), array.values.clone())
    };
    let state: Vec<StateArray> = critic.state().into_iter().map(take).collect();
    critic.restore(&state).unwrap();
    critic
}

/// Trains the critic on the reference's batches and compares its values and its state after every
/// update.
fn check_updates(name: &str, critic: &mut Critic, reference: &Reference) {
    let expected =
        ["estimate", "penalty", "gradient_norm"].map(|value| reference.list(&[name, value]));
    let mut found = [const { Vec::new() }; 3];
    for update in 0..expected[0].len() {
        let [student, teacher, epsilon] = batch(reference, update);
        let reports = Cpu::critic_updates(&mut [CriticTask {
            critic,
            student: &student,
            teacher: &teacher,
            updates: 1,
            epsilon: &|_| tape::read(&epsilon),
        }]);
        let report = reports[0];
        found[0].push(report.estimate);
        found[1].push(report.penalty);
        found[2].push(report.gradient_norm);
        let after = reference.arrays_under(&format!("{name}.after.{update}."));
        for (array, _, values) in critic.state() {
            if let Some(expected) = after.get(&array) {
                let what = format!("{name}: {array} after update {update}");
                assert_close(&what, &values, &expected.values, TOLERANCE);
            }
        }
        assert!(after.len() >= critic.parameters().len());
    }
    for (i, value) in ["estimate", "penalty", "gradient norm"].iter().enumerate() {
        assert_close(
            &format!("{name}: {value}"),
            &found[i],
            &expected[i],
            TOLERANCE,
        );
    }
}

/// Compares the term that the student is trained by, and its gradient.
fn check_term(name: &str, critic: &Critic, reference: &Reference) {
    let [student, teacher, _] = batch(reference, 0);
    let own = || student.leaky_trace();
    let fused = Cpu::critic_term(own(), &teacher, critic);
    let composed = composed::losses::critic_term(own(), &teacher, critic);
    // A difference of two means that may nearly cancel: judged by the estimates of the updates.
    let estimates = reference.list(&[name, "estimate"]);
    let largest = estimates
        .iter()
        .fold(0.0, |largest: f64, x| largest.max(x.abs()));
    for (how, (loss, value)) in [("fused", fused), ("composed", composed)] {
        let error = (value - reference.number(&[name, "term"])).abs();
        assert!(
            error <= TOLERANCE * largest,
            "{how} {name}: the student's term is off by {error}"
        );
        assert_close(
            &format!("{how} {name}: gradient of the student's term"),
            &gradients(loss, &[&student])[0],
            reference.values(&format!("{name}.term.gradient")),
            TOLERANCE,
        );
    }
}

#[test]
fn critics_are_trained_as_by_autograd_and_adam_of_pytorch() {
    let reference = Reference::read("critic");
    let setting = |key: &str| reference.number(&["settings", key]);
    let penalty = Constraint::GradientPenalty(setting("penalty"));
    for (name, constraint) in [
        ("gradient-penalty", penalty),
        ("spectral", Constraint::Spectral),
        ("clip", Constraint::Clip(setting("clip"))),
    ] {
        let settings = settings(&reference, constraint);
        let mut critic = initial_critic(&settings, &reference, &format!("{name}.initial."));
        check_updates(name, &mut critic, &reference);
        check_term(name, &critic, &reference);
    }
}
