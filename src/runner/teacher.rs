//! The teacher: read from a folder or the hub, or trained once and kept in the cache for every
//! study that names it.

use std::path::Path;

use anyhow::{Context, Result, bail};

use super::cache::CacheLayout;
use super::card::teacher_card;
use super::evaluation::{EvaluationSubject, evaluate, publish};
use super::event_files::RunEvents;
use super::fit::{ensure_own_tokenizer, ensure_predicts, ensure_rows};
use super::training::{TrainingTask, train_in_lockstep};
use super::training_ending::TrainingEnding;
use super::watched::WatchedEvaluations;
use super::{Event, Site};
use crate::data::Prepared;
use crate::eval::plain_training;
use crate::files;
use crate::hub::{Hub, Repo};
use crate::model::{Config, Gpt2, ModelFolder, TokenIds, Weights};
use crate::ops::Ops;
use crate::plan::PlannedRun;
use crate::plan::run::{PrecisionSpec, RunSpec, TeacherSpec, TokenizerSpec, TrainSpec};
use crate::random::Seed;
use crate::record::evaluation::TrainingCost;
use crate::record::layout::{Layout, RunFolder};
use crate::record::{
    Failure, METRICS_LIMIT, has_evaluation, is_weights, publish_teacher, read_failure,
};
use crate::train::Job;

/// A teacher in hand.
pub(super) struct LoadedTeacher<D: Ops> {
    pub model: Gpt2<D>,
    /// What the ids of its tokens mean, which its students keep.
    pub ids: TokenIds,
    /// Of one that was trained here, the sha256 of its weights.
    pub weights: Option<String>,
    /// Bytes of its weights as stored.
    bytes: u64,
    /// Counted operations of its training; none for one that came trained.
    training: Option<TrainingCost>,
}

/// What came of asking for a teacher.
pub(super) enum TeacherClaim<D: Ops> {
    Loaded(Box<LoadedTeacher<D>>),
    /// Another process trains it; in words.
    HeldBy(String),
    /// A machine of another kind has to go on with it; in words.
    OfAnotherMachine(String),
    /// Stopped by the user.
    Interrupted,
}

/// The teacher of a run, trained first if it has to be.
///
/// # Errors
/// A folder that cannot be used, a training that diverged, a cache that cannot be written.
pub(super) fn claim_teacher<D: Ops>(
    device: &D,
    run: &PlannedRun,
    corpus: &Prepared,
    site: &Site,
) -> Result<TeacherClaim<D>> {
    let loaded = match &run.spec.teacher {
        TeacherSpec::Dir { path, .. } => came_trained(device, &path.resolve(), corpus, site)?,
        TeacherSpec::Hub { repo, revision, .. } => {
            let repo = Repo::model(repo, revision);
            let folder = site.hub.weights(&repo)?.folder;
            fetch_own_tokenizer(&run.spec.tokenizer, &repo, site.hub);
            came_trained(device, &folder, corpus, site)?
        }
        TeacherSpec::Train {
            layers,
            width,
            heads,
            seed,
            train,
            ..
        } => {
            let training = TeacherTraining {
                key: &run.teacher_key,
                config: Config::new(*layers, *width, *heads, corpus.vocabulary, train.context),
                seed: *seed,
                settings: train,
                layout: CacheLayout::new(&site.cache).teachers(),
                data_key: &corpus.key,
                events: RunEvents::of_teacher(run, train, site),
            };
            match train_teacher(device, &training, corpus, site)? {
                TrainingEnding::HeldBy(owner) => return Ok(TeacherClaim::HeldBy(owner)),
                TrainingEnding::OfAnotherMachine(reason) => {
                    return Ok(TeacherClaim::OfAnotherMachine(reason));
                }
                TrainingEnding::Interrupted => return Ok(TeacherClaim::Interrupted),
                TrainingEnding::Failed(error) => bail!(error),
                TrainingEnding::Diverged { reason, step, .. } => {
                    bail!(diverged(&reason, step));
                }
                TrainingEnding::Published => {}
            }
            let stored = training.layout.run(training.key);
            if let Some(Failure { reason, step, .. }) = read_failure(&stored)? {
                bail!(diverged(&reason, step));
            }
            publish_metrics(&stored, run, site)?;
            if let Some(events) = &training.events {
                events.write_once(&stored, site);
            }
            LoadedTeacher {
                weights: weights_of(&stored),
                ..read(device, &stored.student(), Some(train), site)?
            }
        }
    };
    Ok(TeacherClaim::Loaded(Box::new(loaded)))
}

/// Puts the tokenizer of a teacher of the hub beside its weights, where it has one and the study
/// has not the same: what is said of it is not to depend on what the cache happens to hold.
fn fetch_own_tokenizer(tokenizer: &TokenizerSpec, model: &Repo, hub: &Hub) {
    let is_same = matches!(tokenizer, TokenizerSpec::Hub { repo, revision }
        if Repo::model(repo, revision) == *model);
    if !is_same {
        drop(hub.tokenizer(model));
    }
}

fn diverged(reason: &str, step: u64) -> String {
    format!(
        "the teacher's training diverged: {reason} at step {step}; lower teacher.train.lr.peak, or \
         lengthen its warm-up"
    )
}

/// Puts the metrics of a trained teacher beside the study's runs.
fn publish_metrics(stored: &RunFolder, run: &PlannedRun, site: &Site) -> Result<()> {
    let target = site.layout.teacher(&run.teacher_key);
    let metrics = files::read_limited(&stored.metrics(), METRICS_LIMIT)?;
    if let Some(aside) = publish_teacher(&target, &metrics)? {
        site.tell(&Event::Notice(&format!(
            "this teacher is not the one that finished runs of this folder were distilled from, as \
             happens on another machine; the other is now {}. Train them again (another \
             --results) before you compare",
            aside.display()
        )));
    }
    Ok(())
}

/// The sha256 of a finished training's weights, as its checksums have it.
fn weights_of(stored: &RunFolder) -> Option<String> {
    let checksums = files::read_checksums(&stored.root).ok()?;
    let weights = checksums
        .into_iter()
        .find(|(file, _)| is_weights(Path::new(file)));
    weights.map(|(_, checksum)| checksum.sha256)
}

/// A teacher that was trained elsewhere, once it is known that it can be used on the study's text.
fn came_trained<D: Ops>(
    device: &D,
    folder: &Path,
    corpus: &Prepared,
    site: &Site,
) -> Result<LoadedTeacher<D>> {
    ensure_own_tokenizer(folder, &corpus.tokenizer)?;
    let loaded = read(device, folder, None, site)?;
    loaded.check(corpus)?;
    Ok(loaded)
}

/// A teacher from a folder, which may have been trained here by `settings`.
fn read<D: Ops>(
    device: &D,
    folder: &Path,
    settings: Option<&TrainSpec>,
    site: &Site,
) -> Result<LoadedTeacher<D>> {
    let checkpoint = ModelFolder::open(folder)?;
    for note in &checkpoint.notes {
        site.tell(&Event::Notice(note));
    }
    Ok(LoadedTeacher {
        model: Gpt2::from_checkpoint(device, &checkpoint),
        ids: TokenIds::read(folder)?,
        weights: None,
        bytes: checkpoint.bytes,
        training: settings.map(|settings| plain_training(&checkpoint.config, settings)),
    })
}

impl<D: Ops> LoadedTeacher<D> {
    /// Whether a teacher that came trained can be used on the study's text.
    fn check(&self, corpus: &Prepared) -> Result<()> {
        for (split, name) in [
            (&corpus.train, "the train split"),
            (&corpus.validation, "the validation split"),
            (&corpus.test, "the test split"),
        ] {
            let rows = self.model.config.vocabulary;
            ensure_rows(rows, split.tokens(), &corpus.tokenizer, name)?;
        }
        let text = "the train split";
        ensure_predicts(&self.model, corpus.train.tokens(), "the teacher", text)
    }

    /// Evaluates the teacher for this study, unless that was done.
    ///
    /// # Errors
    /// As [`evaluate`].
    pub fn evaluate(&self, run: &PlannedRun, corpus: &Prepared, site: &Site) -> Result<()> {
        let target = site.layout.teacher(&run.teacher_key);
        if has_evaluation(&target, &run.teacher_evaluation_key) {
            return Ok(());
        }
        let watch = WatchedEvaluations::begin(site, "the teacher".to_owned());
        let subject = EvaluationSubject {
            model: &self.model,
            teacher: None,
            bytes: self.bytes,
            training: self.training.clone(),
            trained_on_train_split: self.training.is_some().then_some(true),
            ids: &self.ids,
        };
        let evaluated = evaluate(&subject, &run.spec, corpus, (site.hub, &watch))
            .context("the teacher cannot be evaluated")?;
        publish(
            evaluated,
            &self.model,
            &run.spec,
            corpus,
            (&target, &run.teacher_evaluation_key),
            &watch,
        )
        .map(drop)
    }
}

/// Trains a teacher, unless that was done.
fn train_teacher<D: Ops>(
    device: &D,
    training: &TeacherTraining,
    corpus: &Prepared,
    site: &Site,
) -> Result<TrainingEnding> {
    let mut found = None;
    train_in_lockstep(device, &[training], None, corpus, site, &mut |_, ending| {
        found = Some(ending)
    });
    found.context("a training that did not end")
}

/// The training of a teacher, which is kept in the cache for every study that names it.
struct TeacherTraining<'a> {
    key: &'a str,
    config: Config,
    seed: u64,
    settings: &'a TrainSpec,
    layout: Layout,
    data_key: &'a str,
    events: Option<RunEvents>,
}

impl TrainingTask for TeacherTraining<'_> {
    fn title(&self) -> String {
        "the teacher".to_owned()
    }

    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn id(&self) -> &str {
        self.key
    }

    fn run(&self) -> Option<&RunSpec> {
        None
    }

    fn uses_finished_weights(&self) -> bool {
        true
    }

    fn precisions(&self) -> Vec<PrecisionSpec> {
        vec![self.settings.precision]
    }

    fn teacher(&self) -> Option<&Config> {
        None
    }

    fn events(&self) -> Option<&RunEvents> {
        self.events.as_ref()
    }

    fn job(&self) -> Result<Job> {
        let config = self.config.clone();
        Ok(Job::language_model(
            config,
            Seed::Teacher(self.seed),
            self.settings,
        ))
    }

    fn initial_weights(&self, config: &Config) -> Result<Weights> {
        Ok(Weights::random(config, Seed::Teacher(self.seed)))
    }

    fn card(&self, config: &Config) -> Result<String> {
        teacher_card(config, self.seed, self.settings, self.data_key)
    }

    fn explain(&self, error: anyhow::Error) -> anyhow::Error {
        error.context("the teacher's training could not go on")
    }
}
