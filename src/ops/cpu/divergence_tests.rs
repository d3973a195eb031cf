//! Tests of `divergence.rs`: what is particular about each loss. The formulas themselves are held
//! in `logits_tests.rs`.

use dfdx::prelude::Cpu;

use crate::ops::test_support::{gradients, of};
use crate::ops::{LogitTerm, Losses, Mat, TeacherHead};

/// The value of a term for one token of these logits, and its gradient for them.
fn one_token(term: LogitTerm, student: &[f32], teacher: &[f32]) -> (f64, Vec<f32>) {
    let vocabulary = student.len();
    let unit: Vec<f32> = (0..vocabulary * vocabulary)
        .map(|i| f32::from(i % (vocabulary + 1) == 0))
        .collect();
    let head = of(vocabulary, vocabulary, unit);
    let row = |values: &[f32]| -> Mat<Cpu> { of(1, vocabulary, values.to_vec()) };
    let (own, other) = (row(student), row(teacher));
    let teacher = Some(TeacherHead::new(&other, (&head).into()));
    let terms = [(term, 1.0)];
    let (loss, values) =
        Cpu::logit_losses(own.leaky_trace(), (&head).into(), &[0], teacher, &terms);
    let scaled = gradients(loss, &[&own]).remove(0);
    (values[0], scaled.iter().map(|g| g / 2.5).collect())
}

const APART: ([f32; 3], [f32; 3]) = ([300.0, 0.0, 0.0], [0.0, 0.0, 300.0]);

#[test]
fn divergences_that_are_bounded_reach_their_bounds_where_kl_is_endless() {
    let (student, teacher) = APART;
    let skewed = |reverse| LogitTerm::SkewKl {
        temperature: 1.0,
        reverse,
        skew: 0.1,
    };
    // Disjoint predictions: JS is log 2, TV is 1, and a skew of α leaves −log α.
    for (term, expected) in [
        (LogitTerm::Js { temperature: 1.0 }, std::f64::consts::LN_2),
        (LogitTerm::Tv { temperature: 1.0 }, 1.0),
        (skewed(false), -(0.1f64.ln())),
        (skewed(true), -(0.1f64.ln())),
    ] {
        let (value, gradient) = one_token(term, &student, &teacher);
        assert!((value - expected).abs() < 1e-6, "{term:?}: {value}");
        assert!(gradient.iter().all(|g| g.is_finite()), "{term:?}");
    }
}

#[test]
fn equal_predictions_are_at_distance_0_without_a_gradient() {
    let logits = [1.0, -2.0, 0.5, 0.5];
    for term in [
        LogitTerm::Js { temperature: 2.0 },
        LogitTerm::Tv { temperature: 2.0 },
        LogitTerm::Mse,
        LogitTerm::Wasserstein { temperature: 2.0 },
    ] {
        let (value, gradient) = one_token(term, &logits, &logits);
        assert!(value.abs() < 1e-7, "{term:?}: {value}");
        assert!(gradient.iter().all(|g| g.abs() < 1e-7), "{term:?}");
    }
}

#[test]
fn sorted_probabilities_do_not_ask_which_token_is_meant_and_the_others_do() {
    let (student, teacher) = ([2.0, 0.0, -1.0, 0.3], [0.3, -1.0, 2.0, 0.0]);
    let (value, gradient) = one_token(
        LogitTerm::Wasserstein { temperature: 1.0 },
        &student,
        &teacher,
    );
    assert!(value < 1e-7 && gradient.iter().all(|g| g.abs() < 1e-7));
    for term in [LogitTerm::Tv { temperature: 1.0 }, LogitTerm::Mse] {
        assert!(one_token(term, &student, &teacher).0 > 0.1, "{term:?}");
    }
}

#[test]
fn logits_that_differ_by_a_constant_differ_for_the_mse_alone() {
    let (student, teacher) = ([2.0, 0.0, -1.0], [5.0, 3.0, 2.0]);
    let (value, gradient) = one_token(LogitTerm::Mse, &student, &teacher);
    assert_eq!((value, gradient), (9.0, vec![-2.0; 3]));
    let (value, _) = one_token(LogitTerm::Js { temperature: 1.0 }, &student, &teacher);
    assert!(value.abs() < 1e-7);
}

#[test]
fn a_skew_near_0_is_the_plain_divergence() {
    let (student, teacher) = ([2.0, 0.0, -1.0, 0.3], [0.3, -1.0, 2.0, 0.0]);
    for reverse in [false, true] {
        let plain = LogitTerm::Kl {
            temperature: 2.0,
            reverse,
        };
        let skewed = LogitTerm::SkewKl {
            temperature: 2.0,
            reverse,
            skew: 1e-6,
        };
        let (a, by_a) = one_token(plain, &student, &teacher);
        let (b, by_b) = one_token(skewed, &student, &teacher);
        assert!((a - b).abs() < 1e-4 * a, "{a} against {b}");
        by_a.iter()
            .zip(by_b)
            .for_each(|(a, b)| assert!((a - b).abs() < 1e-4, "{a} against {b}"));
    }
}
