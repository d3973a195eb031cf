//! Tests of the layers: the fused kernels against dfdx's own operations, numeric gradients, and
//! themselves on other numbers of threads.

use dfdx::prelude::*;

use crate::ops::Precision::{Bf16, F32};
use crate::ops::composed::layers as composed;
use crate::ops::cpu::bf16;
use crate::ops::test_support::{assert_close, gradients, matrix, numeric, with_threads};
use crate::ops::{Activation, Layers, Mat, Scalar, tape};

/// A scalar with a different incoming gradient for every element.
fn weigh<T: Tape<f32, Cpu>>(x: Mat<Cpu, T>) -> Scalar<Cpu, T> {
    let (rows, columns) = *x.shape();
    Scalar((x.tensor * matrix(rows, columns, 1.0, 99).tensor).sum())
}

/// A matrix on a tape.
type Traced = Mat<Cpu, OwnedTape<f32, Cpu>>;

/// Values and gradients of both forms of a layer on `inputs`.
fn compare(
    name: &str,
    inputs: &[Mat<Cpu>],
    fused: impl Fn(Traced) -> Traced,
    reference: impl Fn(Traced) -> Traced,
) {
    let all: Vec<&Mat<Cpu>> = inputs.iter().collect();
    let run = |form: &dyn Fn(Traced) -> Traced| {
        let out = form(inputs[0].leaky_trace());
        (tape::read(&out), gradients(weigh(out), &all))
    };
    let (found, expected) = (run(&fused), run(&reference));
    assert_close(&found.0, &expected.0, 2e-5);
    for (index, (found, expected)) in found.1.iter().zip(&expected.1).enumerate() {
        assert!(
            found.iter().all(|x| x.is_finite()),
            "{name}: gradient {index}"
        );
        assert_close(found, expected, 1e-4);
    }
}

#[test]
fn linear_layers_are_those_of_dfdx_s_own_operations() {
    for (rows, inner, columns) in [(1, 1, 1), (7, 13, 5), (130, 24, 96)] {
        let x = [
            matrix(rows, inner, 1.0, 0),
            matrix(inner, columns, 0.5, 1),
            matrix(1, columns, 1.0, 2),
            matrix(rows, columns, 1.0, 3),
        ];
        compare(
            "linear",
            &x[..3],
            |v| Cpu::linear(v, &x[1], &x[2], F32),
            |v| composed::linear(v, &x[1], &x[2]),
        );
        for activation in [
            Activation::GeluTanh,
            Activation::Gelu,
            Activation::QuickGelu,
            Activation::Relu,
            Activation::Silu,
            Activation::Tanh,
        ] {
            let fused = |v| Cpu::linear_activated(v, &x[1], &x[2], activation, F32);
            compare(&format!("{activation:?}"), &x[..3], fused, |v| {
                composed::linear_activated(v, &x[1], &x[2], activation)
            });
        }
        compare(
            "residual",
            &x,
            |v| Cpu::linear_residual(v, &x[1], &x[2], &x[3], F32),
            |v| composed::linear_residual(v, &x[1], &x[2], &x[3]),
        );
    }
}

#[test]
fn layer_norms_are_those_of_dfdx_s_own_operations() {
    for (rows, columns) in [(1, 2), (9, 7), (70, 96)] {
        let x = [
            matrix(rows, columns, 3.0, 0),
            matrix(1, columns, 1.0, 1),
            matrix(1, columns, 1.0, 2),
        ];
        compare(
            "layer norm",
            &x,
            |v| Cpu::layer_norm(v, &x[1], &x[2], 1e-5),
            |v| composed::layer_norm(v, &x[1], &x[2], 1e-5),
        );
        compare(
            "standardize",
            &x[..1],
            |v| Cpu::standardize(v, 1e-5),
            |v| composed::standardize(v, 1e-5),
        );
    }
}

#[test]
fn attention_is_that_of_dfdx_s_own_operations() {
    for (batch, context, heads, head, scale) in [
        (1, 1, 1, 1, 1.0),
        (2, 5, 3, 7, 0.37),
        (1, 64, 2, 8, 1.0),
        (3, 130, 1, 4, 0.5),
    ] {
        let x = [matrix(batch * context, 3 * heads * head, 1.0, 0)];
        compare(
            "attention",
            &x,
            |v| Cpu::attention(v, context, heads, scale, F32),
            |v| composed::attention(v, context, heads, scale),
        );
    }
}

#[test]
fn embeddings_are_those_of_dfdx_s_own_operations_and_add_up_repeated_tokens() {
    for (tokens, context) in [(vec![3], 1), (vec![1, 4, 1, 1, 0, 4], 3)] {
        let (wte, wpe) = (matrix(5, 7, 1.0, 0), matrix(4, 7, 1.0, 1));
        let run = |out: Mat<Cpu, OwnedTape<f32, Cpu>>| {
            (tape::read(&out), gradients(weigh(out), &[&wte, &wpe]))
        };
        let found = run(Cpu::embed(
            OwnedTape::default(),
            &tokens,
            context,
            &wte,
            &wpe,
        ));
        let expected = run(composed::embed(
            OwnedTape::default(),
            &tokens,
            context,
            &wte,
            &wpe,
        ));
        assert_close(&found.0, &expected.0, 1e-6);
        found
            .1
            .iter()
            .zip(&expected.1)
            .for_each(|(found, expected)| assert_close(found, expected, 1e-6));
    }
}

#[test]
fn gradients_of_attention_are_those_of_differences() {
    let (context, heads) = (4, 2);
    let x = matrix(context, 12, 1.0, 0);
    // The definition in f64, independent of any kernel.
    let reference = |x: &[f64]| {
        let weights: Vec<f64> = tape::read(&matrix(context, 4, 1.0, 99))
            .iter()
            .map(|&w| f64::from(w))
            .collect();
        let mut total = 0.0;
        for head in 0..heads {
            let at = |part: usize, row: usize, i: usize| x[row * 12 + part * 4 + head * 2 + i];
            for row in 0..context {
                let scores: Vec<f64> = (0..=row)
                    .map(|k| {
                        ((0..2).map(|i| at(0, row, i) * at(1, k, i)).sum::<f64>() * 0.75).exp()
                    })
                    .collect();
                let sum: f64 = scores.iter().sum();
                for i in 0..2 {
                    let out: f64 = scores
                        .iter()
                        .enumerate()
                        .map(|(k, score)| score / sum * at(2, k, i))
                        .sum();
                    total += weights[row * 4 + head * 2 + i] * out;
                }
            }
        }
        total
    };
    let found = gradients(
        weigh(Cpu::attention(x.leaky_trace(), context, heads, 0.75, F32)),
        &[&x],
    );
    assert_close(&found[0], &numeric(&tape::read(&x), reference), 1e-3);
}

#[test]
fn large_values_stay_finite() {
    let x = matrix(6, 24, 1e4, 0);
    let out = Cpu::attention(x.leaky_trace(), 3, 2, 0.5, F32);
    assert!(tape::read(&out).iter().all(|x| x.is_finite()));
    assert!(
        gradients(weigh(out), &[&x])[0]
            .iter()
            .all(|x| x.is_finite())
    );
    let (weight, bias) = (matrix(24, 8, 1.0, 1), matrix(1, 8, 1.0, 2));
    let out = Cpu::linear_activated(x.leaky_trace(), &weight, &bias, Activation::GeluTanh, F32);
    assert!(
        gradients(weigh(out), &[&x, &weight])[0]
            .iter()
            .all(|x| x.is_finite())
    );
    let constant = crate::ops::test_support::of(2, 4, vec![5.0; 8]);
    assert!(
        gradients(
            weigh(Cpu::standardize(constant.leaky_trace(), 1e-5)),
            &[&constant]
        )[0]
        .iter()
        .all(|x| x.is_finite())
    );
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let (batch, context, heads, width) = (3, 70, 4, 32);
    let x = matrix(batch * context, width, 1.0, 0);
    let (gain, bias) = (matrix(1, width, 1.0, 1), matrix(1, width, 1.0, 2));
    let (weight, attention_bias) = (
        matrix(width, 3 * width, 0.3, 3),
        matrix(1, 3 * width, 0.1, 4),
    );
    let (out_weight, out_bias) = (matrix(width, width, 0.3, 5), matrix(1, width, 0.1, 6));
    let all = [
        &x,
        &gain,
        &bias,
        &weight,
        &attention_bias,
        &out_weight,
        &out_bias,
    ];
    let [one, two, three] = with_threads(|| {
        let h = Cpu::layer_norm(x.leaky_trace(), &gain, &bias, 1e-5);
        let h = Cpu::attention(
            Cpu::linear(h, &weight, &attention_bias, F32),
            context,
            heads,
            0.35,
            F32,
        );
        let h = Cpu::linear_residual(h, &out_weight, &out_bias, &x, F32);
        let h = Cpu::linear_activated(h, &out_weight, &out_bias, Activation::Gelu, F32);
        (tape::read(&h), gradients(weigh(h), &all))
    });
    assert!(one == two && one == three);
}

/// The input rounded to bfloat16, in f64.
fn rounded(x: &Mat<Cpu>) -> Vec<f64> {
    tape::read(x)
        .iter()
        .map(|&x| f64::from(bf16::round(x)))
        .collect()
}

#[test]
fn in_bfloat16_only_the_inputs_of_products_are_rounded() {
    let (rows, inner, columns) = (9, 13, 21);
    let (x, weight, bias) = (
        matrix(rows, inner, 1.0, 0),
        matrix(inner, columns, 1.0, 1),
        matrix(1, columns, 1.0, 2),
    );
    let incoming = matrix(rows, columns, 1.0, 99);
    let out = Cpu::linear(x.leaky_trace(), &weight, &bias, Bf16);
    let values = tape::read(&out);
    let found = gradients(weigh(out), &[&x, &weight, &bias]);
    let incoming: Vec<f32> = tape::read(&incoming).iter().map(|g| 2.5 * g).collect();
    let g: Vec<f64> = incoming
        .iter()
        .map(|&g| f64::from(bf16::round(g)))
        .collect();
    let (x, weight) = (rounded(&x), rounded(&weight));
    let bias_values = tape::read(&bias);
    let expected: Vec<f64> = (0..rows * columns)
        .map(|at| {
            let (i, j) = (at / columns, at % columns);
            (0..inner)
                .map(|k| x[i * inner + k] * weight[k * columns + j])
                .sum::<f64>()
                + f64::from(bias_values[j])
        })
        .collect();
    assert_close(
        &values,
        &expected.iter().map(|&x| x as f32).collect::<Vec<_>>(),
        1e-5,
    );
    let into_x: Vec<f32> = (0..rows * inner)
        .map(|at| {
            (0..columns)
                .map(|j| g[at / inner * columns + j] * weight[at % inner * columns + j])
                .sum::<f64>() as f32
        })
        .collect();
    let into_weight: Vec<f32> = (0..inner * columns)
        .map(|at| {
            (0..rows)
                .map(|i| x[i * inner + at / columns] * g[i * columns + at % columns])
                .sum::<f64>() as f32
        })
        .collect();
    assert_close(&found[0], &into_x, 1e-5);
    assert_close(&found[1], &into_weight, 1e-5);
    // A sum of the gradients themselves: nothing is rounded.
    let sums = |j: usize| {
        incoming
            .iter()
            .skip(j)
            .step_by(columns)
            .map(|&g| f64::from(g))
            .sum::<f64>() as f32
    };
    assert_close(&found[2], &(0..columns).map(sums).collect::<Vec<_>>(), 1e-6);
}
