//! `eval.json` and `speed.json`: what an evaluation found, as `eval` fills it in and `report` reads
//! it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::plan::run::HiddenState;

/// The evaluation of one model (a run's student or a teacher) on one protocol. Holds no measurement
/// of time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    pub format: u32,
    pub protocol: Protocol,
    pub model: Size,
    pub test: Perplexity,
    pub validation: Perplexity,
    /// Against the teacher; absent in a teacher's own evaluation.
    pub teacher: Option<Agreement>,
    /// Counted floating-point operations of the training that made the model; absent for a model
    /// that came trained.
    pub training: Option<TrainingCost>,
    /// What an untrained observer knows of the test text.
    pub source: Option<SourceNll>,
    /// Of a student, how far its states are from its teacher's; of a teacher, what two samples of
    /// its own are apart. Absent where nothing was asked for, and in records of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub treatment: Option<Treatment>,
    /// What it answered, by the name of the task.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tasks: BTreeMap<String, TaskResult>,
    /// Documents that two splits have; absent in records of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shared: Option<SharedCounts>,
}

/// What a model answered in a task, by what its items are about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TaskResult {
    pub answers: BTreeMap<String, TaskAnswers>,
}

/// Answers to items, in their order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TaskAnswers {
    /// "1" for an item that is answered right, "0" for another.
    pub right: String,
    /// Mean over the items, in nats: of pairs log p(right) − log p(wrong), of words log p(word);
    /// absent where it is no number.
    pub mean_nats: Option<f64>,
}

impl TaskAnswers {
    /// Of items that are right or not, by so many nats.
    pub fn new(found: &[(bool, f64)]) -> Self {
        let nats: f64 = found.iter().map(|(_, nats)| nats).sum();
        Self {
            right: found
                .iter()
                .map(|(right, _)| if *right { '1' } else { '0' })
                .collect(),
            mean_nats: finite(nats / found.len() as f64),
        }
    }

    /// Of every item 1 where it is answered right, and 0 else.
    pub fn scores(&self) -> impl Iterator<Item = f64> + '_ {
        self.right
            .bytes()
            .map(|byte| f64::from(u8::from(byte == b'1')))
    }
}

/// How many documents of the validation and test splits stand in another split too, and of how many
/// documents. Those without a visible character do not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SharedCounts {
    pub validation_in_train: u64,
    pub test_in_train: u64,
    pub test_in_validation: u64,
    pub validation_documents: u64,
    pub test_documents: u64,
}

/// How perplexities were measured; values of different protocols are never compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Protocol {
    pub context: usize,
    pub stride: usize,
    /// "text", "lines", "documents" or "articles".
    pub rows: String,
    pub detokenize: String,
    /// sha256 of tokenizer.json.
    pub tokenizer: String,
    /// Whether the model was trained on the training split of this dataset; absent where that is
    /// not known, as of a model that came trained. Earlier versions wrote false there.
    pub trained_on_train_split: Option<bool>,
}

/// Parameters and bytes of a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Size {
    pub layers: usize,
    pub width: usize,
    pub heads: usize,
    pub vocabulary: usize,
    pub positions: usize,
    /// All parameters; the tied head counts once.
    pub parameters: u64,
    pub parameters_without_embeddings: u64,
    /// Bytes of model.safetensors.
    pub bytes: u64,
    /// Floating-point operations of one forward pass per token at the evaluation's context (a
    /// multiply-add is two).
    pub forward_flops_per_token: f64,
}

/// Perplexity of one split: per token, and per word and byte of the text, so that models of other
/// tokenizers can be compared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Perplexity {
    /// Tokens of the split.
    pub tokens: u64,
    pub scored_tokens: u64,
    pub words: u64,
    pub bytes: u64,
    /// Mean over the scored tokens.
    pub nll_nats_per_token: f64,
    /// Absent where it is beyond the numbers of 64 bits, as the next is more often.
    pub perplexity: Option<f64>,
    /// Absent of a text without spaces, whose few words have thousands of nats each.
    pub word_perplexity: Option<f64>,
    /// Absent of a text of no bytes.
    pub bits_per_byte: Option<f64>,
    /// Per document of the split, in order: (sum of nats, scored tokens). At most 10,000 groups;
    /// longer splits put neighbouring documents together.
    pub documents: Vec<(f64, u64)>,
}

impl Perplexity {
    /// Why a quantity is absent, in words, by its name; nothing of those that are there.
    pub fn absent(&self) -> BTreeMap<&'static str, String> {
        let Self { tokens, words, .. } = self;
        let too_large = "is larger than any number of 64 bits".to_owned();
        let of_words = match words {
            0 => "the text has no words: all of it is white space".to_owned(),
            words => format!(
                "it {too_large}: the {tokens} tokens of the text are {words} words, by white space"
            ),
        };
        let quantities = [
            ("perplexity", self.perplexity, format!("it {too_large}")),
            ("word_perplexity", self.word_perplexity, of_words),
            (
                "bits_per_byte",
                self.bits_per_byte,
                "the text has no bytes".to_owned(),
            ),
        ];
        let absent = quantities
            .into_iter()
            .filter(|(_, value, _)| value.is_none());
        absent.map(|(name, _, why)| (name, why)).collect()
    }
}

/// Closeness to the teacher on the test split, scored as perplexity is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Agreement {
    /// Mean KL(teacher ‖ student) in nats per token at temperature 1; absent where it is beyond
    /// all numbers.
    pub kl_nats_per_token: Option<f64>,
    /// Share of tokens whose most probable next token is the teacher's.
    pub top1: f64,
    /// Along the uniform map, whatever the run was trained on.
    pub layers: Vec<LayerDistance>,
}

impl Agreement {
    /// Why a quantity is absent, in words, by its name; nothing of those that are there. (Sliced W2
    /// is absent wherever widths differ.)
    pub fn absent(&self) -> BTreeMap<&'static str, String> {
        let mut absent = BTreeMap::new();
        if self.kl_nats_per_token.is_none() {
            let why = "a prediction is beyond the numbers of 32 bits";
            absent.insert("kl_nats_per_token", why.to_owned());
        }
        if let Some(layer) = self.layers.iter().find(|layer| layer.cka.is_none()) {
            let why = format!(
                "layer {} of the student, or {} of the teacher, gives every token the same state",
                layer.student, layer.teacher
            );
            absent.insert("cka", why);
        }
        absent
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LayerDistance {
    pub student: usize,
    pub teacher: usize,
    /// Linear CKA of the probe tokens' states (1 is the same up to rotation and scale); absent of
    /// a layer that gives every token the same state (earlier versions wrote 0).
    pub cka: Option<f64>,
    /// Sliced W2 over fixed directions; only where both widths are equal.
    pub sliced_w2: Option<f64>,
}

/// How far hidden states are from those of the teacher, on samples of the whole test split.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Treatment {
    /// Of each of the two samples.
    pub tokens: u64,
    /// In order.
    pub pairs: Vec<MeasuredPair>,
}

/// A state of the student and one of the teacher.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MeasuredPair {
    pub student_state: HiddenState,
    pub teacher_state: HiddenState,
    /// Linear CKA, token by token.
    pub cka: Option<f64>,
    /// Of the states as they are; absent where widths differ.
    pub raw: Option<CloudDistances>,
    /// Of the states with every row standardised; absent where widths differ.
    pub layernorm: Option<CloudDistances>,
}

/// How far the student's states on one sample are from the teacher's on the other. What is beyond
/// all numbers is absent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CloudDistances {
    /// Wasserstein-1, exact.
    pub w1: Option<f64>,
    /// Sliced Wasserstein-2 over fixed directions.
    pub sliced_w2: Option<f64>,
    /// Energy distance, unbiased.
    pub energy: Option<f64>,
    /// Mean squared difference token by token, on one sample; absent in a teacher's own.
    pub mse: Option<f64>,
}

/// Counted floating-point operations of a training, so that arms of different cost can be put on
/// one axis.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrainingCost {
    pub student_flops: f64,
    pub teacher_flops: f64,
    pub critic_flops: f64,
    /// Tokens predicted during training.
    pub tokens: u64,
}

impl TrainingCost {
    /// All operations.
    pub fn flops(&self) -> f64 {
        self.student_flops + self.teacher_flops + self.critic_flops
    }
}

/// Reference points that need no model: the source's own probability, and word frequencies alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SourceNll {
    /// The synthetic source's own NLL of this very test text, in nats per token of this tokenizer.
    pub exact_nats_per_token: Option<f64>,
    /// The grammar's entropy rate, the lower bound in expectation, in nats per token of this
    /// tokenizer.
    pub entropy_nats_per_token: Option<f64>,
    /// A unigram model of the training split's tokens (add-one), on the test split.
    pub unigram_nats_per_token: Option<f64>,
}

/// `speed.json`: measurements of time, which no checksum covers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Speed {
    pub prefill_tokens_per_second: f64,
    pub decode_tokens_per_second: f64,
    /// Prompt length of the two.
    pub context: usize,
    pub threads: usize,
}

/// A sample of text: `samples.json` beside `samples.md`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TextSample {
    pub prompt: String,
    /// What the test text says next.
    pub reference: String,
    pub teacher: Option<String>,
    pub student: String,
}

/// A point of `embedding.parquet`: columns `model` ("student" or "teacher"), `token` (its place in
/// the test split), `text` (what it stands for; not in files of builds before), `layer`, `x`, `y`.
#[derive(Debug, Clone, PartialEq)]
pub struct EmbeddingPoint {
    pub model: String,
    pub token: u32,
    pub text: Option<String>,
    pub layer: u32,
    pub x: f64,
    pub y: f64,
}

/// A number that may be written; JSON has no others.
pub fn finite(value: f64) -> Option<f64> {
    Some(value).filter(|value| value.is_finite())
}

/// Names and values of a metric row, as `metrics.parquet` has them in columns.
pub type MetricValues = BTreeMap<String, f64>;
