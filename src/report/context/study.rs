//! The study as a whole: its name, its inputs, its set-up in words.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::record::study::{ALTERNATIVE, Study};
use crate::report::analysis::Analysis;
use crate::report::axes::{self, SEED, in_words};

/// The study.
#[derive(Debug, Clone, Serialize)]
pub struct StudyFacts {
    pub name: String,
    pub description: String,
    pub note: Option<String>,
    pub version: String,
    pub command: String,
    pub dataset: String,
    pub tokenizer: String,
    pub teacher: String,
    /// In words, the datasets of the hub that tasks have their items from.
    pub tasks: Vec<String>,
    /// In words, where the student's weights start.
    pub student_init: String,
    /// In words; empty where there is no hidden term.
    pub balance: String,
    pub seeds: Vec<String>,
    /// The axis values of the baseline in words; none where nothing is compared.
    pub baseline: Option<String>,
    /// δ in nats per token.
    pub margin: f64,
    pub alpha: f64,
    /// Comparisons that share α, without the primary ones.
    pub family: usize,
    pub primary: usize,
    pub inputs: BTreeMap<String, String>,
}

impl StudyFacts {
    /// Gathers them.
    pub fn new(study: &Study, analysis: &Analysis) -> Self {
        let facts = &study.facts;
        let seeds = axes::axis(study, SEED).map(|axis| axis.values.clone());
        Self {
            name: study.name.clone(),
            description: study.description.clone(),
            note: facts.note.clone(),
            version: study.version.clone(),
            command: facts.command.clone(),
            dataset: facts.dataset.clone(),
            tokenizer: facts.tokenizer.clone(),
            teacher: facts.teacher.clone(),
            tasks: facts.tasks.clone(),
            student_init: alternatives(&facts.student_init, init_in_words),
            balance: alternatives(&facts.balance, balance_in_words),
            seeds: seeds.unwrap_or_default(),
            baseline: analysis
                .rows
                .iter()
                .any(|row| row.contrast.is_some())
                .then(|| in_words(&study.report.baseline)),
            margin: study.report.margin,
            alpha: study.report.alpha,
            family: analysis.family,
            primary: analysis.primary,
            inputs: study.inputs.clone(),
        }
    }
}

/// A fact of the set-up with each of its alternatives in words.
fn alternatives(fact: &str, words: fn(&str) -> &str) -> String {
    let words: Vec<&str> = fact.split(ALTERNATIVE).map(words).collect();
    words.join(ALTERNATIVE)
}

/// Where the student starts; a word that this version does not know stands for itself.
fn init_in_words(init: &str) -> &str {
    match init {
        "random" => "random weights",
        "teacher" => "the teacher's weights",
        "dir" => "stored weights",
        other => other,
    }
}

/// How hidden terms are balanced; a word that this version does not know stands for itself.
fn balance_in_words(balance: &str) -> &str {
    match balance {
        "gradient" => {
            "each is scaled once, before training, to the gradient norm of the reference term"
        }
        other => other,
    }
}
