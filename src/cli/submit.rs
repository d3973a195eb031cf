//! `kdpipe submit`: the study as jobs of Slurm. It submits and returns; the work is that of
//! `kdpipe run` on the nodes.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use serde_json::json;

use super::args::{Common, RunArguments, SubmitArguments};
use super::job_round::{JobRound, MOST_ROUNDS};
use super::stored::refuse_another_spec;
use super::{CommandResult, Exit, counted, pins, print, print_json, run, say, spec_options};
use crate::files;
use crate::hub::{Hub, Settings};
use crate::plan::{FrozenOrigin, FrozenSpec, Loaded, Plan, PlannedRun, load};
use crate::record::layout::Layout;
use crate::record::{self, Submission, has_evaluation, is_complete};
use crate::runner::{
    self, CacheLayout, MadeBy, ResolvedStudy, StudyInputs, is_free, is_over, resolve_study,
};
use crate::slurm::{JobScripts, JobStage, QueuedTask, SlurmJob};

/// A study that is to be submitted.
struct SubmittedStudy {
    loaded: Loaded,
    plan: Plan,
    /// What `[select]` tries, where nothing is chosen yet.
    trial: Option<Plan>,
    hub: Hub<'static>,
    layout: Layout,
    results: PathBuf,
    origin: FrozenOrigin,
}

pub fn submit(arguments: &SubmitArguments, common: &Common) -> CommandResult {
    let loaded = load(&arguments.spec, &spec_options(common)?)?;
    let study = study(loaded, arguments, common)?;
    if arguments.finish {
        return finish(&study, arguments, common);
    }
    // Whoever submits a study again looks on: what failed is tried again.
    let groups = open_groups(&study, |run| !is_over(run, &study.layout), |_| true);
    if groups == 0 {
        return nothing_left(&study, arguments, common);
    }
    let frozen = frozen_text(&study, common)?;
    let stored = record::read_submission(&study.layout)?;
    let mut round = new_round(&study, arguments, common, groups)?;
    if arguments.print {
        let (scripts, calls) = (round.scripts_in_words(), round.calls_in_words());
        if common.json {
            print_json(&json!({ "scripts": scripts, "calls": calls }))?;
        } else {
            print(&format!("{scripts}{calls}"));
        }
        return Ok(Exit::Good);
    }
    let waiting = match stored {
        Some(stored) => round.take_up(stored)?,
        None => Vec::new(),
    };
    if waiting.is_empty() {
        begin(&study, &frozen)?;
    } else {
        refuse_another_form(&study, &frozen, &waiting)?;
    }
    let new = round.submit_missing(&waiting)?;
    round.refuse_what_waits_for_ever(&new)?;
    tell(&round, &new, groups, arguments, common)?;
    Ok(Exit::Good)
}

fn study(
    loaded: Loaded,
    arguments: &SubmitArguments,
    common: &Common,
) -> Result<SubmittedStudy, super::CommandError> {
    let results = absolute(&common.results)?;
    let layout = Layout::new(&results, loaded.name());
    let origin = match loaded.origin() {
        Some(origin) => origin.clone(),
        None => FrozenOrigin {
            spec: arguments.spec.clone(),
            working_folder: absolute(Path::new("."))?,
            command: run::command(&arguments.spec, common),
        },
    };
    refuse_another_spec(&layout, &origin.path())?;
    let hub = Hub::quiet(
        Settings::from_environment(common.offline),
        pins(&loaded, &layout)?,
    );
    let study = resolve_study(loaded, &StudyInputs::to_submit(&hub), &layout)?;
    let awaits_choice = study.awaits_choice();
    let ResolvedStudy {
        loaded,
        plan,
        trial,
    } = study;
    Ok(SubmittedStudy {
        loaded,
        plan,
        trial: trial.filter(|_| awaits_choice),
        hub,
        layout,
        results,
        origin,
    })
}

fn absolute(path: &Path) -> Result<PathBuf> {
    let path = std::path::absolute(path)
        .with_context(|| format!("{} is no path from here", path.display()))?;
    Ok(path.components().collect())
}

/// Ends where no run is open.
fn nothing_left(
    study: &SubmittedStudy,
    arguments: &SubmitArguments,
    common: &Common,
) -> CommandResult {
    let exit = if study.trial.is_some() {
        say(
            "[select] can choose nothing: what it tries diverged, or is incomplete; give it other \
             values",
        );
        Exit::Failed
    } else {
        say(&format!(
            "every run is done: nothing is left to submit; `kdpipe report {}` writes the report",
            arguments.spec.display()
        ));
        Exit::Good
    };
    if common.json {
        print_json(&json!({ "jobs": [], "submitted": [], "groups": 0, "workers": 0 }))?;
    }
    Ok(exit)
}

/// The number of groups of the runs that are asked for, and of those that `[select]` has to try.
fn open_groups(
    study: &SubmittedStudy,
    is_asked: impl Fn(&PlannedRun) -> bool,
    is_to_try: impl Fn(&PlannedRun) -> bool,
) -> usize {
    let tried = study.trial.iter().flat_map(|trial| &trial.runs);
    let tried = tried.filter(|run| !record::is_tried(&study.layout, &run.id));
    let mut tried = tried.filter(|run| is_to_try(run)).peekable();
    if study.trial.is_some() && tried.peek().is_none() {
        // Nothing can be chosen, and so nothing of the grid can be run.
        return 0;
    }
    let asked = study.plan.runs.iter().filter(|run| is_asked(run));
    let keys: BTreeSet<&str> = asked
        .chain(tried)
        .map(|run| run.group_key.as_str())
        .collect();
    keys.len()
}

fn frozen_text(study: &SubmittedStudy, common: &Common) -> Result<String> {
    let frozen: FrozenSpec = study
        .loaded
        .freeze(study.origin.clone(), &spec_options(common)?);
    toml::to_string(&frozen).context("the spec cannot be written as TOML")
}

fn new_round<'a>(
    study: &'a SubmittedStudy,
    arguments: &SubmitArguments,
    common: &Common,
    groups: usize,
) -> Result<JobRound<'a>> {
    let cache = match std::env::var_os("KDPIPE_CACHE").filter(|value| !value.is_empty()) {
        Some(folder) => absolute(Path::new(&folder))?,
        // On the file system that nodes share; the home folder need not be.
        None => study.results.join(".cache"),
    };
    let mut flags = Vec::new();
    if common.offline {
        flags.push("--offline".to_owned());
    }
    if let Some(threads) = common.threads {
        flags.extend(["--threads".to_owned(), threads.to_string()]);
    }
    if common.verbose {
        flags.push("--verbose".to_owned());
    }
    let submission = Submission {
        name: job_name(study.loaded.name()),
        workers: arguments.workers,
        arguments: arguments.sbatch.clone(),
        flags,
        cache,
        rounds: 1,
        jobs: Vec::new(),
    };
    round_of(study, submission, groups)
}

/// `kd-NAME-NONCE`: a name that no other submission has, so that its jobs are found by it.
fn job_name(study: &str) -> String {
    format!("kd-{study}-{}", &files::unique_name()[..6])
}

fn round_of<'a>(
    study: &'a SubmittedStudy,
    submission: Submission,
    groups: usize,
) -> Result<JobRound<'a>> {
    let program = std::env::current_exe().context("the program's own file is not known")?;
    let scripts = JobScripts {
        program,
        results: study.results.clone(),
        folder: study.layout.slurm(),
        frozen: study.layout.frozen(),
        cache: submission.cache.clone(),
        name: submission.name.clone(),
        flags: submission.flags.clone(),
    };
    let trained = CacheLayout::new(&submission.cache).teachers();
    let is_prepared = |run: &PlannedRun| {
        let is_at_hand = run.spec.teacher.is_read() || is_complete(&trained.run(&run.teacher_key));
        let evaluated = study.layout.teacher(&run.teacher_key);
        is_at_hand && has_evaluation(&evaluated, &run.teacher_evaluation_key)
    };
    let mut open = study
        .plan
        .runs
        .iter()
        .filter(|run| !is_over(run, &study.layout));
    Ok(JobRound {
        layout: &study.layout,
        scripts,
        tasks: submission.workers.min(groups),
        is_prepared: open.all(is_prepared),
        submission,
    })
}

/// What is written before the first job of a submission: the folder of its logs, without which a
/// job ends and leaves no word, the frozen spec, and the study itself.
fn begin(study: &SubmittedStudy, frozen: &str) -> Result<()> {
    let layout = &study.layout;
    files::create_folders(&layout.slurm())?;
    files::write_atomically(&layout.frozen(), frozen.as_bytes())?;
    let made_by = MadeBy {
        spec: &study.origin.spec,
        command: &study.origin.command,
    };
    runner::record_study(&study.plan, made_by, layout, &study.hub, &|words| {
        say(&format!("note: {words}"))
    })?;
    // Whoever submits a study again looks on: what was given up is tried again.
    let tried = study.trial.iter().flat_map(|trial| &trial.runs);
    let tried = tried.filter(|run| !record::is_tried(layout, &run.id));
    let open = study.plan.runs.iter().filter(|run| !is_over(run, layout));
    let mut open = open.chain(tried);
    open.try_for_each(|run| record::forget_starts(layout, &run.id))
}

/// Refuses to change the spec under jobs that wait or run.
fn refuse_another_form(study: &SubmittedStudy, frozen: &str, waiting: &[QueuedTask]) -> Result<()> {
    let path = study.layout.frozen();
    if files::read_text(&path, 32 << 20).is_ok_and(|stored| stored == frozen) {
        return Ok(());
    }
    let jobs: BTreeSet<&str> = waiting.iter().map(QueuedTask::job).collect();
    Err(anyhow!(
        "the study is submitted already, with another spec or other settings ({}); end these jobs \
         first: scancel {}",
        path.display(),
        jobs.into_iter().collect::<Vec<_>>().join(" ")
    ))
}

fn tell(
    round: &JobRound,
    new: &[JobStage],
    groups: usize,
    arguments: &SubmitArguments,
    common: &Common,
) -> Result<()> {
    let submission = &round.submission;
    if common.json {
        return print_json(&json!({
            "jobs": submission.jobs,
            "submitted": new.iter().map(|stage| stage.name()).collect::<Vec<_>>(),
            "groups": groups,
            "workers": round.tasks,
        }));
    }
    let jobs: Vec<String> = submission
        .jobs
        .iter()
        .map(|job| format!("{} {}", job.stage, job.id))
        .collect();
    let words = if new.is_empty() {
        "submitted already"
    } else {
        "submitted"
    };
    print(&format!(
        "{words}: {}; {} for {}\nkdpipe status {} --results {} shows how far they are; scancel {} \
         ends them\n",
        jobs.join(", "),
        counted(round.tasks, "worker"),
        counted(groups, "group"),
        arguments.spec.display(),
        common.results.display(),
        submission.ids().join(" "),
    ));
    Ok(())
}

/// Whether this job is the last of a round after which another was begun.
fn is_of_an_earlier_round(stored: &Submission) -> bool {
    let own = SlurmJob::of_environment().name;
    let last = stored.job(JobStage::Finish.name());
    own.is_some_and(|own| last != Some(&own) && stored.rounds > 1)
}

/// Submits what is missing of a round that was begun, and tells whether any job of it is left: one
/// that is over needs nothing more.
fn is_round_left(study: &SubmittedStudy, stored: &Submission, left: usize) -> Result<bool> {
    let mut round = round_of(study, stored.clone(), left.max(1))?;
    let waiting = round.take_up(stored.clone())?;
    if waiting.is_empty() {
        return Ok(false);
    }
    round.submit_missing(&waiting)?;
    say(&format!(
        "a round of workers was begun before: {}",
        round.submission.ids().join(" ")
    ));
    Ok(true)
}

/// The last job of a round: workers are submitted again where they left more than a process does
/// well alone, a few times at most; else it does what is left, and reports.
fn finish(study: &SubmittedStudy, arguments: &SubmitArguments, common: &Common) -> CommandResult {
    let layout = &study.layout;
    let has_failed = |run: &PlannedRun| record::read_error(layout, &run.id).is_some();
    let is_left = |run: &PlannedRun| is_free(run, layout) && !has_failed(run);
    let left = open_groups(study, is_left, |run| !has_failed(run));
    let stored = record::read_submission(layout)?;
    if let Some(stored) = &stored
        && is_of_an_earlier_round(stored)
        && is_round_left(study, stored, left)?
    {
        // Put back into the queue after it had begun a round, whose last job does the rest.
        return Ok(Exit::Good);
    }
    if let Some(stored) = stored
        && left > 1
        && stored.rounds < MOST_ROUNDS
    {
        let submission = Submission {
            name: job_name(study.loaded.name()),
            rounds: stored.rounds + 1,
            jobs: Vec::new(),
            ..stored
        };
        let mut round = round_of(study, submission, left)?;
        match round.submit_missing(&[]) {
            Ok(_) => {
                say(&format!(
                    "the workers left {}: submitted again as {}",
                    counted(left, "group"),
                    round.submission.ids().join(" ")
                ));
                return Ok(Exit::Good);
            }
            Err(error) => say(&format!("note: the rest is done here, as {error:#}")),
        }
    }
    let waiting = RunArguments {
        spec: arguments.spec.clone(),
        wait: true,
        ..RunArguments::default()
    };
    run::run(&waiting, common)
}
