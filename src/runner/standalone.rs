//! One model without a study: how well it predicts a text, and what it writes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use serde::Serialize;

use super::device::{DeviceWork, on_device, why_no_device};
use super::fit::{ensure_finite, ensure_predicts, ensure_rows};
use crate::data::{Single, Tokenizer, Utf8Stream, single};
use crate::eval::{Decoder, Sampler, Sampling, Text, TokenReader, Unwatched, generate, perplexity};
use crate::hub::{Hub, Repo, is_name, why_no_model};
use crate::model::{Config, Gpt2, ModelFolder, ReadingModel, TokenIds, Weights};
use crate::ops::Ops;
use crate::plan::path::InputPath;
use crate::plan::run::DeviceSpec;
use crate::record::evaluation::Perplexity;

/// A GPT-2 with its tokenizer.
pub struct OneModel {
    device: DeviceSpec,
    checkpoint: ModelFolder,
    tokenizer: Tokenizer,
    ids: TokenIds,
}

/// How well a model predicts a text, and how that was measured.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TextScore {
    /// Tokens of the text.
    pub tokens: u64,
    /// Those of them that are special, such as `<|endoftext|>`: the text spells them, or the
    /// tokenizer puts them around every text.
    pub special_tokens: u64,
    pub scored_tokens: u64,
    pub words: u64,
    pub bytes: u64,
    /// Mean negative log-likelihood of a scored token.
    pub nll_nats: f64,
    /// These are absent where the text has no such quantity, or no number holds it.
    pub perplexity: Option<f64>,
    pub word_perplexity: Option<f64>,
    pub bits_per_byte: Option<f64>,
    pub context: usize,
    pub stride: usize,
    /// sha256 of the tokenizer.json that the model's folder has or amounts to.
    pub tokenizer: String,
    /// What computed it, where that was not the processor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hardware: Option<String>,
    /// Why a quantity is absent, by its name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub absent: BTreeMap<&'static str, String>,
}

/// What a model wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GeneratedText {
    pub prompt: String,
    /// Behind the prompt.
    pub text: String,
    pub new_tokens: usize,
    /// Whether it ended by itself.
    pub ended: bool,
    /// What wrote it, where that was not the processor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hardware: Option<String>,
}

/// The folder of a model: itself, or where the hub's cache has it.
fn folder_of(model: &Path, hub: &Hub) -> Result<PathBuf> {
    if let Some(message) = why_no_model(model) {
        bail!(message);
    }
    if model.is_dir() {
        return Ok(model.to_owned());
    }
    let given = model
        .to_str()
        .filter(|_| !model.exists())
        .unwrap_or_default();
    let (name, revision) = given.split_once('@').unwrap_or((given, "main"));
    ensure!(
        is_name(name),
        "{} is not a folder; give one with config.json, model.safetensors and a tokenizer",
        model.display()
    );
    let repo = Repo::model(name, revision);
    let snapshot = hub.tokenizer(&repo).and_then(|_| hub.weights(&repo));
    Ok(snapshot
        .with_context(|| format!("{given} is not a folder here, and cannot be had from the hub"))?
        .folder)
}

/// A text that is to be scored.
struct Scoring<'a> {
    model: &'a OneModel,
    path: &'a Path,
    text: Text<'a>,
    /// Context and stride.
    windows: (usize, usize),
}

impl DeviceWork for Scoring<'_> {
    type Output = Result<(Perplexity, Option<String>)>;

    fn on<D: Ops>(self, device: &D) -> Self::Output {
        let model = self.model.model_on(device, self.text.tokens, self.path)?;
        let (context, stride) = self.windows;
        let found = perplexity(&model, &self.text, context, stride, &Unwatched);
        Ok((found, device.hardware()))
    }
}

/// A text that is to be written.
struct Writing<'a, F> {
    config: &'a Config,
    weights: &'a Weights,
    prompt: &'a [u32],
    count: usize,
    sampler: Sampler,
    stops: &'a [u32],
    /// Hears of every new token.
    each: F,
}

impl<F: FnMut(u32)> DeviceWork for Writing<'_, F> {
    type Output = Result<(Vec<u32>, Option<String>)>;

    fn on<D: Ops>(mut self, device: &D) -> Self::Output {
        let model;
        let mut reader: Box<dyn TokenReader> = if D::writes_on_arrays() {
            Box::new(Decoder::new(self.config, self.weights))
        } else {
            model = Gpt2::from_weights(device, self.config, self.weights)?;
            Box::new(ReadingModel::new(&model))
        };
        let (sampler, each) = (&mut self.sampler, &mut self.each);
        let new = generate(
            &mut *reader,
            self.prompt,
            self.count,
            sampler,
            self.stops,
            each,
        );
        Ok((new, device.hardware()))
    }
}

/// Context and stride of the windows that a text is scored in.
fn windows(
    positions: usize,
    context: Option<usize>,
    stride: Option<usize>,
) -> Result<(usize, usize)> {
    let context = context.unwrap_or(positions);
    ensure!(
        (2..=positions).contains(&context),
        "--context {context} is out of range: this model takes 2 to {positions}"
    );
    let stride = stride.unwrap_or(context);
    ensure!(
        (1..=context).contains(&stride),
        "--stride {stride} is out of range: it is 1 to the context, {context}"
    );
    Ok((context, stride))
}

impl OneModel {
    /// Reads a folder with config.json, weights and tokenizer, or the model of the hub that is
    /// called so, `@` and a revision behind its name where that is not `main`. What is asked of
    /// it is computed on a device.
    ///
    /// # Errors
    /// A folder that is not there, or has something in it that cannot be used; what the hub says;
    /// a device that this machine does not have.
    pub fn open(model: &Path, hub: &Hub, device: DeviceSpec) -> Result<Self> {
        if let Some(why) = why_no_device(device) {
            bail!(why);
        }
        let folder = &folder_of(model, hub)?;
        let checkpoint = ModelFolder::open(folder)?;
        let tokenizer = Tokenizer::open(folder)?;
        // More rows than tokens are padding, which many models have: their logits take part in
        // every softmax, as in transformers. Fewer are a matter of the text.
        Ok(Self {
            device,
            checkpoint,
            tokenizer,
            ids: TokenIds::read(folder)?,
        })
    }

    /// What is worth a word about the model as it is stored.
    pub fn notes(&self) -> &[String] {
        &self.checkpoint.notes
    }

    /// The model in memory, if it can be used on a text.
    fn model_on<D: Ops>(&self, device: &D, tokens: &[u32], path: &Path) -> Result<Gpt2<D>> {
        let text = path.display().to_string();
        self.ensure_rows(tokens, &text)?;
        let model = Gpt2::from_checkpoint(device, &self.checkpoint);
        ensure_predicts(&model, tokens, "the model", &text)?;
        Ok(model)
    }

    fn ensure_rows(&self, tokens: &[u32], text: &str) -> Result<()> {
        ensure_rows(
            self.checkpoint.config.vocabulary,
            tokens,
            &self.tokenizer,
            text,
        )
    }

    /// Positions that the model knows.
    pub fn positions(&self) -> usize {
        self.checkpoint.config.positions
    }

    /// Perplexity of a text by windows of `context` tokens every `stride`: by default the model's
    /// positions, and the context.
    ///
    /// Every token is scored at most once, in the first window that holds it and at least one token
    /// before it: the loop of transformers' page on perplexity, weighted by the number of tokens
    /// that are scored. NLL per token is the sum over them divided by that number; perplexity is
    /// its exponential.
    ///
    /// # Errors
    /// A text that cannot be read, is empty or of one token; a context beyond the model's
    /// positions, a stride beyond the context; a model whose predictions are no numbers.
    pub fn score(
        &self,
        path: &Path,
        context: Option<usize>,
        stride: Option<usize>,
    ) -> Result<TextScore> {
        let (context, stride) = windows(self.positions(), context, stride)?;
        let written = path.to_str().unwrap_or_default();
        if let Some(tilde) = InputPath::new(written, Path::new("")).tilde() {
            bail!("there is no {written}: {}; {}", tilde.reason, tilde.remedy);
        }
        let Single {
            tokens,
            words,
            bytes,
        } = single(path, &self.tokenizer)?;
        let tokens = self.tokenizer.frame().around(tokens);
        ensure!(
            tokens.len() > 1,
            "{} has one token, and the first is never predicted; give a longer text",
            path.display()
        );
        let special_tokens = tokens
            .iter()
            .filter(|&&token| self.tokenizer.is_special(token))
            .count() as u64;
        let scoring = Scoring {
            model: self,
            path,
            text: Text {
                tokens: &tokens,
                documents: &[0],
                words,
                bytes,
            },
            windows: (context, stride),
        };
        let (found, hardware) = on_device(self.device, scoring)??;
        ensure!(
            found.nll_nats_per_token.is_finite(),
            "the model's predictions are no numbers (NLL {}): its weights are broken",
            found.nll_nats_per_token
        );
        Ok(TextScore {
            tokens: found.tokens,
            special_tokens,
            scored_tokens: found.scored_tokens,
            words,
            bytes,
            nll_nats: found.nll_nats_per_token,
            perplexity: found.perplexity,
            word_perplexity: found.word_perplexity,
            bits_per_byte: found.bits_per_byte,
            context,
            stride,
            tokenizer: self.tokenizer.sha256(),
            hardware,
            absent: found.absent(),
        })
    }

    /// Goes on from `prompt` (from the beginning of a text, where it is empty) by up to `count`
    /// tokens, until the model ends the text: by a token that its generation_config.json, else its
    /// config.json names, else the one that the tokenizer does. `each` gets the new text as it
    /// comes, in whole characters; bytes that are none become U+FFFD. Special tokens that the
    /// prompt spells are tokens, and what the tokenizer puts around a text is around the prompt, as
    /// in transformers.
    ///
    /// # Errors
    /// A prompt that cannot be tokenized, or has a token that the model has no row for; no prompt
    /// where nothing says how a text begins; a model whose weights are no numbers.
    pub fn go_on(
        &self,
        prompt: &str,
        count: usize,
        sampling: Sampling,
        mut each: impl FnMut(&str),
    ) -> Result<GeneratedText> {
        let mut stops = self.ids.stops();
        if stops.is_empty() {
            stops.extend(self.tokenizer.text_end());
        }
        let tokens = self.prompt(prompt)?;
        let weights = Weights::from_checkpoint(&self.checkpoint);
        ensure_finite(&weights)?;
        let mut characters = Utf8Stream::default();
        let writing = Writing {
            config: &self.checkpoint.config,
            weights: &weights,
            prompt: &tokens,
            count,
            sampler: Sampler::new(sampling),
            stops: &stops,
            each: |token| {
                if !stops.contains(&token) {
                    characters.push(self.tokenizer.token_bytes(token), &mut each);
                }
            },
        };
        let (mut new, hardware) = on_device(self.device, writing)??;
        characters.finish(each);
        let ended = new.last().is_some_and(|last| stops.contains(last));
        if ended {
            new.pop();
        }
        Ok(GeneratedText {
            prompt: prompt.to_owned(),
            text: self.tokenizer.decode(&new),
            new_tokens: new.len(),
            ended,
            hardware,
        })
    }

    /// The tokens that are gone on from.
    fn prompt(&self, prompt: &str) -> Result<Vec<u32>> {
        let frame = self.tokenizer.frame();
        let mut tokens = frame.around(self.tokenizer.encode_with_specials(prompt)?);
        if tokens.is_empty() {
            let begin = self.tokenizer.text_end().or(self.ids.begin());
            tokens.push(begin.context(
                "neither the tokenizer nor config.json names a token that a text begins with; give \
                 a prompt",
            )?);
        }
        self.ensure_rows(&tokens, "the prompt")?;
        Ok(tokens)
    }

    /// Tokens of a prompt.
    ///
    /// # Errors
    /// What the tokenizer reports.
    pub fn length(&self, prompt: &str) -> Result<usize> {
        let tokens = self.tokenizer.encode_with_specials(prompt)?;
        Ok(self.tokenizer.frame().around(tokens).len())
    }
}
