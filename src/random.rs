//! Random numbers as a pure function of (seed, purpose, index): nothing here has a hidden state
//! that a resume would have to restore.
//!
//! Every draw of the program names whose seed it takes ([`Seed`]) and what it is for ([`Purpose`]),
//! so that adding a draw somewhere never shifts the numbers of another place. The generator is
//! SplitMix64 in counter mode: draw i of a stream is the mix of `key + (i + 1)·γ`, with the key
//! mixed from the seed, the purpose and an index.

const GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

/// The finaliser of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014): a bijection on 64 bits with
/// good avalanche.
fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A seed, and whose it is.
///
/// A teacher and a student may have the same number as their seed. Their streams are still not the
/// same: otherwise the student would start from the teacher's own initial weights and read the
/// batches in the teacher's order, which is an advantage that no other seed has. (A student of an
/// earlier study that is taken as a teacher from its folder is a run: a study that learns from it
/// takes other seeds than its own.)
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seed {
    /// Of a run: its student, its projections and critics, its maps and its batches.
    Run(u64),
    /// Of the training of a teacher.
    Teacher(u64),
    /// Of the embedded grammar's texts.
    Text(u64),
    /// Of what is measured, the same for every model.
    Measurement(u64),
    /// Of a text that a model writes.
    Generation(u64),
}

impl Seed {
    /// The number that a user wrote.
    pub fn number(self) -> u64 {
        match self {
            Self::Run(number)
            | Self::Teacher(number)
            | Self::Text(number)
            | Self::Measurement(number)
            | Self::Generation(number) => number,
        }
    }
}

/// What a draw is for. Every purpose has a stream of its own under every seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose<'a> {
    /// The initial values of one parameter of a model, by its name.
    Weights(&'a str),
    /// The initial values of a projection, by its loss term, student state and part.
    Projection(&'a str, &'a str, &'a str),
    /// The initial values of a critic, by its loss term and student state.
    Critic(&'a str, &'a str),
    /// Where a critic's penalty is taken in the warm-up, by its loss term and student state.
    CriticWarmup(&'a str, &'a str),
    /// Where a critic's penalty is taken in the training, by its loss term and student state.
    CriticPenalty(&'a str, &'a str),
    /// Where a critic's penalty is taken after the training, by its loss term and student state.
    CriticJudged(&'a str, &'a str),
    /// The order of the windows of an epoch.
    WindowOrder,
    /// The layers of a random map.
    RandomMap,
    /// The order of a shuffled map.
    ShuffledMap,
    /// The directions that a loss projects states to, by its term and student state.
    LossDirections(&'a str, &'a str),
    /// The tokens that a loss compares with each other, by its term.
    LossTokens(&'a str),
    /// The teacher's tokens that a step compares with the student's, where they are shuffled.
    TokenOrder,
    /// The tokens of a benchmark, which stand for a text.
    BenchmarkTokens,
    /// The choices of a document of the embedded grammar, by its split.
    Document(&'a str),
    /// The places of a story that minimal pairs are cut at.
    PairPlace,
    /// The words of a story, by their class.
    Word(&'a str),
    /// Directions that clouds of hidden states are projected to.
    Directions,
    /// The start of a t-SNE.
    Tsne,
    /// The start of a search for principal components.
    Components,
    /// The tokens of a text that a model writes.
    GeneratedTokens,
}

impl std::fmt::Display for Purpose<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        match self {
            Self::Weights(name) => write!(f, "init.{name}"),
            Self::Projection(term, state, part) => {
                write!(f, "init.projection.{term}.{state}.{part}")
            }
            Self::Critic(term, state) => write!(f, "init.critic.{term}.{state}"),
            Self::CriticWarmup(term, state) => write!(f, "critic.warmup.{term}.{state}"),
            Self::CriticPenalty(term, state) => write!(f, "critic.epsilon.{term}.{state}"),
            Self::CriticJudged(term, state) => write!(f, "critic.judged.{term}.{state}"),
            Self::WindowOrder => f.write_str("order"),
            Self::RandomMap => f.write_str("match.random"),
            Self::ShuffledMap => f.write_str("match.shuffled"),
            Self::LossDirections(term, state) => write!(f, "loss.directions.{term}.{state}"),
            Self::LossTokens(term) => write!(f, "loss.tokens.{term}"),
            Self::TokenOrder => f.write_str("match.tokens"),
            Self::BenchmarkTokens => f.write_str("bench.tokens"),
            Self::PairPlace => f.write_str("pair place"),
            Self::Document(split) => f.write_str(split),
            Self::Word(class) => f.write_str(class),
            Self::Directions => f.write_str("sliced-w2"),
            Self::Tsne => f.write_str("tsne"),
            Self::Components => f.write_str("components"),
            Self::GeneratedTokens => f.write_str("generate"),
        }
    }
}

/// A sequence of random numbers belonging to one purpose.
#[derive(Debug, Clone)]
pub struct Stream {
    key: u64,
    next: u64,
}

impl Stream {
    /// The stream of `purpose` under `seed`, at `index` (a step, an epoch or a number of draws; 0
    /// where there is none).
    pub fn of(seed: Seed, purpose: Purpose, index: u64) -> Self {
        let name = match seed {
            Seed::Teacher(_) => format!("teacher: {purpose}"),
            Seed::Run(_) | Seed::Text(_) | Seed::Measurement(_) | Seed::Generation(_) => {
                purpose.to_string()
            }
        };
        Self::keyed(seed.number(), &name, index)
    }

    /// The stream of any seed, name and index, for tests and benchmarks; the program takes
    /// [`Stream::of`], whose purposes are told apart, and clippy holds it to that.
    pub fn new(seed: u64, purpose: &str, index: u64) -> Self {
        Self::keyed(seed, purpose, index)
    }

    fn keyed(seed: u64, purpose: &str, index: u64) -> Self {
        let mut key = mix(seed.wrapping_add(GAMMA));
        for byte in purpose.bytes() {
            key = mix(key ^ u64::from(byte).wrapping_mul(GAMMA));
        }
        key = mix(key ^ mix(index.wrapping_add(GAMMA)));
        Self { key, next: 0 }
    }

    /// A uniform 64-bit number.
    pub fn bits(&mut self) -> u64 {
        self.next += 1;
        mix(self.key.wrapping_add(self.next.wrapping_mul(GAMMA)))
    }

    /// A uniform number in [0, 1) with 53 random bits.
    pub fn uniform(&mut self) -> f64 {
        (self.bits() >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
    }

    /// A uniform integer below `bound` (which is at least 1), without modulo bias (Lemire, arXiv
    /// 1805.10941).
    pub fn below(&mut self, bound: u64) -> u64 {
        assert!(bound > 0, "an empty range has no numbers");
        loop {
            let wide = u128::from(self.bits()) * u128::from(bound);
            if (wide as u64) >= bound.wrapping_neg() % bound {
                return (wide >> 64) as u64;
            }
        }
    }

    /// A standard normal number (Box and Muller; the second of the pair is not used, so that one
    /// call takes two draws always).
    pub fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }

    /// A uniform permutation of 0 … `count` − 1 (Fisher and Yates).
    pub fn permutation(&mut self, count: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..count).collect();
        for last in (1..count).rev() {
            order.swap(last, self.below(last as u64 + 1) as usize);
        }
        order
    }
}

#[cfg(test)]
#[path = "random_tests.rs"]
mod tests;
