//! `kdpipe run`: the whole study.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::Instant;

use serde_json::json;

use super::args::{Common, RunArguments};
use super::expect::missed_expectations;
use super::progress::Display;
use super::signals::stop_flag;
use super::stored::refuse_another_spec;
use super::{CommandError, CommandResult, Exit, pins, print, say, spec_options};
use crate::hub::{Hub, Settings};
use crate::plan::{Diagnostics, Plan, RunSelection, load};
use crate::record::layout::Layout;
use crate::runner::{
    self, Ending, MadeBy, Site, StudyInputs, UnusableInputs, cache_folder, news_to,
};
use crate::{record, report};

pub fn run(arguments: &RunArguments, common: &Common) -> CommandResult {
    let started = Instant::now();
    let loaded = load(&arguments.spec, &spec_options(common)?)?;
    let layout = Layout::new(&common.results, loaded.name());
    refuse_another_spec(&layout, &arguments.spec)?;
    let pins = if arguments.relock {
        Vec::new()
    } else {
        pins(&loaded, &layout)?
    };
    let stop = stop_flag()?;
    let display = Display::new(common);
    let news = news_to(&display);
    let hub = Hub::new(
        Settings::from_environment(common.offline),
        pins,
        &news,
        &stop,
    );
    let plan = loaded.resolve(&StudyInputs::to_run(&hub));
    display.close();
    let plan = match plan {
        Err(_) if stop.load(Ordering::Relaxed) => return Ok(Exit::Interrupted),
        plan => plan?,
    };
    let selected = selected_runs(&plan, arguments)?;
    runner::check_limits(&plan, &selected, &layout)?;
    display.begin_grid(selected.len());
    for notice in &plan.notices {
        display.notice(notice);
    }
    let site = Site {
        layout: layout.clone(),
        cache: cache_folder()?,
        hub: &hub,
        wants_weights: arguments.weights,
        tensorboard: arguments.tensorboard.as_deref(),
        stop: &stop,
        observer: &display,
    };
    let made_by = MadeBy {
        spec: &arguments.spec,
        command: &command(arguments, common),
    };
    let endings = runner::run(&plan, &selected, made_by, &site);
    display.close();
    let endings = endings.map_err(|error| match error.downcast::<UnusableInputs>() {
        Ok(UnusableInputs(unusable)) => {
            let told = unusable
                .into_iter()
                .flat_map(|(run, faults)| loaded.diagnose(&plan, run, faults).0);
            CommandError::Spec(Diagnostics(told.collect()).sorted())
        }
        Err(error) => CommandError::Run(error),
    })?;
    conclude(&plan, &endings, &layout, common, started)
}

/// The indices of the runs that `--only` and `--shard` leave.
fn selected_runs(plan: &Plan, arguments: &RunArguments) -> Result<Vec<usize>, CommandError> {
    let selection = RunSelection::new(&arguments.only, arguments.shard.as_deref())
        .map_err(CommandError::Other)?;
    let selected = selection.indices(plan);
    if selected.is_empty() {
        return Err(anyhow::anyhow!(
            "no run of the grid is selected; `kdpipe plan {}` lists their ids and axes",
            arguments.spec.display()
        )
        .into());
    }
    Ok(selected)
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
    if exit == Exit::Interrupted {
        if !common.quiet {
            say("stopped; everything is saved. The same command goes on from here.");
        }
        return Ok(exit);
    }
    let rendered = report::update(layout).map_err(CommandError::Run)?;
    let missed = missed_expectations(plan, layout).map_err(CommandError::Run)?;
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

/// The command that the report names.
fn command(arguments: &RunArguments, common: &Common) -> String {
    let mut command = format!("kdpipe run {}", arguments.spec.display());
    for set in &common.set {
        command.push_str(&format!(" --set '{set}'"));
    }
    if let Some(device) = common.device {
        command.push_str(&format!(" --device {device}"));
    }
    command
}

/// An interruption outweighs a failed run.
fn exit_of(endings: &BTreeMap<usize, Ending>) -> Exit {
    let mut exit = Exit::Good;
    for ending in endings.values() {
        match ending {
            Ending::Finished => {}
            Ending::Diverged { .. } | Ending::Failed { .. } | Ending::Held { .. } => {
                exit = Exit::Failed;
            }
            Ending::Interrupted => return Exit::Interrupted,
        }
    }
    exit
}

fn summary(
    plan: &Plan,
    endings: &BTreeMap<usize, Ending>,
    layout: &Layout,
    missed: &[String],
) -> serde_json::Value {
    let runs: Vec<serde_json::Value> = endings
        .iter()
        .map(|(&index, ending)| {
            let run = &plan.runs[index];
            let (state, reason) = match ending {
                Ending::Finished => ("finished", None),
                Ending::Diverged { reason } => ("diverged", Some(reason)),
                Ending::Failed { error } => ("failed", Some(error)),
                Ending::Held { owner } => ("held", Some(owner)),
                Ending::Interrupted => ("interrupted", None),
            };
            let folder = layout.run(&run.id).evaluation(&run.evaluation_key);
            let test = record::read_evaluation(&folder)
                .ok()
                .map(|evaluation| evaluation.test);
            json!({
                "id": run.id,
                "label": run.label,
                "state": state,
                "reason": reason,
                "nll_nats_per_token": test.as_ref().map(|test| test.nll_nats_per_token),
                "perplexity": test.as_ref().and_then(|test| test.perplexity),
            })
        })
        .collect();
    json!({ "name": plan.name, "report": layout.report(), "runs": runs, "missed": missed })
}
