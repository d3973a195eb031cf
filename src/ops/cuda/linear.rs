//! Embedding, layer norm and linear layers on the card.

use cudarc::driver::CudaSlice;
use dfdx::prelude::*;

use super::api::Address;
use super::buffers::{CardGradient, Slice, address, empty, record};
use super::card::{Argument, GpuCard, at, card, float, int, size, word};
use super::operand::{CardOperand, rounded};
use super::product::CardProduct;
use crate::ops::{Activation, Mat, Precision};

/// Rows whose sum one block makes.
const ROWS_EACH: usize = 64;

/// The rows of every token, for the gradient of the embedding.
struct TokenRows {
    distinct: CudaSlice<u32>,
    starts: CudaSlice<u32>,
    order: CudaSlice<u32>,
    count: usize,
}

impl TokenRows {
    fn new(tokens: &[u32]) -> Self {
        let mut order: Vec<u32> = (0..tokens.len() as u32).collect();
        order.sort_by_key(|&row| tokens[row as usize]);
        let (mut distinct, mut starts) = (Vec::new(), Vec::new());
        for (place, &row) in order.iter().enumerate() {
            let token = tokens[row as usize];
            if distinct.last() != Some(&token) {
                distinct.push(token);
                starts.push(place as u32);
            }
        }
        starts.push(order.len() as u32);
        Self {
            count: distinct.len(),
            distinct: card().upload(distinct),
            starts: card().upload(starts),
            order: card().upload(order),
        }
    }
}

/// See [`crate::ops::Layers::embed`].
pub(super) fn embed<T: Tape<f32, Cuda>>(
    tape: T,
    tokens: &[u32],
    context: usize,
    wte: &Mat<Cuda>,
    wpe: &Mat<Cuda>,
) -> Mat<Cuda, T> {
    let (rows, columns) = (tokens.len(), wte.shape().1);
    assert!(
        tokens.iter().all(|&token| (token as usize) < wte.shape().0)
            && context <= wpe.shape().0
            && wpe.shape().1 == columns,
        "tokens and positions have rows"
    );
    let out = empty(wte.device(), rows, columns);
    let ids = card().upload(tokens.to_vec());
    let arguments = [
        size(rows * columns),
        int(columns),
        int(context),
        word(at(&ids)),
        word(address(wte)),
        word(address(wpe)),
        word(address(&out)),
    ];
    // SAFETY: the shapes were checked.
    unsafe { card().launch_each("embed_forward", rows * columns, &arguments) };
    let (into_wte, into_wpe) = (CardGradient::of(wte), CardGradient::of(wpe));
    let by_token = T::OWNS_TAPE.then(|| TokenRows::new(tokens));
    record(tape, out, move |gradients, incoming| {
        let by_token = by_token.expect("what owns a tape keeps for it");
        let g = word(at(&incoming));
        let positions = [
            int(rows),
            int(columns),
            int(context),
            g,
            word(into_wpe.get(gradients)?),
        ];
        let of_tokens = [
            int(columns),
            word(at(&by_token.distinct)),
            word(at(&by_token.starts)),
            word(at(&by_token.order)),
            g,
            word(into_wte.get(gradients)?),
        ];
        // SAFETY: as above; every distinct token is a row of its own.
        unsafe {
            card().launch_each("embed_positions", context * columns, &positions);
            card().launch("embed_tokens", (by_token.count, 1), 256, &of_tokens);
        }
        Ok(())
    })
}

/// sums += Σ over rows of x, in blocks of fixed rows.
///
/// # Safety
/// The addresses lead to a (rows, columns) matrix and to `columns` numbers.
unsafe fn add_column_sums(card: &GpuCard, [rows, columns]: [usize; 2], x: Address, sums: Address) {
    let parts = rows.div_ceil(ROWS_EACH);
    let partial = card.scratch::<f32>(parts * columns);
    let first = [
        int(rows),
        int(columns),
        int(ROWS_EACH),
        word(x),
        word(at(&partial)),
    ];
    let second = [
        int(parts),
        int(columns),
        int(columns),
        word(at(&partial)),
        word(sums),
    ];
    // SAFETY: as the caller promised.
    unsafe {
        card.launch("column_sums", (parts, columns.div_ceil(32)), 256, &first);
        card.launch("add_rows", (columns.div_ceil(32), 1), 256, &second);
    }
}

/// See [`crate::ops::Layers::layer_norm`] and, without gain and bias,
/// [`crate::ops::Layers::standardize`].
pub(super) fn layer_norm<T: Tape<f32, Cuda>>(
    x: Mat<Cuda, T>,
    affine: Option<[&Mat<Cuda>; 2]>,
    epsilon: f64,
) -> Mat<Cuda, T> {
    let (rows, columns) = *x.shape();
    if let Some(affine) = affine {
        let fits = |vector: &Mat<Cuda>| *vector.shape() == (1, columns);
        assert!(
            affine.into_iter().all(fits),
            "gain and bias have a number for every column"
        );
    }
    let (x, tape) = x.split_tape();
    let out = empty(x.device(), rows, columns);
    let (means, scales) = (card().scratch::<f32>(rows), card().scratch::<f32>(rows));
    let [gain, bias] = affine.map_or([0, 0], |affine| affine.map(address));
    let arguments = [
        int(columns),
        float(epsilon as f32),
        word(address(&x)),
        word(gain),
        word(bias),
        word(address(&out)),
        word(at(&means)),
        word(at(&scales)),
    ];
    // SAFETY: the shapes were checked.
    unsafe { card().launch("layer_norm_forward", (rows, 1), 256, &arguments) };
    let into_x = CardGradient::of(&x);
    let affine = affine.map(|[gain, bias]| {
        let places = [CardGradient::of(gain), CardGradient::of(bias)];
        (gain.clone(), places)
    });
    record(tape, out, move |gradients, incoming| {
        let (x, means, scales) = (word(address(&x)), word(at(&means)), word(at(&scales)));
        let g = word(at(&incoming));
        let gain = affine.as_ref().map_or(0, |(gain, _)| address(gain));
        let into_x = word(into_x.get(gradients)?);
        let arguments = [int(columns), x, word(gain), means, scales, g, into_x];
        // SAFETY: as above; no gradient is another's.
        unsafe { card().launch("layer_norm_backward", (rows, 1), 256, &arguments) };
        match &affine {
            None => Ok(()),
            Some((_, places)) => {
                let operands = [x, means, scales, g];
                add_affine_gradients([rows, columns], operands, places, gradients)
            }
        }
    })
}

/// Adds the gradients of gain and bias, from x, means, scales and the incoming gradient.
fn add_affine_gradients(
    [rows, columns]: [usize; 2],
    operands: [Argument; 4],
    places: &[CardGradient; 2],
    gradients: &mut Gradients<f32, Cuda>,
) -> Result<(), CudaError> {
    let parts = rows.div_ceil(ROWS_EACH);
    let partial = card().scratch::<f32>(parts * 2 * columns);
    let shape = [int(rows), int(columns), int(ROWS_EACH)];
    let arguments = [&shape[..], &operands[..], &[word(at(&partial))]].concat();
    let blocks = (parts, columns.div_ceil(32));
    // SAFETY: the operands have the sizes of the shape.
    unsafe { card().launch("layer_norm_columns", blocks, 256, &arguments) };
    for (part, place) in places.iter().enumerate() {
        let from = at(&partial) + (part * columns * size_of::<f32>()) as u64;
        let into = word(place.get(gradients)?);
        let arguments = [int(parts), int(columns), int(2 * columns), word(from), into];
        // SAFETY: as above.
        unsafe { card().launch("add_rows", (columns.div_ceil(32), 1), 256, &arguments) };
    }
    Ok(())
}

/// What follows the product of a linear layer.
pub(super) enum After<'a> {
    Nothing,
    Activation(Activation),
    Residual(&'a Mat<Cuda>),
}

/// See [`crate::ops::Layers::linear`] and its kin.
pub(super) fn linear<T: Tape<f32, Cuda>>(
    x: Mat<Cuda, T>,
    weight: &Mat<Cuda>,
    bias: &Mat<Cuda>,
    after: After,
    precision: Precision,
) -> Mat<Cuda, T> {
    let (rows, (inner, columns)) = (x.shape().0, *weight.shape());
    assert_eq!(
        (x.shape().1, *bias.shape()),
        (inner, (1, columns)),
        "shapes fit together"
    );
    let (x, tape) = x.split_tape();
    let out = empty(weight.device(), rows, columns);
    let count = rows * columns;
    let (left, right) = (
        CardOperand::of(&x, precision),
        CardOperand::of_weight(weight, precision),
    );
    fill(&out, bias, &after);
    let forward = CardProduct::new([rows, inner, columns], [false, false], precision).accumulate();
    // SAFETY: the shapes were checked.
    unsafe { card().product(forward, left.address(), right.address(), address(&out)) };
    let slopes = match after {
        After::Activation(activation) => activate(activation, count, &out, T::OWNS_TAPE),
        After::Nothing | After::Residual(_) => None,
    };
    let into = [&x, weight, bias].map(CardGradient::of);
    let into_residual = match after {
        After::Residual(residual) => Some(CardGradient::of(residual)),
        After::Nothing | After::Activation(_) => None,
    };
    // The operands keep what the backward pass needs; the gradients' places keep no tensor.
    let kept = T::OWNS_TAPE.then_some((left, right));
    record(tape, out, move |gradients, incoming| {
        let (left, right) = kept.expect("what owns a tape keeps for it");
        let shape = [rows, inner, columns];
        backward(
            shape,
            precision,
            [&left, &right],
            slopes,
            &into,
            gradients,
            &incoming,
        )?;
        if let Some(place) = into_residual {
            let sum = word(place.get(gradients)?);
            let arguments = [size(count), sum, word(at(&incoming))];
            // SAFETY: as above.
            unsafe { card().launch_each("add_all", count, &arguments) };
        }
        Ok(())
    })
}

/// Every row becomes the bias, and the residual's row where one is added.
fn fill(out: &Mat<Cuda>, bias: &Mat<Cuda>, after: &After) {
    let (rows, columns) = *out.shape();
    let residual = match after {
        After::Residual(residual) => {
            assert_eq!(*residual.shape(), (rows, columns), "shapes fit together");
            address(residual)
        }
        After::Nothing | After::Activation(_) => 0,
    };
    let arguments = [
        size(rows * columns),
        int(columns),
        word(address(bias)),
        word(residual),
        word(address(out)),
    ];
    // SAFETY: the shapes were checked.
    unsafe { card().launch_each("fill_rows", rows * columns, &arguments) };
}

/// Activates in place; the slopes, where a backward pass comes.
fn activate(
    activation: Activation,
    count: usize,
    out: &Mat<Cuda>,
    keeps_slopes: bool,
) -> Option<CudaSlice<f32>> {
    let kind = match activation {
        Activation::GeluTanh => 0,
        Activation::Gelu => 1,
        Activation::QuickGelu => 2,
        Activation::Relu => 3,
        Activation::Silu => 4,
        Activation::Tanh => 5,
    };
    let slopes = keeps_slopes.then(|| card().scratch::<f32>(count));
    let into = slopes.as_ref().map_or(0, at);
    let arguments = [size(count), int(kind), word(address(out)), word(into)];
    // SAFETY: both have `count` elements.
    unsafe { card().launch_each("activate", count, &arguments) };
    slopes
}

/// dx += g·Wᵀ, dW += xᵀ·g, db += Σ g, with g the incoming gradient, by the slopes where
/// there are any.
fn backward(
    [rows, inner, columns]: [usize; 3],
    precision: Precision,
    [left, right]: [&CardOperand; 2],
    slopes: Option<CudaSlice<f32>>,
    [into_x, into_weight, into_bias]: &[CardGradient; 3],
    gradients: &mut Gradients<f32, Cuda>,
    incoming: &Slice,
) -> Result<(), CudaError> {
    let (count, g) = (rows * columns, at(incoming));
    let [into_x, into_weight, into_bias] = [
        into_x.get(gradients)?,
        into_weight.get(gradients)?,
        into_bias.get(gradients)?,
    ];
    let back = CardProduct::new([rows, columns, inner], [false, true], precision).accumulate();
    let outer = CardProduct::new([inner, rows, columns], [true, false], precision).accumulate();
    // SAFETY: all have the sizes of the shape; no gradient is another's.
    unsafe {
        if let Some(slopes) = &slopes {
            let arguments = [size(count), word(g), word(at(slopes))];
            card().launch_each("multiply_all", count, &arguments);
        }
        add_column_sums(card(), [rows, columns], g, into_bias);
        let half = (precision == Precision::Bf16).then(|| rounded(count, g));
        let g = half.as_ref().map_or(g, at);
        card().product(outer, left.address(), g, into_weight);
        card().product(back, g, right.address(), into_x);
    }
    Ok(())
}
