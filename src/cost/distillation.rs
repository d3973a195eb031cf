//! A whole training: its operations, and the memory that it holds.

use super::{
    CloudShape, CriticShape, FLOAT_BYTES, FLOATS_A_PARAMETER, FORWARD_AND_BACKWARD, Gpt2Shape,
    Projection,
};

/// Tokens whose logits are held at a time.
const LOGIT_CHUNK: f64 = 512.0;
/// Arrays of a token's logits that the losses work in.
const LOGIT_ARRAYS: f64 = 4.0;
/// Logits of one model that a card holds at a time, unless a token has more.
const CARD_LOGITS: f64 = (1 << 26) as f64;
/// Arrays of them: of both models, and of their slopes.
const CARD_LOGIT_ARRAYS: f64 = 3.0;
/// Scores of attention that a card holds at a time, unless a sequence has more.
const CARD_SCORES: f64 = (1 << 24) as f64;
/// Vectors of the teacher's width that its pass holds per token besides the states of its layers.
const TEACHER_VECTORS: f64 = 10.0;

/// How much text a training takes, and in what pieces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrainingSteps {
    /// Sequences of a micro-batch.
    pub batch: usize,
    /// Tokens of a sequence.
    pub context: usize,
    /// Micro-batches of a step.
    pub accumulate: usize,
    /// Updates of the weights.
    pub count: u64,
}

impl TrainingSteps {
    /// Tokens predicted in all steps.
    pub fn tokens(&self) -> f64 {
        self.count as f64 * (self.micro_batch() as f64 * self.accumulate as f64)
    }

    /// Tokens of a micro-batch, N.
    fn micro_batch(&self) -> usize {
        self.batch * self.context
    }

    /// Micro-batches of all steps.
    fn micro_batches(&self) -> f64 {
        self.count as f64 * self.accumulate as f64
    }
}

/// The training of a student, in numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Distillation {
    pub student: Gpt2Shape,
    /// None where its shape is not known, or there is none; only the student's part is counted
    /// then.
    pub teacher: Option<Gpt2Shape>,
    pub steps: TrainingSteps,
    /// Whether any term takes anything from the teacher.
    pub needs_teacher: bool,
    /// Whether any of them takes its predictions: without one its head is never computed.
    pub compares_logits: bool,
    /// Terms that compare hidden states.
    pub hidden_terms: usize,
    /// Those of them whose student states are projected where the widths differ.
    pub projected_terms: usize,
    /// One for every term that compares clouds.
    pub clouds: Vec<CloudShape>,
    /// Terms that read tokens in hidden states of both models.
    pub lens_terms: usize,
    /// Terms that compare attention.
    pub attention_terms: usize,
    /// Pairs of states that each of them compares.
    pub pairs: usize,
    /// Pairs whose value each of them computes beside, to choose those.
    pub valued_pairs: usize,
    /// Different student states among the pairs, without the final one, which every pass has.
    pub student_states: usize,
    /// Different teacher states among the pairs, without the final one.
    pub teacher_states: usize,
    /// Layers of the teacher whose queries, keys and values are kept.
    pub teacher_attention: usize,
    /// One for every term that has critics.
    pub critics: Vec<CriticWork>,
    /// Batches that hidden terms are balanced on before training; 0 where they are not.
    pub balance_batches: usize,
    /// Steps between two balances, where there is more than the first.
    pub balance_every: Option<u64>,
    /// Whether the products of the student, and of the teacher, take rounded numbers of 16 bits.
    pub rounded: [bool; 2],
}

/// The critics of a term; every pair has one of this shape.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CriticWork {
    pub shape: CriticShape,
    /// Updates in every step of the student, on its first micro-batch.
    pub updates: usize,
    /// Updates before training, where terms are balanced.
    pub warm_up: usize,
}

/// Operations of a training. Sharing a teacher's pass with other runs is a gift of the machine and
/// not taken off.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrainingFlops {
    /// The student forward and backward with its projections and distances of clouds.
    pub student: f64,
    /// The teacher forward.
    pub teacher: f64,
    pub critics: f64,
}

impl TrainingFlops {
    /// All of them.
    pub fn total(&self) -> f64 {
        self.student + self.teacher + self.critics
    }
}

/// Bytes that a training holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MemoryNeed {
    /// Of the run: weights, gradients, moments, activations, projections and critics.
    pub own: f64,
    /// Of the teacher: runs that advance together hold it once.
    pub shared: f64,
}

impl Distillation {
    /// The teacher, if a term takes anything from it.
    fn needed_teacher(&self) -> Option<Gpt2Shape> {
        self.teacher.filter(|_| self.needs_teacher)
    }

    /// Batches of the balance, where there is anything to balance.
    fn balanced(&self) -> f64 {
        if self.hidden_terms > 0 {
            self.balance_batches as f64
        } else {
            0.0
        }
    }

    /// How often terms are balanced: before the first step, and before every so-manieth one.
    fn balances(&self) -> f64 {
        let again = |every: u64| self.steps.count.saturating_sub(1) / every.max(1);
        1.0 + self.balance_every.map_or(0, again) as f64
    }

    fn projection(&self) -> Projection {
        let student = self.student.width;
        Projection {
            from: student,
            to: self.teacher.map_or(student, |teacher| teacher.width),
        }
    }

    /// Operations of the training and of measuring the balance before it: the student forward and
    /// backward with the projections, the teacher forward if a term needs it, its head if a term
    /// compares predictions, the critics.
    pub fn flops(&self) -> TrainingFlops {
        let tokens = self.steps.micro_batch() as f64;
        let micro_batches = self.steps.micro_batches();
        let pass = self.student.training_flops(self.steps.context) * tokens;
        let teacher_pass = self.needed_teacher().map_or(0.0, |teacher| {
            let head = if self.compares_logits {
                0.0
            } else {
                teacher.head_flops()
            };
            (teacher.forward_flops(self.steps.context) - head) * tokens
        });
        let hidden = self.hidden_terms as f64;
        let terms = self.hidden_flops(tokens);
        let mut flops = TrainingFlops {
            student: micro_batches * (pass + terms),
            teacher: micro_batches * teacher_pass,
            // The sum of nothing would be −0, and is written to files.
            critics: self
                .critics
                .iter()
                .fold(0.0, |sum, critic| sum + self.critic_flops(critic)),
        };
        let batches = self.balanced();
        if batches > 0.0 {
            // One forward and backward pass for the reference and for every hidden term on each
            // batch; critics warm up before the first, on the states of one more forward pass.
            let warm_up = if self.critics.is_empty() {
                0.0
            } else {
                pass / FORWARD_AND_BACKWARD
            };
            let measured = batches * self.balances();
            flops.student += measured * ((1.0 + hidden) * pass + terms) + batches * warm_up;
            flops.teacher += measured * teacher_pass;
            for critic in &self.critics {
                flops.critics += self.warm_up_flops(critic, measured);
            }
        }
        flops
    }

    /// Operations of all hidden terms on a micro-batch, beside critics: projections, and distances
    /// of clouds.
    fn hidden_flops(&self, tokens: f64) -> f64 {
        let projections = self.projection().training_flops(tokens) * self.projected_terms as f64;
        let clouds = self.clouds.iter().fold(0.0, |sum, one| sum + one.flops());
        let lenses = self.lens_terms as f64 * self.lens_flops(tokens);
        let attention = self.attention_terms as f64 * self.attention_flops(tokens);
        // A value alone is counted with its gradient, which most kernels compute along with it, but
        // for what is projected.
        let values = projections / FORWARD_AND_BACKWARD + clouds + lenses + attention;
        self.pairs as f64 * (projections + clouds + lenses + attention)
            + self.valued_pairs as f64 * values
    }

    /// Operations of the attention of a pair of layers: scores of both over the causal half, and
    /// the student's queries' and keys' gradients.
    fn attention_flops(&self, tokens: f64) -> f64 {
        let other = self.teacher.map_or(0, |teacher| teacher.width);
        let widths = 3 * self.student.width + other;
        tokens * (self.steps.context as f64 + 1.0) * widths as f64
    }

    /// Operations of the logits that are read in a pair of states: the student's forward and back
    /// to the state, the teacher's forward.
    fn lens_flops(&self, tokens: f64) -> f64 {
        let other = self.teacher.map_or(0, |teacher| teacher.width);
        let widths = 2 * self.student.width + other;
        2.0 * tokens * self.student.vocabulary as f64 * widths as f64
    }

    /// Operations of a term's critics during the steps: updates and the term itself.
    fn critic_flops(&self, critic: &CriticWork) -> f64 {
        let tokens = self.steps.micro_batch();
        let updates = self.steps.count as f64 * critic.updates as f64;
        self.pairs as f64
            * (updates * critic.shape.update_flops(tokens)
                + self.steps.micro_batches() * critic.shape.term_flops(tokens))
    }

    /// Operations of a term's critics before the first step.
    fn warm_up_flops(&self, critic: &CriticWork, batches: f64) -> f64 {
        let tokens = self.steps.micro_batch();
        self.pairs as f64
            * (critic.warm_up as f64 * critic.shape.update_flops(tokens)
                + batches * critic.shape.term_flops(tokens))
    }

    /// Bytes that the training holds at its fullest.
    pub fn memory(&self) -> MemoryNeed {
        let tokens = self.steps.micro_batch() as f64;
        let activations = FLOAT_BYTES
            * (tokens * self.student.kept_floats()
                + LOGIT_ARRAYS * LOGIT_CHUNK * self.student.vocabulary as f64);
        let projections = self.projected_terms as f64
            * self.pairs as f64
            * self.projection().training_bytes(tokens);
        // One pair at a time.
        let clouds = self.clouds.iter().map(CloudShape::workspace_bytes);
        let clouds = clouds.fold(0.0, f64::max);
        let critics: f64 = self
            .critics
            .iter()
            .map(|critic| {
                self.pairs as f64 * critic.shape.state_bytes()
                    + critic.shape.workspace_bytes(self.steps.micro_batch())
            })
            .sum();
        MemoryNeed {
            own: FLOATS_A_PARAMETER * self.student.weight_bytes()
                + activations.max(self.warm_up_bytes())
                + projections
                + clouds
                + critics,
            shared: self.teacher_bytes(),
        }
    }

    /// Bytes that the training holds on a card at its fullest, beside what the driver and the
    /// libraries take. Weights, moments and activations are those of the processor; a card has more
    /// logits at a time, the head's gradient once more before it is added, two arrays of scores,
    /// the rounded forms of those and of weights where products are rounded, and works on all
    /// critics of a term at once, on copies of what they judge. Logits and scores are counted as
    /// shared, since runs that advance together have them one after the other.
    pub fn memory_on_card(&self) -> MemoryNeed {
        let (tokens, vocabulary) = (
            self.steps.micro_batch() as f64,
            self.student.vocabulary as f64,
        );
        let on_host = self.memory();
        let logits = vocabulary * (CARD_LOGITS / vocabulary).clamp(1.0, tokens.max(1.0));
        let head = vocabulary * self.student.width as f64;
        let context = self.steps.context as f64;
        // A head has as many scores as any; their number is about one in 64 columns.
        let of_sequence = (self.student.width as f64 / 64.0).max(1.0) * context * context;
        let of_all = of_sequence * self.steps.batch as f64;
        let arrays_of_scores = if self.rounded[0] { 3.0 } else { 2.0 };
        let scores = arrays_of_scores * of_all.min(CARD_SCORES.max(of_sequence));
        let width = self.projection().to as f64;
        let (pairs, micro_batch) = (self.pairs as f64, self.steps.micro_batch());
        let together = |critic: &CriticWork| {
            let copies = 2.0 * FLOAT_BYTES * tokens * width * pairs;
            (pairs - 1.0).max(0.0) * critic.shape.workspace_bytes(micro_batch) + copies
        };
        let critics = self.critics.iter().map(together).fold(0.0, f64::max);
        let logits_on_host = LOGIT_ARRAYS * LOGIT_CHUNK * vocabulary;
        let more = FLOAT_BYTES * (head - logits_on_host);
        // Members of a group have these one after the other.
        let in_turn = FLOAT_BYTES * (CARD_LOGIT_ARRAYS * logits + scores);
        // A card keeps rounded weights beside the others, at two bytes each.
        let beside = |is_rounded: bool, weights: f64| if is_rounded { weights / 2.0 } else { 0.0 };
        let of_teacher = self.needed_teacher();
        let of_teacher = of_teacher.map_or(0.0, |teacher| teacher.weight_bytes());
        let own = beside(self.rounded[0], self.student.weight_bytes());
        MemoryNeed {
            own: (on_host.own + more + own).max(0.0) + critics,
            shared: on_host.shared + in_turn + beside(self.rounded[1], of_teacher),
        }
    }

    /// The teacher's weights, its pass over a micro-batch, and what it said about every batch of
    /// the balance: those states are held until all terms are measured, each term on all batches.
    fn teacher_bytes(&self) -> f64 {
        let Some(teacher) = self.needed_teacher() else {
            return 0.0;
        };
        let (tokens, width) = (self.steps.micro_batch() as f64, teacher.width as f64);
        let pass = FLOAT_BYTES * tokens * width * (TEACHER_VECTORS + teacher.layers as f64);
        let kept = self.teacher_states as f64 + 3.0 * self.teacher_attention as f64 + 1.0;
        let states = FLOAT_BYTES * tokens * width * kept;
        teacher.weight_bytes() + pass + self.balanced() * states
    }

    /// Before training critics are warmed up on the student's states of all balance batches at
    /// once, and on both clouds of the pair in hand. No activations are kept then.
    fn warm_up_bytes(&self) -> f64 {
        if self.critics.is_empty() {
            return 0.0;
        }
        let projection = self.projection();
        let states = (self.student_states as f64 + 1.0) * projection.from as f64;
        let clouds = 2.0 * projection.to as f64;
        FLOAT_BYTES * self.balanced() * self.steps.micro_batch() as f64 * (states + clouds)
    }
}

#[cfg(test)]
#[path = "distillation_tests.rs"]
mod tests;
