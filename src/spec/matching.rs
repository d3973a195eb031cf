//! Layer maps: which teacher state a student state is compared with, and which teacher blocks a
//! student starts from.
//!
//! L_s and L_t are the depths of student and teacher, i = 1 … L_s a student layer.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::random::Stream;

use super::run::{InitBlocks, Matching, State};

/// The written form of a map.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "strategy", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Strategy {
    /// i with ⌊(2·i·L_t + L_s)/(2·L_s)⌋: evenly spread, the last with the last.
    Uniform {},
    /// i with i.
    First {},
    /// i with L_t − L_s + i.
    Last {},
    /// i with L_t − (L_s − i)·⌊L_t/L_s⌋.
    Skip {},
    /// The two states after the final layer norm, alone.
    Final {},
    /// Every i with L_t.
    AllToOne {},
    /// Pairs as given.
    Pairs {
        /// Pairs of a student state and a teacher state: 0 … L, or "final".
        pairs: Vec<(State, State)>,
    },
    /// L_s of the teacher's 1 … L_t, sorted, drawn again and again (RAIL-KD).
    Random {
        /// Steps between two draws; absent, every epoch.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(range(min = 1))]
        redraw: Option<u64>,
    },
    /// Null control: uniform's targets in reverse order.
    Reverse {},
    /// Null control: uniform's targets permuted once per seed, never in their own order, nor, from
    /// three layers on, in reverse: that is a control of its own.
    Shuffled {},
}

/// ⌊(2·i·L_t + L_s)/(2·L_s)⌋ for i = 1 … L_s.
fn uniform(student: usize, teacher: usize) -> Vec<usize> {
    (1..=student)
        .map(|i| (2 * i * teacher + student) / (2 * student))
        .collect()
}

impl Strategy {
    /// The name as the spec writes it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Uniform {} => "uniform",
            Self::First {} => "first",
            Self::Last {} => "last",
            Self::Skip {} => "skip",
            Self::Final {} => "final",
            Self::AllToOne {} => "all-to-one",
            Self::Pairs { .. } => "pairs",
            Self::Random { .. } => "random",
            Self::Reverse {} => "reverse",
            Self::Shuffled {} => "shuffled",
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
        let name = self.name();
        let any_depth = matches!(
            self,
            Self::Uniform {} | Self::Pairs { .. } | Self::Final {} | Self::AllToOne {}
        );
        if !any_depth && student > teacher {
            let message = format!(
                "match.strategy = \"{name}\" needs a student no deeper than its teacher: \
                 {student} layers against {teacher}"
            );
            return Err((
                message,
                "write a smaller student.layers, or strategy = \"uniform\"".to_owned(),
            ));
        }
        let targets = match self {
            Self::Uniform {} => uniform(student, teacher),
            Self::First {} => (1..=student).collect(),
            Self::Last {} => (1..=student).map(|i| teacher - student + i).collect(),
            Self::Skip {} => (1..=student)
                .map(|i| teacher - (student - i) * (teacher / student))
                .collect(),
            Self::AllToOne {} => vec![teacher; student],
            Self::Reverse {} => uniform(student, teacher).into_iter().rev().collect(),
            Self::Shuffled {} => {
                if student < 2 {
                    let message = "match.strategy = \"shuffled\" needs at least 2 student layers: \
                                   one has no other order"
                        .to_owned();
                    return Err((
                        message,
                        "write student.layers = 2 or more, or another strategy".to_owned(),
                    ));
                }
                shuffled(uniform(student, teacher), seed)
            }
            Self::Final {} => {
                return Ok(Matching::Pairs {
                    pairs: vec![(State::Final, State::Final)],
                });
            }
            Self::Random { redraw } => return Ok(Matching::Random { redraw: *redraw }),
            Self::Pairs { pairs } => {
                check_pairs(pairs, student, teacher)?;
                return Ok(Matching::Pairs {
                    pairs: pairs.clone(),
                });
            }
        };
        let pairs = targets
            .into_iter()
            .enumerate()
            .map(|(i, target)| (State::Layer(i + 1), State::Layer(target)))
            .collect();
        Ok(Matching::Pairs { pairs })
    }
}

/// The targets in another order, the reverse left out where there are more: the first such
/// permutation of the seed's.
fn shuffled(targets: Vec<usize>, seed: u64) -> Vec<usize> {
    for attempt in 0.. {
        let order = Stream::new(seed, "match.shuffled", attempt).permutation(targets.len());
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
    pairs: &[(State, State)],
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
            if let State::Layer(layer) = state
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
        _ => uniform(student, teacher)
            .into_iter()
            .map(|layer| layer - 1)
            .collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn targets(strategy: &Strategy, student: usize, teacher: usize) -> Vec<usize> {
        let Ok(Matching::Pairs { pairs }) = strategy.resolve(student, teacher, 0) else {
            panic!()
        };
        pairs
            .into_iter()
            .enumerate()
            .map(|(i, pair)| match pair {
                (State::Layer(of_student), State::Layer(of_teacher)) if of_student == i + 1 => {
                    of_teacher
                }
                other => panic!("{other:?}"),
            })
            .collect()
    }

    #[test]
    fn maps_are_those_of_their_definitions() {
        assert_eq!(targets(&Strategy::Uniform {}, 6, 12), [2, 4, 6, 8, 10, 12]);
        assert_eq!(targets(&Strategy::Uniform {}, 4, 6), [2, 3, 5, 6]);
        assert_eq!(targets(&Strategy::Uniform {}, 4, 2), [1, 1, 2, 2]);
        assert_eq!(targets(&Strategy::First {}, 3, 6), [1, 2, 3]);
        assert_eq!(targets(&Strategy::Last {}, 3, 6), [4, 5, 6]);
        assert_eq!(targets(&Strategy::Skip {}, 4, 6), [3, 4, 5, 6]);
        assert_eq!(targets(&Strategy::Skip {}, 3, 7), [3, 5, 7]);
        assert_eq!(targets(&Strategy::AllToOne {}, 3, 6), [6, 6, 6]);
        assert_eq!(targets(&Strategy::Reverse {}, 3, 6), [6, 4, 2]);
        let last = Strategy::Final {}.resolve(3, 6, 0).unwrap();
        assert_eq!(
            last,
            Matching::Pairs {
                pairs: vec![(State::Final, State::Final)]
            }
        );
        assert_eq!(
            Strategy::Random { redraw: Some(5) }
                .resolve(3, 6, 0)
                .unwrap(),
            Matching::Random { redraw: Some(5) }
        );
    }

    #[test]
    fn every_map_of_every_depth_stays_inside_the_teacher_or_is_refused() {
        let all = [
            Strategy::Uniform {},
            Strategy::First {},
            Strategy::Last {},
            Strategy::Skip {},
            Strategy::AllToOne {},
            Strategy::Reverse {},
        ];
        for student in 1..=14 {
            for teacher in 1..=14 {
                for strategy in &all {
                    match strategy.resolve(student, teacher, 1) {
                        Err(_) => assert!(
                            student > teacher
                                && !matches!(
                                    strategy,
                                    Strategy::Uniform {} | Strategy::AllToOne {}
                                )
                        ),
                        Ok(_) => {
                            let targets = targets(strategy, student, teacher);
                            assert!(
                                targets.len() == student
                                    && targets.iter().all(|target| *target <= teacher),
                                "{strategy:?} {student} {teacher}"
                            );
                            if matches!(
                                strategy,
                                Strategy::Uniform {} | Strategy::Last {} | Strategy::Skip {}
                            ) {
                                assert_eq!(targets.last(), Some(&teacher));
                            }
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn a_shuffled_map_is_a_permutation_of_uniforms_targets_and_never_their_order_or_its_reverse() {
        let mut orders = std::collections::BTreeSet::new();
        for seed in 0..200 {
            for (student, teacher) in [(2, 2), (2, 6), (3, 6), (6, 12)] {
                let own = uniform(student, teacher);
                let moved = shuffled(own.clone(), seed);
                assert_ne!(moved, own);
                assert!(student < 3 || !moved.iter().eq(own.iter().rev()));
                let mut sorted = moved.clone();
                sorted.sort_unstable();
                assert_eq!(sorted, own);
                assert_eq!(moved, shuffled(own, seed));
                orders.insert(moved);
            }
        }
        assert!(orders.len() > 100, "{}", orders.len());
    }

    #[test]
    fn depths_that_a_strategy_cannot_satisfy_are_named_with_both_numbers() {
        let (message, hint) = Strategy::Last {}.resolve(8, 6, 0).unwrap_err();
        assert_eq!(
            message,
            "match.strategy = \"last\" needs a student no deeper than its teacher: 8 layers \
             against 6"
        );
        assert_eq!(
            hint,
            "write a smaller student.layers, or strategy = \"uniform\""
        );
        assert!(Strategy::Shuffled {}.resolve(1, 6, 0).is_err());
        let pairs = |pairs: &[(State, State)]| {
            Strategy::Pairs {
                pairs: pairs.to_vec(),
            }
            .resolve(3, 6, 0)
            .unwrap_err()
            .0
        };
        use State::{Final, Layer};
        assert_eq!(
            pairs(&[(Layer(1), Layer(7))]),
            "match.pairs names state 7 of the teacher, which has 6 layers"
        );
        assert_eq!(
            pairs(&[(Layer(4), Layer(6))]),
            "match.pairs names state 4 of the student, which has 3 layers"
        );
        assert_eq!(
            pairs(&[(Final, Layer(6)), (Final, Final)]),
            "match.pairs has state final of the student twice"
        );
        assert_eq!(
            pairs(&[]),
            "match.pairs is empty, and a hidden term needs at least one"
        );
    }

    #[test]
    fn a_student_starts_from_the_blocks_that_the_preset_names() {
        let named = |name: &str, student, teacher| {
            init_blocks(Some(&InitBlocks::Named(name.to_owned())), student, teacher)
        };
        assert_eq!(named("uniform", 6, 12), Ok(vec![1, 3, 5, 7, 9, 11]));
        assert_eq!(named("first", 3, 6), Ok(vec![0, 1, 2]));
        assert_eq!(named("last", 3, 6), Ok(vec![3, 4, 5]));
        assert_eq!(named("distilgpt2", 6, 12), Ok(vec![0, 2, 4, 7, 9, 11]));
        assert_eq!(init_blocks(None, 2, 4), Ok(vec![1, 3]));
        assert_eq!(
            init_blocks(Some(&InitBlocks::List(vec![0, 0, 3])), 3, 4),
            Ok(vec![0, 0, 3])
        );
        assert_eq!(
            named("distilgpt2", 3, 6).unwrap_err().0,
            "student.init_blocks = \"distilgpt2\" is for 6 layers from 12; these are 3 from 6"
        );
        assert!(named("uniform", 7, 6).is_err());
        assert!(init_blocks(Some(&InitBlocks::List(vec![0, 4])), 2, 4).is_err());
        assert!(init_blocks(Some(&InitBlocks::List(vec![0])), 2, 4).is_err());
    }
}
