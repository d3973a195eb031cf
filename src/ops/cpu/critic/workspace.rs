//! The buffers of a critic's updates, which the critic keeps from one to the next.

/// Buffers that live from one update to the next.
#[derive(Debug, Clone, Default)]
pub(super) struct Workspace {
    /// Activations of each layer for a chunk: student rows, teacher rows, interpolates.
    pub activations: Vec<Vec<f32>>,
    /// Factors of each layer, in the same rows.
    pub factors: Vec<Vec<f32>>,
    /// Two buffers for what goes back through the factors of the interpolates.
    pub back: [Vec<f32>; 2],
}

impl Workspace {
    /// Room for `size` numbers of each of the three kinds of rows, in each of `depth` layers.
    pub fn reserve(&mut self, depth: usize, size: usize) {
        self.activations.resize_with(depth, Vec::new);
        self.factors.resize_with(depth, Vec::new);
        for buffer in self.activations.iter_mut().chain(&mut self.factors) {
            grow(buffer, 3 * size);
        }
        self.back.iter_mut().for_each(|buffer| grow(buffer, size));
    }
}

/// Grows `buffer` to at least `size`.
fn grow(buffer: &mut Vec<f32>, size: usize) {
    if buffer.len() < size {
        buffer.resize(size, 0.0);
    }
}
