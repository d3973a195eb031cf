//! The choice of the next token from its logits.

use crate::random::{Purpose, Seed, Stream};

/// How a token is chosen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Sampling {
    /// The most probable token; of equal ones the first.
    Greedy,
    /// A draw from softmax(logits / `temperature`), cut to the `top_k` most probable tokens (and
    /// those that equal the last of them) and then to the smallest set that holds `top_p` of what
    /// is left, of equal ones the last first: the warpers of transformers, in their order.
    Random {
        temperature: f64,
        top_k: Option<usize>,
        top_p: Option<f64>,
        seed: u64,
    },
}

/// Chooses tokens one after another; draws depend on the seed and on how many were made before.
#[derive(Debug, Clone)]
pub struct Sampler {
    sampling: Sampling,
    stream: Stream,
}

impl Sampler {
    pub fn new(sampling: Sampling) -> Self {
        let seed = if let Sampling::Random { seed, .. } = sampling {
            seed
        } else {
            0
        };
        Self {
            sampling,
            stream: Stream::of(Seed::Generation(seed), Purpose::GeneratedTokens, 0),
        }
    }

    /// The next token. Logits that are not finite are never drawn as long as one is finite.
    pub fn choose(&mut self, logits: &[f32]) -> u32 {
        match self.sampling {
            Sampling::Random {
                temperature,
                top_k,
                top_p,
                ..
            } if temperature > 0.0 => {
                let candidates = candidates(logits, temperature, top_k, top_p);
                let total: f64 = candidates.iter().map(|(_, mass)| mass).sum();
                let mut left = self.stream.uniform() * total;
                for &(token, mass) in &candidates {
                    left -= mass;
                    if left < 0.0 {
                        return token;
                    }
                }
                candidates
                    .last()
                    .map_or_else(|| greedy(logits), |&(token, _)| token)
            }
            Sampling::Random { .. } | Sampling::Greedy => greedy(logits),
        }
    }
}

/// Index of the largest logit, the first of equal ones.
pub fn greedy(logits: &[f32]) -> u32 {
    let mut best = 0;
    for (token, &logit) in logits.iter().enumerate() {
        if logit > logits[best] || (logits[best].is_nan() && !logit.is_nan()) {
            best = token;
        }
    }
    best as u32
}

/// The tokens that may be drawn with their unnormalised probabilities, most probable first.
fn candidates(
    logits: &[f32],
    temperature: f64,
    top_k: Option<usize>,
    top_p: Option<f64>,
) -> Vec<(u32, f64)> {
    let mut ranked: Vec<(u32, f32)> = logits
        .iter()
        .enumerate()
        .filter(|(_, logit)| logit.is_finite())
        .map(|(token, &logit)| (token as u32, logit))
        .collect();
    // Adding 0 makes one of the two zeros. Of equal logits the last token comes first, as a stable
    // sort upwards that is cut from below leaves it (transformers' own is not stable for long
    // rows).
    ranked.iter_mut().for_each(|(_, logit)| *logit += 0.0);
    let order = |a: &(u32, f32), b: &(u32, f32)| b.1.total_cmp(&a.1).then(b.0.cmp(&a.0));
    if let Some(k) = top_k.map(|k| k.max(1))
        && k < ranked.len()
    {
        let (_, &mut (_, least), _) = ranked.select_nth_unstable_by(k - 1, order);
        ranked.retain(|&(_, logit)| logit >= least);
    }
    ranked.sort_unstable_by(order);
    let Some(&(_, largest)) = ranked.first() else {
        return Vec::new();
    };
    let mut masses: Vec<(u32, f64)> = ranked
        .iter()
        .map(|&(token, logit)| {
            (
                token,
                ((f64::from(logit) - f64::from(largest)) / temperature).exp(),
            )
        })
        .collect();
    if let Some(p) = top_p.filter(|&p| p < 1.0) {
        let wanted = p * masses.iter().map(|(_, mass)| mass).sum::<f64>();
        let mut held = 0.0;
        let kept = masses
            .iter()
            .take_while(|(_, mass)| {
                let more = held < wanted;
                held += mass;
                more
            })
            .count();
        masses.truncate(kept.max(1));
    }
    masses
}

#[cfg(test)]
#[path = "sampling_tests.rs"]
mod tests;
