//! The parameters of a GPT-2 and their order.

use crate::ops::{Head, Mat, Ops, Precision, Tape, tape};
use crate::plan::run::HiddenState;

use super::Config;

/// A linear layer in GPT-2's Conv1D layout: weight (in, out), bias (1, out).
#[derive(Debug, Clone)]
pub struct Linear<D: Ops> {
    pub weight: Mat<D>,
    pub bias: Mat<D>,
}

/// Gain and bias of a layer norm, each (1, C).
#[derive(Debug, Clone)]
pub struct Norm<D: Ops> {
    pub weight: Mat<D>,
    pub bias: Mat<D>,
}

#[derive(Debug, Clone)]
pub struct Attention<D: Ops> {
    /// (C, 3C): queries, keys and values side by side.
    pub c_attn: Linear<D>,
    /// (C, C).
    pub c_proj: Linear<D>,
}

#[derive(Debug, Clone)]
pub struct Mlp<D: Ops> {
    /// (C, I).
    pub c_fc: Linear<D>,
    /// (I, C).
    pub c_proj: Linear<D>,
}

/// One pre-norm transformer block.
#[derive(Debug, Clone)]
pub struct Block<D: Ops> {
    pub ln_1: Norm<D>,
    pub attn: Attention<D>,
    pub ln_2: Norm<D>,
    pub mlp: Mlp<D>,
}

/// GPT-2 with a language-model head.
#[derive(Debug, Clone)]
pub struct Gpt2<D: Ops> {
    pub config: Config,
    /// Of the products of its linear layers and its head and, on a card, of its attention, forward
    /// and backward.
    pub precision: Precision,
    /// (V, C): token embeddings, and the head, unless there is one of its own.
    pub wte: Mat<D>,
    /// (positions, C).
    pub wpe: Mat<D>,
    pub blocks: Vec<Block<D>>,
    pub ln_f: Norm<D>,
    /// (V, C): the head of a model whose word embeddings are not tied.
    pub lm_head: Option<Mat<D>>,
}

/// What reads tokens out of a hidden state: the final norm and the head.
#[derive(Debug)]
pub struct Reader<'a, D: Ops> {
    pub norm: &'a Norm<D>,
    /// Of the norm.
    pub epsilon: f64,
    pub head: Head<'a, D>,
}

impl<D: Ops> Clone for Reader<'_, D> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<D: Ops> Copy for Reader<'_, D> {}

impl<D: Ops> Reader<'_, D> {
    /// A state as the head sees it: through the final norm, which the last state has behind it. The
    /// norm's gain and bias get no gradient.
    pub fn read<T: Tape<f32, D>>(&self, state: HiddenState, x: Mat<D, T>) -> Mat<D, T> {
        match state {
            HiddenState::Final => x,
            HiddenState::Layer(_) => {
                let fixed = |x: &Mat<D>| tape::matrix(x.device(), 1, x.shape().1, tape::read(x));
                let (gain, bias) = (fixed(&self.norm.weight), fixed(&self.norm.bias));
                D::layer_norm(x, &gain, &bias, self.epsilon)
            }
        }
    }
}

/// Calls `$visit(name, &parameter)` on every parameter in Hugging Face's order; one macro, so that
/// the shared and the mutable walk cannot differ.
macro_rules! visit_parameters {
    ($model:expr, $visit:expr, $($mutable:tt)?) => {{
        let mut visit = $visit;
        visit("wte.weight".to_owned(), &$($mutable)? $model.wte);
        visit("wpe.weight".to_owned(), &$($mutable)? $model.wpe);
        for (i, block) in (&$($mutable)? $model.blocks).into_iter().enumerate() {
            visit(format!("h.{i}.ln_1.weight"), &$($mutable)? block.ln_1.weight);
            visit(format!("h.{i}.ln_1.bias"), &$($mutable)? block.ln_1.bias);
            visit(format!("h.{i}.attn.c_attn.weight"), &$($mutable)? block.attn.c_attn.weight);
            visit(format!("h.{i}.attn.c_attn.bias"), &$($mutable)? block.attn.c_attn.bias);
            visit(format!("h.{i}.attn.c_proj.weight"), &$($mutable)? block.attn.c_proj.weight);
            visit(format!("h.{i}.attn.c_proj.bias"), &$($mutable)? block.attn.c_proj.bias);
            visit(format!("h.{i}.ln_2.weight"), &$($mutable)? block.ln_2.weight);
            visit(format!("h.{i}.ln_2.bias"), &$($mutable)? block.ln_2.bias);
            visit(format!("h.{i}.mlp.c_fc.weight"), &$($mutable)? block.mlp.c_fc.weight);
            visit(format!("h.{i}.mlp.c_fc.bias"), &$($mutable)? block.mlp.c_fc.bias);
            visit(format!("h.{i}.mlp.c_proj.weight"), &$($mutable)? block.mlp.c_proj.weight);
            visit(format!("h.{i}.mlp.c_proj.bias"), &$($mutable)? block.mlp.c_proj.bias);
        }
        visit("ln_f.weight".to_owned(), &$($mutable)? $model.ln_f.weight);
        visit("ln_f.bias".to_owned(), &$($mutable)? $model.ln_f.bias);
        if let Some(head) = &$($mutable)? $model.lm_head {
            visit("lm_head.weight".to_owned(), head);
        }
    }};
}

impl<D: Ops> Gpt2<D> {
    /// Where it lies.
    pub fn device(&self) -> &D {
        self.wte.device()
    }

    /// The output embedding (V, C): logits are final states times its transpose.
    pub fn head(&self) -> Head<'_, D> {
        Head {
            matrix: self.lm_head.as_ref().unwrap_or(&self.wte),
            precision: self.precision,
        }
    }

    /// What reads tokens out of its states.
    pub fn reader(&self) -> Reader<'_, D> {
        Reader {
            norm: &self.ln_f,
            epsilon: self.config.epsilon,
            head: self.head(),
        }
    }

    /// The same model, its products computed in `precision`. Both share their arrays until one is
    /// changed.
    pub fn with_precision(&self, precision: Precision) -> Self {
        Self {
            precision,
            ..self.clone()
        }
    }

    /// Every parameter with its Hugging Face name (without the `transformer.` prefix), in a fixed
    /// order.
    pub fn parameters(&self) -> Vec<(String, &Mat<D>)> {
        let mut all = Vec::with_capacity(5 + 12 * self.blocks.len());
        visit_parameters!(self, |name, parameter| all.push((name, parameter)),);
        all
    }

    /// The same, to be updated.
    pub fn parameters_mut(&mut self) -> Vec<(String, &mut Mat<D>)> {
        let mut all = Vec::with_capacity(5 + 12 * self.blocks.len());
        visit_parameters!(self, |name, parameter| all.push((name, parameter)), mut);
        all
    }
}

/// Whether AdamW's weight decay applies to a parameter: to matrices, not to biases and layer norms.
pub fn decays(name: &str) -> bool {
    let mut parts = name.rsplit('.');
    let is_weight = parts.next() == Some("weight");
    is_weight && !parts.next().is_some_and(|owner| owner.starts_with("ln_"))
}
