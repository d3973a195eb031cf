//! What the logits of two models are compared by, composed of dfdx's own operations.

use dfdx::prelude::*;

use super::{Number, Raw};
use crate::ops::LogitTerm;

/// A term's value, the mean over the tokens, of the logits of student and teacher, (rows, V) each.
/// Cross-entropy has no teacher. The function is long because each term is a formula of its own.
pub(super) fn compared<T: Tape<f32, Cpu>>(
    term: LogitTerm,
    student: Raw<T>,
    teacher: Raw,
) -> Number<T> {
    let temperature = match term {
        LogitTerm::Lm => unreachable!("cross-entropy compares with the text"),
        LogitTerm::Mse => {
            let squares = (student - teacher).square();
            return squares.mean::<(usize,), Axis<1>>().mean::<Rank0, _>();
        }
        LogitTerm::Kl { temperature, .. }
        | LogitTerm::SkewKl { temperature, .. }
        | LogitTerm::Js { temperature }
        | LogitTerm::Tv { temperature }
        | LogitTerm::Wasserstein { temperature } => temperature,
    };
    let inverse = 1.0 / temperature as f32;
    let q = (student * inverse).log_softmax::<Axis<1>>();
    let p = (teacher * inverse).log_softmax::<Axis<1>>();
    let squared = (temperature * temperature) as f32;
    match term {
        LogitTerm::Lm | LogitTerm::Mse => unreachable!("these take no temperature"),
        LogitTerm::Kl { reverse: false, .. } => {
            by_token((q.negate() + p.clone()) * p.exp()) * squared
        }
        LogitTerm::Kl { reverse: true, .. } => {
            let difference = q.with_empty_tape() - p;
            by_token(q.exp() * difference) * squared
        }
        LogitTerm::SkewKl {
            reverse: false,
            skew,
            ..
        } => {
            let mixture = mixed(q, p.clone(), 1.0 - skew, skew);
            by_token((mixture.negate() + p.clone()) * p.exp()) * squared
        }
        LogitTerm::SkewKl {
            reverse: true,
            skew,
            ..
        } => {
            let mixture = mixed(q.with_empty_tape(), p, skew, 1.0 - skew);
            let difference = q.with_empty_tape() - mixture;
            by_token(q.exp() * difference) * squared
        }
        LogitTerm::Js { .. } => {
            let mixture = mixed(q.with_empty_tape(), p.clone(), 0.5, 0.5);
            let of_teacher = (mixture.with_empty_tape().negate() + p.clone()) * p.exp();
            let of_student = q.with_empty_tape().exp() * (q - mixture);
            by_token(of_student + of_teacher) * (0.5 * squared)
        }
        LogitTerm::Tv { .. } => by_token((q.exp() - p.exp()).abs()) * 0.5,
        LogitTerm::Wasserstein { .. } => {
            let q = q.exp();
            let sorted = in_the_order_of(&q, &p.exp());
            by_token((q - sorted).abs())
        }
    }
}

/// The mean over tokens of the sum over the vocabulary: one long sum in f32 would lose digits.
fn by_token<T: Tape<f32, Cpu>>(x: Raw<T>) -> Number<T> {
    x.sum::<(usize,), Axis<1>>().mean::<Rank0, _>()
}

/// log(a·e^x + b·e^y).
fn mixed<T: Tape<f32, Cpu>>(x: Raw<T>, y: Raw, a: f64, b: f64) -> Raw<T> {
    let (x, tape) = x.split_tape();
    let (own, other) = (x.clone().put_tape(tape) + a.ln() as f32, y + b.ln() as f32);
    let top = (x + a.ln() as f32).maximum(other.clone());
    ((own - top.clone()).exp() + (other - top.clone()).exp()).ln() + top
}

/// Every row of `values`, sorted, in the places that the sizes of `like` have: the largest where
/// that is largest.
fn in_the_order_of<T: Tape<f32, Cpu>>(like: &Raw<T>, values: &Raw) -> Raw {
    let (rows, columns) = *like.shape();
    let (own, other) = (like.as_vec(), values.as_vec());
    let mut out = vec![0.0; rows * columns];
    for row in 0..rows {
        let part = row * columns..(row + 1) * columns;
        let (own, mut other) = (&own[part.clone()], other[part.clone()].to_vec());
        other.sort_by(|a, b| b.total_cmp(a));
        let mut places: Vec<usize> = (0..columns).collect();
        places.sort_by(|&a, &b| own[b].total_cmp(&own[a]));
        let out = &mut out[part];
        places
            .iter()
            .zip(other)
            .for_each(|(&place, value)| out[place] = value);
    }
    values.device().tensor_from_vec(out, (rows, columns))
}
