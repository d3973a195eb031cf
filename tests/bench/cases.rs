//! Every operation of the seam that has a fused form, at the shapes of a small student and a GPT-2
//! head.

use kdpipe::ops::{
    Activation, AttentionForm, Backend, Constraint, Cpu, Critic, CriticSettings, CriticState,
    Layers, LogitTerm, Losses, Mat, OwnedTape, Precision, Scalar, TeacherHead, composed, tape,
};
use kdpipe::random::Stream;

use super::Case;

/// N = B·T rows of sequences of `CONTEXT`.
const ROWS: usize = 1024;
const CONTEXT: usize = 256;
const WIDTH: usize = 256;
const HEADS: usize = 8;
const VOCABULARY: usize = 4096;
const EPSILON: f64 = 1e-5;

/// A matrix of normal numbers times `scale`.
fn normals(rows: usize, columns: usize, scale: f64, index: u64) -> Mat<Cpu> {
    let mut stream = Stream::new(0, "bench", index);
    tape::matrix(
        &Cpu::default(),
        rows,
        columns,
        (0..rows * columns)
            .map(|_| (scale * stream.normal()) as f32)
            .collect(),
    )
}

/// Random tokens.
fn ids(count: usize) -> Vec<u32> {
    let mut stream = Stream::new(0, "bench.ids", 0);
    (0..count)
        .map(|_| stream.below(VOCABULARY as u64) as u32)
        .collect()
}

/// Backward from a mean of squared distances to `target`, so that the incoming gradient is not
/// constant.
fn backward(
    out: Mat<Cpu, OwnedTape<f32, Cpu>>,
    target: &Mat<Cpu>,
    inputs: &[&Mat<Cpu>],
) -> Vec<Vec<f32>> {
    let value = tape::read(&out);
    let (loss, _) = Cpu::hidden_mse(out, target, false);
    let mut all = gradients(loss, inputs);
    all.push(value);
    all
}

/// The gradients of `loss` for the inputs.
fn gradients(loss: Scalar<Cpu, OwnedTape<f32, Cpu>>, inputs: &[&Mat<Cpu>]) -> Vec<Vec<f32>> {
    let mut gradients = loss.backward();
    inputs
        .iter()
        .map(|input| Cpu::take_gradient(&mut gradients, input))
        .collect()
}

/// A case of an operation on tensors: `$run` is its call in terms of `op`, which is each of the two
/// forms in turn.
macro_rules! case {
    (
        $name:literal,
        $shape:expr,
        $flops:expr,
        [$($input:ident = $value:expr),*],
        $fused:expr,
        $composed:expr,
        |$op:ident| $run:expr
    ) => {{
        let ($($input,)*) = ($($value,)*);
        let fused = {
            let ($($input,)*) = ($($input.clone(),)*);
            Box::new(move || { let $op = $fused; $run })
        };
        let composed = Box::new(move || { let $op = $composed; $run });
        Case { name: $name, shape: $shape, flops: $flops, fused, composed }
    }};
}

/// Every case.
pub fn all() -> Vec<Case> {
    let mut all = layers();
    all.extend(losses());
    all
}

/// The layers. It is long because it is a flat table with an entry for each operation.
fn layers() -> Vec<Case> {
    let dense = 6.0 * (ROWS * WIDTH * 4 * WIDTH) as f64;
    let inner = format!("{ROWS}×{WIDTH} · {WIDTH}×{}", 4 * WIDTH);
    let attention = 12.0 * (ROWS * WIDTH) as f64 * (CONTEXT as f64 + 1.0) / 2.0;
    vec![
        case!(
            "embed",
            format!("{ROWS} of {VOCABULARY}×{WIDTH}"),
            0.0,
            [
                tokens = ids(ROWS),
                wte = normals(VOCABULARY, WIDTH, 1.0, 1),
                wpe = normals(CONTEXT, WIDTH, 1.0, 2),
                target = normals(ROWS, WIDTH, 1.0, 9)
            ],
            <Cpu as Layers>::embed,
            composed::layers::embed,
            |op| backward(
                op(OwnedTape::default(), &tokens, CONTEXT, &wte, &wpe),
                &target,
                &[&wte, &wpe]
            )
        ),
        case!(
            "layer_norm",
            format!("{ROWS}×{WIDTH}"),
            0.0,
            [
                x = normals(ROWS, WIDTH, 2.0, 1),
                gain = normals(1, WIDTH, 1.0, 2),
                bias = normals(1, WIDTH, 1.0, 3),
                target = normals(ROWS, WIDTH, 1.0, 9)
            ],
            <Cpu as Layers>::layer_norm,
            composed::layers::layer_norm,
            |op| backward(
                op(x.leaky_trace(), &gain, &bias, EPSILON),
                &target,
                &[&x, &gain, &bias]
            )
        ),
        case!(
            "linear",
            inner.clone(),
            dense,
            [
                x = normals(ROWS, WIDTH, 1.0, 1),
                weight = normals(WIDTH, 4 * WIDTH, 0.1, 2),
                bias = normals(1, 4 * WIDTH, 0.1, 3),
                target = normals(ROWS, 4 * WIDTH, 1.0, 9)
            ],
            |x, w, b| <Cpu as Layers>::linear(x, w, b, Precision::F32),
            composed::layers::linear,
            |op| backward(
                op(x.leaky_trace(), &weight, &bias),
                &target,
                &[&x, &weight, &bias]
            )
        ),
        case!(
            "linear_activated",
            inner,
            dense,
            [
                x = normals(ROWS, WIDTH, 1.0, 1),
                weight = normals(WIDTH, 4 * WIDTH, 0.1, 2),
                bias = normals(1, 4 * WIDTH, 0.1, 3),
                target = normals(ROWS, 4 * WIDTH, 1.0, 9)
            ],
            |x, w, b, f| <Cpu as Layers>::linear_activated(x, w, b, f, Precision::F32),
            composed::layers::linear_activated,
            |op| backward(
                op(x.leaky_trace(), &weight, &bias, Activation::GeluTanh),
                &target,
                &[&x, &weight, &bias]
            )
        ),
        case!(
            "linear_residual",
            format!("{ROWS}×{} · {}×{WIDTH}", 4 * WIDTH, 4 * WIDTH),
            dense,
            [
                x = normals(ROWS, 4 * WIDTH, 1.0, 1),
                weight = normals(4 * WIDTH, WIDTH, 0.1, 2),
                bias = normals(1, WIDTH, 0.1, 3),
                residual = normals(ROWS, WIDTH, 1.0, 4),
                target = normals(ROWS, WIDTH, 1.0, 9)
            ],
            |x, w, b, r| <Cpu as Layers>::linear_residual(x, w, b, r, Precision::F32),
            composed::layers::linear_residual,
            |op| backward(
                op(x.leaky_trace(), &weight, &bias, &residual),
                &target,
                &[&x, &weight, &bias, &residual]
            )
        ),
        case!(
            "attention",
            format!(
                "{} × {CONTEXT} × {HEADS} heads of {}",
                ROWS / CONTEXT,
                WIDTH / HEADS
            ),
            attention,
            [
                qkv = normals(ROWS, 3 * WIDTH, 1.0, 1),
                target = normals(ROWS, WIDTH, 1.0, 9)
            ],
            |x, t, h, s| <Cpu as Layers>::attention(x, t, h, s, Precision::F32),
            composed::layers::attention,
            |op| backward(
                op(
                    qkv.leaky_trace(),
                    CONTEXT,
                    HEADS,
                    (1.0 / ((WIDTH / HEADS) as f64).sqrt()) as f32
                ),
                &target,
                &[&qkv]
            )
        ),
    ]
}

/// The losses. It is long because it is a flat table with an entry for each operation.
fn losses() -> Vec<Case> {
    let terms = [
        (LogitTerm::Lm, 0.5),
        (
            LogitTerm::Kl {
                temperature: 2.0,
                reverse: false,
            },
            0.5,
        ),
    ];
    let settings = CriticSettings {
        input: WIDTH,
        width: WIDTH,
        depth: 2,
        slope: 0.2,
        constraint: Constraint::GradientPenalty(10.0),
        lr: 1e-4,
        betas: [0.0, 0.9],
    };
    vec![
        case!(
            "logit_losses",
            format!("lm and kl, {ROWS}×{WIDTH} · {WIDTH}×{VOCABULARY}"),
            // The logits of both models, and the gradients of the student's states and head.
            8.0 * (ROWS * WIDTH * VOCABULARY) as f64,
            [
                x = normals(ROWS, WIDTH, 1.0, 1),
                head = normals(VOCABULARY, WIDTH, 0.1, 2),
                hidden = normals(ROWS, WIDTH, 1.0, 3),
                of_teacher = normals(VOCABULARY, WIDTH, 0.1, 4),
                targets = ids(ROWS)
            ],
            <Cpu as Losses>::logit_losses,
            composed::losses::logit_losses,
            |op| {
                let teacher = Some(TeacherHead::new(&hidden, (&of_teacher).into()));
                let (loss, values) = op(x.leaky_trace(), (&head).into(), &targets, teacher, &terms);
                let mut all = gradients(loss, &[&x, &head]);
                all.push(values.iter().map(|&value| value as f32).collect());
                all
            }
        ),
        case!(
            "hidden_mse",
            format!("{ROWS}×{WIDTH}"),
            0.0,
            [
                x = normals(ROWS, WIDTH, 1.0, 1),
                target = normals(ROWS, WIDTH, 1.0, 2)
            ],
            <Cpu as Losses>::hidden_mse,
            composed::losses::hidden_mse,
            |op| gradients(op(x.leaky_trace(), &target, true).0, &[&x])
        ),
        case!(
            "hidden_cosine",
            format!("{ROWS}×{WIDTH}"),
            0.0,
            [
                x = normals(ROWS, WIDTH, 1.0, 1),
                target = normals(ROWS, WIDTH, 1.0, 2)
            ],
            <Cpu as Losses>::hidden_cosine,
            composed::losses::hidden_cosine,
            |op| gradients(op(x.leaky_trace(), &target).0, &[&x])
        ),
        case!(
            "attention_kl",
            format!("{ROWS}×{WIDTH}, {HEADS} heads, {CONTEXT} tokens"),
            // Scores of both over the causal half, and gradients of queries and keys.
            4.0 * (ROWS * (CONTEXT + 1) * WIDTH) as f64,
            [
                x = normals(ROWS, 3 * WIDTH, 1.0, 1),
                teacher = normals(ROWS, 3 * WIDTH, 1.0, 2)
            ],
            <Cpu as Losses>::attention_kl,
            composed::attention_kl::attention_kl,
            |op| {
                let form = AttentionForm {
                    context: CONTEXT,
                    heads: HEADS,
                    scale: 1.0 / ((WIDTH / HEADS) as f32).sqrt(),
                };
                gradients(op(x.leaky_trace(), form, &teacher, form).0, &[&x])
            }
        ),
        case!(
            "critic_term",
            format!("{ROWS}×{WIDTH}, 2 layers of {WIDTH}"),
            // Both clouds forward, one of them backward.
            12.0 * (ROWS * WIDTH * WIDTH) as f64,
            [
                x = normals(ROWS, WIDTH, 1.0, 1),
                target = normals(ROWS, WIDTH, 1.5, 2),
                critic = Critic::new(&settings, Stream::new(1, "bench.critic", 0))
            ],
            <Cpu as Losses>::critic_term,
            composed::losses::critic_term,
            |op| gradients(op(x.leaky_trace(), &target, &critic).0, &[&x])
        ),
    ]
}
