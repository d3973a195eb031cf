//! One group of runs from claim to record: the only place that wires data, model, objective, loop
//! and evaluation.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};

use super::card::student_card;
use super::evaluation::{EvaluationSubject, evaluate, publish as publish_evaluation};
use super::limits::available_memory;
use super::sink::Shared;
use super::teacher::LoadedTeacher;
use super::{Ending, Event, Site, about, folder, mend};
use crate::data::{Order, Prepared};
use crate::eval::{Evaluated, distillation};
use crate::model::{Config, Gpt2, ModelFolder, Weights};
use crate::ops::{Native, native, side_by_side};
use crate::panics::panic_as_defect;
use crate::plan::run::{Init, InitBlocks, RunSpec};
use crate::plan::{Plan, PlannedRun, run_spec_toml};
use crate::record::{Depth, Failure, RunClaim, RunState, has_evaluation, run_state};
use crate::train::{Control, Corpus, Job, Member, TrainOutcome, TrainState, of_products, train};

/// The share of free memory that a group may take by its estimate.
const MEMORY_SHARE: f64 = 0.7;

/// A run of the group that this process holds.
struct Held {
    index: usize,
    attempt: Shared,
}

/// Splits runs that may share a teacher's pass into parts that fit the memory at hand, in order.
pub(super) fn parts(plan: &Plan, members: &[usize]) -> Vec<Vec<usize>> {
    let most = available_memory().map_or(f64::INFINITY, |bytes| bytes as f64 * MEMORY_SHARE);
    split(members, most, |index| {
        plan.runs[index].estimate.memory_bytes as f64
    })
}

fn split(members: &[usize], most: f64, cost: impl Fn(usize) -> f64) -> Vec<Vec<usize>> {
    let mut parts: Vec<Vec<usize>> = Vec::new();
    let mut taken = 0.0;
    for &index in members {
        let own = cost(index);
        match parts.last_mut() {
            Some(part) if taken + own <= most => {
                part.push(index);
                taken += own;
            }
            _ => {
                parts.push(vec![index]);
                taken = own;
            }
        }
    }
    parts
}

/// Trains, publishes and evaluates the runs at `part`, and tells how each ended. One that fails
/// leaves the others alone.
pub(super) fn run(
    plan: &Plan,
    part: &[usize],
    teacher: &LoadedTeacher,
    corpus: &Prepared,
    site: &Site,
) -> BTreeMap<usize, Ending> {
    let mut endings = BTreeMap::new();
    let (mut members, mut held, mut trained) = (Vec::new(), Vec::new(), Vec::new());
    for &index in part {
        let run = &plan.runs[index];
        match panic_as_defect(|| claim(run, teacher, corpus, site)) {
            Ok(Claimed::Training(member, attempt)) => {
                members.push(*member);
                held.push(Held { index, attempt });
            }
            Ok(Claimed::Trained) => trained.push(index),
            Ok(Claimed::HeldBy(owner)) => {
                site.tell(&Event::Held {
                    id: &run.id,
                    label: &run.label,
                    owner: &owner,
                });
                endings.insert(index, Ending::Held { owner });
            }
            Err(error) => drop(endings.insert(index, failed(run, &error, site))),
        }
    }
    if let Some(error) =
        panic_as_defect(|| train_members(plan, &held, &mut members, teacher, corpus, site)).err()
    {
        for Held { index, .. } in held.drain(..) {
            endings.insert(index, failed(&plan.runs[index], &error, site));
        }
        members.clear();
    }
    for (member, Held { index, attempt }) in members.into_iter().zip(held) {
        let run = &plan.runs[index];
        let ending = match panic_as_defect(|| publish(run, member, attempt, corpus)) {
            Ok(PublishedRun::Student) => {
                trained.push(index);
                continue;
            }
            Ok(PublishedRun::Diverged {
                reason,
                step,
                last_good,
            }) => {
                site.tell(&Event::Diverged {
                    id: &run.id,
                    label: &run.label,
                    step,
                    last_good,
                    reason: &reason,
                });
                Ending::Diverged { reason }
            }
            Ok(PublishedRun::Not) => Ending::Interrupted,
            Err(error) => failed(run, &error, site),
        };
        endings.insert(index, ending);
    }
    trained.sort_unstable();
    // As many at a time as there are cores: parts of an evaluation use one alone.
    for some in trained.chunks(rayon::current_num_threads()) {
        // Evaluations of a large group take long; the next start does those that are left.
        if site.stopped() {
            endings.extend(some.iter().map(|&index| (index, Ending::Interrupted)));
        } else {
            endings.extend(evaluate_trained(plan, some, teacher, corpus, site));
        }
    }
    endings
}

fn failed(run: &PlannedRun, error: &anyhow::Error, site: &Site) -> Ending {
    let error = format!("{error:#}");
    site.tell(&Event::Failed {
        id: &run.id,
        label: &run.label,
        error: &error,
    });
    Ending::Failed { error }
}

/// What came of asking for a run.
enum Claimed {
    Training(Box<Member<Native>>, Shared),
    /// Published already.
    Trained,
    HeldBy(String),
}

/// Takes a run and puts it where it stopped, or at its beginning.
fn claim(
    run: &PlannedRun,
    teacher: &LoadedTeacher,
    corpus: &Prepared,
    site: &Site,
) -> Result<Claimed> {
    // What was trained before is used again: its weights are what they were, or it is trained anew.
    if !is_evaluated(run, site) {
        mend(&site.layout.run(&run.id).root, Depth::Weights, site)?;
    }
    let mut attempt = match crate::record::Attempt::open_or_new(&site.layout, &run.id)? {
        RunClaim::Published => return Ok(Claimed::Trained),
        RunClaim::HeldBy(owner) => return Ok(Claimed::HeldBy(owner)),
        RunClaim::Ours(attempt) => attempt,
    };
    let about = about(
        &run.id,
        corpus,
        &[run.spec.train.precision, run.spec.teacher.precision()],
    );
    let resumed = attempt.newest_valid_checkpoint(&about)?;
    attempt
        .notes
        .iter()
        .for_each(|note| site.tell(&Event::Notice(note)));
    let device = native();
    let config = student_config(&run.spec, &teacher.model.config, corpus.vocabulary)?;
    let job = Job::distillation(&run.spec, config.clone(), &teacher.model.config);
    let state = match &resumed {
        Some(checkpoint) => TrainState::from_files(
            &device,
            &job,
            Some(&teacher.model.config),
            &checkpoint.files,
        )?,
        None => TrainState::new(
            &device,
            &job,
            Some(&teacher.model.config),
            &initial_weights(run, &config, teacher)?,
        )?,
    };
    let event = if resumed.is_some() {
        "resumed"
    } else {
        "started"
    };
    attempt.event(
        event,
        &[
            ("step", state.step.into()),
            ("threads", rayon::current_num_threads().into()),
        ],
    )?;
    let shared = Shared::new(attempt);
    let sink = shared.sink(about);
    Ok(Claimed::Training(
        Box::new(Member::new(job, state, sink)),
        shared,
    ))
}

/// What the student is: GPT-2's standard, or what it takes over with the weights it starts from
/// (activation, inner width, epsilon, scale of attention, head).
///
/// # Errors
/// A model to start from whose layers, width, heads, vocabulary or positions are not the student's.
pub(super) fn student_config(
    spec: &RunSpec,
    teacher: &Config,
    vocabulary: usize,
) -> Result<Config> {
    let student = &spec.student;
    // As many rows as the teacher, whose vocabulary may be padded: their predictions are compared
    // row by row.
    let rows = vocabulary.max(teacher.vocabulary);
    let standard = Config::new(
        student.layers,
        student.width,
        student.heads,
        rows,
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
            (Config::read(&path)?, path.display().to_string())
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

fn init_dir(spec: &RunSpec) -> Result<PathBuf> {
    Ok(spec
        .student
        .init_dir
        .as_ref()
        .context("student.init = \"dir\" needs student.init_dir")?
        .resolve())
}

/// The student before its first step.
fn initial_weights(run: &PlannedRun, config: &Config, teacher: &LoadedTeacher) -> Result<Weights> {
    let student = &run.spec.student;
    match student.init {
        Init::Random => Ok(Weights::random(config, run.spec.seed)),
        Init::Teacher => match &student.init_blocks {
            Some(InitBlocks::List(blocks)) => Ok(Weights::from_teacher(&teacher.model, blocks)),
            Some(InitBlocks::Named(_)) | None => {
                anyhow::bail!("student.init_blocks of run {} is not resolved", run.id)
            }
        },
        Init::Dir => Ok(Weights::read(&init_dir(&run.spec)?)?.1),
    }
}

/// Advances all members together.
fn train_members(
    plan: &Plan,
    held: &[Held],
    members: &mut [Member<Native>],
    teacher: &LoadedTeacher,
    corpus: &Prepared,
    site: &Site,
) -> Result<()> {
    let Some(first) = held.first() else {
        return Ok(());
    };
    let spec = &plan.runs[first.index].spec;
    let order = Order::new(
        corpus.train.tokens().len(),
        spec.train.context,
        spec.seed,
        spec.train.shuffle,
    )?;
    let data = Corpus {
        train: corpus.train.tokens(),
        validation: corpus.validation.tokens(),
        order: &order,
    };
    let title = match held {
        [one] => plan.runs[one.index].label.clone(),
        many => format!("{} runs of seed {} together", many.len(), spec.seed),
    };
    let step = members
        .iter()
        .map(|member| member.state.step)
        .min()
        .unwrap_or(0);
    let steps = members
        .iter()
        .map(|member| member.job.train.steps)
        .max()
        .unwrap_or(0);
    site.tell(&Event::Training {
        title: &title,
        runs: held.len(),
        step,
        steps,
    });
    let model = teacher
        .model
        .with_precision(of_products(spec.teacher.precision()));
    train(
        members,
        Some(&model),
        data,
        &Control {
            stop: site.stop,
            progress: &site.progress(),
        },
    );
    site.tell(&Event::Trained);
    Ok(())
}

/// What was published of a run.
enum PublishedRun {
    Student,
    Diverged {
        reason: String,
        step: u64,
        last_good: Option<u64>,
    },
    /// It is unfinished.
    Not,
}

fn publish(
    run: &PlannedRun,
    member: Member<Native>,
    attempt: Shared,
    corpus: &Prepared,
) -> Result<PublishedRun> {
    let Member {
        job,
        state,
        sink,
        outcome,
        ..
    } = member;
    drop(sink);
    let attempt = attempt.take()?;
    let published = match outcome {
        Some(TrainOutcome::Finished) => {
            let card = student_card(&run.id, &run.spec, &job.config)?;
            folder::write_model(&attempt, &job.config, &state.result(), corpus, &card)?;
            PublishedRun::Student
        }
        Some(TrainOutcome::Diverged { step, reason }) => {
            let term = reason
                .strip_prefix("term.")
                .and_then(|rest| rest.split(' ').next())
                .map(str::to_owned);
            attempt.write_failure(&Failure {
                reason: reason.clone(),
                step,
                term,
            })?;
            // Not in the failure, which is the same however often the run was interrupted, and so
            // saved.
            let last_good = attempt.last_checkpoint()?;
            attempt.event(
                "diverged",
                &[
                    ("step", step.into()),
                    ("reason", reason.as_str().into()),
                    ("last_checkpoint", last_good.into()),
                ],
            )?;
            PublishedRun::Diverged {
                reason,
                step,
                last_good,
            }
        }
        Some(TrainOutcome::Failed(error)) => return Err(error),
        Some(TrainOutcome::Interrupted) | None => return Ok(PublishedRun::Not),
    };
    attempt.write_out("spec.toml", run_spec_toml(&run.spec)?.as_bytes())?;
    attempt.event("published", &[])?;
    attempt.publish()?;
    Ok(published)
}

/// A student with what was found of it.
type Subjected = (Gpt2<Native>, Evaluated);

/// Evaluates published runs beside each other, unless that was done, and publishes what was found
/// in their order.
fn evaluate_trained(
    plan: &Plan,
    indices: &[usize],
    teacher: &LoadedTeacher,
    corpus: &Prepared,
    site: &Site,
) -> Vec<(usize, Ending)> {
    let mut work: Vec<(usize, Option<Result<Option<Subjected>>>)> =
        indices.iter().map(|&index| (index, None)).collect();
    let open: Vec<&str> = indices
        .iter()
        .map(|&index| &plan.runs[index])
        .filter(|run| !is_evaluated(run, site))
        .map(|run| run.label.as_str())
        .collect();
    if !open.is_empty() {
        site.tell(&Event::Stage(&format!("evaluating {}", open.join("; "))));
    }
    side_by_side(&mut work, |(index, found)| {
        *found = Some(panic_as_defect(|| {
            evaluated(&plan.runs[*index], teacher, corpus, site)
        }))
    });
    let endings = work.into_iter().filter_map(|(index, found)| {
        let run = &plan.runs[index];
        let ending =
            found?.and_then(|found| panic_as_defect(|| conclude(run, found, corpus, site)));
        Some((
            index,
            ending.unwrap_or_else(|error| failed(run, &error, site)),
        ))
    });
    endings.collect()
}

fn is_evaluated(run: &PlannedRun, site: &Site) -> bool {
    has_evaluation(&site.layout.run(&run.id), &run.evaluation_key)
}

/// The student and what its evaluation found; none where there is nothing to do.
fn evaluated(
    run: &PlannedRun,
    teacher: &LoadedTeacher,
    corpus: &Prepared,
    site: &Site,
) -> Result<Option<Subjected>> {
    if is_evaluated(run, site) || matches!(run_state(&site.layout, &run.id)?, RunState::Diverged(_))
    {
        return Ok(None);
    }
    let stored = site.layout.run(&run.id).student();
    let checkpoint = ModelFolder::open(&stored)?;
    let model = Gpt2::from_checkpoint(&native(), &checkpoint);
    let training = Some(distillation(
        &run.spec,
        &checkpoint.config,
        &teacher.model.config,
    ));
    let subject = EvaluationSubject {
        model: &model,
        teacher: Some(&teacher.model),
        bytes: checkpoint.bytes,
        training,
        trained_on_train_split: true,
    };
    let found = evaluate(&subject, &run.spec, corpus)?;
    Ok(Some((model, found)))
}

/// Publishes an evaluation, where there is a new one, and tells how the run ended.
fn conclude(
    run: &PlannedRun,
    found: Option<Subjected>,
    corpus: &Prepared,
    site: &Site,
) -> Result<Ending> {
    let stored = site.layout.run(&run.id);
    if let RunState::Diverged(Failure { reason, .. }) = run_state(&site.layout, &run.id)? {
        return Ok(Ending::Diverged { reason });
    }
    let evaluation = match found {
        Some((model, found)) => publish_evaluation(
            found,
            &model,
            &run.spec,
            corpus,
            &stored,
            &run.evaluation_key,
        )?,
        None => crate::record::read_evaluation(&stored.evaluation(&run.evaluation_key))?,
    };
    let test = &evaluation.test;
    site.tell(&Event::Finished {
        id: &run.id,
        label: &run.label,
        nll: test.nll_nats_per_token,
        perplexity: test.perplexity,
    });
    Ok(Ending::Good)
}

#[cfg(test)]
#[path = "group_tests.rs"]
mod tests;
