//! The divergence of attention composed of dfdx's own operations.

use dfdx::prelude::*;

use super::Raw;
use crate::ops::{AttentionForm, Mat, Scalar};

/// The logarithms of attention, (B, heads, T, T); masked keys are at about −1e30.
fn log_attention<T: Tape<f32, Cpu>>(
    qkv: Raw<T>,
    form: AttentionForm,
) -> Tensor<(usize, usize, usize, usize), f32, Cpu, T> {
    let AttentionForm {
        context,
        heads,
        scale,
    } = form;
    let (rows, columns) = *qkv.shape();
    let (width, batch) = (columns / 3, rows / context);
    let (qkv, tape) = qkv.split_tape();
    let device = qkv.device().clone();
    let part = |part: usize, tape: T| {
        let columns = part * width..(part + 1) * width;
        qkv.clone()
            .put_tape(tape)
            .slice((0..rows, columns))
            .reshape_like(&(batch, context, heads, width / heads))
    };
    let queries = part(0, tape).permute::<_, Axes4<0, 2, 1, 3>>();
    let (queries, tape) = queries.split_tape();
    let keys = part(1, tape).permute::<_, Axes4<0, 2, 3, 1>>();
    let (keys, tape) = keys.split_tape();
    let scores = queries.put_tape(tape).matmul(keys) * scale;
    let mask: Tensor<(usize, usize), f32, Cpu> =
        device.upper_tri_like(&(context, context), -1e30, 1);
    (scores + mask.broadcast_like::<_, Axes2<0, 1>>(&(batch, heads, context, context)))
        .log_softmax::<Axis<3>>()
}

/// See [`crate::ops::Losses::attention_kl`].
pub fn attention_kl<T: Tape<f32, Cpu>>(
    qkv: Mat<Cpu, T>,
    form: AttentionForm,
    teacher: &Mat<Cpu>,
    of_teacher: AttentionForm,
) -> (Scalar<Cpu, T>, f64) {
    let queries = (qkv.shape().0 * form.heads) as f32;
    let q = log_attention(qkv.tensor, form);
    let p = log_attention(teacher.tensor.clone(), of_teacher);
    let weights = p.clone().exp();
    let loss = ((q - p) * weights).sum() * (-1.0 / queries);
    let value = f64::from(loss.array());
    (Scalar(loss), value)
}
