//! The evaluation of a model: perplexity, closeness to the teacher, distances of hidden states,
//! samples, t-SNE, speed and cost.
//!
//! [`evaluate`] does all of it in a fixed order; [`perplexity()`] and [`generate`] are of use on
//! their own. Nothing here knows how a model was trained or how results are shown.

mod components;
mod cost;
mod decode;
mod distances;
mod embedding;
mod perplexity;
#[cfg(test)]
mod reference;
mod samples;
mod sampling;
mod source;
mod speed;
mod states;

use anyhow::{Result, ensure};

use crate::model::Gpt2;
use crate::ops::Ops;
use crate::record::evaluation::{
    Agreement, EmbeddingPoint, Evaluation, LayerDistance, Protocol, Sample, Size, SourceNll, Speed,
    TrainingCost,
};
use crate::spec::run::{Evaluate, State};

use distances::{Probed, layer_distances, uniform_pairs};
use states::hidden_states;

pub use cost::{distillation, plain_training};
pub use decode::{Decoder, generate};
pub use embedding::{Cloud, embed};
pub use perplexity::{Closeness, Text, compare, perplexity};
pub use samples::{Vocabulary, samples_markdown};
pub use sampling::{Sampler, Sampling};
pub use source::unigram_nats_per_token;

/// Version of the on-disk form of [`Evaluation`].
const FORMAT: u32 = 1;

/// What is evaluated, and on what.
pub struct Inputs<'a, D: Ops> {
    pub model: &'a Gpt2<D>,
    /// The student's teacher, of the same vocabulary; none when the model is itself a teacher.
    pub teacher: Option<&'a Gpt2<D>>,
    pub test: Text<'a>,
    pub validation: Text<'a>,
    pub vocabulary: Vocabulary<'a>,
    pub settings: &'a Evaluate,
    pub protocol: Protocol,
    /// Bytes of the model's `model.safetensors`.
    pub bytes: u64,
    pub training: Option<TrainingCost>,
    pub source: Option<SourceNll>,
}

/// What an evaluation leaves behind; nothing of it depends on time.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluated {
    pub evaluation: Evaluation,
    pub samples: Vec<Sample>,
    pub embedding: Vec<EmbeddingPoint>,
}

/// Evaluates a student against its teacher, or a teacher alone.
///
/// # Errors
/// A split too short to score, tokens that cannot be decoded, or no thread for the t-SNE.
pub fn evaluate<D: Ops>(inputs: Inputs<D>) -> Result<Evaluated> {
    let Evaluate {
        context, stride, ..
    } = *inputs.settings;
    for (name, text) in [("test", &inputs.test), ("validation", &inputs.validation)] {
        let (tokens, words) = (text.tokens.len(), text.words);
        ensure!(
            tokens > 1 && words > 0,
            "the {name} split has {tokens} tokens and {words} words: too little to measure a \
             perplexity on"
        );
        ensure!(
            context > 1,
            "windows of evaluate.context = 1 token predict nothing; write 2 or more"
        );
    }
    let (test, closeness) = compare(inputs.model, inputs.teacher, &inputs.test, context, stride);
    let validation = perplexity(inputs.model, &inputs.validation, context, stride);
    let (layers, embedding) = compare_states(&inputs)?;

    let weights = inputs.model.to_weights();
    let teacher_weights = inputs.teacher.map(Gpt2::to_weights);
    let teacher = inputs
        .teacher
        .zip(teacher_weights.as_ref())
        .map(|(teacher, weights)| (&teacher.config, weights));
    let samples = samples::write_samples(
        &inputs.settings.samples,
        &inputs.test,
        inputs.vocabulary,
        (&inputs.model.config, &weights),
        teacher,
    )?;

    let teacher = closeness.map(
        |Closeness {
             kl_nats_per_token,
             top1,
         }| Agreement {
            kl_nats_per_token,
            top1,
            layers,
        },
    );
    let model = size(inputs.model, inputs.bytes, context);
    let evaluation = Evaluation {
        format: FORMAT,
        protocol: inputs.protocol,
        model,
        test,
        validation,
        teacher,
        training: inputs.training,
        source: inputs.source,
    };
    Ok(Evaluated {
        evaluation,
        samples,
        embedding,
    })
}

/// Measures how fast a model reads and writes. Nothing else should run beside it.
pub fn measure_speed<D: Ops>(model: &Gpt2<D>, tokens: &[u32], context: usize) -> Speed {
    speed::measure(&model.config, &model.to_weights(), tokens, context)
}

/// Distances per layer and the picture of the final states. The states of both models are held only
/// here.
fn compare_states<D: Ops>(inputs: &Inputs<D>) -> Result<(Vec<LayerDistance>, Vec<EmbeddingPoint>)> {
    let Evaluate {
        context,
        probe_tokens,
        directions,
        embed_tokens,
        ..
    } = *inputs.settings;
    let probe = &inputs.test.tokens[..probe_tokens.min(inputs.test.tokens.len())];
    let (model, teacher) = (
        &inputs.model.config,
        inputs.teacher.map(|teacher| &teacher.config),
    );
    let pairs = teacher.map_or_else(Vec::new, |teacher| {
        uniform_pairs(model.layers, teacher.layers)
    });
    let keep = |layers: Vec<usize>| -> Vec<State> {
        layers
            .into_iter()
            .map(State::Layer)
            .chain([State::Final])
            .collect()
    };

    let own = hidden_states(
        inputs.model,
        probe,
        context,
        &keep(pairs.iter().map(|pair| pair.0).collect()),
    );
    let own = Probed {
        states: &own,
        width: model.width,
    };
    let other = inputs.teacher.map(|teacher| {
        hidden_states(
            teacher,
            probe,
            context,
            &keep(pairs.iter().map(|pair| pair.1).collect()),
        )
    });
    let other = other.as_ref().zip(teacher).map(|(states, config)| Probed {
        states,
        width: config.width,
    });
    let layers = other.map_or_else(Vec::new, |other| {
        layer_distances(&pairs, own, other, directions)
    });

    let embedded = embed_tokens.min(probe.len());
    let embedding = match (other, teacher) {
        (Some(other), Some(teacher)) => embed(&[
            cloud("teacher", other, teacher.layers, embedded),
            cloud("student", own, model.layers, embedded),
        ])?,
        _ => embed(&[cloud("teacher", own, model.layers, embedded)])?,
    };
    Ok((layers, embedding))
}

/// The final states of the first `tokens` tokens of the probe.
fn cloud<'a>(model: &'a str, probed: Probed<'a>, layers: usize, tokens: usize) -> Cloud<'a> {
    Cloud {
        model,
        states: &probed.states[&State::Final][..tokens * probed.width],
        width: probed.width,
        layers,
    }
}

/// Parameters, bytes and cost of a model.
fn size<D: Ops>(model: &Gpt2<D>, bytes: u64, context: usize) -> Size {
    let config = &model.config;
    Size {
        layers: config.layers,
        width: config.width,
        heads: config.heads,
        vocabulary: config.vocabulary,
        positions: config.positions,
        parameters: config.parameters(),
        parameters_without_embeddings: config.other_parameters(),
        bytes,
        forward_flops_per_token: config.forward_flops_per_token(context),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Config;
    use crate::random::Stream;
    use crate::spec::run::Samples;
    use dfdx::prelude::Cpu;

    fn run(with_teacher: bool, threads: usize) -> Evaluated {
        let device = Cpu::default();
        let (own, other) = (Config::new(2, 12, 2, 29, 64), Config::new(3, 18, 3, 29, 64));
        let model = Gpt2::from_weights(&device, &own, &reference::sharp(&own, 1)).unwrap();
        let teacher = Gpt2::from_weights(&device, &other, &reference::sharp(&other, 2)).unwrap();
        let mut stream = Stream::new(1, "test", 0);
        let test: Vec<u32> = (0..400)
            .map(|i| {
                if i % 100 == 99 {
                    0
                } else {
                    1 + stream.below(28) as u32
                }
            })
            .collect();
        let decode = |tokens: &[u32]| {
            Ok(tokens
                .iter()
                .map(|&token| char::from(b'a' + token as u8 % 26))
                .collect())
        };
        let settings = Evaluate {
            context: 32,
            stride: 16,
            samples: Samples {
                prompts: 2,
                tokens: 40,
            },
            probe_tokens: 100,
            directions: 8,
            embed_tokens: 20,
        };
        let protocol = Protocol {
            context: 32,
            stride: 16,
            rows: "text".into(),
            detokenize: "none".into(),
            tokenizer: "hash".into(),
            trained_on_train_split: true,
        };
        let inputs = Inputs {
            model: &model,
            teacher: with_teacher.then_some(&teacher),
            test: Text {
                tokens: &test,
                documents: &[0, 100, 200, 300],
                words: 300,
                bytes: 1600,
            },
            validation: Text {
                tokens: &test[..200],
                documents: &[0, 100],
                words: 150,
                bytes: 800,
            },
            vocabulary: Vocabulary {
                decode: &decode,
                end_of_text: 0,
            },
            settings: &settings,
            protocol,
            bytes: 1234,
            training: None,
            source: None,
        };
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap()
            .install(|| evaluate(inputs).unwrap())
    }

    #[test]
    fn a_student_is_compared_with_its_teacher() {
        let found = run(true, 2);
        let teacher = found.evaluation.teacher.as_ref().unwrap();
        assert!(teacher.kl_nats_per_token > 0.1 && teacher.top1 < 0.5);
        let pairs: Vec<(usize, usize)> = teacher
            .layers
            .iter()
            .map(|layer| (layer.student, layer.teacher))
            .collect();
        assert_eq!(pairs, [(1, 2), (2, 3)]);
        assert!(
            teacher
                .layers
                .iter()
                .all(|layer| layer.sliced_w2.is_none() && (0.0..1.0).contains(&layer.cka))
        );
        assert_eq!(found.evaluation.test.documents.len(), 4);
        assert_eq!(found.evaluation.validation.tokens, 200);
        assert_eq!(found.evaluation.model.bytes, 1234);
        assert_eq!(found.samples.len(), 2);
        assert!(
            found
                .samples
                .iter()
                .all(|sample| sample.prompt.len() == 24 && sample.teacher.is_some())
        );
        let counts = ["teacher", "student"].map(|model| {
            found
                .embedding
                .iter()
                .filter(|point| point.model == model)
                .count()
        });
        assert_eq!(counts, [20, 20]);
        assert!(found.embedding.iter().all(|point| point.x.is_finite()
            && point.layer == if point.model == "teacher" { 3 } else { 2 }));
    }

    #[test]
    fn a_teacher_alone_has_no_comparison() {
        let found = run(false, 2);
        assert_eq!(found.evaluation.teacher, None);
        assert!(found.samples.iter().all(|sample| sample.teacher.is_none()));
        assert!(found.embedding.iter().all(|point| point.model == "teacher"));
    }

    #[test]
    fn everything_but_time_is_the_same_bits_for_any_number_of_threads() {
        let (one, three) = (run(true, 1), run(true, 3));
        assert_eq!(
            serde_json::to_string(&one.evaluation).unwrap(),
            serde_json::to_string(&three.evaluation).unwrap()
        );
        assert_eq!(one.samples, three.samples);
        assert_eq!(one.embedding, three.embedding);
    }

    #[test]
    fn what_is_stored_reads_back() {
        let found = run(true, 1).evaluation;
        let read: Evaluation =
            serde_json::from_str(&serde_json::to_string(&found).unwrap()).unwrap();
        assert_eq!(
            (
                &read.protocol,
                read.test.scored_tokens,
                read.model.parameters
            ),
            (
                &found.protocol,
                found.test.scored_tokens,
                found.model.parameters
            )
        );
        assert!((read.test.nll_nats_per_token / found.test.nll_nats_per_token - 1.0).abs() < 1e-14);
    }
}
