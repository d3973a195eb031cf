//! Text written by teacher and student from the same prompts, which are cut from the test split at
//! places that depend on the split alone.

use anyhow::Result;

use crate::model::Gpt2;
use crate::ops::Ops;
use crate::plan::run::SamplesSpec;
use crate::record::evaluation::TextSample;

use super::decode::{TextWriter, TokenReader, generate};
use super::perplexity::Text;
use super::sampling::{Sampler, Sampling};
use super::watch::{EvaluationWatch, go_on};

/// How token ids become text, the one that ends a document, and those at which a model stops.
#[derive(Clone, Copy)]
pub struct Vocabulary<'a> {
    pub decode: &'a (dyn Fn(&[u32]) -> Result<String> + Sync),
    pub end_of_text: u32,
    pub stops: &'a [u32],
}

/// Tokens of a prompt.
const PROMPT: usize = 24;

/// Where the prompts begin in a stream of `tokens` tokens whose documents begin at `documents`
/// (ascending): at evenly spaced ones of the documents that are long enough for a prompt and a
/// continuation of `length` tokens; where those are too few, at evenly spaced places of the stream.
pub fn prompt_starts(
    tokens: usize,
    documents: &[usize],
    prompts: usize,
    length: usize,
) -> Vec<usize> {
    let needed = PROMPT + length;
    let ends = documents.iter().skip(1).copied().chain([tokens]);
    let long: Vec<usize> = documents
        .iter()
        .copied()
        .zip(ends)
        .filter(|(begin, end)| end - begin >= needed)
        .map(|(begin, _)| begin)
        .collect();
    if long.len() >= prompts {
        (0..prompts)
            .map(|i| long[i * long.len() / prompts])
            .collect()
    } else if tokens > PROMPT {
        let last = tokens.saturating_sub(needed).max(1);
        (0..prompts).map(|i| i * last / prompts).collect()
    } else {
        Vec::new()
    }
}

/// Lets the model and, where there is one, the teacher continue every prompt greedily by at most
/// `settings.tokens` tokens, until the end of the text.
///
/// # Errors
/// Tokens that have no text; a stop.
pub fn write_samples<D: Ops>(
    settings: &SamplesSpec,
    test: &Text,
    vocabulary: Vocabulary,
    model: &Gpt2<D>,
    teacher: Option<&Gpt2<D>>,
    watch: &dyn EvaluationWatch,
) -> Result<Vec<TextSample>> {
    let starts = prompt_starts(
        test.tokens.len(),
        test.documents,
        settings.prompts,
        settings.tokens,
    );
    let (model, teacher) = (TextWriter::new(model), teacher.map(TextWriter::new));
    let (mut model, mut teacher) = (model.reader(), teacher.as_ref().map(TextWriter::reader));
    let Vocabulary {
        decode,
        end_of_text: end,
        stops,
    } = vocabulary;
    let continuation = |reader: &mut dyn TokenReader, prompt: &[u32]| -> Result<String> {
        go_on(watch, 0.0)?;
        let mut tokens = generate(
            reader,
            prompt,
            settings.tokens,
            &mut Sampler::new(Sampling::Greedy),
            stops,
            |_| {},
        );
        if tokens.last().is_some_and(|last| stops.contains(last)) {
            tokens.pop();
        }
        decode(&tokens)
    };
    let mut samples = Vec::with_capacity(starts.len());
    for start in starts {
        let prompt = &test.tokens[start..start + PROMPT];
        let next =
            &test.tokens[start + PROMPT..(start + PROMPT + settings.tokens).min(test.tokens.len())];
        let reference = next.split(|&token| token == end).next().unwrap_or_default();
        samples.push(TextSample {
            prompt: decode(prompt)?,
            reference: decode(reference)?,
            teacher: teacher
                .as_mut()
                .map(|teacher| continuation(teacher.as_mut(), prompt))
                .transpose()?,
            student: continuation(model.as_mut(), prompt)?,
        });
    }
    Ok(samples)
}

/// The samples as Markdown, each text in a fence that nothing in it can close.
pub fn samples_markdown(samples: &[TextSample]) -> String {
    let mut page = String::from("# Samples\n");
    for (i, sample) in samples.iter().enumerate() {
        page.push_str(&format!(
            "\n## Prompt {}\n\n{}",
            i + 1,
            fenced(&sample.prompt)
        ));
        let mut part =
            |name: &str, text: &str| page.push_str(&format!("\n{name}:\n\n{}", fenced(text)));
        part("The test text goes on", &sample.reference);
        if let Some(teacher) = &sample.teacher {
            part("The teacher", teacher);
            part("The student", &sample.student);
        } else {
            part("The model", &sample.student);
        }
    }
    page
}

/// A code block whose fence is longer than any in the text.
fn fenced(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(3.max(longest + 1));
    format!(
        "{fence}text\n{text}{}{fence}\n",
        if text.ends_with('\n') { "" } else { "\n" }
    )
}

#[cfg(test)]
#[path = "samples_tests.rs"]
mod tests;
