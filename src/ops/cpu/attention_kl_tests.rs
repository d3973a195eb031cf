//! Tests of `attention_kl.rs`.

use super::*;
use crate::ops::composed::attention_kl::attention_kl as composed;
use crate::ops::tape::read;
use crate::ops::test_support::{assert_close, gradients, matrix, numeric, with_threads};
use crate::ops::{Backend, Layers, Losses, Precision};

fn form(context: usize, heads: usize, scale: f32) -> AttentionForm {
    AttentionForm {
        context,
        heads,
        scale,
    }
}

/// The attention of a query, by definition: p over keys 0 … query.
fn attention_of(
    qkv: &[f64],
    width: usize,
    form: AttentionForm,
    (sequence, head, query): (usize, usize, usize),
) -> Vec<f64> {
    let d = width / form.heads;
    let at = |row: usize, part: usize, c: usize| {
        qkv[(sequence * form.context + row) * 3 * width + part * width + head * d + c]
    };
    let score = |key: usize| {
        let product: f64 = (0..d).map(|c| at(query, 0, c) * at(key, 1, c)).sum();
        (product * f64::from(form.scale)).exp()
    };
    let all: Vec<f64> = (0..=query).map(score).collect();
    let sum: f64 = all.iter().sum();
    all.into_iter().map(|x| x / sum).collect()
}

/// The loss by its definition, in f64 loops.
fn definition(own: &[f64], form: AttentionForm, other: &[f32], of_teacher: AttentionForm) -> f64 {
    let other: Vec<f64> = other.iter().map(|&x| f64::from(x)).collect();
    let widths = (WIDTH, TEACHER_WIDTH);
    let sequences = own.len() / (3 * widths.0) / form.context;
    let (mut sum, mut count) = (0.0, 0);
    for sequence in 0..sequences {
        for head in 0..form.heads {
            for query in 0..form.context {
                let place = (sequence, head, query);
                let q = attention_of(own, widths.0, form, place);
                let p = attention_of(&other, widths.1, of_teacher, place);
                let terms = p.iter().zip(&q).map(|(p, q)| p * (p / q).ln());
                sum += terms.sum::<f64>();
                count += 1;
            }
        }
    }
    sum / f64::from(count)
}

const WIDTH: usize = 6;
const TEACHER_WIDTH: usize = 10;

#[test]
fn value_and_gradient_are_those_of_loops_in_f64_and_of_dfdx_s_operations_at_any_teacher_s_width() {
    let (own, other) = (form(5, 2, 0.6), form(5, 2, 0.4));
    let x = matrix(10, 3 * WIDTH, 1.5, 0);
    let y = matrix(10, 3 * TEACHER_WIDTH, 1.5, 1);
    let (values, targets) = (read(&x), read(&y));
    let by_loops = |x: &[f64]| definition(x, own, &targets, other);
    let wide: Vec<f64> = values.iter().map(|&x| f64::from(x)).collect();
    let expected = by_loops(&wide);
    let slopes = numeric(&values, by_loops);
    for (loss, value) in [
        Cpu::attention_kl(x.leaky_trace(), own, &y, other),
        composed(x.leaky_trace(), own, &y, other),
    ] {
        assert!(
            (value - expected).abs() < 1e-6 * expected,
            "{value} {expected}"
        );
        assert_eq!(loss.split_tape().0.value(), value as f32);
    }
    for (loss, _) in [
        Cpu::attention_kl(x.leaky_trace(), own, &y, other),
        composed(x.leaky_trace(), own, &y, other),
    ] {
        let found = gradients(loss, &[&x]).remove(0);
        assert_close(&found, &slopes, 1e-4);
        for row in found.chunks(3 * WIDTH) {
            assert!(row[2 * WIDTH..].iter().all(|&slope| slope == 0.0), "values");
        }
    }
}

#[test]
fn sequences_longer_than_a_block_agree_with_dfdx_s_operations_on_any_number_of_threads() {
    // Two blocks of queries and the beginning of a third.
    let (own, other) = (form(131, 3, 0.5), form(131, 3, 0.7));
    let (x, y) = (matrix(262, 36, 1.0, 2), matrix(262, 18, 1.0, 3));
    let [(value, slopes), two, three] = with_threads(|| {
        let (loss, value) = Cpu::attention_kl(x.leaky_trace(), own, &y, other);
        (value, gradients(loss, &[&x]).remove(0))
    });
    assert!(two == (value, slopes.clone()) && three == two);
    let (loss, expected) = composed(x.leaky_trace(), own, &y, other);
    assert!(
        (value - expected).abs() < 1e-5 * expected,
        "{value} {expected}"
    );
    assert_close(&slopes, &gradients(loss, &[&x])[0], 1e-4);
    let (_, again) = Cpu::attention_kl(x.clone(), own, &y, other);
    assert_eq!(again, value, "without a tape");
}

#[test]
fn a_model_is_nothing_from_itself_and_a_context_of_one_says_nothing() {
    let own = form(4, 2, 0.5);
    let x = matrix(8, 24, 2.0, 4);
    let (loss, value) = Cpu::attention_kl(x.leaky_trace(), own, &x, own);
    assert!(value.abs() < 1e-6, "{value}");
    assert_close(&gradients(loss, &[&x])[0], &vec![0.0; 8 * 24], 1e-4);
    let single = form(1, 2, 0.5);
    let (_, value) = Cpu::attention_kl(x.clone(), single, &matrix(8, 12, 2.0, 5), single);
    assert_eq!(value, 0.0);
}

#[test]
fn scores_far_apart_stay_finite() {
    let own = form(6, 1, 1.0);
    let (x, y) = (matrix(6, 12, 30.0, 6), matrix(6, 12, 30.0, 7));
    let (loss, value) = Cpu::attention_kl(x.leaky_trace(), own, &y, own);
    assert!(value.is_finite() && value > 1.0, "{value}");
    assert!(
        gradients(loss, &[&x])[0]
            .iter()
            .all(|slope| slope.is_finite())
    );
}

#[test]
fn its_gradient_is_added_to_what_attention_itself_sends_to_queries_and_keys() {
    let own = form(4, 2, 0.5);
    let (x, y) = (matrix(8, 24, 1.0, 8), matrix(8, 24, 1.0, 9));
    let target = matrix(8, 8, 1.0, 10);
    let of_output = || {
        let out = Cpu::attention(x.leaky_trace(), 4, 2, 0.5, Precision::F32);
        Cpu::hidden_mse(out, &target, false).0
    };
    let of_loss = || Cpu::attention_kl(x.leaky_trace(), own, &y, own).0;
    let alone = [of_output(), of_loss()].map(|loss| gradients(loss, &[&x]).remove(0));
    let (output, tape) = of_output().split_tape();
    let both = Cpu::attention_kl(x.clone().put_tape(tape), own, &y, own).0;
    let both = gradients(Cpu::added(both, output), &[&x]).remove(0);
    let sum: Vec<f32> = alone[0].iter().zip(&alone[1]).map(|(a, b)| a + b).collect();
    assert_close(&both, &sum, 1e-5);
}
