//! What a run will need, counted from its shapes before anything runs: a spec in the numbers that
//! [`cost`] counts with.

use std::collections::BTreeSet;

use super::planned::{Estimate, TeacherFact};
use super::resolve::KnownFacts;
use super::run::{
    BalanceSpec, CloudLoss, CriticSpec, DatasetSpec, DeviceSpec, HiddenDistance, HiddenState, Init,
    Matching, PrecisionSpec, RunSpec, TeacherSpec, Term, TrainSpec,
};
use crate::cost::{
    CloudKind, CloudShape, CriticShape, CriticWork, Distillation, EvaluationWork, Gpt2Shape,
    TrainingSteps,
};

/// Vocabulary that is assumed where none is known: GPT-2's own.
const VOCABULARY: usize = 50_257;
/// Bytes of a step's row in the journal.
const JOURNAL_ROW: f64 = 400.0;
/// Checkpoints that an unfinished run keeps, and what each holds of every parameter: the weight and
/// both moments.
const CHECKPOINTS: f64 = 2.0;
const FLOATS_IN_CHECKPOINT: f64 = 3.0;

/// What a word of the embedded grammar takes, and bytes that a token stands for, in the mean.
const TOKENS_A_WORD: f64 = 1.35;
const BYTES_A_TOKEN: f64 = 4.0;
/// Maps that an evaluation measures, of a pair for each of the student's layers.
const MAPS: usize = 3;
/// Pairs that are measured side by side, at the most that is counted with.
const MEASURED_AT_ONCE: usize = 8;

/// Estimates a run; with the teacher unknown, of the student alone.
pub fn estimate(spec: &RunSpec, known: &KnownFacts) -> Estimate {
    let (student, teacher) = shapes(spec, known);
    let work = distillation_work(spec, student, teacher);
    let memory = match spec.train.device {
        DeviceSpec::Cpu => work.memory(),
        DeviceSpec::Cuda(_) => work.memory_on_card(),
    };
    let flops = work.flops();
    let training = match (&spec.teacher, teacher) {
        (TeacherSpec::Train { train, .. }, Some(shape)) => {
            shape.training_flops(train.context) * training_steps(train).tokens()
        }
        (TeacherSpec::Train { .. }, None)
        | (TeacherSpec::Dir { .. } | TeacherSpec::Hub { .. }, _) => 0.0,
    };
    let evaluation = evaluation_work(spec, known, student, teacher);
    let kept = student.weight_bytes() + JOURNAL_ROW * spec.train.steps as f64;
    let checkpoints = CHECKPOINTS * FLOATS_IN_CHECKPOINT * student.weight_bytes();
    Estimate {
        student_parameters: student.parameters() as u64,
        teacher_parameters: teacher.map_or(0, |shape| shape.parameters() as u64),
        memory_bytes: (memory.own + memory.shared) as u64,
        shared_memory_bytes: memory.shared as u64,
        flops: flops.total(),
        teacher_pass_flops: flops.teacher,
        teacher_training_flops: training,
        evaluation_flops: evaluation.flops().total(),
        treatment_flops: evaluation.flops().treatment,
        evaluation_memory_bytes: evaluation.memory(MEASURED_AT_ONCE) as u64,
        kept_bytes: kept as u64,
        disk_bytes: (kept + checkpoints) as u64,
    }
}

/// The student's shape, and the teacher's where it is known.
fn shapes(spec: &RunSpec, known: &KnownFacts) -> (Gpt2Shape, Option<Gpt2Shape>) {
    let teacher = known.teacher.as_ref();
    // The student has its teacher's rows, more or fewer than the tokens.
    let vocabulary = teacher
        .and_then(|teacher| teacher.vocabulary)
        .or(known.vocabulary)
        .unwrap_or(VOCABULARY);
    let positions = teacher.map_or(spec.train.context, |teacher| teacher.positions);
    let shape = |layers: usize, width: usize, (inner, tied): (usize, bool)| Gpt2Shape {
        layers,
        width,
        inner,
        vocabulary,
        positions,
        tied,
    };
    let taken_over = match spec.student.init {
        Init::Random => None,
        Init::Teacher => teacher,
        Init::Dir => known.init.as_ref(),
    };
    let of = |model: &TeacherFact| (model.inner, model.tied);
    let width = spec.student.width;
    let plain = (width.saturating_mul(4), true);
    (
        shape(spec.student.layers, width, taken_over.map_or(plain, of)),
        teacher.map(|teacher| shape(teacher.layers, teacher.width, of(teacher))),
    )
}

/// The evaluation that a spec asks for, in numbers; as far as the size of the text is known.
fn evaluation_work(
    spec: &RunSpec,
    known: &KnownFacts,
    student: Gpt2Shape,
    teacher: Option<Gpt2Shape>,
) -> EvaluationWork {
    let [validation_tokens, test_tokens] = match &spec.dataset {
        &DatasetSpec::Synthetic {
            validation_words,
            test_words,
            ..
        } => [validation_words, test_words].map(|words| words as f64 * TOKENS_A_WORD),
        DatasetSpec::Text { .. }
        | DatasetSpec::Jsonl { .. }
        | DatasetSpec::Parquet { .. }
        | DatasetSpec::Hub { .. } => known.held_out_bytes.map_or([0.0; 2], |bytes| {
            bytes.map(|bytes| bytes as f64 / BYTES_A_TOKEN)
        }),
    };
    let evaluate = &spec.evaluate;
    // A short text has fewer tokens than are asked for, and two samples have half of them each.
    let all = if test_tokens > 0.0 {
        test_tokens as usize
    } else {
        usize::MAX
    };
    EvaluationWork {
        model: student,
        teacher,
        test_tokens,
        validation_tokens,
        context: evaluate.context,
        stride: evaluate.stride,
        probe_tokens: evaluate.probe_tokens.min(all),
        embed_tokens: evaluate.embed_tokens.min(all),
        prompts: evaluate.samples.prompts,
        sample_tokens: evaluate.samples.tokens,
        treatment_tokens: evaluate.treatment_tokens.min(all / 2),
        measured_pairs: MAPS * student.layers,
        task_tokens: known.task_bytes as f64 / BYTES_A_TOKEN,
    }
}

/// How much text a training takes.
pub fn training_steps(train: &TrainSpec) -> TrainingSteps {
    TrainingSteps {
        batch: train.batch,
        context: train.context,
        accumulate: train.accumulate,
        count: train.steps,
    }
}

/// What a map compares at a step.
struct ComparedPairs {
    pairs: usize,
    /// Pairs whose value alone is computed, to choose those.
    valued: usize,
    /// Different states among them, but for the final one, which every pass has.
    student_states: usize,
    teacher_states: usize,
}

impl ComparedPairs {
    /// For models of so many layers.
    fn of(matching: &Matching, student: usize, teacher: usize) -> Self {
        let of_layers = |pairs, valued, teacher_states| Self {
            pairs,
            valued,
            student_states: student,
            teacher_states,
        };
        match matching {
            Matching::Pairs { pairs, .. } => Self {
                pairs: pairs.len(),
                valued: 0,
                student_states: kept(pairs.iter().map(|&(student, _)| student)),
                teacher_states: kept(pairs.iter().map(|&(_, teacher)| teacher)),
            },
            Matching::Random { .. } => of_layers(student, 0, student),
            Matching::Attention { .. } | Matching::Combine { .. } => of_layers(student, 0, teacher),
            // The cheapest transport goes along no more than that.
            Matching::Emd { .. } => of_layers(student + teacher - 1, student * teacher, teacher),
        }
    }
}

/// The training that a spec asks for, in numbers.
pub fn distillation_work(
    spec: &RunSpec,
    student: Gpt2Shape,
    teacher: Option<Gpt2Shape>,
) -> Distillation {
    let of_teacher = teacher.map_or(student.layers, |teacher| teacher.layers);
    let compared = ComparedPairs::of(&spec.matching, student.layers, of_teacher);
    let width = teacher.map_or(student.width, |teacher| teacher.width);
    let count = |is_it: fn(HiddenDistance) -> bool| {
        let terms = spec.loss.values().filter_map(Term::hidden);
        terms.filter(|loss| is_it(loss.distance)).count()
    };
    let terms = |is_it: fn(&Term) -> bool| spec.loss.values().filter(|term| is_it(term)).count();
    let hidden_terms = terms(Term::is_hidden);
    let attention_terms = count(|distance| distance == HiddenDistance::Attention);
    let states = |states| {
        if hidden_terms > attention_terms {
            states
        } else {
            0
        }
    };
    let critics = spec.loss.values().filter_map(Term::critic);
    let (balance_batches, balance_every) = match spec.balance {
        BalanceSpec::None => (0, None),
        BalanceSpec::Gradient { batches, every, .. } => (batches, every),
    };
    Distillation {
        student,
        teacher,
        steps: training_steps(&spec.train),
        needs_teacher: spec.loss.values().any(Term::needs_teacher),
        compares_logits: spec.loss.values().any(Term::compares_logits),
        hidden_terms,
        projected_terms: terms(Term::is_projected),
        clouds: spec
            .loss
            .values()
            .filter_map(|term| cloud_shape(term, &spec.train, [student.width, width]))
            .collect(),
        lens_terms: count(|distance| matches!(distance, HiddenDistance::Lens { .. })),
        attention_terms,
        pairs: compared.pairs,
        valued_pairs: compared.valued,
        student_states: states(compared.student_states),
        teacher_states: states(compared.teacher_states),
        teacher_attention: if attention_terms > 0 {
            compared.teacher_states
        } else {
            0
        },
        critics: critics.map(|critic| critic_work(critic, width)).collect(),
        balance_batches,
        balance_every,
        rounded: [spec.train.precision, spec.teacher.precision()]
            .map(|precision| precision == PrecisionSpec::Bf16),
    }
}

/// Different states that a pass keeps for the pairs; the final one is there in any case.
fn kept(states: impl Iterator<Item = HiddenState>) -> usize {
    let kept: BTreeSet<HiddenState> = states
        .filter(|&state| state != HiddenState::Final)
        .collect();
    kept.len()
}

/// What a term does that compares clouds, for states of student and teacher of these widths.
fn cloud_shape(term: &Term, train: &TrainSpec, [own, other]: [usize; 2]) -> Option<CloudShape> {
    let loss = match term.hidden()?.distance {
        HiddenDistance::Mse { .. }
        | HiddenDistance::Cosine
        | HiddenDistance::Wasserstein(_)
        | HiddenDistance::Lens { .. }
        | HiddenDistance::Attention => return None,
        HiddenDistance::Cloud(loss) => loss,
    };
    let all = train.batch * train.context;
    let own = if term.is_projected() { other } else { own };
    Some(CloudShape {
        kind: match loss {
            CloudLoss::SlicedWasserstein { directions } => CloudKind::Sliced { directions },
            CloudLoss::Energy { .. } | CloudLoss::Mmd { .. } => CloudKind::Pairs,
            CloudLoss::Sinkhorn { iterations, .. } => CloudKind::Transport { iterations },
            CloudLoss::GaussianW2 => CloudKind::Covariances,
            CloudLoss::Cka => CloudKind::Cka,
        },
        tokens: loss.tokens().map_or(all, |tokens| tokens.min(all)),
        widths: [own, other],
    })
}

/// A term's critics on vectors of `input` coordinates.
fn critic_work(critic: &CriticSpec, input: usize) -> CriticWork {
    CriticWork {
        shape: CriticShape {
            input,
            width: critic.width,
            depth: critic.depth,
            has_gradient_penalty: critic.lipschitz.has_gradient_penalty(),
        },
        updates: critic.steps,
        warm_up: critic.warmup,
    }
}

#[cfg(test)]
#[path = "estimate_tests.rs"]
mod tests;
