//! Where a critic's arrays lie in its flat vector of parameters.

use std::ops::Range;

use crate::ops::critic::CriticSettings;

/// Where the arrays of one linear layer lie in the flat parameter vector.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::ops) struct CriticLayer {
    pub input: usize,
    /// (input, width).
    pub weight: Range<usize>,
    pub bias: Range<usize>,
}

/// The order of all parameters in one flat vector: weight and bias of each hidden layer, then w.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::ops) struct CriticLayout {
    pub layers: Vec<CriticLayer>,
    /// w, as (width, 1).
    pub out: Range<usize>,
}

impl CriticLayout {
    pub fn new(settings: &CriticSettings) -> Self {
        let mut next = 0;
        let mut take = |count: usize| {
            next += count;
            next - count..next
        };
        let layers = (0..settings.depth)
            .map(|i| {
                let input = if i == 0 {
                    settings.input
                } else {
                    settings.width
                };
                CriticLayer {
                    input,
                    weight: take(input * settings.width),
                    bias: take(settings.width),
                }
            })
            .collect();
        Self {
            layers,
            out: take(settings.width),
        }
    }

    /// Number of parameters.
    pub fn count(&self) -> usize {
        self.out.end
    }

    /// Name, shape and place of every array.
    pub fn arrays(&self, width: usize) -> Vec<(String, Vec<usize>, Range<usize>)> {
        let mut all = Vec::with_capacity(2 * self.layers.len() + 1);
        for (i, layer) in self.layers.iter().enumerate() {
            all.push((
                format!("layers.{i}.weight"),
                vec![layer.input, width],
                layer.weight.clone(),
            ));
            all.push((format!("layers.{i}.bias"), vec![width], layer.bias.clone()));
        }
        all.push(("out.weight".to_owned(), vec![width, 1], self.out.clone()));
        all
    }
}
