//! Logit terms and scores on the CPU, in chunks of tokens: logits by matrix product, then one walk
//! over each row, then gradients by matrix product.
//!
//! A chunk's logits are overwritten by their gradient, and the gradients of hidden states and head
//! are summed chunk by chunk in the forward pass; the backward pass only scales them. Chunks have a
//! size that does not depend on the number of threads. What happens in a row is in `logit_rows.rs`.

use dfdx::prelude::*;
use rayon::prelude::*;

use super::logit_rows::{Scratch, Terms, largest};
use super::matmul::{Product, product};
use super::tape::{self, precomputed};
use super::{Head, Mat, Scalar};

/// A loss on the logits z_s of the student and z_t of the teacher, for one token; p = softmax(z/τ).
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum LogitTerm {
    /// −log p_s(target) at τ = 1.
    Lm,
    /// τ²·Σ p_t·log(p_t/p_s); with `reverse` τ²·Σ p_s·log(p_s/p_t).
    Kl { temperature: f64, reverse: bool },
}

impl LogitTerm {
    /// Whether it compares with the teacher.
    pub fn needs_teacher(self) -> bool {
        match self {
            Self::Lm => false,
            Self::Kl { .. } => true,
        }
    }
}

/// Where the teacher's logits come from: its final hidden states (N, C_t) and output embedding (V,
/// C_t).
#[derive(Debug)]
pub struct TeacherHead<'a, D: Device<f32>> {
    pub hidden: &'a Mat<D>,
    pub head: Head<'a, D>,
    /// Logits that were computed before, for others as well.
    pub shared: Option<&'a SharedLogits>,
}

impl<'a, D: Device<f32>> TeacherHead<'a, D> {
    /// With nothing computed before.
    pub fn new(hidden: &'a Mat<D>, head: Head<'a, D>) -> Self {
        Self {
            hidden,
            head,
            shared: None,
        }
    }
}

impl<D: Device<f32>> Clone for TeacherHead<'_, D> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<D: Device<f32>> Copy for TeacherHead<'_, D> {}

/// A teacher's logits of the first tokens of a micro-batch, computed once for all students that are
/// compared with them. How many tokens depends on the vocabulary: memory is bounded.
#[derive(Debug)]
pub struct SharedLogits {
    /// Row by row.
    values: Vec<f32>,
}

/// How one token was predicted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TokenScore {
    /// log p_s(target).
    pub log_probability: f64,
    /// KL(teacher ‖ student) at τ = 1; 0 without a teacher.
    pub kl: f64,
    /// Whether student and teacher hold the same token most likely (the first of equals); false
    /// without a teacher.
    pub agrees: bool,
}

/// Elements of a chunk's logits: few enough to stay near the caches, unless that left too few rows
/// for efficient products.
const CHUNK_ELEMENTS: usize = 1 << 21;
/// Tokens of a chunk at least and at most.
const CHUNK_TOKENS: std::ops::RangeInclusive<usize> = 256..=512;
/// Elements of shared logits at most: 64 MiB.
const SHARED_ELEMENTS: usize = 1 << 24;

/// Tokens of a chunk over a vocabulary.
fn chunk_tokens(vocabulary: usize) -> usize {
    (CHUNK_ELEMENTS / vocabulary).clamp(*CHUNK_TOKENS.start(), *CHUNK_TOKENS.end())
}

/// Asserts that the shapes of a call fit together.
pub(super) fn check<D: Device<f32>, T>(
    hidden: &Mat<D, T>,
    head: Head<D>,
    targets: &[u32],
    teacher: Option<TeacherHead<'_, D>>,
    terms: &[(LogitTerm, f64)],
) {
    let (vocabulary, width) = *head.matrix.shape();
    assert_eq!(
        *hidden.shape(),
        (targets.len(), width),
        "a hidden state of the head's width for every target"
    );
    assert!(
        !targets.is_empty() && targets.iter().all(|&target| (target as usize) < vocabulary),
        "targets are below the vocabulary's {vocabulary}"
    );
    if let Some(teacher) = teacher {
        assert_eq!(
            teacher.head.matrix.shape().0,
            vocabulary,
            "both models have one vocabulary"
        );
        assert_eq!(
            *teacher.hidden.shape(),
            (targets.len(), teacher.head.matrix.shape().1),
            "a hidden state of the teacher for every target"
        );
    }
    for (term, _) in terms {
        assert!(
            teacher.is_some() || !term.needs_teacher(),
            "{term:?} needs a teacher"
        );
        if let LogitTerm::Kl { temperature, .. } = term {
            assert!(
                *temperature > 0.0 && temperature.is_finite(),
                "the temperature {temperature} is positive"
            );
        }
    }
}

/// See [`super::Losses::share_logits`].
pub fn share_logits(hidden: &Mat<Cpu>, head: Head<Cpu>) -> SharedLogits {
    let (vocabulary, width) = *head.matrix.shape();
    let (tokens, chunk) = (hidden.shape().0, chunk_tokens(vocabulary));
    // Whole chunks, so that each number comes from the product that it would come from otherwise.
    let rows = if tokens * vocabulary <= SHARED_ELEMENTS {
        tokens
    } else {
        SHARED_ELEMENTS / vocabulary / chunk * chunk
    };
    let mut values = vec![0.0; rows * vocabulary];
    for (part, states) in values
        .chunks_mut(chunk * vocabulary)
        .zip(tape::values(hidden).chunks(chunk * width))
    {
        chunk_logits(states, head, part);
    }
    SharedLogits { values }
}

/// hidden·headᵀ for the tokens of a chunk.
fn chunk_logits(hidden: &[f32], head: Head<Cpu>, logits: &mut [f32]) {
    let (vocabulary, width) = *head.matrix.shape();
    let shape = Product::new(hidden.len() / width, width, vocabulary)
        .right_transposed()
        .precision(head.precision);
    product(shape, hidden, tape::values(head.matrix), logits);
}

/// The buffers of a model's side: hidden states, head, and the logits of a chunk.
struct Side<'a> {
    hidden: &'a [f32],
    head: Head<'a, Cpu>,
    shared: &'a [f32],
    logits: Vec<f32>,
}

impl<'a> Side<'a> {
    fn new<T: Tape<f32, Cpu>>(hidden: &'a Mat<Cpu, T>, head: Head<'a, Cpu>) -> Self {
        Self {
            hidden: tape::values(hidden),
            head,
            shared: &[],
            logits: Vec::new(),
        }
    }

    fn of_teacher(teacher: TeacherHead<'a, Cpu>) -> Self {
        let shared = teacher.shared.map_or(&[][..], |shared| &shared.values);
        Self {
            shared,
            ..Self::new(teacher.hidden, teacher.head)
        }
    }

    /// The logits of `count` tokens from `start` on.
    fn fill(&mut self, start: usize, count: usize) -> &[f32] {
        let (vocabulary, width) = *self.head.matrix.shape();
        if let Some(logits) = self
            .shared
            .get(start * vocabulary..(start + count) * vocabulary)
        {
            return logits;
        }
        if self.logits.len() < count * vocabulary {
            // The first chunk is the longest.
            self.logits = vec![0.0; count * vocabulary];
        }
        let logits = &mut self.logits[..count * vocabulary];
        chunk_logits(
            &self.hidden[start * width..(start + count) * width],
            self.head,
            logits,
        );
        logits
    }
}

/// See [`super::Losses::logit_losses`].
pub fn logit_losses<T: Tape<f32, Cpu>>(
    hidden: Mat<Cpu, T>,
    head: Head<Cpu>,
    targets: &[u32],
    teacher: Option<TeacherHead<'_, Cpu>>,
    terms: &[(LogitTerm, f64)],
) -> (Scalar<Cpu, T>, Vec<f64>) {
    check(&hidden, head, targets, teacher, terms);
    let (vocabulary, width) = *head.matrix.shape();
    let tokens = targets.len();
    let plan = Terms::new(
        terms,
        tokens,
        T::OWNS_TAPE && terms.iter().any(|&(_, factor)| factor != 0.0),
    );
    let mut student = Side::new(&hidden, head);
    let mut teacher = teacher
        .filter(|_| plan.needs_teacher())
        .map(Side::of_teacher);
    let mut gradients = if plan.gradient {
        [
            vec![0.0f32; tokens * width],
            vec![0.0f32; vocabulary * width],
        ]
    } else {
        [Vec::new(), Vec::new()]
    };
    let tasks = 2 * rayon::current_num_threads();
    let mut scratches: Vec<Scratch> = (0..tasks)
        .map(|_| Scratch::new(&plan, vocabulary))
        .collect();
    let mut values = vec![0.0f64; terms.len()];
    for start in (0..tokens).step_by(chunk_tokens(vocabulary)) {
        let count = chunk_tokens(vocabulary).min(tokens - start);
        student.fill(start, count);
        let compared = teacher.as_mut().map(|teacher| teacher.fill(start, count));
        let mut row_values = vec![0.0f64; count * terms.len()];
        if !terms.is_empty() {
            let rows = count.div_ceil(tasks);
            let blocks = student.logits[..count * vocabulary]
                .par_chunks_mut(rows * vocabulary)
                .zip(row_values.par_chunks_mut(rows * terms.len()));
            blocks.zip(scratches.par_iter_mut()).enumerate().for_each(
                |(block, ((logits, values), scratch))| {
                    for (i, (logits, values)) in logits
                        .chunks_exact_mut(vocabulary)
                        .zip(values.chunks_exact_mut(terms.len()))
                        .enumerate()
                    {
                        let row = block * rows + i;
                        let teacher = compared
                            .map(|all| &all[row * vocabulary..(row + 1) * vocabulary])
                            .unwrap_or_default();
                        plan.row(
                            scratch,
                            logits,
                            teacher,
                            targets[start + row] as usize,
                            values,
                        );
                        if plan.gradient {
                            logits.copy_from_slice(&scratch.gradient);
                        }
                    }
                },
            );
        }
        for row in row_values.chunks_exact(terms.len().max(1)) {
            values
                .iter_mut()
                .zip(row)
                .for_each(|(sum, value)| *sum += value);
        }
        if plan.gradient {
            let part = start * width..(start + count) * width;
            let logits = &student.logits[..count * vocabulary];
            product(
                Product::new(count, vocabulary, width).precision(head.precision),
                logits,
                tape::values(head.matrix),
                &mut gradients[0][part.clone()],
            );
            product(
                Product::new(vocabulary, count, width)
                    .left_transposed()
                    .accumulate()
                    .precision(head.precision),
                logits,
                &student.hidden[part],
                &mut gradients[1],
            );
        }
    }
    values.iter_mut().for_each(|value| *value /= tokens as f64);
    let total = values
        .iter()
        .zip(terms)
        .map(|(value, (_, factor))| factor * value)
        .sum();
    let (hidden, tape) = hidden.split_tape();
    let [hidden_gradient, head_gradient] = gradients;
    let gradients = if plan.gradient {
        vec![
            (hidden, hidden_gradient),
            (head.matrix.clone(), head_gradient),
        ]
    } else {
        Vec::new()
    };
    (
        precomputed(tape, head.matrix.device(), total, gradients),
        values,
    )
}

/// See [`super::Losses::score`].
pub fn score(
    hidden: &Mat<Cpu>,
    head: Head<Cpu>,
    targets: &[u32],
    teacher: Option<TeacherHead<'_, Cpu>>,
) -> Vec<TokenScore> {
    check(hidden, head, targets, teacher, &[]);
    let vocabulary = head.matrix.shape().0;
    let mut student = Side::new(hidden, head);
    let mut teacher = teacher.map(Side::of_teacher);
    let mut scores = Vec::with_capacity(targets.len());
    for start in (0..targets.len()).step_by(chunk_tokens(vocabulary)) {
        let count = chunk_tokens(vocabulary).min(targets.len() - start);
        let student = student.fill(start, count);
        let teacher = teacher.as_mut().map(|teacher| teacher.fill(start, count));
        scores.extend(score_rows(
            student,
            teacher,
            &targets[start..start + count],
            vocabulary,
        ));
    }
    scores
}

/// Scores of rows of logits.
pub(super) fn score_rows(
    student: &[f32],
    teacher: Option<&[f32]>,
    targets: &[u32],
    vocabulary: usize,
) -> Vec<TokenScore> {
    let terms = [
        (LogitTerm::Lm, 1.0),
        (
            LogitTerm::Kl {
                temperature: 1.0,
                reverse: false,
            },
            1.0,
        ),
    ];
    let plan = Terms::new(&terms[..if teacher.is_some() { 2 } else { 1 }], 1, false);
    let row = |scratch: &mut Scratch, (row, &target): (usize, &u32)| {
        let part = row * vocabulary..(row + 1) * vocabulary;
        let (student, teacher) = (
            &student[part.clone()],
            teacher.map(|teacher| &teacher[part]),
        );
        let mut values = [0.0; 2];
        plan.row(
            scratch,
            student,
            teacher.unwrap_or_default(),
            target as usize,
            &mut values,
        );
        TokenScore {
            log_probability: -values[0],
            kl: values[1],
            agrees: teacher.is_some_and(|teacher| largest(teacher) == largest(student)),
        }
    };
    targets
        .par_iter()
        .enumerate()
        .map_init(|| Scratch::new(&plan, vocabulary), row)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::loss_checks::{
        assert_close, gradients, matrix, normals, numeric, of, with_threads,
    };
    use super::super::tape::read;
    use super::super::{Losses, composed_losses};
    use super::*;

    /// Every term, one of them without weight.
    const TERMS: [(LogitTerm, f64); 5] = [
        (LogitTerm::Lm, 0.7),
        (
            LogitTerm::Kl {
                temperature: 2.0,
                reverse: false,
            },
            0.5,
        ),
        (
            LogitTerm::Kl {
                temperature: 1.0,
                reverse: true,
            },
            0.3,
        ),
        (
            LogitTerm::Kl {
                temperature: 3.0,
                reverse: true,
            },
            0.0,
        ),
        (
            LogitTerm::Kl {
                temperature: 1.0,
                reverse: false,
            },
            0.2,
        ),
    ];

    /// A student, a teacher and targets.
    struct Case {
        hidden: Mat<Cpu>,
        head: Mat<Cpu>,
        teacher: (Mat<Cpu>, Mat<Cpu>),
        targets: Vec<u32>,
    }

    impl Case {
        fn new(tokens: usize, width: usize, teacher_width: usize, vocabulary: usize) -> Self {
            Self {
                hidden: matrix(tokens, width, 1.0, 0),
                head: matrix(vocabulary, width, 1.0, 1),
                teacher: (
                    matrix(tokens, teacher_width, 1.0, 2),
                    matrix(vocabulary, teacher_width, 0.7, 3),
                ),
                targets: normals(tokens, 1e6, 4)
                    .iter()
                    .map(|x| x.abs() as u32 % vocabulary as u32)
                    .collect(),
            }
        }

        fn teacher(&self) -> Option<TeacherHead<'_, Cpu>> {
            Some(TeacherHead::new(&self.teacher.0, (&self.teacher.1).into()))
        }

        /// Value, terms and gradients of the fused kernel.
        fn fused(&self, terms: &[(LogitTerm, f64)]) -> (f32, Vec<f64>, Vec<Vec<f32>>) {
            let (loss, values) = Cpu::logit_losses(
                self.hidden.leaky_trace(),
                (&self.head).into(),
                &self.targets,
                self.teacher(),
                terms,
            );
            (
                loss.as_vec()[0],
                values,
                gradients(loss, &[&self.hidden, &self.head]),
            )
        }
    }

    /// Log-probabilities of every row of hidden·headᵀ/τ, in f64.
    fn log_softmax(hidden: &[f64], head: &[f64], width: usize, temperature: f64) -> Vec<Vec<f64>> {
        let row = |state: &[f64]| {
            let logits: Vec<f64> = head
                .chunks_exact(width)
                .map(|w| w.iter().zip(state).map(|(w, h)| w * h).sum::<f64>() / temperature)
                .collect();
            let top = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let sum = top + logits.iter().map(|z| (z - top).exp()).sum::<f64>().ln();
            logits.iter().map(|z| z - sum).collect()
        };
        hidden.chunks_exact(width).map(row).collect()
    }

    fn wide(x: &Mat<Cpu>) -> Vec<f64> {
        read(x).iter().map(|&x| f64::from(x)).collect()
    }

    /// The values by their definition.
    fn reference(
        case: &Case,
        hidden: &[f64],
        head: &[f64],
        terms: &[(LogitTerm, f64)],
    ) -> Vec<f64> {
        let width = case.hidden.shape().1;
        let (teacher_hidden, teacher_head, teacher_width) = (
            wide(&case.teacher.0),
            wide(&case.teacher.1),
            case.teacher.0.shape().1,
        );
        let one = |&(term, _): &(LogitTerm, f64)| match term {
            LogitTerm::Lm => {
                let student = log_softmax(hidden, head, width, 1.0);
                -student
                    .iter()
                    .zip(&case.targets)
                    .map(|(row, &target)| row[target as usize])
                    .sum::<f64>()
                    / case.targets.len() as f64
            }
            LogitTerm::Kl {
                temperature,
                reverse,
            } => {
                let student = log_softmax(hidden, head, width, temperature);
                let teacher =
                    log_softmax(&teacher_hidden, &teacher_head, teacher_width, temperature);
                let (left, right) = if reverse {
                    (student, teacher)
                } else {
                    (teacher, student)
                };
                let sum: f64 = left
                    .iter()
                    .flatten()
                    .zip(right.iter().flatten())
                    .map(|(p, q)| p.exp() * (p - q))
                    .sum();
                temperature * temperature * sum / case.targets.len() as f64
            }
        };
        terms.iter().map(one).collect()
    }

    fn weighted(values: &[f64], terms: &[(LogitTerm, f64)]) -> f64 {
        values
            .iter()
            .zip(terms)
            .map(|(value, (_, factor))| value * factor)
            .sum()
    }

    #[test]
    fn values_and_gradients_are_those_of_the_definitions_in_f64() {
        for (tokens, width, teacher_width, vocabulary) in
            [(5, 3, 4, 19), (1, 1, 1, 2), (3, 2, 5, 33)]
        {
            let case = Case::new(tokens, width, teacher_width, vocabulary);
            let (loss, values, gradients) = case.fused(&TERMS);
            let (hidden, head) = (wide(&case.hidden), wide(&case.head));
            let expected = reference(&case, &hidden, &head, &TERMS);
            for (value, expected) in values.iter().zip(&expected) {
                assert!(
                    (value - expected).abs() < 2e-6 * expected.abs().max(1.0),
                    "{values:?} against {expected:?}"
                );
            }
            assert!(
                (f64::from(loss) - weighted(&expected, &TERMS)).abs()
                    < 2e-6 * loss.abs().max(1.0) as f64
            );
            let by_hidden = numeric(&read(&case.hidden), |hidden| {
                weighted(&reference(&case, hidden, &head, &TERMS), &TERMS)
            });
            let by_head = numeric(&read(&case.head), |head| {
                weighted(&reference(&case, &hidden, head, &TERMS), &TERMS)
            });
            assert_close(&gradients[0], &by_hidden, 1e-5);
            assert_close(&gradients[1], &by_head, 1e-5);
        }
    }

    #[test]
    fn the_fused_kernel_equals_dfdx_s_own_operations_over_several_chunks() {
        let case = Case::new(300, 3, 2, 9_001);
        assert_eq!(chunk_tokens(9_001), 256);
        let (loss, values, fused) = case.fused(&TERMS);
        let (composed, expected) = composed_losses::logit_losses(
            case.hidden.leaky_trace(),
            (&case.head).into(),
            &case.targets,
            case.teacher(),
            &TERMS,
        );
        let composed_loss = composed.as_vec()[0];
        assert!(
            (loss - composed_loss).abs() < 1e-4 * composed_loss,
            "{loss} against {composed_loss}"
        );
        for (value, expected) in values.iter().zip(&expected) {
            assert!(
                (value - expected).abs() < 1e-4 * expected,
                "{values:?} against {expected:?}"
            );
        }
        let expected = gradients(composed, &[&case.hidden, &case.head]);
        assert_close(&fused[0], &expected[0], 1e-4);
        assert_close(&fused[1], &expected[1], 1e-4);
    }

    #[test]
    fn without_a_tape_the_values_are_the_same() {
        let case = Case::new(9, 4, 3, 21);
        let (with, values, _) = case.fused(&TERMS);
        let (without, again) = Cpu::logit_losses(
            case.hidden.clone(),
            (&case.head).into(),
            &case.targets,
            case.teacher(),
            &TERMS,
        );
        assert_eq!((with, values), (without.as_vec()[0], again));
    }

    #[test]
    fn language_modelling_alone_needs_no_teacher() {
        let case = Case::new(4, 3, 3, 7);
        let (_, values) = Cpu::logit_losses(
            case.hidden.clone(),
            (&case.head).into(),
            &case.targets,
            None,
            &TERMS[..1],
        );
        assert_eq!(values, case.fused(&TERMS).1[..1]);
    }

    #[test]
    fn logits_of_ten_thousand_give_finite_values_and_gradients() {
        let mut case = Case::new(4, 2, 2, 5);
        case.hidden = of(4, 2, vec![1e4, 0.0, -1e4, 0.0, 0.0, 1e4, 3.0, -1e4]);
        case.head = of(
            5,
            2,
            vec![1.0, 0.0, -1.0, 0.0, 0.0, 1.0, 0.5, 0.5, 0.0, -1.0],
        );
        case.teacher.0 = of(4, 2, vec![-1e4, 0.0, 1e4, 1.0, 1e4, 0.0, 0.0, 0.0]);
        case.teacher.1 = case.head.clone();
        let (loss, values, gradients) = case.fused(&TERMS);
        assert!(
            loss.is_finite() && values.iter().all(|x| x.is_finite()),
            "{values:?}"
        );
        assert!(gradients.iter().flatten().all(|x| x.is_finite()));
        let expected = reference(&case, &wide(&case.hidden), &wide(&case.head), &TERMS);
        values.iter().zip(&expected).for_each(|(value, expected)| {
            assert!(
                (value - expected).abs() < 1e-6 * expected.abs(),
                "{values:?} against {expected:?}"
            )
        });
    }

    #[test]
    fn a_weight_that_is_not_a_number_shows_in_every_value() {
        let mut case = Case::new(4, 2, 2, 40);
        let mut head = read(&case.head);
        head[33 * 2] = f32::NAN;
        case.head = of(40, 2, head);
        case.targets.fill(1);
        let (loss, values, _) = case.fused(&TERMS);
        assert!(
            loss.is_nan() && values.iter().all(|value| value.is_nan()),
            "{values:?}"
        );
    }

    #[test]
    fn shared_logits_change_no_bit_whether_they_are_all_or_some() {
        for (tokens, vocabulary, shared_tokens) in [(300, 50, 300), (520, 40_000, 256)] {
            let case = Case::new(tokens, 3, 2, vocabulary);
            let alone = case.teacher().expect("a teacher");
            let shared = Cpu::share_logits(alone.hidden, alone.head).expect("the CPU shares");
            assert_eq!(shared.values.len(), shared_tokens * vocabulary);
            let run = |teacher| {
                let (loss, values) = Cpu::logit_losses(
                    case.hidden.leaky_trace(),
                    (&case.head).into(),
                    &case.targets,
                    Some(teacher),
                    &TERMS,
                );
                (values, gradients(loss, &[&case.hidden, &case.head]))
            };
            assert!(
                run(alone)
                    == run(TeacherHead {
                        shared: Some(&shared),
                        ..alone
                    })
            );
        }
    }

    #[test]
    fn any_number_of_threads_gives_the_same_bits() {
        let case = Case::new(133, 24, 40, 1000);
        let [one, two, three] = with_threads(|| {
            (
                case.fused(&TERMS),
                Cpu::score(
                    &case.hidden,
                    (&case.head).into(),
                    &case.targets,
                    case.teacher(),
                ),
            )
        });
        assert!(one == two && one == three);
    }

    #[test]
    fn scores_are_those_of_the_definitions_in_f64() {
        let case = Case::new(40, 3, 4, 11);
        let student = log_softmax(&wide(&case.hidden), &wide(&case.head), 3, 1.0);
        let teacher = log_softmax(&wide(&case.teacher.0), &wide(&case.teacher.1), 4, 1.0);
        let scores = Cpu::score(
            &case.hidden,
            (&case.head).into(),
            &case.targets,
            case.teacher(),
        );
        let composed = composed_losses::score(
            &case.hidden,
            (&case.head).into(),
            &case.targets,
            case.teacher(),
        );
        let best = |row: &[f64]| {
            (0..row.len()).fold(0, |best, i| if row[i] > row[best] { i } else { best })
        };
        for (token, score) in scores.iter().enumerate() {
            assert!(
                (score.log_probability - student[token][case.targets[token] as usize]).abs() < 1e-5
            );
            let kl: f64 = teacher[token]
                .iter()
                .zip(&student[token])
                .map(|(p, q)| p.exp() * (p - q))
                .sum();
            assert!((score.kl - kl).abs() < 1e-5 * kl.max(1.0));
            assert_eq!(score.agrees, best(&student[token]) == best(&teacher[token]));
            assert!(
                (score.log_probability - composed[token].log_probability).abs() < 1e-5
                    && score.agrees == composed[token].agrees
            );
        }
        assert!(
            scores.iter().any(|score| score.agrees) && scores.iter().any(|score| !score.agrees)
        );
        let alone = Cpu::score(&case.hidden, (&case.head).into(), &case.targets, None);
        assert!(
            alone
                .iter()
                .zip(&scores)
                .all(|(a, b)| a.log_probability == b.log_probability && a.kl == 0.0 && !a.agrees)
        );
    }
}
