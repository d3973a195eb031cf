//! `kdpipe run`: the whole study.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::Instant;

use serde_json::json;

use super::args::{Common, RunArguments};
use super::expect::missed;
use super::progress::Display;
use super::signals::stop_flag;
use super::{CommandError, CommandResult, Exit, pins, print, spec_options};
use crate::hub::{Hub, Settings};
use crate::plan::{Plan, RunSelection, load};
use crate::record::layout::Layout;
use crate::runner::{self, Ending, Site, StudyInputs, cache_folder, news_to};
use crate::{record, report};

pub fn run(arguments: &RunArguments, common: &Common) -> CommandResult {
    let started = Instant::now();
    let loaded = load(&arguments.spec, &spec_options(common)?)?;
    let layout = Layout::new(&common.results, loaded.name());
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
    let selection = RunSelection::new(&arguments.only, arguments.shard.as_deref())
        .map_err(CommandError::Other)?;
    let selected = selection.indices(&plan);
    if selected.is_empty() {
        return Err(anyhow::anyhow!(
            "no run of the grid is selected; `kdpipe plan {}` lists their ids and axes",
            arguments.spec.display()
        )
        .into());
    }
    runner::check_limits(&plan, &selected, &layout)?;
    display.begin_grid(selected.len());
    plan.notices
        .iter()
        .for_each(|notice| display.notice(notice));
    let site = Site {
        layout: layout.clone(),
        cache: cache_folder()?,
        hub: &hub,
        stop: &stop,
        observer: &display,
    };
    let endings = runner::run(&plan, &selected, &command(arguments, common), &site);
    display.close();
    let endings = endings.map_err(CommandError::Run)?;

    let mut exit = exit_of(&endings);
    if exit == Exit::Interrupted {
        if !common.quiet {
            eprintln!("stopped; everything is saved. The same command goes on from here.");
        }
        return Ok(exit);
    }
    let rendered = report::update(&layout).map_err(CommandError::Run)?;
    let missed = missed(&plan, &layout).map_err(CommandError::Run)?;
    missed
        .iter()
        .for_each(|line| eprintln!("expectation missed: {line}"));
    if !missed.is_empty() && exit == Exit::Good {
        exit = Exit::Failed;
    }
    if common.json {
        print(&format!(
            "{:#}\n",
            summary(&plan, &endings, &layout, &missed)
        ));
    } else if !common.quiet {
        print(&format!("{}\n", rendered.summary.trim_end()));
        print(&format!(
            "report: {}   ({:.0} s)\n",
            layout.report().display(),
            started.elapsed().as_secs_f64()
        ));
    }
    Ok(exit)
}

/// The command that the report names.
fn command(arguments: &RunArguments, common: &Common) -> String {
    let mut command = format!("kdpipe run {}", arguments.spec.display());
    for set in &common.set {
        command.push_str(&format!(" --set '{set}'"));
    }
    command
}

fn exit_of(endings: &BTreeMap<usize, Ending>) -> Exit {
    let any = |wanted: fn(&Ending) -> bool| endings.values().any(wanted);
    if any(|ending| matches!(ending, Ending::Interrupted)) {
        Exit::Interrupted
    } else if any(|ending| !matches!(ending, Ending::Good)) {
        Exit::Failed
    } else {
        Exit::Good
    }
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
                Ending::Good => ("good", None),
                Ending::Diverged { reason } => ("diverged", Some(reason)),
                Ending::Failed { error } => ("failed", Some(error)),
                Ending::Held { owner } => ("held", Some(owner)),
                Ending::Interrupted => ("interrupted", None),
            };
            let evaluation = record::read_evaluation(&layout.run(&run.id).evaluation(&run.evaluation_key)).ok();
            json!({
                "id": run.id,
                "label": run.label,
                "state": state,
                "reason": reason,
                "nll_nats_per_token": evaluation.as_ref().map(|evaluation| evaluation.test.nll_nats_per_token),
                "perplexity": evaluation.as_ref().map(|evaluation| evaluation.test.perplexity),
            })
        })
        .collect();
    json!({ "name": plan.name, "report": layout.report(), "runs": runs, "missed": missed })
}
