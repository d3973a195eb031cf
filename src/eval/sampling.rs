//! The choice of the next token from its logits.

use crate::random::Stream;

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
            stream: Stream::new(seed, "generate", 0),
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
mod tests {
    use super::*;

    fn draws(sampling: Sampling, logits: &[f32], count: usize) -> Vec<u32> {
        let mut sampler = Sampler::new(sampling);
        (0..count).map(|_| sampler.choose(logits)).collect()
    }

    #[test]
    fn greedy_takes_the_first_of_the_largest() {
        assert_eq!(greedy(&[0.0, 3.0, f32::NAN, 3.0, -1.0]), 1);
        assert_eq!(greedy(&[f32::NAN, 1.0]), 1);
    }

    #[test]
    fn draws_follow_the_tempered_softmax() {
        let logits = [1.0f32, 0.0, 2.0];
        let found = draws(
            Sampling::Random {
                temperature: 2.0,
                top_k: None,
                top_p: None,
                seed: 1,
            },
            &logits,
            40_000,
        );
        let weights: Vec<f64> = logits.iter().map(|&x| (f64::from(x) / 2.0).exp()).collect();
        let total: f64 = weights.iter().sum();
        for (token, weight) in weights.iter().enumerate() {
            let share = found.iter().filter(|&&t| t as usize == token).count() as f64 / 40_000.0;
            assert!(
                (share - weight / total).abs() < 0.01,
                "token {token}: {share}"
            );
        }
    }

    #[test]
    fn cuts_leave_the_most_probable_tokens() {
        let logits = [0.0f32, 1.0, 2.0, 3.0];
        let by_rank = draws(
            Sampling::Random {
                temperature: 1.0,
                top_k: Some(2),
                top_p: None,
                seed: 1,
            },
            &logits,
            500,
        );
        assert!(by_rank.iter().all(|&t| t >= 2) && by_rank.contains(&2));
        // Shares are 0.644, 0.237, 0.087 and 0.032: the first two hold 0.88.
        let by_mass = draws(
            Sampling::Random {
                temperature: 1.0,
                top_k: None,
                top_p: Some(0.8),
                seed: 1,
            },
            &logits,
            500,
        );
        assert!(by_mass.iter().all(|&t| t >= 2) && by_mass.contains(&2));
        assert!(
            draws(
                Sampling::Random {
                    temperature: 1.0,
                    top_k: None,
                    top_p: Some(0.0),
                    seed: 1
                },
                &logits,
                50
            )
            .iter()
            .all(|&t| t == 3)
        );
        // Equals of the last one stay.
        let equal = draws(
            Sampling::Random {
                temperature: 1.0,
                top_k: Some(1),
                top_p: None,
                seed: 1,
            },
            &[1.0, 0.0, 1.0, -0.0],
            100,
        );
        assert!(
            equal.iter().all(|&t| t == 0 || t == 2) && equal.contains(&0) && equal.contains(&2)
        );
    }

    #[test]
    fn probabilities_are_those_of_transformers() {
        let cases: Vec<serde_json::Value> =
            serde_json::from_str(include_str!("../../tests/reference/sampling.json")).unwrap();
        for case in &cases {
            let numbers = |name: &str| {
                case[name]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|x| x.as_f64().unwrap())
                    .collect::<Vec<f64>>()
            };
            let logits: Vec<f32> = numbers("logits").iter().map(|&x| x as f32).collect();
            let top_k = case["top_k"].as_u64().map(|k| k as usize);
            let kept = candidates(
                &logits,
                case["temperature"].as_f64().unwrap(),
                top_k,
                case["top_p"].as_f64(),
            );
            let total: f64 = kept.iter().map(|(_, mass)| mass).sum();
            let mut found = vec![0.0; logits.len()];
            kept.iter()
                .for_each(|&(token, mass)| found[token as usize] = mass / total);
            for (token, (found, expected)) in found.iter().zip(numbers("probabilities")).enumerate()
            {
                assert!(
                    (found - expected).abs() < 1e-9,
                    "{case} token {token}: {found} {expected}"
                );
            }
        }
        assert_eq!(cases.len(), 16);
    }

    #[test]
    fn the_same_seed_draws_the_same_tokens() {
        let sampling = |seed| Sampling::Random {
            temperature: 1.0,
            top_k: None,
            top_p: None,
            seed,
        };
        let logits = [0.0f32; 50];
        assert_eq!(
            draws(sampling(3), &logits, 20),
            draws(sampling(3), &logits, 20)
        );
        assert_ne!(
            draws(sampling(3), &logits, 20),
            draws(sampling(4), &logits, 20)
        );
    }
}
