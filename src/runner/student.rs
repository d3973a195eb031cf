//! A run's student: its shape, where it starts, and its training.

use std::path::PathBuf;

use anyhow::{Context, Result, bail, ensure};

use super::card::student_card;
use super::event_files::RunEvents;
use super::teacher::LoadedTeacher;
use super::training::TrainingTask;
use crate::model::{Config, ModelFolder, TokenIds, Weights};
use crate::ops::Ops;
use crate::plan::PlannedRun;
use crate::plan::run::{Init, InitBlocks, PrecisionSpec, RunSpec};
use crate::random::Seed;
use crate::record::layout::Layout;
use crate::train::Job;

/// The training of a run's student.
pub(super) struct StudentTraining<'a, D: Ops> {
    pub run: &'a PlannedRun,
    pub is_evaluated: bool,
    pub layout: &'a Layout,
    pub teacher: &'a LoadedTeacher<D>,
    pub events: Option<RunEvents>,
}

impl<D: Ops> TrainingTask for StudentTraining<'_, D> {
    fn title(&self) -> String {
        self.run.label.clone()
    }

    fn layout(&self) -> &Layout {
        self.layout
    }

    fn id(&self) -> &str {
        &self.run.id
    }

    fn run(&self) -> Option<&RunSpec> {
        Some(&self.run.spec)
    }

    fn uses_finished_weights(&self) -> bool {
        !self.is_evaluated
    }

    fn precisions(&self) -> Vec<PrecisionSpec> {
        let spec = &self.run.spec;
        vec![spec.train.precision, spec.teacher.precision()]
    }

    fn teacher(&self) -> Option<&Config> {
        Some(&self.teacher.model.config)
    }

    fn teacher_weights(&self) -> Option<&str> {
        self.teacher.weights.as_deref()
    }

    fn ids(&self) -> Option<&TokenIds> {
        Some(&self.teacher.ids)
    }

    fn events(&self) -> Option<&RunEvents> {
        self.events.as_ref()
    }

    fn job(&self) -> Result<Job> {
        let (spec, teacher) = (&self.run.spec, &self.teacher.model.config);
        let config = student_config(spec, teacher)?;
        Ok(Job::distillation(spec, config, teacher))
    }

    fn initial_weights(&self, config: &Config) -> Result<Weights> {
        let (spec, student) = (&self.run.spec, &self.run.spec.student);
        match student.init {
            Init::Random => Ok(Weights::random(config, Seed::Run(spec.seed))),
            Init::Teacher => match &student.init_blocks {
                Some(InitBlocks::List(blocks)) => {
                    Ok(Weights::from_teacher(&self.teacher.model, blocks))
                }
                Some(InitBlocks::Named(_)) | None => {
                    bail!("student.init_blocks of run {} is not resolved", self.run.id)
                }
            },
            Init::Dir => Ok(Weights::read(&init_dir(spec)?)?.1),
        }
    }

    fn card(&self, config: &Config) -> Result<String> {
        student_card(&self.run.id, &self.run.spec, config)
    }
}

/// What the student is: GPT-2's standard, or what it takes over with the weights it starts from
/// (activation, inner width, epsilon, scale of attention, head).
///
/// # Errors
/// A model to start from whose layers, width, heads, vocabulary or positions are not the student's.
pub(super) fn student_config(spec: &RunSpec, teacher: &Config) -> Result<Config> {
    let student = &spec.student;
    // As many rows as the teacher, whose vocabulary may be padded, or lack rows for added tokens
    // that no text here has: their predictions are compared row by row.
    let standard = Config::new(
        student.layers,
        student.width,
        student.heads,
        teacher.vocabulary,
        teacher.positions,
    );
    let (config, whose) = match student.init {
        Init::Random => return Ok(standard),
        Init::Teacher => (
            Config {
                layers: student.layers,
                ..teacher.clone()
            },
            "the teacher".to_owned(),
        ),
        Init::Dir => {
            let path = init_dir(spec)?;
            (ModelFolder::open(&path)?.config, path.display().to_string())
        }
    };
    let differences = config.shape_differences(&standard);
    ensure!(
        differences.is_empty(),
        "{whose} has another shape than the student: {}",
        differences.join(", ")
    );
    Ok(config)
}

/// What is worth a word of the stored weights that a student starts from; nothing of other starts.
pub(super) fn notes_of_start(spec: &RunSpec) -> Vec<String> {
    // What cannot be read fails where it is needed.
    let opened = init_dir(spec).and_then(|path| ModelFolder::open(&path));
    match spec.student.init {
        Init::Random | Init::Teacher => Vec::new(),
        Init::Dir => opened.map(|opened| opened.notes).unwrap_or_default(),
    }
}

fn init_dir(spec: &RunSpec) -> Result<PathBuf> {
    Ok(spec
        .student
        .init_dir
        .as_ref()
        .context("student.init = \"dir\" needs student.init_dir")?
        .resolve())
}
