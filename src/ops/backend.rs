//! The backend's half of the seam: what crosses it, and a device's buffers, gradients, optimizer,
//! and parts in which work is shared out.
//!
//! What a layer or a loss is stands in [`super::Layers`] and [`super::Losses`]; here is what the
//! loop over them needs of a device. What a training keeps between its steps lies where the device
//! has it best, in types that the device names.
//!
//! A matrix is a dfdx tensor in a type of its own, so that nothing past the seam can call an
//! operation of dfdx's: on a GPU those have no kernels.

use std::borrow::Cow;
use std::fmt::{Debug, Formatter};

use dfdx::prelude::*;

use super::critic::CriticState;
use super::optimizer::AdamWStep;
use crate::panics::Fault;

/// A matrix on device `D`, with tape `T`.
pub struct Mat<D: Backend, T = NoneTape> {
    pub(super) tensor: Tensor<(usize, usize), f32, D, T>,
    /// What the device knows of its buffer.
    pub(super) place: D::Place,
}

// SAFETY: the values of a matrix may be read from any thread and are changed through `&mut` alone.
// What is in the way is dfdx's handle of a GPU, which holds the raw pointer of a stream: CUDA takes
// calls from any thread, cudarc makes the context that of the calling thread before each, and every
// count of owners is atomic. The CPU's are Send and Sync by themselves.
unsafe impl<D: Backend> Send for Mat<D> {}
// SAFETY: as above.
unsafe impl<D: Backend> Sync for Mat<D> {}

impl<D: Backend> Mat<D> {
    /// A tensor whose rows lie one after the other.
    pub(super) fn new(tensor: Tensor<(usize, usize), f32, D>) -> Self {
        let place = D::place(&tensor);
        Self { tensor, place }
    }

    /// The same matrix with a tape.
    pub fn put_tape<T: Tape<f32, D>>(self, tape: T) -> Mat<D, T> {
        Mat {
            tensor: self.tensor.put_tape(tape),
            place: self.place,
        }
    }

    /// The same matrix with a tape that is new.
    pub fn leaky_trace(&self) -> Mat<D, OwnedTape<f32, D>> {
        self.clone().put_tape(OwnedTape::default())
    }
}

impl<D: Backend, T> Mat<D, T> {
    /// Rows and columns.
    pub fn shape(&self) -> &(usize, usize) {
        self.tensor.shape()
    }

    pub fn device(&self) -> &D {
        self.tensor.device()
    }

    /// The matrix and its tape.
    pub fn split_tape(self) -> (Mat<D>, T) {
        let (tensor, tape) = self.tensor.split_tape();
        let place = self.place;
        (Mat { tensor, place }, tape)
    }
}

impl<D: Backend> Clone for Mat<D> {
    fn clone(&self) -> Self {
        Self {
            tensor: self.tensor.clone(),
            place: self.place.clone(),
        }
    }
}

impl<D: Backend, T> Debug for Mat<D, T> {
    fn fmt(&self, f: &mut Formatter) -> std::fmt::Result {
        let (rows, columns) = self.shape();
        write!(f, "a matrix of {rows} rows and {columns} columns")
    }
}

/// A single number, the value of a loss.
pub struct Scalar<D: Backend, T = NoneTape>(pub(super) Tensor<Rank0, f32, D, T>);

impl<D: Backend> Scalar<D> {
    /// The same number with a tape.
    pub fn put_tape<T: Tape<f32, D>>(self, tape: T) -> Scalar<D, T> {
        Scalar(self.0.put_tape(tape))
    }
}

impl<D: Backend, T> Scalar<D, T> {
    /// The number and its tape.
    pub fn split_tape(self) -> (Scalar<D>, T) {
        let (number, tape) = self.0.split_tape();
        (Scalar(number), tape)
    }

    /// The number, once everything before it is computed.
    pub fn value(&self) -> f32 {
        self.0.as_vec()[0]
    }
}

impl<D: Backend> Scalar<D, OwnedTape<f32, D>> {
    /// Goes back through everything that is on the tape.
    pub fn backward(self) -> GradientMap<D> {
        GradientMap(self.0.try_backward().unwrap_or_else(|error| {
            Fault(format!("the backward pass failed on the GPU: {error:?}")).raise()
        }))
    }
}

/// What a backward pass left: the gradient of every matrix that it came to.
pub struct GradientMap<D: Backend>(pub(super) Gradients<f32, D>);

/// A device's buffers, gradients and parallel parts.
pub trait Backend: Device<f32> {
    /// What is known of a matrix's buffer beside dfdx's tensor; nothing where that says it all.
    type Place: Clone + Debug + Send + Sync + 'static;
    /// A number that may not be computed yet; [`Backend::fetch`] waits for it.
    type Value: Clone + Debug + Send + Sync;
    /// The gradient of one parameter, summed over micro-batches.
    type Gradient: Send;
    /// The running means of a parameter's gradient and of its square.
    type Moments: Clone + Debug + Send + Sync;
    /// A teacher's logits of the first tokens of a micro-batch, computed once for all students that
    /// are compared with them. How many tokens depends on the vocabulary: memory is bounded.
    type SharedLogits: Debug + Send + Sync;
    /// A critic with what its next update depends on.
    type Critic: CriticState;

    /// What the numbers are computed on, beyond the instructions of the processor: model of the
    /// card, versions of its libraries. None for the processor itself.
    fn hardware(&self) -> Option<String>;

    /// Bytes that are free on a card. None for the processor, whose memory is the machine's.
    fn free_memory(&self) -> Option<u64>;

    /// The most bytes that this process has had in use on a card. None for the processor.
    fn peak_memory(&self) -> Option<u64>;

    /// What the device knows of the buffer of a tensor whose rows lie one after the other.
    fn place(tensor: &Tensor<(usize, usize), f32, Self>) -> Self::Place;

    /// Waits until everything that was asked for is computed.
    fn wait(&self);

    /// The numbers behind values, in their order, all at once.
    fn fetch(values: &[Self::Value]) -> Vec<f64>;

    /// What `work` makes of the values of `x`, row by row.
    fn with_values<R>(x: &Mat<Self>, work: impl FnOnce(&[f32]) -> R) -> R;

    /// Whether every value is a number.
    fn is_finite(x: &Mat<Self>) -> bool;

    /// Those rows of `x`, in the order given.
    fn pick_rows(x: &Mat<Self>, rows: &[usize]) -> Mat<Self>;

    /// The rows of all parts, one after the other.
    fn stack(parts: &[&Mat<Self>]) -> Mat<Self>;

    /// The gradient of `x` after a backward pass, taken away; zeros where none arrived.
    fn take_gradient(gradients: &mut GradientMap<Self>, x: &Mat<Self>) -> Self::Gradient;

    /// sum += gradient.
    fn add_gradient(sum: &mut Self::Gradient, gradient: &Self::Gradient);

    /// Σ g² over the elements.
    fn sum_of_squares(gradient: &Self::Gradient) -> Self::Value;

    /// The gradient's values, row by row.
    fn gradient_values(gradient: &Self::Gradient) -> Vec<f32>;

    /// The moments of a parameter like `x` that hold so much; zeros where none are given.
    fn moments(x: &Mat<Self>, values: Option<[Vec<f32>; 2]>) -> Self::Moments;

    /// The values of the first and the second moments.
    fn moments_values(moments: &Self::Moments) -> [Cow<'_, [f32]>; 2];

    /// One step of AdamW on one parameter, in place; see [`AdamWStep`].
    fn adamw(
        x: &mut Mat<Self>,
        moments: &mut Self::Moments,
        gradient: &Self::Gradient,
        step: &AdamWStep,
    );

    /// 0, to add losses to.
    fn nothing(&self) -> Scalar<Self>;

    /// factor·loss.
    fn scaled<T: Tape<f32, Self>>(loss: Scalar<Self, T>, factor: f32) -> Scalar<Self, T>;

    /// a + b.
    fn added<T: Tape<f32, Self>>(a: Scalar<Self, T>, b: Scalar<Self>) -> Scalar<Self, T>;

    /// Rows of a forward pass without a tape that go through a model together, the others beside
    /// them: with a core for each such part no operation waits for all cores. None: all rows.
    fn rows_per_part() -> Option<usize>;

    /// Models that are evaluated beside each other.
    fn evaluated_together() -> usize;

    /// Runs work on one of the threads that share an operation, where there are such.
    fn on_a_worker<R: Send>(work: impl FnOnce() -> R + Send) -> R;

    /// Runs independent work on every item, beside each other where that brings something.
    fn side_by_side<T: Send>(items: &mut [T], work: impl Fn(&mut T) + Sync + Send);

    /// What `work` makes of every item, each item on a core of its own if there are enough of them.
    fn in_parts<T: Send, R: Send>(items: Vec<T>, work: impl Fn(T) -> R + Sync + Send) -> Vec<R>;
}
