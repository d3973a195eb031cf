//! Random numbers as a pure function of (seed, purpose, index): nothing here has a hidden state
//! that a resume would have to restore.
//!
//! Every draw of the program names what it is for, so that adding a draw somewhere never shifts the
//! numbers of another place. The generator is SplitMix64 in counter mode: draw i of a stream is the
//! mix of `key + (i + 1)·γ`, with the key mixed from the seed, the purpose and up to two indices.

const GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

/// The finaliser of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014): a bijection on 64 bits with
/// good avalanche.
fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A sequence of random numbers belonging to one purpose.
#[derive(Debug, Clone)]
pub struct Stream {
    key: u64,
    next: u64,
}

impl Stream {
    /// The stream of `purpose` (a short constant name such as `"init"`) under `seed`, at `index` (a
    /// step, an epoch or a layer; 0 where there is none).
    pub fn new(seed: u64, purpose: &str, index: u64) -> Self {
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
