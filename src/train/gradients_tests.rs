//! Tests of what every loss term sends to the student: its norm, which hidden terms are balanced
//! by, and whether it goes along with the others.

use std::sync::Arc;

use super::test_fixture::*;
use super::*;
use crate::data::Order;
use crate::distill::{NamedValues, TeacherOutputs};
use crate::ops::{Backend, Cpu, NoneTape, OwnedTape};
use crate::plan::run::HiddenState;
use crate::random::Seed;

#[test]
fn looks_at_the_gradient_of_every_term_change_nothing_of_the_training() {
    let teacher = teacher();
    let trained = |every: Option<u64>| {
        let kept = Arc::default();
        let mut member = student(WASSERSTEIN, 6, &kept);
        member.job.train.gradients_every = every;
        run(&mut [member], Some(&teacher), u64::MAX);
        kept.lock().unwrap().clone()
    };
    let (plain, mut looked) = (trained(None), trained(Some(3)));
    assert_eq!(plain.checkpoints, looked.checkpoints);
    for (step, row) in &mut looked.rows {
        for term in ["hidden", "kl", "lm"] {
            let norm = row.remove(&format!("gradient.{term}"));
            assert_eq!(
                norm.is_some_and(|norm| norm > 0.0),
                step % 3 == 0,
                "{step} {term}"
            );
            let cosine = row.remove(&format!("gradient_cosine.{term}"));
            assert_eq!(
                cosine.is_some_and(|cosine| cosine.abs() <= 1.0),
                step % 3 == 0,
                "{step} {term}"
            );
        }
    }
    assert_eq!(plain.rows, looked.rows);
}

#[test]
fn the_gradient_of_the_only_term_that_counts_is_the_whole_gradient() {
    let off = format!("{KL}[loss.lm]\nkind = \"lm\"\nweight = 0.0\n");
    let kept = Arc::default();
    let mut member = student(&off, 4, &kept);
    member.job.train.gradients_every = Some(1);
    member.job.train.accumulate = 1;
    run(&mut [member], Some(&teacher()), u64::MAX);
    for row in kept.lock().unwrap().rows.values() {
        assert!(!row.contains_key("gradient.lm"));
        // Along or against what, where it is all there is?
        assert!(!row.contains_key("gradient_cosine.kl"));
        let (norm, whole) = (row["gradient.kl"], row["gradient_norm"]);
        assert!((norm / whole - 1.0).abs() < 1e-12, "{norm} {whole}");
    }
    // A third of a step is rounded; what is left of it is no other term.
    let kept = Arc::default();
    let mut member = student(&off, 2, &kept);
    member.job.train.gradients_every = Some(1);
    member.job.train.accumulate = 3;
    run(&mut [member], Some(&teacher()), u64::MAX);
    for row in kept.lock().unwrap().rows.values() {
        assert!(row["gradient.kl"] > 0.0 && !row.contains_key("gradient_cosine.kl"));
    }
}

/// Language modelling, predictions, and squares of hidden states, balanced.
fn with_mse() -> String {
    let before = WASSERSTEIN.split("[loss.hidden]").next().unwrap();
    format!(
        "{before}[loss.hidden]\nkind = \"hidden.mse\"\nweight = 1.0\nstates = \"raw\"\n\
         normalize = false\n"
    )
}

/// What a term by itself, times `factor`, sends to the parameters of the initial student on a
/// micro-batch of the first step: from the definition.
fn gradient_of(fresh: &Member<Cpu>, term: (&str, f64), micro: usize) -> Vec<f32> {
    let (text, state, teacher) = (tokens(2000, 0), &fresh.state, teacher());
    let order = Order::new(text.len(), CONTEXT, Seed::Run(3), true).unwrap();
    let batch = crate::data::batch(&text, &order, 3, 2, 0, micro);
    let keep = [HiddenState::Layer(1), HiddenState::Layer(2)];
    let own = state
        .student
        .forward(OwnedTape::default(), &batch.inputs, CONTEXT, &keep);
    let others = teacher.forward(NoneTape, &batch.inputs, CONTEXT, &keep);
    let teacher = Some(TeacherOutputs::new(&others, teacher.reader()));
    let (loss, _) = fresh.job.objective.losses(
        &fresh.job.objective.at(0, 0),
        &NamedValues::from([(term.0.to_owned(), term.1)]),
        own,
        state.student.reader(),
        &batch.targets,
        teacher,
        &state.auxiliary,
    );
    let mut gradients = loss.backward();
    let parameters = state.student.parameters().into_iter();
    parameters
        .flat_map(|(_, parameter)| Cpu::take_gradient(&mut gradients, parameter))
        .collect()
}

fn dot(a: &[f32], b: &[f32]) -> f64 {
    let products = a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b));
    products.sum()
}

#[test]
fn the_balanced_gradient_of_a_hidden_term_has_the_norm_of_the_reference() {
    let kept = Arc::default();
    let mut members = vec![student(&with_mse(), 1, &kept)];
    run(&mut members, Some(&teacher()), u64::MAX);
    let factor = members[0].state.balance["hidden"];

    // Measured again: both terms alone, on the first two micro-batches.
    let fresh = student(&with_mse(), 1, &kept);
    let norm = |term: &str| {
        let squares = (0..2).map(|micro| {
            let gradient = gradient_of(&fresh, (term, 1.0), micro);
            dot(&gradient, &gradient)
        });
        squares.sum::<f64>().sqrt()
    };
    let expected = norm("kl") / norm("hidden");
    assert!(
        (factor / expected - 1.0).abs() < 1e-6,
        "{factor} against {expected}"
    );
}

#[test]
fn the_cosine_of_a_term_is_the_one_with_the_sum_of_all_others() {
    let kept = Arc::default();
    let mut member = student(&with_mse(), 1, &kept);
    member.job.train.gradients_every = Some(1);
    let mut members = [member];
    run(&mut members, Some(&teacher()), u64::MAX);
    let balance = members[0].state.balance["hidden"];
    let (_, row) = kept.lock().unwrap().rows.pop_first().unwrap();

    let fresh = student(&with_mse(), 1, &kept);
    let factors = [("lm", 0.5), ("kl", 0.5), ("hidden", balance)];
    let gradients = factors.map(|term| gradient_of(&fresh, term, 0));
    for (place, (term, _)) in factors.iter().enumerate() {
        let mut others = vec![0.0; gradients[0].len()];
        for (other, gradient) in gradients.iter().enumerate() {
            let parts = others.iter_mut().zip(gradient);
            parts
                .filter(|_| other != place)
                .for_each(|(sum, part)| *sum += part);
        }
        let own = &gradients[place];
        let norms = (dot(own, own) * dot(&others, &others)).sqrt();
        let (cosine, expected) = (
            row[&format!("gradient_cosine.{term}")],
            dot(own, &others) / norms,
        );
        assert!(
            (cosine - expected).abs() < 1e-5,
            "{term}: {cosine} against {expected}"
        );
        // Neither is along the other: a test that could not tell them apart would be none.
        assert!(
            expected.abs() > 1e-3 && expected.abs() < 0.999,
            "{term}: {expected}"
        );
    }
}
