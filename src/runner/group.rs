//! A group of runs from claim to record: its students are trained in lockstep, and evaluated.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;

use super::evaluation::{EvaluationSubject, evaluate, publish as publish_evaluation};
use super::event_files::RunEvents;
use super::student::{StudentTraining, notes_of_start};
use super::teacher::LoadedTeacher;
use super::training::{TrainingTask, train_in_lockstep};
use super::training_ending::TrainingEnding;
use super::watched::WatchedEvaluations;
use super::{Ending, Event, Site};
use crate::data::Prepared;
use crate::eval::{Evaluated, EvaluationStopped, EvaluationWatch, distillation};
use crate::model::{Gpt2, ModelFolder};
use crate::ops::Ops;
use crate::panics::panic_as_defect;
use crate::plan::{Plan, PlannedRun};
use crate::record::{Failure, RunState, has_evaluation, read_evaluation, run_state};
use crate::train::of_products;

/// Trains, publishes and evaluates the runs at `indices`, and tells how each ended. One that fails
/// leaves the others alone.
pub(super) fn run_group<D: Ops>(
    plan: &Plan,
    indices: &[usize],
    teacher: &LoadedTeacher<D>,
    corpus: &Prepared,
    site: &Site,
) -> BTreeMap<usize, Ending> {
    let mut endings = BTreeMap::new();
    let mut trained = Vec::new();
    train_students(
        plan,
        indices,
        teacher,
        corpus,
        site,
        &mut |index, ending| {
            let run = &plan.runs[index];
            match student_ending(run, ending, site) {
                Some(ending) => drop(endings.insert(index, ending)),
                None => trained.push(index),
            }
        },
    );
    trained.sort_unstable();
    if !site.evaluates {
        endings.extend(trained.into_iter().map(|index| (index, Ending::Finished)));
        return endings;
    }
    for some in trained.chunks(D::evaluated_together()) {
        // Evaluations of a large group take long; the next start does those that are left.
        if site.is_stopped() {
            endings.extend(some.iter().map(|&index| (index, Ending::Interrupted)));
        } else {
            endings.extend(evaluate_students(plan, some, teacher, corpus, site));
        }
    }
    endings
}

/// Trains the students that are not trained yet; `ended` hears of each run by its index.
fn train_students<D: Ops>(
    plan: &Plan,
    indices: &[usize],
    teacher: &LoadedTeacher<D>,
    corpus: &Prepared,
    site: &Site,
    ended: &mut dyn FnMut(usize, TrainingEnding),
) {
    let (stored, indices): (Vec<usize>, Vec<usize>) = indices
        .iter()
        .partition(|&&index| is_stored_without_weights(&plan.runs[index], site));
    for index in stored {
        ended(index, TrainingEnding::Published);
    }
    let student = |&index: &usize| StudentTraining {
        run: &plan.runs[index],
        is_evaluated: is_evaluated(&plan.runs[index], site),
        layout: &site.layout,
        teacher,
        events: RunEvents::of_run(plan, index, site),
    };
    let students: Vec<StudentTraining<D>> = indices.iter().map(student).collect();
    let Some(first) = students.first() else {
        return;
    };
    let starts: BTreeSet<String> = students
        .iter()
        .flat_map(|one| notes_of_start(&one.run.spec))
        .collect();
    for note in &starts {
        site.tell(&Event::Notice(note));
    }
    let precision = of_products(first.run.spec.teacher.precision());
    let model = teacher.model.with_precision(precision);
    let trainings: Vec<&dyn TrainingTask> = students
        .iter()
        .map(|one| one as &dyn TrainingTask)
        .collect();
    train_in_lockstep(
        model.device(),
        &trainings,
        Some(&model),
        corpus,
        site,
        &mut |place, ending| ended(indices[place], ending),
    );
}

/// Whether a run is evaluated, and of its training only the weights are gone: nobody needs them.
fn is_stored_without_weights(run: &PlannedRun, site: &Site) -> bool {
    let state = run_state(&site.layout, &run.id);
    !site.wants_weights && is_evaluated(run, site) && matches!(state, Ok(RunState::WithoutWeights))
}

/// How a run ended with its training; none where its evaluation comes next.
fn student_ending(run: &PlannedRun, ending: TrainingEnding, site: &Site) -> Option<Ending> {
    let (id, label) = (&run.id, &run.label);
    match ending {
        TrainingEnding::Published => None,
        TrainingEnding::Diverged {
            reason,
            step,
            last_good,
        } => {
            site.tell(&Event::Diverged {
                id,
                label,
                step,
                last_good,
                reason: &reason,
            });
            Some(Ending::Diverged { reason })
        }
        TrainingEnding::HeldBy(owner) | TrainingEnding::OfAnotherMachine(owner) => {
            site.tell(&Event::Held {
                id,
                label,
                owner: &owner,
            });
            Some(Ending::Held { owner })
        }
        TrainingEnding::Interrupted => Some(Ending::Interrupted),
        TrainingEnding::Failed(error) => {
            site.tell_failed(run, &error);
            Some(Ending::Failed { error })
        }
    }
}

/// A student with what was found of it.
type EvaluatedStudent<D> = (Gpt2<D>, Evaluated);
/// What an evaluation came to: none before it, and a student only where there was something to do.
type EvaluationResult<D> = Option<Result<Option<EvaluatedStudent<D>>>>;

/// Evaluates published runs beside each other, unless that was done, and publishes what was found
/// in their order.
fn evaluate_students<D: Ops>(
    plan: &Plan,
    indices: &[usize],
    teacher: &LoadedTeacher<D>,
    corpus: &Prepared,
    site: &Site,
) -> Vec<(usize, Ending)> {
    let mut work: Vec<(usize, EvaluationResult<D>)> =
        indices.iter().map(|&index| (index, None)).collect();
    let open: Vec<&str> = indices
        .iter()
        .map(|&index| &plan.runs[index])
        .filter(|run| !is_evaluated(run, site))
        .map(|run| run.label.as_str())
        .collect();
    let watch = WatchedEvaluations::begin(site, open.join("; "));
    D::side_by_side(&mut work, |(index, found)| {
        *found = Some(panic_as_defect(|| {
            evaluated(&plan.runs[*index], teacher, corpus, (site, &watch))
        }))
    });
    let endings = work.into_iter().filter_map(|(index, found)| {
        let run = &plan.runs[index];
        let ending = found?
            .and_then(|found| panic_as_defect(|| conclude(run, found, corpus, (site, &watch))));
        let ending = ending.unwrap_or_else(|error| {
            // It is done again by the next start.
            if error.is::<EvaluationStopped>() {
                return Ending::Interrupted;
            }
            let error = format!("{error:#}");
            site.tell_failed(run, &error);
            Ending::Failed { error }
        });
        Some((index, ending))
    });
    endings.collect()
}

fn is_evaluated(run: &PlannedRun, site: &Site) -> bool {
    has_evaluation(&site.layout.run(&run.id), &run.evaluation_key)
}

/// The student and what its evaluation found; none where there is nothing to do.
fn evaluated<D: Ops>(
    run: &PlannedRun,
    teacher: &LoadedTeacher<D>,
    corpus: &Prepared,
    (site, watch): (&Site, &dyn EvaluationWatch),
) -> Result<Option<EvaluatedStudent<D>>> {
    if is_evaluated(run, site) || matches!(run_state(&site.layout, &run.id)?, RunState::Diverged(_))
    {
        return Ok(None);
    }
    let stored = site.layout.run(&run.id).student();
    let checkpoint = ModelFolder::open(&stored)?;
    let model = Gpt2::from_checkpoint(teacher.model.device(), &checkpoint);
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
        trained_on_train_split: Some(true),
        ids: &teacher.ids,
    };
    let found = evaluate(&subject, &run.spec, corpus, (site.hub, watch))?;
    Ok(Some((model, found)))
}

/// Publishes an evaluation, where there is a new one, and tells how the run ended.
fn conclude<D: Ops>(
    run: &PlannedRun,
    found: Option<EvaluatedStudent<D>>,
    corpus: &Prepared,
    (site, watch): (&Site, &dyn EvaluationWatch),
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
            (&stored, &run.evaluation_key),
            watch,
        )?,
        None => read_evaluation(&stored.evaluation(&run.evaluation_key))?,
    };
    let test = &evaluation.test;
    site.tell(&Event::Finished {
        id: &run.id,
        label: &run.label,
        nll: test.nll_nats_per_token,
        perplexity: test.perplexity,
    });
    Ok(Ending::Finished)
}
