//! Samples of text.

use anyhow::Result;
use serde::Serialize;

use super::teacher_names::teacher_of;
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
        let mut cells = row.cells.iter().copied();
        let Some(cell) = cells.find(|&cell| data.run(cell).state.is_finished()) else {
            continue;
        };
        if arms.contains(&arm) {
            continue;
        }
        let samples = data.run(cell).samples()?;
        if samples.is_empty() {
            continue;
        }
        arms.push(arm);
        let teacher = teacher_of(data, cell);
        for sample in samples.into_iter().take(MOST_PROMPTS) {
            let texts = texts_of_prompt(&mut found, &sample);
            let of_teacher = teacher.clone().zip(sample.teacher);
            // Each teacher once, before the first of its students.
            let of_teacher =
                of_teacher.filter(|(name, _)| texts.iter().all(|one| one.label != *name));
            texts.extend(of_teacher.map(|(label, text)| SampleText { label, text }));
            texts.push(SampleText {
                label: row.label.clone(),
                text: sample.student,
            });
        }
    }
    Ok(found)
}

/// What models make of a sample's prompt, so far; of one that is new nothing.
fn texts_of_prompt<'a>(
    found: &'a mut Vec<PromptSamples>,
    sample: &TextSample,
) -> &'a mut Vec<SampleText> {
    let place = found.iter().position(|shown| shown.prompt == sample.prompt);
    let place = place.unwrap_or_else(|| {
        found.push(PromptSamples {
            prompt: sample.prompt.clone(),
            reference: sample.reference.clone(),
            texts: Vec::new(),
        });
        found.len() - 1
    });
    &mut found[place].texts
}

#[cfg(test)]
#[path = "samples_tests.rs"]
mod tests;
