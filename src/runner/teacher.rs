//! The teacher: read from a folder or the hub, or trained once and kept in the cache for every
//! study that names it.

use std::path::Path;
use std::time::Duration;

use anyhow::{Result, bail};

use super::card::teacher_card;
use super::evaluation::{EvaluationSubject, evaluate, publish};
use super::sink::Shared;
use super::{Event, Site, about, folder, mend};
use crate::data::{Order, Prepared};
use crate::eval::plain_training;
use crate::files;
use crate::hub::Repo;
use crate::model::{Config, Gpt2, ModelFolder, Weights};
use crate::ops::{Native, native};
use crate::plan::PlannedRun;
use crate::plan::run::{TeacherSpec as Source, TrainSpec};
use crate::record::evaluation::TrainingCost;
use crate::record::layout::{Layout, RunFolder};
use crate::record::{
    Depth, Failure, METRICS_LIMIT, RunClaim, has_evaluation, publish_teacher, read_failure,
};
use crate::train::{Control, Corpus, Job, Member, TrainOutcome, TrainState, train};

/// A teacher in hand.
pub(super) struct LoadedTeacher {
    pub model: Gpt2<Native>,
    /// Bytes of its weights as stored.
    bytes: u64,
    /// Counted operations of its training; none for one that came trained.
    training: Option<TrainingCost>,
}

/// The teacher of a run, trained first if it has to be. None if the user stopped it.
///
/// # Errors
/// A folder that cannot be used, a training that diverged, a cache that cannot be written.
pub(super) fn obtain(
    run: &PlannedRun,
    corpus: &Prepared,
    site: &Site,
) -> Result<Option<LoadedTeacher>> {
    let target = site.layout.teacher(&run.teacher_key);
    match &run.spec.teacher {
        Source::Dir { path, .. } => read(&path.resolve()).map(Some),
        Source::Hub { repo, revision, .. } => {
            read(&site.hub.weights(&Repo::model(repo, revision))?.folder).map(Some)
        }
        Source::Train {
            layers,
            width,
            heads,
            seed,
            train,
            ..
        } => {
            let config = Config::new(*layers, *width, *heads, corpus.vocabulary, train.context);
            let Some(stored) = trained(&run.teacher_key, &config, *seed, train, corpus, site)?
            else {
                return Ok(None);
            };
            if let Some(aside) = publish_teacher(
                &target,
                &files::read_limited(&stored.metrics(), METRICS_LIMIT)?,
            )? {
                site.tell(&Event::Notice(&format!(
                    "this teacher is not the one that finished runs of this folder were distilled \
                     from, as happens on another machine; the other is now {}. Train them again \
                     (another --results) before you compare",
                    aside.display()
                )));
            }
            let checkpoint = ModelFolder::open(&stored.student())?;
            let training = Some(plain_training(&checkpoint.config, train));
            Ok(Some(LoadedTeacher {
                model: Gpt2::from_checkpoint(&native(), &checkpoint),
                bytes: checkpoint.bytes,
                training,
            }))
        }
    }
}

/// A teacher that came trained.
fn read(folder: &Path) -> Result<LoadedTeacher> {
    let checkpoint = ModelFolder::open(folder)?;
    Ok(LoadedTeacher {
        model: Gpt2::from_checkpoint(&native(), &checkpoint),
        bytes: checkpoint.bytes,
        training: None,
    })
}

impl LoadedTeacher {
    /// Evaluates the teacher for this study, unless that was done.
    ///
    /// # Errors
    /// As [`evaluate`].
    pub fn evaluate(&self, run: &PlannedRun, corpus: &Prepared, site: &Site) -> Result<()> {
        let target = site.layout.teacher(&run.teacher_key);
        if has_evaluation(&target, &run.teacher_evaluation_key) {
            return Ok(());
        }
        site.tell(&Event::Stage("evaluating the teacher"));
        let subject = EvaluationSubject {
            model: &self.model,
            teacher: None,
            bytes: self.bytes,
            training: self.training.clone(),
            trained_on_train_split: self.training.is_some(),
        };
        let evaluated = evaluate(&subject, &run.spec, corpus)?;
        publish(
            evaluated,
            &self.model,
            &run.spec,
            corpus,
            &target,
            &run.teacher_evaluation_key,
        )
        .map(drop)
    }
}

/// The folder of a trained teacher in the cache; it is trained, or waited for, where it is not
/// there yet.
fn trained(
    key: &str,
    config: &Config,
    seed: u64,
    settings: &TrainSpec,
    corpus: &Prepared,
    site: &Site,
) -> Result<Option<RunFolder>> {
    let layout = Layout {
        root: site.cache.join("teachers"),
    };
    let mut waiting = false;
    mend(&layout.run(key).root, Depth::Weights, site)?;
    loop {
        match crate::record::Attempt::open_or_new(&layout, key)? {
            RunClaim::Published => {
                let stored = layout.run(key);
                if let Some(Failure { reason, step, .. }) = read_failure(&stored)? {
                    bail!(
                        "the teacher's training diverged: {reason} at step {step}; lower \
                         teacher.train.lr.peak, or lengthen its warm-up"
                    );
                }
                return Ok(Some(stored));
            }
            RunClaim::HeldBy(owner) => {
                if site.stopped() {
                    return Ok(None);
                }
                if !waiting {
                    site.tell(&Event::Stage(&format!(
                        "waiting for the teacher, which {owner} trains"
                    )));
                }
                waiting = true;
                std::thread::sleep(Duration::from_millis(500));
            }
            RunClaim::Ours(mut attempt) => {
                let about = about(key, corpus, &[settings.precision]);
                let resumed = attempt.newest_valid_checkpoint(&about)?;
                attempt
                    .notes
                    .iter()
                    .for_each(|note| site.tell(&Event::Notice(note)));
                let job = Job::language_model(config.clone(), seed, settings);
                let state = match resumed {
                    Some(checkpoint) => {
                        TrainState::from_files(&native(), &job, None, &checkpoint.files)?
                    }
                    None => TrainState::new(&native(), &job, None, &Weights::random(config, seed))?,
                };
                let shared = Shared::new(attempt);
                let mut members = [Member::new(job, state, shared.sink(about))];
                teach(&mut members, settings, seed, corpus, site)?;
                let [member] = members;
                let Member {
                    state,
                    outcome,
                    sink,
                    ..
                } = member;
                drop(sink);
                let attempt = shared.take()?;
                match outcome {
                    Some(TrainOutcome::Finished) => {
                        let card = teacher_card(config, seed, settings, &corpus.key)?;
                        folder::write_model(&attempt, config, &state.result(), corpus, &card)?;
                    }
                    Some(TrainOutcome::Diverged { step, reason }) => {
                        attempt.write_failure(&Failure {
                            reason,
                            step,
                            term: None,
                        })?
                    }
                    Some(TrainOutcome::Failed(error)) => {
                        return Err(error.context("the teacher's training could not go on"));
                    }
                    Some(TrainOutcome::Interrupted) | None => return Ok(None),
                }
                attempt.publish()?;
            }
        }
    }
}

/// Trains the teacher, telling how far it is.
fn teach(
    members: &mut [Member<Native>],
    settings: &TrainSpec,
    seed: u64,
    corpus: &Prepared,
    site: &Site,
) -> Result<()> {
    let order = Order::new(
        corpus.train.tokens().len(),
        settings.context,
        seed,
        settings.shuffle,
    )?;
    let data = Corpus {
        train: corpus.train.tokens(),
        validation: corpus.validation.tokens(),
        order: &order,
    };
    site.tell(&Event::Training {
        title: "the teacher",
        runs: 1,
        step: members[0].state.step,
        steps: settings.steps,
    });
    train(
        members,
        None,
        data,
        &Control {
            stop: site.stop,
            progress: &site.progress(),
        },
    );
    site.tell(&Event::Trained);
    Ok(())
}
