//! One token's logits: the softmaxes that its terms share, the terms' values, and the gradient in
//! place of the student's logits.
//!
//! Everything is relative to the largest logit and in log space: with d_v = log p_t − log p_s as
//! a difference of finite numbers, a probability that underflows to 0 contributes 0 and never
//! 0·∞. Exponentials are taken once for each model and temperature, whatever the number of
//! terms; the language-model term shares those at τ = 1.

use super::divergence::{Distributions, Divergence, SortedRoom};
use super::divergence::{sorted_distance, squared_distance};
use super::log_probabilities::{
    LogProbabilityGap, add_difference, fill_gap, subtract_weighted, weighted_sum,
};
use super::vector::{self, add_scaled};
use crate::ops::LogitTerm;

/// The terms of a call, ready for rows.
pub(super) struct Terms {
    terms: Vec<(LogitTerm, f64)>,
    /// The distinct temperatures, and whether the teacher's softmax at it is needed.
    temperatures: Vec<(f64, bool)>,
    /// For each term its place among the temperatures, if it takes probabilities.
    places: Vec<Option<usize>>,
    /// 1/N: a token's share of a mean.
    share: f64,
    /// Whether rows are overwritten by their gradient.
    pub gradient: bool,
}

impl Terms {
    pub fn new(terms: &[(LogitTerm, f64)], tokens: usize, gradient: bool) -> Self {
        let mut temperatures: Vec<(f64, bool)> = Vec::new();
        let mut places = Vec::with_capacity(terms.len());
        for &(term, _) in terms {
            let place = term.temperature().map(|temperature| {
                let known = temperatures
                    .iter()
                    .position(|&(other, _)| other == temperature);
                let place = known.unwrap_or(temperatures.len());
                if known.is_none() {
                    temperatures.push((temperature, false));
                }
                temperatures[place].1 |= term.needs_teacher();
                place
            });
            places.push(place);
        }
        Self {
            terms: terms.to_vec(),
            temperatures,
            places,
            share: 1.0 / tokens as f64,
            gradient,
        }
    }

    pub fn needs_teacher(&self) -> bool {
        self.terms.iter().any(|(term, _)| term.needs_teacher())
    }

    /// Fills `values`, one for each term, for the student's logits, the teacher's (empty without
    /// one) and the next token; where gradients are asked for, `scratch.gradient` becomes Σ
    /// factor/N·∂value/∂logit.
    pub fn row(
        &self,
        scratch: &mut Scratch,
        student: &[f32],
        teacher: &[f32],
        target: usize,
        values: &mut [f64],
    ) {
        let logits = TokenLogits::new(student, teacher);
        for (softmax, &(temperature, compared)) in
            scratch.softmaxes.iter_mut().zip(&self.temperatures)
        {
            softmax.fill(logits, temperature, compared);
        }
        if self.gradient {
            scratch.gradient.fill(0.0);
        }
        let Scratch {
            softmaxes,
            gradient: all,
            pair: room,
        } = scratch;
        for ((&(term, factor), &place), value) in self.terms.iter().zip(&self.places).zip(values) {
            let gradient: &mut [f32] = if self.gradient && factor != 0.0 {
                all
            } else {
                &mut []
            };
            let factor = factor * self.share;
            *value = match place {
                None => squared_distance(student, teacher, gradient, factor),
                Some(place) => {
                    let softmax = &softmaxes[place];
                    let row = PairRow { logits, softmax };
                    row.term(term, target, gradient, factor, room)
                }
            };
        }
    }
}

/// One token's logits of both models, (V) each; the teacher's are empty without one.
#[derive(Clone, Copy)]
struct TokenLogits<'a> {
    student: &'a [f32],
    teacher: &'a [f32],
    /// The largest logit of each.
    top: f32,
    teacher_top: f32,
}

impl<'a> TokenLogits<'a> {
    fn new(student: &'a [f32], teacher: &'a [f32]) -> Self {
        Self {
            student,
            teacher,
            top: vector::max(student),
            teacher_top: if teacher.is_empty() {
                0.0
            } else {
                vector::max(teacher)
            },
        }
    }
}

/// Buffers for one row.
pub(super) struct Scratch {
    softmaxes: Vec<Softmax>,
    /// Of the row last walked.
    pub gradient: Vec<f32>,
    pair: PairRoom,
}

/// Room for terms that are neither cross-entropy nor KL; empty until one asks for it.
#[derive(Debug, Default)]
struct PairRoom {
    gap: Vec<f32>,
    slopes: Vec<f32>,
    sorted: SortedRoom,
}

impl Scratch {
    pub fn new(terms: &Terms, vocabulary: usize) -> Self {
        let softmax = |&(_, compared): &(f64, bool)| Softmax {
            scale: 1.0,
            student: vec![0.0; vocabulary],
            student_sum: 1.0,
            teacher: vec![0.0; if compared { vocabulary } else { 0 }],
            teacher_sum: 1.0,
        };
        Self {
            softmaxes: terms.temperatures.iter().map(softmax).collect(),
            gradient: vec![0.0; if terms.gradient { vocabulary } else { 0 }],
            pair: PairRoom::default(),
        }
    }
}

/// exp((z − max z)/τ) of both models and their sums.
struct Softmax {
    /// 1/τ.
    scale: f32,
    student: Vec<f32>,
    student_sum: f64,
    teacher: Vec<f32>,
    teacher_sum: f64,
}

impl Softmax {
    /// The exponentials at a temperature, of the teacher where it is compared.
    fn fill(&mut self, logits: TokenLogits<'_>, temperature: f64, compared: bool) {
        self.scale = (1.0 / temperature) as f32;
        self.student_sum =
            vector::exp_into(&mut self.student, logits.student, logits.top, self.scale);
        if compared {
            self.teacher_sum = vector::exp_into(
                &mut self.teacher,
                logits.teacher,
                logits.teacher_top,
                self.scale,
            );
        }
    }

    /// −log p_s(target); adds `factor`·(p_s − 1 at the target).
    fn language_model(
        &self,
        logits: TokenLogits<'_>,
        target: usize,
        gradient: &mut [f32],
        factor: f64,
    ) -> f64 {
        add_scaled(gradient, &self.student, (factor / self.student_sum) as f32);
        if let Some(gradient) = gradient.get_mut(target) {
            *gradient -= factor as f32;
        }
        self.student_sum.ln() + (f64::from(logits.top) - f64::from(logits.student[target]))
    }
}

/// Both models' rows at one temperature.
struct PairRow<'a> {
    logits: TokenLogits<'a>,
    softmax: &'a Softmax,
}

impl PairRow<'_> {
    /// A term's value; adds its gradient times `factor`.
    fn term(
        &self,
        term: LogitTerm,
        target: usize,
        gradient: &mut [f32],
        factor: f64,
        room: &mut PairRoom,
    ) -> f64 {
        match term {
            LogitTerm::Lm => {
                let softmax = self.softmax;
                softmax.language_model(self.logits, target, gradient, factor)
            }
            LogitTerm::Kl {
                temperature,
                reverse,
            } => {
                let divergence = if reverse {
                    self.reverse(gradient, factor * temperature)
                } else {
                    self.forward(gradient, factor * temperature)
                };
                temperature * temperature * divergence
            }
            LogitTerm::SkewKl {
                temperature,
                reverse,
                skew,
            } => {
                let skew = skew as f32;
                let kind = if reverse {
                    Divergence::SkewReverse { skew }
                } else {
                    Divergence::SkewForward { skew }
                };
                temperature * temperature * self.other(kind, gradient, factor * temperature, room)
            }
            LogitTerm::Js { temperature } => {
                let kind = Divergence::JensenShannon;
                temperature * temperature * self.other(kind, gradient, factor * temperature, room)
            }
            LogitTerm::Tv { temperature } => {
                let kind = Divergence::TotalVariation;
                self.other(kind, gradient, factor / temperature, room)
            }
            LogitTerm::Wasserstein { temperature } => {
                let factor = factor / temperature;
                let PairRoom {
                    gap,
                    slopes,
                    sorted,
                } = self.make_room(room);
                sorted_distance(self.distributions(gap), sorted, slopes, gradient, factor)
            }
            LogitTerm::Mse => {
                squared_distance(self.logits.student, self.logits.teacher, gradient, factor)
            }
        }
    }

    /// A divergence other than KL; adds its gradient times `factor`.
    fn other(
        &self,
        kind: Divergence,
        gradient: &mut [f32],
        factor: f64,
        room: &mut PairRoom,
    ) -> f64 {
        let PairRoom { gap, slopes, .. } = self.make_room(room);
        let gap_at = self.difference(0.0);
        fill_gap(gap, self.logits.student, self.logits.teacher, gap_at);
        kind.add(self.distributions(gap), slopes, gradient, factor)
    }

    /// Room for this vocabulary.
    fn make_room<'a>(&self, room: &'a mut PairRoom) -> &'a mut PairRoom {
        let vocabulary = self.logits.student.len();
        room.gap.resize(vocabulary, 0.0);
        room.slopes.resize(vocabulary, 0.0);
        room
    }

    fn distributions<'a>(&'a self, gap: &'a [f32]) -> Distributions<'a> {
        Distributions {
            student: &self.softmax.student,
            own_share: (1.0 / self.softmax.student_sum) as f32,
            teacher: &self.softmax.teacher,
            other_share: (1.0 / self.softmax.teacher_sum) as f32,
            gap,
        }
    }

    /// Σ p_t·(log p_t − log p_s); adds `factor`·(p_s − p_t).
    fn forward(&self, gradient: &mut [f32], factor: f64) -> f64 {
        let softmax = self.softmax;
        let divergence = self.expected_difference(&softmax.teacher) / softmax.teacher_sum;
        let (own, other) = (
            (factor / softmax.student_sum) as f32,
            (factor / softmax.teacher_sum) as f32,
        );
        add_difference(gradient, &softmax.student, own, &softmax.teacher, other);
        divergence
    }

    /// Σ p_s·(log p_s − log p_t); adds `factor`·p_s·(log p_s − log p_t − that sum).
    fn reverse(&self, gradient: &mut [f32], factor: f64) -> f64 {
        let softmax = self.softmax;
        let divergence = -self.expected_difference(&softmax.student) / softmax.student_sum;
        let own = (factor / softmax.student_sum) as f32;
        subtract_weighted(
            gradient,
            &softmax.student,
            own,
            self.logits.student,
            self.logits.teacher,
            self.difference(divergence),
        );
        divergence
    }

    /// log p_t − log p_s + `shift`.
    fn difference(&self, shift: f64) -> LogProbabilityGap {
        let offset = (self.softmax.student_sum.ln() - self.softmax.teacher_sum.ln() + shift) as f32;
        LogProbabilityGap {
            scale: self.softmax.scale,
            top: self.logits.top,
            teacher_top: self.logits.teacher_top,
            offset,
        }
    }

    /// Σ weight·(log p_t − log p_s).
    fn expected_difference(&self, weights: &[f32]) -> f64 {
        weighted_sum(
            weights,
            self.logits.student,
            self.logits.teacher,
            self.difference(0.0),
        )
    }
}

/// The place of the largest value, the first of equals.
pub(super) fn largest(values: &[f32]) -> usize {
    let top = vector::max(values);
    values.iter().position(|&value| value == top).unwrap_or(0)
}
