//! The command line: arguments, dispatch, exit codes. The only place that prints.

mod args;
mod bench;
mod cache;
mod check;
mod choosing;
mod clean;
mod diff;
mod diff_bytes;
mod endings;
mod eval;
mod expect;
mod export;
mod generate;
mod grid_progress;
mod grouped_cost;
mod in_hand;
mod init;
mod job_round;
mod json_errors;
mod late_stop;
mod man;
mod output;
mod plan;
mod plan_power;
mod plan_text;
mod power_text;
mod progress;
mod progress_words;
mod report;
mod run;
mod screen;
mod signals;
mod status;
mod stored;
mod submit;
mod values;
mod verify;

use std::io::IsTerminal;
use std::path::Path;
use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use crate::hub::{Hub, HubError, Pin, Settings};
use crate::plan::{Diagnostics, Loaded, Overrides, PREFIX, counted};
use crate::record;
use crate::record::layout::Layout;
use crate::runner::{OneModel, news_to, pins_from_lock};
use crate::slurm::SlurmJob;
use crate::train::keep_memory;
use args::{Cli, ColorChoice, Command, Common};
use output::{is_lost, print, print_json, say};
use progress::Display;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Exit {
    Good,
    /// A run failed, an expectation was missed, a comparison differs, or what was printed came
    /// nowhere.
    Failed,
    /// The input is at fault.
    BadInput,
    Interrupted,
}

impl Exit {
    fn code(self) -> u8 {
        match self {
            Self::Good => 0,
            Self::Failed => 1,
            Self::BadInput => 2,
            Self::Interrupted => 130,
        }
    }
}

/// What a command returns: errors are printed in one place, here.
type CommandResult = Result<Exit, CommandError>;

/// Why a command could not do its work.
enum CommandError {
    /// The spec is at fault.
    Spec(Diagnostics),
    /// Anything else that the user gave: a path, a template, a shard.
    Other(anyhow::Error),
    /// The grid could not be run or recorded.
    Run(anyhow::Error),
}

impl From<Diagnostics> for CommandError {
    fn from(diagnostics: Diagnostics) -> Self {
        Self::Spec(diagnostics)
    }
}

impl From<anyhow::Error> for CommandError {
    fn from(error: anyhow::Error) -> Self {
        Self::Other(error)
    }
}

/// Runs the command that the process was started with.
pub fn main() -> ExitCode {
    keep_memory();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return arguments_end(&error),
    };
    if let Some(threads) = cli.common.threads.or_else(threads_of_the_job) {
        // Fails only if a pool exists already, which nothing has made yet.
        let _ = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build_global();
    }
    let exit = match dispatch(&cli) {
        Ok(exit) => exit,
        Err(error) => {
            let exit = exit_of(&error);
            print_error(&error, &cli.common);
            if cli.common.json {
                print(&format!(
                    "{:#}\n",
                    json_errors::as_json(&error, exit.code())
                ));
            }
            exit
        }
    };
    end(exit)
}

/// The end of the program: whoever does not get what was printed is not to take it for done.
fn end(exit: Exit) -> ExitCode {
    let exit = match exit {
        Exit::Good if is_lost() => Exit::Failed,
        exit => exit,
    };
    ExitCode::from(exit.code())
}

fn exit_of(error: &CommandError) -> Exit {
    match error {
        CommandError::Other(error) if was_stopped(error) => Exit::Interrupted,
        CommandError::Spec(_) | CommandError::Other(_) => Exit::BadInput,
        CommandError::Run(_) => Exit::Failed,
    }
}

/// The end of a command whose arguments are wrong, or ask for help alone.
fn arguments_end(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        // A pager that went away has seen what it wanted.
        let text = error.render();
        if std::io::stdout().is_terminal() {
            print(&text.ansi().to_string());
        } else {
            print(&text.to_string());
        }
        return end(Exit::Good);
    }
    let exit = Exit::BadInput.code();
    let _ = error.print();
    if std::env::args_os().any(|argument| argument == "--json") {
        print(&format!("{:#}\n", json_errors::of_arguments(error, exit)));
    }
    ExitCode::from(exit)
}

/// Threads that a batch job grants this process, where they are fewer than the processors that the
/// system lets it run on: not every site binds its jobs to theirs.
fn threads_of_the_job() -> Option<usize> {
    if std::env::var_os("RAYON_NUM_THREADS").is_some() {
        return None;
    }
    let usable = std::thread::available_parallelism().map_or(usize::MAX, usize::from);
    SlurmJob::of_environment()
        .threads
        .filter(|&granted| granted < usable)
}

/// Whether the user stopped a command while it fetched something.
fn was_stopped(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref::<HubError>(), Some(HubError::Stopped))
}

fn dispatch(cli: &Cli) -> CommandResult {
    let common = &cli.common;
    match &cli.command {
        Command::Run(arguments) => run::run(arguments, common),
        Command::Submit(arguments) => submit::submit(arguments, common),
        Command::Status(arguments) => status::status(arguments, common),
        Command::Plan(arguments) => plan::plan(arguments, common),
        Command::Check { specs } => check::check(specs, common),
        Command::Report(arguments) => report::report(arguments, common),
        Command::Eval(arguments) => eval::eval(arguments, common),
        Command::Generate(arguments) => generate::generate(arguments, common),
        Command::Bench { spec, steps, runs } => {
            bench::bench(spec.as_deref(), *steps, *runs, common)
        }
        Command::Verify(arguments) => verify::verify(arguments, common),
        Command::Diff { a, b, bytes } => diff::diff(a, b, *bytes, common),
        Command::Export(arguments) => export::export(arguments, common),
        Command::Clean(arguments) => clean::clean(arguments, common),
        Command::Cache(arguments) => cache::cache(arguments, common),
        Command::Schema => {
            print(&format!("{:#}\n", crate::plan::schema_of_a_spec()));
            Ok(Exit::Good)
        }
        Command::Init { path } => init::init(path, common),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut Cli::command(), "kdpipe", &mut script);
            print(&String::from_utf8_lossy(&script));
            Ok(Exit::Good)
        }
        Command::Man { folder } => man::man(folder, common),
    }
}

fn print_error(error: &CommandError, common: &Common) {
    let text = match error {
        CommandError::Spec(diagnostics) => {
            diagnostics.render(uses_color(common, &std::io::stderr()))
        }
        CommandError::Other(error) | CommandError::Run(error) => format!("error: {error:#}"),
    };
    say(text.trim_end());
}

fn uses_color(common: &Common, stream: &impl IsTerminal) -> bool {
    match common.color {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        ColorChoice::Auto => stream.is_terminal() && std::env::var_os("NO_COLOR").is_none(),
    }
}

/// What reaches the spec from outside its files.
fn spec_options(common: &Common) -> anyhow::Result<Overrides> {
    use anyhow::Context;
    let device = common
        .device
        .map(|device| format!("train.device=\"{device}\""));
    Ok(Overrides {
        set: common.set.iter().cloned().chain(device).collect(),
        environment: environment()?,
        working_folder: std::env::current_dir().context("the working folder cannot be read")?,
    })
}

/// What the environment has under kdpipe's prefix.
fn environment() -> anyhow::Result<Vec<(String, String)>> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
        .filter(|(name, _)| name.starts_with(PREFIX))
        .map(|(name, value)| match value.into_string() {
            Ok(value) => Ok((name, value)),
            Err(_) => Err(anyhow::anyhow!("the environment's {name} is not UTF-8")),
        })
        .collect()
}

/// Removes each of them; those that stay, as a process is at them, are taken out and given back.
fn remove_each<T>(
    items: &mut Vec<T>,
    remove: impl Fn(&T) -> anyhow::Result<bool>,
) -> anyhow::Result<Vec<T>> {
    let (mut gone, mut kept) = (Vec::new(), Vec::new());
    for item in items.drain(..) {
        let is_gone = remove(&item)?;
        if is_gone { &mut gone } else { &mut kept }.push(item);
    }
    *items = gone;
    Ok(kept)
}

/// The hub for a look at a study: it is never asked, and holds to the commits that the study was
/// run with.
fn hub_to_plan(loaded: &Loaded, common: &Common) -> anyhow::Result<Hub<'static>> {
    let pins = pins(loaded, &Layout::new(&common.results, loaded.name()))?;
    Ok(Hub::quiet(Settings::from_environment(true), pins))
}

/// Looks whether the report's template can be used, which would else be found behind all runs.
fn check_template(loaded: &Loaded) -> Result<(), Diagnostics> {
    crate::report::check_template(&loaded.report_settings().template.written)
        .map_err(|fault| loaded.diagnose_study(fault))
}

/// The commits that a study is held to. One that takes nothing from the hub has none, and no use
/// for a `lock.toml` that cannot be read.
fn pins(loaded: &Loaded, layout: &Layout) -> anyhow::Result<Vec<Pin>> {
    Ok(if loaded.uses_hub() {
        pins_from_lock(record::read_pins(layout)?)
    } else {
        Vec::new()
    })
}

/// A model by its folder or its name on the hub, told how far it is while it is fetched.
fn open_model(model: &str, common: &Common) -> anyhow::Result<OneModel> {
    let stop = signals::stop_flag()?;
    let display = Display::new(common);
    let news = news_to(&display);
    let hub = Hub::new(
        Settings::from_environment(common.offline),
        Vec::new(),
        &news,
        &stop,
    );
    let device = common.device.unwrap_or_default();
    let opened = OneModel::open(Path::new(model), &hub, device);
    display.close();
    let opened = opened?;
    if stop.load(std::sync::atomic::Ordering::Relaxed) {
        return Err(HubError::Stopped.into());
    }
    signals::end_at_once()?;
    if !common.quiet {
        for note in opened.notes() {
            say(&format!("note: {note}"));
        }
    }
    Ok(opened)
}
