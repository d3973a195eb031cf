//! `kdpipe run`: the whole study.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use super::args::{Common, RunArguments};
use super::choosing::{Chosen, chosen};
use super::endings::{endings_by_record, exit_of, explained, summary, summary_of_nothing};
use super::expect::missed_expectations;
use super::late_stop::LateStop;
use super::progress::Display;
use super::signals::StopSignals;
use super::stored::refuse_another_spec;
use super::{
    CommandError, CommandResult, Exit, check_template, counted, pins, print, print_json, say,
    spec_options,
};
use crate::hub::{Hub, Pin, Settings};
use crate::plan::{FrozenOrigin, Loaded, Plan, RunSelection, load};
use crate::record::MOST_RESTARTS;
use crate::record::layout::Layout;
use crate::report;
use crate::runner::{
    self, Ending, MadeBy, ResolvedStudy, Role, Site, Standing, StudyInputs, cache_folder, news_to,
    resolve_study,
};
use crate::shell;
use crate::slurm::SlurmJob;

/// A job that hears this soon that its time is almost up comes to nothing.
const WARNED_AT_ONCE: Duration = Duration::from_secs(30);

/// Runs the study. It is long because what a command has set up has to outlive all of its work.
pub fn run(arguments: &RunArguments, common: &Common) -> CommandResult {
    let started = Instant::now();
    // First of all: a batch system may send signals as soon as a job has begun.
    let signals = StopSignals::watch()?;
    let selection = RunSelection::new(&arguments.only, arguments.shard.as_deref())?;
    let loaded = load(&arguments.spec, &spec_options(common)?)?;
    let name = loaded.name().to_owned();
    let layout = Layout::new(&common.results, &name);
    let origin = loaded.origin().cloned();
    let origin = origin.as_ref();
    let own_spec = origin.map_or_else(|| arguments.spec.clone(), FrozenOrigin::path);
    refuse_another_spec(&layout, &own_spec)?;
    let pins = known_pins(&loaded, &layout, arguments)?;
    let stop = &*signals.stop;
    let display = Display::new(common);
    let news = news_to(&display);
    let hub = Hub::new(
        Settings::from_environment(common.offline),
        pins,
        &news,
        stop,
    );
    check_template(&loaded)?;
    let inputs = StudyInputs::to_run(&hub);
    let study = resolve_study(loaded, &inputs, &layout);
    display.close();
    let print_nothing = || {
        if common.json {
            // A closed pipe is no reason to end otherwise.
            drop(print_json(&summary_of_nothing(&name, &layout)));
        }
    };
    let study = match study {
        Err(_) if signals.is_stopped() => {
            print_nothing();
            return Ok(stopped(&signals, started));
        }
        study => study?,
    };
    // A typing error is told before anything is tried for the choice of [select].
    let may_name_one = study.awaits_choice() && selection.may_name_an_id();
    if !may_name_one && !selection.names_some(&study.plan) {
        return Err(nothing_selected(arguments));
    }
    let site = Site {
        layout: layout.clone(),
        cache: cache_folder()?,
        hub: &hub,
        role: role(arguments),
        wants_weights: arguments.weights,
        evaluates: true,
        tensorboard: arguments.tensorboard.as_deref(),
        stop,
        observer: &display,
    };
    let by_hand = command(&arguments.spec, common);
    let made_by = MadeBy {
        spec: origin.map_or(&arguments.spec, |origin| &origin.spec),
        command: origin.map_or(&by_hand, |origin| &origin.command),
    };
    let stop_early = || {
        say_saved(0, common);
        stopped(&signals, started)
    };
    let stop_late = || {
        print_nothing();
        stop_early()
    };
    let late = LateStop::new(&signals, &display, &stop_late);
    let study = late.watched(|| chosen(study, &inputs, made_by, &site, (&display, common)))?;
    let study = match study {
        Chosen::Study(study) => study,
        Chosen::Nothing => return Ok(Exit::Failed),
        Chosen::Left => return Ok(Exit::Good),
        Chosen::Stopped => return Ok(stop_early()),
    };
    let plan = &study.plan;
    let Some(selected) = selected_runs(plan, &selection, arguments)? else {
        say("this part of the grid is empty: there are more parts than groups of runs");
        print_nothing();
        return Ok(Exit::Good);
    };
    let stop_now = || {
        say_saved(trained(plan, &selected, &layout), common);
        stopped(&signals, started)
    };
    let stop_late = || {
        if common.json {
            let endings = endings_by_record(plan, &selected, &layout);
            drop(print_json(&summary(plan, &endings, &layout, &[])));
        }
        stop_now()
    };
    let late = LateStop::new(&signals, &display, &stop_late);
    let endings = late.watched(|| run_grid(&study, &selected, made_by, &site, &display))?;
    let is_part = matches!(site.role, Role::Worker | Role::Preparer);
    let is_stopped = exit_of(&endings) == Exit::Interrupted;
    if common.json && (is_part || is_stopped) {
        print_json(&summary(plan, &endings, &layout, &[]))?;
    }
    if is_stopped {
        return Ok(stop_now());
    }
    match site.role {
        Role::Worker | Role::WaitingWorker => Ok(conclude_part(&endings, common)),
        Role::Preparer => Ok(conclude_preparation(&endings, common)),
        Role::Whole | Role::Finisher => conclude(plan, &endings, &layout, common, started),
    }
}

/// Runs the selected part of the grid.
fn run_grid(
    study: &ResolvedStudy,
    selected: &[usize],
    made_by: MadeBy,
    site: &Site,
    display: &Display,
) -> Result<BTreeMap<usize, Ending>, CommandError> {
    let ResolvedStudy { loaded, plan, .. } = study;
    runner::check_limits(plan, selected, &site.layout)?;
    display.begin_grid(selected.len());
    plan.notices.iter().for_each(|words| display.notice(words));
    let endings = runner::run(plan, selected, made_by, site);
    display.close();
    endings.map_err(|error| explained(error, loaded, plan))
}

/// The commits that the study is held to, unless they are looked up again.
fn known_pins(
    loaded: &Loaded,
    layout: &Layout,
    arguments: &RunArguments,
) -> anyhow::Result<Vec<Pin>> {
    if arguments.relock {
        return Ok(Vec::new());
    }
    pins(loaded, layout)
}

/// How many of the runs are trained and not evaluated yet.
fn trained(plan: &Plan, selected: &[usize], layout: &Layout) -> usize {
    let standing = |&&index: &&usize| Standing::of(&plan.runs[index], layout);
    let is_trained = |index: &&usize| matches!(standing(index), Ok(Standing::Trained));
    selected.iter().filter(is_trained).count()
}

fn say_saved(trained: usize, common: &Common) {
    if common.quiet {
        return;
    }
    let trained = match trained {
        0 => String::new(),
        1 => " 1 run is trained, to be evaluated.".to_owned(),
        runs => format!(" {runs} runs are trained, to be evaluated."),
    };
    say(&format!(
        "stopped; everything is saved.{trained} The same command goes on from here."
    ));
}

fn role(arguments: &RunArguments) -> Role {
    match arguments {
        RunArguments { worker: true, .. } => Role::Worker,
        RunArguments { wait: true, .. } => Role::Finisher,
        RunArguments { prepare: true, .. } => Role::Preparer,
        _ => Role::Whole,
    }
}

/// The end of a command that was stopped, with everything saved. A batch system that said that the
/// time is almost up starts it again; one that only ends it may do so for good.
fn stopped(signals: &StopSignals, started: Instant) -> Exit {
    let job = SlurmJob::of_environment();
    let comes_to_nothing = started.elapsed() < WARNED_AT_ONCE && job.restarts >= MOST_RESTARTS;
    if signals.is_time_up() && comes_to_nothing {
        say(
            "note: the job is not put back into the queue, as it is warned of its end as soon as \
             it begins; give it more time than that of its --signal",
        );
    } else if signals.is_time_up() {
        job.requeue();
    }
    Exit::Interrupted
}

/// The indices of the runs that `--only` and `--shard` leave; none where the part that `--shard`
/// names is empty.
fn selected_runs(
    plan: &Plan,
    selection: &RunSelection,
    arguments: &RunArguments,
) -> Result<Option<Vec<usize>>, CommandError> {
    let selected = selection.indices(plan);
    if selected.is_empty() && arguments.shard.is_some() && arguments.only.is_empty() {
        return Ok(None);
    }
    if selected.is_empty() {
        return Err(nothing_selected(arguments));
    }
    Ok(Some(selected))
}

fn nothing_selected(arguments: &RunArguments) -> CommandError {
    anyhow::anyhow!(
        "no run of the grid is selected; `kdpipe plan {}` lists their ids and axes",
        arguments.spec.display()
    )
    .into()
}

/// Says what a worker leaves to others, which is no failure, and what failed; reports nothing.
fn conclude_part(endings: &BTreeMap<usize, Ending>, common: &Common) -> Exit {
    let count = |is_it: fn(&Ending) -> bool| endings.values().filter(|one| is_it(one)).count();
    let held = count(|ending| matches!(ending, Ending::Held { .. }));
    let failed = count(|ending| matches!(ending, Ending::Failed { .. }));
    if !common.quiet {
        let mut words = "nothing is left to take".to_owned();
        if held > 0 {
            words.push_str(&format!("; others hold {}", counted(held, "run")));
        }
        if failed > 0 {
            words.push_str(&format!("; {} failed", counted(failed, "run")));
        }
        say(&words);
    }
    if failed > 0 { Exit::Failed } else { Exit::Good }
}

/// Says whether text and teachers are there for the work of others.
fn conclude_preparation(endings: &BTreeMap<usize, Ending>, common: &Common) -> Exit {
    let is_failed = |ending: &Ending| matches!(ending, Ending::Failed { .. });
    let failed = endings.values().filter(|ending| is_failed(ending)).count();
    if failed > 0 {
        say(&format!("{} cannot be prepared", counted(failed, "run")));
        return Exit::Failed;
    }
    if !common.quiet {
        say("text and teacher are there");
    }
    Exit::Good
}

/// Writes the report, looks whether the study's expectations are met, and says how it went.
fn conclude(
    plan: &Plan,
    endings: &BTreeMap<usize, Ending>,
    layout: &Layout,
    common: &Common,
    started: Instant,
) -> CommandResult {
    let exit = exit_of(endings);
    let rendered = report::update(layout).map_err(CommandError::Run)?;
    let is_asked = |run: usize| endings.contains_key(&run);
    let missed = missed_expectations(plan, layout, is_asked).map_err(CommandError::Run)?;
    for line in &missed {
        say(&format!("expectation missed: {line}"));
    }
    if common.json {
        let summary = summary(plan, endings, layout, &missed);
        print(&format!("{summary:#}\n"));
    } else if !common.quiet {
        print(&format!("{}\n", rendered.summary.trim_end()));
        print(&format!(
            "report: {}   ({:.0} s)\n",
            layout.report().display(),
            started.elapsed().as_secs_f64()
        ));
    }
    Ok(if missed.is_empty() {
        exit
    } else {
        Exit::Failed
    })
}

/// The command that the report names, as a shell takes it: with what sets keys from outside.
pub(super) fn command(spec: &Path, common: &Common) -> String {
    let mut command = String::new();
    // Variables that set a key hold the two underscores that stand for its dot.
    for (name, value) in super::environment().unwrap_or_default() {
        if name.contains("__") {
            command.push_str(&format!("{name}={} ", shell::word(&value)));
        }
    }
    command.push_str(&format!("kdpipe run {}", shell::path(spec)));
    for set in &common.set {
        command.push_str(&format!(" --set {}", shell::word(set)));
    }
    if let Some(device) = common.device {
        command.push_str(&format!(" --device {device}"));
    }
    command
}
