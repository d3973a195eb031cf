//! Layer maps: which teacher state a student state is compared with, and which teacher blocks a
//! student starts from.
//!
//! L_s and L_t are the depths of student and teacher, i = 1 … L_s a student layer.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::random::{Purpose, Seed, Stream};

use super::run::{HiddenState, InitBlocks, LayerWeighting, Matching, TokenPairing};

/// The written form of a map.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "strategy", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Strategy {
    /// i with ⌊(2·i·L_t + L_s)/(2·L_s)⌋: evenly spread, the last with the last.
    Uniform {
        /// Which tokens are compared.
        #[serde(default, skip_serializing_if = "TokenPairing::is_paired")]
        tokens: TokenPairing,
    },
    /// i with i.
    First {
        /// Which tokens are compared.
        #[serde(default, skip_serializing_if = "TokenPairing::is_paired")]
        tokens: TokenPairing,
    },
    /// i with L_t − L_s + i.
    Last {
        /// Which tokens are compared.
        #[serde(default, skip_serializing_if = "TokenPairing::is_paired")]
        tokens: TokenPairing,
    },
    /// i with L_t − (L_s − i)·⌊L_t/L_s⌋.
    Skip {
        /// Which tokens are compared.
        #[serde(default, skip_serializing_if = "TokenPairing::is_paired")]
        tokens: TokenPairing,
    },
    /// The two states after the final layer norm, alone.
    Final {
        /// Which tokens are compared.
        #[serde(default, skip_serializing_if = "TokenPairing::is_paired")]
        tokens: TokenPairing,
    },
    /// Every i with L_t.
    AllToOne {
        /// Which tokens are compared.
        #[serde(default, skip_serializing_if = "TokenPairing::is_paired")]
        tokens: TokenPairing,
    },
    /// Pairs as given.
    Pairs {
        /// Pairs of a student state and a teacher state: 0 … L, or "final".
        pairs: Vec<(HiddenState, HiddenState)>,
        /// Which tokens are compared.
        #[serde(default, skip_serializing_if = "TokenPairing::is_paired")]
        tokens: TokenPairing,
    },
    /// L_s of the teacher's 1 … L_t, sorted, drawn again and again (RAIL-KD).
    Random {
        /// Steps between two draws; absent, every epoch.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(range(min = 1))]
        redraw: Option<u64>,
        /// Which tokens are compared.
        #[serde(default, skip_serializing_if = "TokenPairing::is_paired")]
        tokens: TokenPairing,
    },
    /// Null control: uniform's targets in reverse order.
    Reverse {
        /// Which tokens are compared.
        #[serde(default, skip_serializing_if = "TokenPairing::is_paired")]
        tokens: TokenPairing,
    },
    /// Null control: uniform's targets permuted once per seed, never in their own order, nor, from
    /// three layers on, in reverse: that is a control of its own.
    Shuffled {
        /// Which tokens are compared.
        #[serde(default, skip_serializing_if = "TokenPairing::is_paired")]
        tokens: TokenPairing,
    },
    /// Every i with all of 1 … L_t, for each token by the softmax of the products of its states
    /// (ALP-KD).
    Attention {
        /// Which tokens are compared.
        #[serde(default, skip_serializing_if = "TokenPairing::is_paired")]
        tokens: TokenPairing,
    },
    /// Every i with the mean of the i-th of L_s runs of neighbouring layers of the teacher (after
    /// CKD).
    Combine {
        /// Which tokens are compared.
        #[serde(default, skip_serializing_if = "TokenPairing::is_paired")]
        tokens: TokenPairing,
    },
    /// Every i with all of 1 … L_t, by the cheapest transport between weights of the student's
    /// layers and of the teacher's (BERT-EMD).
    Emd {
        /// Weights of the layers on both sides.
        #[serde(default)]
        weights: LayerWeighting,
        /// Which tokens are compared.
        #[serde(default, skip_serializing_if = "TokenPairing::is_paired")]
        tokens: TokenPairing,
    },
}

/// Keys and values of settings that should be worse than others, in the order of a report: they
/// show what it costs to compare the wrong layers, and the wrong tokens.
pub const NULL_CONTROLS: [(&str, &str); 3] = [
    ("match.strategy", "reverse"),
    ("match.strategy", "shuffled"),
    ("match.tokens", "shuffled"),
];

/// The teacher's layer for each of the student's layers i = 1 … L_s: ⌊(2·i·L_t +
/// L_s)/(2·L_s)⌋, which is i·L_t/L_s rounded.
pub fn uniform_map(student: usize, teacher: usize) -> Vec<usize> {
    (1..=student)
        .map(|i| (2 * i * teacher + student) / (2 * student))
        .collect()
}

/// The teacher's layers of each of the student's, for `combine`: L_s runs of neighbours that make
/// up all of 1 … L_t.
pub fn layer_runs(student: usize, teacher: usize) -> Vec<std::ops::RangeInclusive<usize>> {
    (0..student)
        .map(|i| i * teacher / student + 1..=(i + 1) * teacher / student)
        .collect()
}

impl Strategy {
    /// The name as the spec writes it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Uniform { .. } => "uniform",
            Self::First { .. } => "first",
            Self::Last { .. } => "last",
            Self::Skip { .. } => "skip",
            Self::Final { .. } => "final",
            Self::AllToOne { .. } => "all-to-one",
            Self::Pairs { .. } => "pairs",
            Self::Random { .. } => "random",
            Self::Reverse { .. } => "reverse",
            Self::Shuffled { .. } => "shuffled",
            Self::Attention { .. } => "attention",
            Self::Combine { .. } => "combine",
            Self::Emd { .. } => "emd",
        }
    }

    /// Which tokens are compared.
    pub fn tokens(&self) -> TokenPairing {
        match self {
            Self::Uniform { tokens }
            | Self::First { tokens }
            | Self::Last { tokens }
            | Self::Skip { tokens }
            | Self::Final { tokens }
            | Self::AllToOne { tokens }
            | Self::Pairs { tokens, .. }
            | Self::Random { tokens, .. }
            | Self::Reverse { tokens }
            | Self::Shuffled { tokens }
            | Self::Attention { tokens }
            | Self::Combine { tokens }
            | Self::Emd { tokens, .. } => *tokens,
        }
    }

    /// Whether it also maps a student that is deeper than its teacher.
    fn takes_any_depth(&self) -> bool {
        match self {
            Self::Uniform { .. }
            | Self::Pairs { .. }
            | Self::Final { .. }
            | Self::AllToOne { .. }
            | Self::Attention { .. }
            | Self::Emd { .. } => true,
            Self::First { .. }
            | Self::Last { .. }
            | Self::Skip { .. }
            | Self::Random { .. }
            | Self::Reverse { .. }
            | Self::Shuffled { .. }
            | Self::Combine { .. } => false,
        }
    }

    /// The map for a student of `student` and a teacher of `teacher` blocks; `seed` is the run's.
    ///
    /// # Errors
    /// Depths that the strategy cannot satisfy, with both numbers; the second text says what to
    /// write.
    pub fn resolve(
        &self,
        student: usize,
        teacher: usize,
        seed: u64,
    ) -> Result<Matching, (String, String)> {
        self.check_depths(student, teacher)?;
        let tokens = self.tokens();
        let targets = match self {
            Self::Uniform { .. } => uniform_map(student, teacher),
            Self::First { .. } => (1..=student).collect(),
            Self::Last { .. } => (1..=student).map(|i| teacher - student + i).collect(),
            Self::Skip { .. } => (1..=student)
                .map(|i| teacher - (student - i) * (teacher / student))
                .collect(),
            Self::AllToOne { .. } => vec![teacher; student],
            Self::Reverse { .. } => uniform_map(student, teacher).into_iter().rev().collect(),
            Self::Shuffled { .. } => shuffled(uniform_map(student, teacher), seed),
            Self::Final { .. } => {
                return Ok(Matching::Pairs {
                    pairs: vec![(HiddenState::Final, HiddenState::Final)],
                    tokens,
                });
            }
            Self::Random { redraw, .. } => {
                let redraw = *redraw;
                return Ok(Matching::Random { redraw, tokens });
            }
            Self::Attention { .. } => return Ok(Matching::Attention { tokens }),
            Self::Combine { .. } => return Ok(Matching::Combine { tokens }),
            Self::Emd { weights, .. } => {
                let weights = *weights;
                return Ok(Matching::Emd { weights, tokens });
            }
            Self::Pairs { pairs, .. } => {
                check_pairs(pairs, student, teacher)?;
                return Ok(Matching::Pairs {
                    pairs: pairs.clone(),
                    tokens,
                });
            }
        };
        let pairs = targets
            .into_iter()
            .enumerate()
            .map(|(i, target)| (HiddenState::Layer(i + 1), HiddenState::Layer(target)))
            .collect();
        Ok(Matching::Pairs { pairs, tokens })
    }

    /// Refuses depths that the strategy cannot satisfy.
    fn check_depths(&self, student: usize, teacher: usize) -> Result<(), (String, String)> {
        if student > teacher && !self.takes_any_depth() {
            let name = self.name();
            let message = format!(
                "match.strategy = \"{name}\" needs a student no deeper than its teacher: \
                 {student} layers against {teacher}"
            );
            return Err((
                message,
                "write a smaller student.layers, or strategy = \"uniform\"".to_owned(),
            ));
        }
        if student < 2 && matches!(self, Self::Shuffled { .. }) {
            return Err((
                "match.strategy = \"shuffled\" needs at least 2 student layers: one has no other \
                 order"
                    .to_owned(),
                "write student.layers = 2 or more, or another strategy".to_owned(),
            ));
        }
        Ok(())
    }
}

/// The targets in another order, the reverse left out where there are more: the first such
/// permutation of the seed's.
fn shuffled(targets: Vec<usize>, seed: u64) -> Vec<usize> {
    for attempt in 0.. {
        let order =
            Stream::of(Seed::Run(seed), Purpose::ShuffledMap, attempt).permutation(targets.len());
        let moved: Vec<usize> = order.into_iter().map(|i| targets[i]).collect();
        if moved != targets && (targets.len() < 3 || !moved.iter().eq(targets.iter().rev())) {
            return moved;
        }
    }
    unreachable!(
        "uniform's targets differ where the student is no deeper than its teacher, so some \
         permutation moves one"
    )
}

fn check_pairs(
    pairs: &[(HiddenState, HiddenState)],
    student: usize,
    teacher: usize,
) -> Result<(), (String, String)> {
    if pairs.is_empty() {
        return Err((
            "match.pairs is empty, and a hidden term needs at least one".to_owned(),
            "write pairs = [[1, 2]], student first".to_owned(),
        ));
    }
    for (i, (of_student, of_teacher)) in pairs.iter().enumerate() {
        for (state, depth, who) in [
            (of_student, student, "student"),
            (of_teacher, teacher, "teacher"),
        ] {
            if let HiddenState::Layer(layer) = state
                && *layer > depth
            {
                let message = format!(
                    "match.pairs names state {layer} of the {who}, which has {depth} layers"
                );
                return Err((message, format!("write 0 … {depth}, or \"final\"")));
            }
        }
        if pairs[..i].iter().any(|(earlier, _)| earlier == of_student) {
            let message = format!("match.pairs has state {of_student} of the student twice");
            return Err((
                message,
                "a student state is compared with one teacher state".to_owned(),
            ));
        }
    }
    Ok(())
}

/// The teacher's block, from 0, for every block of the student.
///
/// # Errors
/// Depths that do not go together, or blocks that the teacher has not; the second text says what to
/// write.
pub fn init_blocks(
    written: Option<&InitBlocks>,
    student: usize,
    teacher: usize,
) -> Result<Vec<usize>, (String, String)> {
    let name = match written {
        Some(InitBlocks::List(blocks)) => {
            if blocks.len() != student {
                let message = format!(
                    "student.init_blocks has {} entries, and the student {student} layers",
                    blocks.len()
                );
                return Err((
                    message,
                    "write one block of the teacher, counted from 0, for every layer".to_owned(),
                ));
            }
            if let Some(block) = blocks.iter().find(|block| **block >= teacher) {
                let message = format!(
                    "student.init_blocks names block {block} of the teacher, which has {teacher}"
                );
                return Err((message, format!("write 0 … {}", teacher - 1)));
            }
            return Ok(blocks.clone());
        }
        Some(InitBlocks::Named(name)) => name.as_str(),
        None => "uniform",
    };
    if name == "distilgpt2" {
        if (student, teacher) != (6, 12) {
            let message = format!(
                "student.init_blocks = \"distilgpt2\" is for 6 layers from 12; these are \
                 {student} from {teacher}"
            );
            return Err((message, "write \"uniform\", or a list of blocks".to_owned()));
        }
        return Ok(vec![0, 2, 4, 7, 9, 11]);
    }
    if student > teacher {
        let message = format!(
            "student.init_blocks = \"{name}\" needs a student no deeper than its teacher: \
             {student} layers against {teacher}"
        );
        return Err((
            message,
            "write a list of blocks, in which one may occur twice, or init = \"random\"".to_owned(),
        ));
    }
    Ok(match name {
        "first" => (0..student).collect(),
        "last" => (teacher - student..teacher).collect(),
        _ => uniform_map(student, teacher)
            .into_iter()
            .map(|layer| layer - 1)
            .collect(),
    })
}

#[cfg(test)]
#[path = "matching_tests.rs"]
mod tests;
