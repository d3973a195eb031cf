//! One life of a training, a student's or a teacher's: it is claimed, goes on where it stopped,
//! advances in lockstep with others, and is published.
//!
//! Entry point: [`train_in_lockstep`].

use anyhow::Result;
use serde_json::Value;

use super::event_files::{RunEvents, without_events};
use super::names::TrainingNames;
use super::role::refuse_restarts;
use super::sink::SharedAttempt;
use super::training_ending::{TrainingEnding, ending_of_error};
use super::{Event, Site, folder, set_damaged_aside};
use crate::data::{Order, Prepared};
use crate::model::{Config, Gpt2, TokenIds, Weights};
use crate::ops::{Ops, bf16_instructions};
use crate::panics::panic_as_defect;
use crate::plan::run::{PrecisionSpec, RunSpec};
use crate::plan::{NUMERICS_VERSION, run_spec_toml};
use crate::record::layout::{self, Layout};
use crate::record::{
    About, Attempt, Depth, Failure, MACHINE, OtherMachine, RunClaim, instruction_set,
};
use crate::recorded;
use crate::tensorboard::EventFile;
use crate::train::{Control, Corpus, Job, Member, TrainOutcome, TrainState, train};

/// What is particular to a student's training, or to a teacher's.
pub(super) trait TrainingTask {
    /// What it is called while it advances alone.
    fn title(&self) -> String;

    /// The folder that it is published in, and the name that it has there.
    fn layout(&self) -> &Layout;
    fn id(&self) -> &str;

    /// The run that it is; none for a teacher, whose record is without spec and events.
    fn run(&self) -> Option<&RunSpec>;

    /// Whether its weights are used where they are finished already, so that they must be what was
    /// written; else they are only kept.
    fn uses_finished_weights(&self) -> bool;

    /// In which products are computed, its own and its teacher's.
    fn precisions(&self) -> Vec<PrecisionSpec>;

    /// The shape of its teacher, where it has one.
    fn teacher(&self) -> Option<&Config>;

    /// The hash of its teacher's weights, where that one was trained here.
    fn teacher_weights(&self) -> Option<&str> {
        None
    }

    /// What the ids of its teacher's tokens mean, where it has a teacher.
    fn ids(&self) -> Option<&TokenIds> {
        None
    }

    /// What is to be trained.
    ///
    /// # Errors
    /// A model to start from that does not fit.
    fn job(&self) -> Result<Job>;

    /// The model before the first step.
    ///
    /// # Errors
    /// Weights that cannot be read.
    fn initial_weights(&self, config: &Config) -> Result<Weights>;

    /// The page beside the finished weights.
    ///
    /// # Errors
    /// Settings that have no form in TOML.
    fn card(&self, config: &Config) -> Result<String>;

    /// Where its event file goes, if one is written.
    fn events(&self) -> Option<&RunEvents>;

    /// Says whose training it was that could not go on.
    fn explain(&self, error: anyhow::Error) -> anyhow::Error {
        error
    }
}

/// Trains and publishes those of `trainings` that are free, in lockstep. `ended` hears how each of
/// them ended, by its place among them, as soon as that is known.
pub(super) fn train_in_lockstep<D: Ops>(
    device: &D,
    trainings: &[&dyn TrainingTask],
    teacher: Option<&Gpt2<D>>,
    corpus: &Prepared,
    site: &Site,
    ended: &mut dyn FnMut(usize, TrainingEnding),
) {
    let (mut members, mut claimed) = (Vec::new(), Vec::new());
    for (place, &training) in trainings.iter().enumerate() {
        match panic_as_defect(|| claim(device, training, corpus, site)) {
            Ok(Claim::Ours(member, attempt)) => {
                members.push(*member);
                claimed.push((place, attempt));
            }
            Ok(Claim::Published) => ended(place, TrainingEnding::Published),
            Ok(Claim::HeldBy(owner)) => ended(place, TrainingEnding::HeldBy(owner)),
            Ok(Claim::OfAnotherMachine(reason)) => {
                ended(place, TrainingEnding::OfAnotherMachine(reason));
            }
            Err(error) => ended(place, ending_of_error(&error)),
        }
    }
    let Some(first) = members.first() else {
        return;
    };
    let titles = claimed.iter().map(|(place, _)| trainings[*place].title());
    let names = TrainingNames::of(
        titles.collect(),
        first.job.seed.number(),
        trainings[0].run().is_some(),
    );
    let advanced = panic_as_defect(|| advance(&mut members, &names, teacher, corpus, site));
    if let Err(error) = advanced {
        for (place, _) in claimed {
            ended(place, ending_of_error(&error));
        }
        return;
    }
    for (member, (place, attempt)) in members.into_iter().zip(claimed) {
        let published =
            panic_as_defect(|| publish(device, trainings[place], member, attempt, corpus, site));
        ended(
            place,
            published.unwrap_or_else(|error| ending_of_error(&error)),
        );
    }
}

/// What came of asking for a training.
enum Claim<D: Ops> {
    Ours(Box<Member<D>>, SharedAttempt),
    Published,
    HeldBy(String),
    OfAnotherMachine(String),
}

/// Asks for a training. One that is finished and whose weights are used is looked at first, once it
/// is clear that nobody else is at it: if it is damaged it is set aside, and asked for again.
fn open(training: &dyn TrainingTask, site: &Site) -> Result<RunClaim> {
    let (layout, id) = (training.layout(), training.id());
    let claim = Attempt::open_or_new(layout, id)?;
    match claim {
        RunClaim::Published if training.uses_finished_weights() => {
            if set_damaged_aside(&layout.run(id).root, Depth::Weights, site)? {
                return Attempt::open_or_new(layout, id);
            }
            Ok(RunClaim::Published)
        }
        claim => Ok(claim),
    }
}

/// Takes a training and puts it where it stopped, or at its beginning.
fn claim<D: Ops>(
    device: &D,
    training: &dyn TrainingTask,
    corpus: &Prepared,
    site: &Site,
) -> Result<Claim<D>> {
    let mut attempt = match open(training, site)? {
        RunClaim::Published => return Ok(Claim::Published),
        RunClaim::HeldBy(owner) => return Ok(Claim::HeldBy(owner)),
        RunClaim::Ours(attempt) => attempt,
    };
    // Whoever looks while it runs sees of what spec it is.
    if let Some(spec) = training.run() {
        attempt.write_out(layout::SPEC, run_spec_toml(spec)?.as_bytes())?;
    }
    let about = about(device, training, corpus);
    let resumed = match attempt.newest_valid_checkpoint(&about) {
        Ok(resumed) => resumed,
        Err(error) => return left_to_others(error, site),
    };
    tell_notes(&mut attempt, site);
    let from = resumed.as_ref().map_or(0, |checkpoint| checkpoint.step);
    refuse_restarts(training.id(), &attempt, from, site.role)?;
    let (teacher, job) = (training.teacher(), training.job()?);
    let (event, state) = match &resumed {
        Some(checkpoint) => (
            "resumed",
            TrainState::from_files(device, &job, teacher, &checkpoint.files)?,
        ),
        None => {
            let weights = training.initial_weights(&job.config)?;
            ("started", TrainState::new(device, &job, teacher, &weights)?)
        }
    };
    let threads = rayon::current_num_threads();
    let mut facts = vec![("step", state.step.into()), ("threads", threads.into())];
    facts.extend(device.hardware().map(|card| ("device", card.into())));
    note_event(training, &attempt, event, &facts)?;
    let events = begin_events(training, &attempt, site);
    let attempt = SharedAttempt::new(attempt);
    let member = Member::new(job, state, attempt.sink(about, events));
    Ok(Claim::Ours(Box::new(member), attempt))
}

/// A worker leaves to others what only a machine of another kind can go on with.
fn left_to_others<D: Ops>(error: anyhow::Error, site: &Site) -> Result<Claim<D>> {
    match error.downcast_ref::<OtherMachine>() {
        Some(other) if site.role.leaves_to_others() => {
            let kind = &other.instructions;
            Ok(Claim::OfAnotherMachine(format!(
                "its checkpoint is of a machine with {kind}, which has to go on with it"
            )))
        }
        _ => Err(error),
    }
}

/// Tells what was found of an attempt, once.
fn tell_notes(attempt: &mut Attempt, site: &Site) {
    for note in attempt.notes.drain(..) {
        site.tell(&Event::Notice(&note));
    }
}

/// Begins the event file with the steps that are recorded; the training goes on without one that
/// cannot be written.
fn begin_events(training: &dyn TrainingTask, attempt: &Attempt, site: &Site) -> Option<EventFile> {
    let begun = training.events()?.begin(attempt);
    begun
        .inspect_err(|error| site.tell(&Event::Notice(&without_events(error))))
        .ok()
}

/// What a checkpoint of a training belongs to.
fn about<D: Ops>(device: &D, training: &dyn TrainingTask, corpus: &Prepared) -> About {
    let bf16 = training
        .precisions()
        .contains(&PrecisionSpec::Bf16)
        .then(bf16_instructions)
        .flatten();
    let bf16 = bf16.map(|bf16| format!(" {bf16}")).unwrap_or_default();
    let hardware = device.hardware();
    About {
        spec: training.id().to_owned(),
        numerics: NUMERICS_VERSION,
        data: corpus.key.clone(),
        teacher: training.teacher_weights().map(str::to_owned),
        instructions: hardware.unwrap_or_else(|| instruction_set() + &bf16),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    }
}

/// Adds to the events of a run.
fn note_event(
    training: &dyn TrainingTask,
    attempt: &Attempt,
    event: &str,
    facts: &[(&str, Value)],
) -> Result<()> {
    match training.run() {
        Some(_) => attempt.event(event, facts),
        None => Ok(()),
    }
}

/// Advances all members until each of them has an outcome.
fn advance<D: Ops>(
    members: &mut [Member<D>],
    names: &TrainingNames,
    teacher: Option<&Gpt2<D>>,
    corpus: &Prepared,
    site: &Site,
) -> Result<()> {
    let job = &members[0].job;
    let order = Order::new(
        corpus.train.tokens().len(),
        job.train.context,
        job.seed,
        job.train.shuffle,
    )?;
    let data = Corpus {
        train: corpus.train.tokens(),
        validation: corpus.validation.tokens(),
        order: &order,
    };
    let done = members.iter().map(|member| member.state.step).min();
    let total = members.iter().map(|member| member.job.train.steps).max();
    site.tell(&Event::Training {
        title: &names.title,
        runs: members.len(),
        is_of_grid: names.is_of_grid,
        step: done.unwrap_or(0),
        steps: total.unwrap_or(0),
    });
    let control = Control {
        stop: site.stop,
        progress: &site.progress(&names.members),
    };
    train(members, teacher, data, &control);
    site.tell(&Event::Trained);
    Ok(())
}

/// Publishes what became of a member, unless it is unfinished.
fn publish<D: Ops>(
    device: &D,
    training: &dyn TrainingTask,
    member: Member<D>,
    attempt: SharedAttempt,
    corpus: &Prepared,
    site: &Site,
) -> Result<TrainingEnding> {
    let Member {
        job,
        state,
        sink,
        outcome,
        ..
    } = member;
    drop(sink);
    let mut attempt = attempt.take()?;
    tell_notes(&mut attempt, site);
    let ending = match outcome {
        Some(TrainOutcome::Finished) => {
            let card = training.card(&job.config)?;
            let model = (&job.config, &state.result());
            folder::write_model(&attempt, model, corpus, training.ids(), &card)?;
            TrainingEnding::Published
        }
        Some(TrainOutcome::Diverged { step, reason }) => {
            write_divergence(training, &attempt, step, reason)?
        }
        Some(TrainOutcome::Failed(error)) => return Err(training.explain(error)),
        Some(TrainOutcome::Interrupted) | None => {
            attempt.take_start_back()?;
            return Ok(TrainingEnding::Interrupted);
        }
    };
    let instructions = about(device, training, corpus).instructions;
    note_event(
        training,
        &attempt,
        "published",
        &[(MACHINE, instructions.into())],
    )?;
    attempt.publish()?;
    Ok(ending)
}

/// Writes why a training stopped. Its last checkpoint is no part of that, which is the same however
/// often the training was interrupted, and so saved.
fn write_divergence(
    training: &dyn TrainingTask,
    attempt: &Attempt,
    step: u64,
    reason: String,
) -> Result<TrainingEnding> {
    let term = training.run().and_then(|_| diverged_term(&reason));
    attempt.write_failure(&Failure {
        reason: reason.clone(),
        step,
        term,
    })?;
    let last_good = attempt.last_checkpoint()?;
    let facts = [
        ("step", step.into()),
        ("reason", reason.as_str().into()),
        ("last_checkpoint", last_good.into()),
    ];
    note_event(training, attempt, "diverged", &facts)?;
    Ok(TrainingEnding::Diverged {
        reason,
        step,
        last_good,
    })
}

/// The term that a reason such as `term.kl is NaN` names.
fn diverged_term(reason: &str) -> Option<String> {
    let (term, _) = recorded::term_of(reason)?.split_once(' ')?;
    Some(term.to_owned())
}
