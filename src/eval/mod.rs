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
mod samples;
mod sampling;
mod speed;
mod states;
mod targeted;
#[cfg(test)]
mod test_gpt2_f64;
mod treatment;
mod watch;
mod windows;

use std::collections::BTreeMap;

use anyhow::{Result, ensure};

use crate::cost::EvaluationWork;
use crate::data::Task;
use crate::model::Gpt2;
use crate::ops::Ops;
use crate::plan::run::{EvaluateSpec, Matching};
use crate::record::evaluation::{
    Agreement, EmbeddingPoint, Evaluation, LayerDistance, Perplexity, Protocol, SharedCounts, Size,
    SourceNll, Speed, TextSample, TrainingCost, Treatment,
};

use distances::{layer_distances, uniform_pairs};
use states::{Probe, ProbeStates};
use treatment::{floor, treatment};
use watch::go_on;

pub use cost::{distillation, plain_training};
pub use decode::{Decoder, TextWriter, TokenReader, generate};
pub use embedding::{Cloud, embed};
pub use perplexity::{Closeness, Text, perplexity, perplexity_and_closeness};
pub use samples::{Vocabulary, samples_markdown};
pub use sampling::{Sampler, Sampling};
pub use treatment::measured_pairs;
pub use watch::{EvaluationStopped, EvaluationWatch, Unwatched};

/// Version of the on-disk form of [`Evaluation`].
const FORMAT: u32 = 1;

/// What is evaluated, and on what.
pub struct EvaluationInputs<'a, D: Ops> {
    pub model: &'a Gpt2<D>,
    /// The student's teacher, of the same vocabulary; none when the model is itself a teacher.
    pub teacher: Option<&'a Gpt2<D>>,
    pub test: Text<'a>,
    pub validation: Text<'a>,
    pub vocabulary: Vocabulary<'a>,
    pub settings: &'a EvaluateSpec,
    /// What the training of a student matched.
    pub matched: &'a Matching,
    /// What it is asked, by name.
    pub tasks: &'a BTreeMap<String, Task>,
    pub protocol: Protocol,
    /// Bytes of the model's `model.safetensors`.
    pub bytes: u64,
    pub training: Option<TrainingCost>,
    pub source: Option<SourceNll>,
    pub shared: Option<SharedCounts>,
    pub watch: &'a dyn EvaluationWatch,
}

/// What an evaluation leaves behind; nothing of it depends on time.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluated {
    pub evaluation: Evaluation,
    pub samples: Vec<TextSample>,
    pub embedding: Vec<EmbeddingPoint>,
}

/// Evaluates a student against its teacher, or a teacher alone.
///
/// # Errors
/// A split too short to score, tokens that cannot be decoded, or no thread for the t-SNE;
/// [`EvaluationStopped`].
pub fn evaluate<D: Ops>(inputs: EvaluationInputs<D>) -> Result<Evaluated> {
    let (context, stride) = (inputs.settings.context, inputs.settings.stride);
    check_splits(&inputs)?;
    let (watch, flops) = (inputs.watch, work(&inputs).flops());
    watch.expect(flops.total() + targeted::flops(inputs.model, inputs.tasks, context));
    let (model, teacher) = (inputs.model, inputs.teacher);
    let (test, closeness) =
        perplexity_and_closeness(model, teacher, &inputs.test, (context, stride), watch);
    let validation = perplexity(model, &inputs.validation, context, stride, watch);
    go_on(watch, 0.0)?;
    ensure_numbers(&test, &validation)?;
    let (layers, embedding) = compare_states(&inputs)?;
    go_on(watch, flops.states + flops.embedding)?;
    let embedding = with_texts(embedding, &inputs)?;
    let samples = samples::write_samples(
        &inputs.settings.samples,
        &inputs.test,
        inputs.vocabulary,
        model,
        teacher,
        watch,
    )?;
    go_on(watch, flops.samples)?;

    let treatment = measure_treatment(&inputs);
    go_on(watch, flops.treatment_states)?;
    let end = inputs.vocabulary.end_of_text;
    let tasks = targeted::answers(model, inputs.tasks, end, context, watch);
    go_on(watch, 0.0)?;
    let agreement = closeness.map(|closeness| Agreement {
        kl_nats_per_token: closeness.kl_nats_per_token,
        top1: closeness.top1,
        layers,
    });
    let evaluation = Evaluation {
        format: FORMAT,
        protocol: inputs.protocol,
        model: size(inputs.model, inputs.bytes, context),
        test,
        validation,
        teacher: agreement,
        training: inputs.training,
        source: inputs.source,
        treatment,
        tasks,
        shared: inputs.shared,
    };
    Ok(Evaluated {
        evaluation,
        samples,
        embedding,
    })
}

/// The points of a picture with the texts of their tokens; none where some have no place, as that
/// is no picture.
fn with_texts<D: Ops>(
    mut embedding: Vec<EmbeddingPoint>,
    inputs: &EvaluationInputs<D>,
) -> Result<Vec<EmbeddingPoint>> {
    let has_place = |point: &EmbeddingPoint| point.x.is_finite() && point.y.is_finite();
    if !embedding.iter().all(has_place) {
        embedding.clear();
    }
    for point in &mut embedding {
        let token = &inputs.test.tokens[point.token as usize];
        point.text = Some((inputs.vocabulary.decode)(std::slice::from_ref(token))?);
    }
    Ok(embedding)
}

/// Refuses losses that are no numbers.
fn ensure_numbers(test: &Perplexity, validation: &Perplexity) -> Result<()> {
    for (split, found) in [("test", test), ("validation", validation)] {
        ensure!(
            found.nll_nats_per_token.is_finite(),
            "the predictions of this model on the {split} split are no numbers (NLL {}): its \
             weights are broken",
            found.nll_nats_per_token
        );
    }
    Ok(())
}

/// Whether both splits hold enough to score, and windows predict a token.
fn check_splits<D: Ops>(inputs: &EvaluationInputs<D>) -> Result<()> {
    for (name, text) in [("test", &inputs.test), ("validation", &inputs.validation)] {
        let tokens = text.tokens.len();
        ensure!(
            tokens > 1,
            "the {name} split has {tokens} tokens: too little to measure a perplexity on, which \
             needs 2"
        );
        ensure!(
            inputs.settings.context > 1,
            "windows of evaluate.context = 1 token predict nothing; write 2 or more"
        );
    }
    Ok(())
}

/// Measures how fast a model reads and writes. Nothing else should run beside it.
/// None where `watch` stopped it.
pub fn measure_speed<D: Ops>(
    model: &Gpt2<D>,
    tokens: &[u32],
    context: usize,
    watch: &dyn EvaluationWatch,
) -> Option<Speed> {
    speed::measure(model, tokens, context, watch)
}

/// What the evaluation takes.
fn work<D: Ops>(inputs: &EvaluationInputs<D>) -> EvaluationWork {
    let EvaluateSpec {
        context,
        stride,
        probe_tokens,
        embed_tokens,
        treatment_tokens,
        ..
    } = *inputs.settings;
    let (model, teacher) = (inputs.model, inputs.teacher);
    let pairs = teacher.map_or(model.config.layers + 1, |teacher| {
        measured_pairs(inputs.matched, model.config.layers, teacher.config.layers).len()
    });
    EvaluationWork {
        model: model.config.shape(),
        teacher: teacher.map(|teacher| teacher.config.shape()),
        test_tokens: inputs.test.tokens.len() as f64,
        validation_tokens: inputs.validation.tokens.len() as f64,
        context,
        stride,
        probe_tokens,
        embed_tokens,
        prompts: inputs.settings.samples.prompts,
        sample_tokens: inputs.settings.samples.tokens,
        treatment_tokens: treatment_tokens.min(inputs.test.tokens.len() / 2),
        measured_pairs: pairs,
        // Their items count themselves.
        task_tokens: 0.0,
    }
}

/// Distances per layer and the picture of the final states. The states of both models are held only
/// here.
fn compare_states<D: Ops>(
    inputs: &EvaluationInputs<D>,
) -> Result<(Vec<LayerDistance>, Vec<EmbeddingPoint>)> {
    let EvaluateSpec {
        context,
        probe_tokens,
        directions,
        embed_tokens,
        ..
    } = *inputs.settings;
    let probe = Probe::of(inputs.test.tokens, context, probe_tokens);
    let shown = probe.some(embed_tokens);
    let model = inputs.model;
    let picture = |models: &[(&str, &ProbeStates, usize)]| -> Result<Vec<EmbeddingPoint>> {
        let rows = models.iter().map(|model| model.1.final_rows(&shown));
        let rows: Vec<Vec<f32>> = rows.collect();
        let clouds = models.iter().zip(&rows);
        let clouds = clouds.map(|(&(model, states, layers), rows)| Cloud {
            model,
            states: rows,
            width: states.width,
            layers,
        });
        let mut points = embed(&clouds.collect::<Vec<_>>())?;
        for point in &mut points {
            point.token = probe.places[shown[point.token as usize]] as u32;
        }
        Ok(points)
    };
    let depth = model.config.layers;
    let Some(teacher) = inputs.teacher else {
        let own = ProbeStates::read(model, &probe, std::iter::empty());
        return Ok((Vec::new(), picture(&[("teacher", &own, depth)])?));
    };
    let pairs = uniform_pairs(depth, teacher.config.layers);
    let own = ProbeStates::read(model, &probe, pairs.iter().map(|pair| pair.0));
    let other = ProbeStates::read(teacher, &probe, pairs.iter().map(|pair| pair.1));
    let distances = layer_distances(&pairs, &own, &other, directions);
    let embedding = picture(&[
        ("teacher", &other, teacher.config.layers),
        ("student", &own, depth),
    ])?;
    Ok((distances, embedding))
}

/// How far a student's states are from its teacher's, or a teacher's from its own on another text.
fn measure_treatment<D: Ops>(inputs: &EvaluationInputs<D>) -> Option<Treatment> {
    let EvaluateSpec {
        context,
        treatment_tokens,
        directions,
        ..
    } = *inputs.settings;
    let how = (context, treatment_tokens, directions);
    let (text, model) = (inputs.test.tokens, inputs.model);
    let Some(teacher) = inputs.teacher else {
        return floor(model, text, how, inputs.watch);
    };
    let depths = (model.config.layers, teacher.config.layers);
    let pairs = measured_pairs(inputs.matched, depths.0, depths.1);
    treatment(model, teacher, text, how, &pairs, inputs.watch)
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
        parameters_without_embeddings: config.shape().other_parameters() as u64,
        bytes,
        forward_flops_per_token: config.shape().forward_flops(context),
    }
}

#[cfg(test)]
#[path = "eval_tests.rs"]
mod tests;
