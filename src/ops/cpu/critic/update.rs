//! One training step of a critic on the host: Adam on mean f(s) − mean f(t) + λ·GP.

use super::adam::adam;
use super::gradient::{Pairs, gradient};
use super::state::{Critic, clamp};
use crate::ops::critic::{Constraint, CriticReport};

/// One update of `critic` on `rows` pairs of vectors, `student` and `teacher` (rows, input) each,
/// with one ε in [0, 1) a row.
pub fn critic_update(
    critic: &mut Critic,
    student: &[f32],
    teacher: &[f32],
    rows: usize,
    epsilon: &[f32],
) -> CriticReport {
    let input = critic.settings.input;
    assert!(
        rows > 0
            && student.len() == rows * input
            && teacher.len() == rows * input
            && epsilon.len() == rows,
        "rows of width {input} and an epsilon for each"
    );
    if let Some(spectral) = &mut critic.spectral {
        spectral.iterate(&critic.layout, critic.settings.width, &critic.parameters);
    }
    let pairs = Pairs {
        student,
        teacher,
        epsilon,
    };
    let mut workspace = std::mem::take(&mut critic.workspace);
    let (mut gradient, report) = gradient(critic, &mut workspace, pairs);
    critic.workspace = workspace;
    if let Some(spectral) = &critic.spectral {
        let effective = critic.effective();
        spectral.backward(
            &critic.layout,
            critic.settings.width,
            &critic.parameters,
            &effective,
            &mut gradient,
        );
    }
    adam(critic, &gradient);
    match critic.settings.constraint {
        Constraint::Clip(bound) => clamp(&mut critic.parameters, bound),
        Constraint::GradientPenalty(_) | Constraint::Spectral => {}
    }
    report
}

#[cfg(test)]
#[path = "update_tests.rs"]
mod tests;
