//! Samples of text.

use anyhow::Result;
use serde::Serialize;

use crate::record::evaluation::TextSample;
use crate::report::analysis::Analysis;
use crate::report::axes::ARM;
use crate::report::data::StudyData;

/// Prompts that are shown; the others of a run are in its `samples.md`.
const MOST_PROMPTS: usize = 1;

/// One prompt with what every model makes of it.
#[derive(Debug, Clone, Serialize)]
pub struct PromptSamples {
    pub prompt: String,
    pub reference: String,
    pub texts: Vec<SampleText>,
}

/// What one model makes of a prompt.
#[derive(Debug, Clone, Serialize)]
pub struct SampleText {
    pub label: String,
    pub text: String,
}

/// One row an arm: the first that has samples, by its first finished seed.
pub fn samples(data: &StudyData, analysis: &Analysis) -> Result<Vec<PromptSamples>> {
    let mut arms: Vec<Option<&String>> = Vec::new();
    let mut found: Vec<PromptSamples> = Vec::new();
    for row in &analysis.rows {
        let arm = row.at.get(ARM);
        let Some(run) = row.finished(data).next() else {
            continue;
        };
        if arms.contains(&arm) {
            continue;
        }
        let samples = run.samples()?;
        if samples.is_empty() {
            continue;
        }
        arms.push(arm);
        for sample in samples.into_iter().take(MOST_PROMPTS) {
            let place = place_of_prompt(&mut found, &sample);
            found[place].texts.push(SampleText {
                label: row.label.clone(),
                text: sample.student,
            });
        }
    }
    Ok(found)
}

/// The place of a sample's prompt; one that is new is added with the teacher's text.
fn place_of_prompt(found: &mut Vec<PromptSamples>, sample: &TextSample) -> usize {
    let place = found.iter().position(|shown| shown.prompt == sample.prompt);
    place.unwrap_or_else(|| {
        let teacher = sample.teacher.as_ref().map(|text| SampleText {
            label: "teacher".to_owned(),
            text: text.clone(),
        });
        found.push(PromptSamples {
            prompt: sample.prompt.clone(),
            reference: sample.reference.clone(),
            texts: teacher.into_iter().collect(),
        });
        found.len() - 1
    })
}
