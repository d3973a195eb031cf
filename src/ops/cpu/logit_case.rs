//! A student, a teacher and every term on their logits, with the definitions in f64; for tests.

use dfdx::prelude::*;

use crate::ops::tape::read;
use crate::ops::test_support::{gradients, matrix, normals};
use crate::ops::{LogitTerm, Losses, Mat, TeacherHead};

/// Every term, one of them without weight.
pub const TERMS: [(LogitTerm, f64); 12] = [
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
    (
        LogitTerm::SkewKl {
            temperature: 1.0,
            reverse: false,
            skew: 0.1,
        },
        0.6,
    ),
    (
        LogitTerm::SkewKl {
            temperature: 2.5,
            reverse: true,
            skew: 0.3,
        },
        0.4,
    ),
    (LogitTerm::Js { temperature: 1.5 }, 0.8),
    (LogitTerm::Tv { temperature: 1.0 }, 0.9),
    (LogitTerm::Tv { temperature: 3.0 }, 0.1),
    (LogitTerm::Mse, 0.05),
    (LogitTerm::Wasserstein { temperature: 2.0 }, 0.7),
];

/// A student, a teacher and targets.
pub struct LogitCase {
    pub hidden: Mat<Cpu>,
    pub head: Mat<Cpu>,
    pub teacher: (Mat<Cpu>, Mat<Cpu>),
    pub targets: Vec<u32>,
}

impl LogitCase {
    pub fn new(tokens: usize, width: usize, teacher_width: usize, vocabulary: usize) -> Self {
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

    pub fn teacher(&self) -> Option<TeacherHead<'_, Cpu>> {
        Some(TeacherHead::new(&self.teacher.0, (&self.teacher.1).into()))
    }

    /// Value, terms and gradients of the fused kernel.
    pub fn fused(&self, terms: &[(LogitTerm, f64)]) -> (f32, Vec<f64>, Vec<Vec<f32>>) {
        let (loss, values) = Cpu::logit_losses(
            self.hidden.leaky_trace(),
            (&self.head).into(),
            &self.targets,
            self.teacher(),
            terms,
        );
        (
            loss.value(),
            values,
            gradients(loss, &[&self.hidden, &self.head]),
        )
    }
}

/// The rows of hidden·headᵀ/τ, in f64.
fn logits(hidden: &[f64], head: &[f64], width: usize, temperature: f64) -> Vec<Vec<f64>> {
    let row = |state: &[f64]| {
        head.chunks_exact(width)
            .map(|w| w.iter().zip(state).map(|(w, h)| w * h).sum::<f64>() / temperature)
            .collect()
    };
    hidden.chunks_exact(width).map(row).collect()
}

/// A term of two rows of log-probabilities, the teacher's p and the student's q, by its definition.
fn row_divergence(term: LogitTerm, p: &[f64], q: &[f64]) -> f64 {
    let log_mixed = |a: f64, b: f64, share: f64| {
        let (a, b) = (a + share.ln(), b + (1.0 - share).ln());
        a.max(b) + (-(a - b).abs()).exp().ln_1p()
    };
    let skewed = |p: &[f64], q: &[f64], skew: f64| {
        let pairs = p.iter().zip(q);
        pairs
            .map(|(p, q)| p.exp() * (p - log_mixed(*p, *q, skew)))
            .sum::<f64>()
    };
    let sorted = |row: &[f64]| {
        let mut all: Vec<f64> = row.iter().map(|x| x.exp()).collect();
        all.sort_by(|a, b| b.total_cmp(a));
        all
    };
    let apart = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - b).abs()).sum::<f64>();
    match term {
        LogitTerm::SkewKl {
            temperature,
            reverse,
            skew,
        } => {
            let (first, second) = if reverse { (q, p) } else { (p, q) };
            temperature * temperature * skewed(first, second, skew)
        }
        LogitTerm::Js { temperature } => {
            temperature * temperature * 0.5 * (skewed(p, q, 0.5) + skewed(q, p, 0.5))
        }
        LogitTerm::Tv { .. } => {
            let exp = |row: &[f64]| row.iter().map(|x| x.exp()).collect::<Vec<f64>>();
            0.5 * apart(&exp(p), &exp(q))
        }
        LogitTerm::Wasserstein { .. } => apart(&sorted(p), &sorted(q)),
        LogitTerm::Lm | LogitTerm::Kl { .. } | LogitTerm::Mse => unreachable!("done elsewhere"),
    }
}

/// Log-probabilities of every row of hidden·headᵀ/τ, in f64.
pub fn log_softmax(hidden: &[f64], head: &[f64], width: usize, temperature: f64) -> Vec<Vec<f64>> {
    let row = |logits: &Vec<f64>| -> Vec<f64> {
        let top = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let sum = top + logits.iter().map(|z| (z - top).exp()).sum::<f64>().ln();
        logits.iter().map(|z| z - sum).collect()
    };
    logits(hidden, head, width, temperature)
        .iter()
        .map(row)
        .collect()
}

pub fn wide(x: &Mat<Cpu>) -> Vec<f64> {
    read(x).iter().map(|&x| f64::from(x)).collect()
}

/// The values by their definition. The function is long because each term has its own.
pub fn reference(
    case: &LogitCase,
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
            let teacher = log_softmax(&teacher_hidden, &teacher_head, teacher_width, temperature);
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
        LogitTerm::Mse => {
            let own = logits(hidden, head, width, 1.0);
            let other = logits(&teacher_hidden, &teacher_head, teacher_width, 1.0);
            let pairs = own.iter().flatten().zip(other.iter().flatten());
            let count = own.len() * own[0].len();
            pairs.map(|(a, b)| (a - b).powi(2)).sum::<f64>() / count as f64
        }
        LogitTerm::SkewKl { temperature, .. }
        | LogitTerm::Js { temperature }
        | LogitTerm::Tv { temperature }
        | LogitTerm::Wasserstein { temperature } => {
            let student = log_softmax(hidden, head, width, temperature);
            let teacher = log_softmax(&teacher_hidden, &teacher_head, teacher_width, temperature);
            let rows = teacher.iter().zip(&student);
            let sum: f64 = rows.map(|(p, q)| row_divergence(term, p, q)).sum();
            sum / case.targets.len() as f64
        }
    };
    terms.iter().map(one).collect()
}
