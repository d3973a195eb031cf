//! Comparable scales for hidden terms: one factor per term, from the gradients that every term
//! sends to the initial student.
//!
//! An MSE and a critic of equal weight would otherwise push the student with forces that differ by
//! orders of magnitude, and a comparison of the two would compare those.

use super::auxiliary::Auxiliary;
use super::critics::{interpolation, rows, with_critic};
use super::objective::{NamedValues, Objective, StepSettings};
use super::teacher_outputs::TeacherOutputs;
use crate::model::{Gpt2, HiddenStates, Reader};
use crate::ops::{CriticTask, GradientMap, Mat, NoneTape, Ops, OwnedTape};
use crate::random::Purpose;

/// A micro-batch with the teacher's states on it.
#[derive(Clone, Copy)]
pub struct BalanceBatch<'a, D: Ops> {
    pub inputs: &'a [u32],
    pub targets: &'a [u32],
    pub teacher: &'a HiddenStates<D>,
}

/// Why there is no balance.
#[derive(Debug, Clone, PartialEq)]
pub enum Unbalanced {
    /// The term sends no gradient, or one that is not finite, to the student after so many steps.
    Gradient { term: String, norm: f64, step: u64 },
}

impl std::fmt::Display for Unbalanced {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        let Self::Gradient { term, norm, step } = self;
        let student = match step {
            0 => "the initial student".to_owned(),
            1 => "the student after 1 step".to_owned(),
            steps => format!("the student after {steps} steps"),
        };
        write!(
            f,
            "the gradient of term \"{term}\" at {student} has norm {norm}, so there is no scale \
             to balance it to"
        )
    }
}

/// The factor g_reference / g_j of every hidden term j, with g_j the root mean square over
/// `samples` of ‖∂ term_j / ∂θ‖ at the student as it is, θ its weights without
/// projections and critics. Nothing is weighted: temperatures and pairs are those of the step
/// (`settings`).
///
/// Before the first step critics take their warm-up here, on the samples in turn, and stay as they
/// are then.
///
/// # Errors
/// A gradient that is 0 or not finite.
pub fn balance<D: Ops>(
    objective: &Objective,
    settings: &StepSettings,
    reference: &str,
    student: &Gpt2<D>,
    auxiliary: &mut Auxiliary<D>,
    teacher_reader: Reader<D>,
    context: usize,
    samples: &[BalanceBatch<D>],
) -> Result<NamedValues, Unbalanced> {
    if settings.step == 0 {
        warm_up(objective, settings, student, auxiliary, context, samples);
    }

    let mut terms: Vec<&String> = objective
        .terms
        .iter()
        .filter(|(_, term)| term.is_hidden())
        .map(|(name, _)| name)
        .collect();
    if terms.is_empty() {
        return Ok(NamedValues::new());
    }
    let reference = reference.to_owned();
    terms.insert(0, &reference);

    let mut norms = NamedValues::new();
    for &name in &terms {
        let sides = (student, &*auxiliary, teacher_reader);
        let norm = norm_of_term(objective, settings, name, sides, context, samples);
        if norm == 0.0 || !norm.is_finite() {
            return Err(Unbalanced::Gradient {
                term: name.clone(),
                norm,
                step: settings.step,
            });
        }
        norms.insert(name.clone(), norm);
    }
    Ok(terms[1..]
        .iter()
        .map(|&name| (name.clone(), norms[&reference] / norms[name]))
        .collect())
}

/// √ of the mean over samples of ‖∂ term / ∂θ‖².
fn norm_of_term<D: Ops>(
    objective: &Objective,
    settings: &StepSettings,
    name: &str,
    (student, auxiliary, teacher_reader): (&Gpt2<D>, &Auxiliary<D>, Reader<D>),
    context: usize,
    samples: &[BalanceBatch<D>],
) -> f64 {
    let keep = objective.kept_of_student(settings);
    let factors = NamedValues::from([(name.to_owned(), 1.0)]);
    let mut squares = Vec::new();
    for sample in samples {
        let tape = OwnedTape::default();
        let states = student.forward_keeping(tape, sample.inputs, context, &keep);
        let teacher = Some(TeacherOutputs::new(sample.teacher, teacher_reader));
        let (loss, _) = objective.losses(
            settings,
            &factors,
            states,
            student.reader(),
            sample.targets,
            teacher,
            auxiliary,
        );
        squares.extend(squares_of(student, loss.backward()));
    }
    let squares: f64 = D::fetch(&squares).iter().sum();
    (squares / samples.len() as f64).sqrt()
}

/// Σ g² of the gradient of each of the student's parameters.
fn squares_of<D: Ops>(student: &Gpt2<D>, mut gradients: GradientMap<D>) -> Vec<D::Value> {
    let squares = |(_, parameter): (String, &Mat<D>)| {
        D::sum_of_squares(&D::take_gradient(&mut gradients, parameter))
    };
    student.parameters().into_iter().map(squares).collect()
}

/// `critic.warmup` updates of every critic; update u takes sample u modulo their number.
fn warm_up<D: Ops>(
    objective: &Objective,
    settings: &StepSettings,
    student: &Gpt2<D>,
    auxiliary: &mut Auxiliary<D>,
    context: usize,
    samples: &[BalanceBatch<D>],
) {
    if objective.terms.values().all(|term| term.critic().is_none()) {
        return;
    }
    let keep = objective.kept_of_student(settings);
    let students: Vec<HiddenStates<D>> = samples
        .iter()
        .map(|sample| student.forward_keeping(NoneTape, sample.inputs, context, &keep))
        .collect();
    for (name, term) in &objective.terms {
        let Some((loss, spec)) = with_critic(term) else {
            continue;
        };
        for (own, matched) in &settings.pairs {
            let clouds: Vec<(Mat<D>, Mat<D>)> = students
                .iter()
                .zip(samples)
                .map(|(student, sample)| {
                    let (term, pair) = ((name.as_str(), loss), (own, matched));
                    let step = settings.step;
                    objective.clouds(term, pair, step, student, sample.teacher, auxiliary)
                })
                .collect();
            let critic = auxiliary
                .critics
                .get_mut(&(name.clone(), *own))
                .expect("every matched state has its critic");
            for update in 0..spec.warmup {
                let (x, target) = &clouds[update % clouds.len()];
                let epsilon = |_| {
                    let purpose = Purpose::CriticWarmup(name, &own.to_string());
                    interpolation(objective.seed, purpose, update as u64, rows(x))
                };
                D::critic_updates(&mut [CriticTask {
                    critic,
                    student: x,
                    teacher: target,
                    updates: 1,
                    epsilon: &epsilon,
                }]);
            }
        }
    }
}
