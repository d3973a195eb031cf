//! What `run` shows while it works: bars on a terminal, plain lines elsewhere. Everything here goes
//! to the error stream, so that standard output holds results alone.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::args::Common;
use super::output::say;
use crate::recorded;
use crate::runner::{Event, Observer};

/// Shows a study's events.
pub struct Display {
    style: Style,
    verbose: bool,
    state: Mutex<ProgressState>,
}

enum Style {
    Quiet,
    Lines,
    /// The grid above, the training in hand below.
    Bars {
        all: MultiProgress,
    },
}

#[derive(Default)]
struct ProgressState {
    grid: Option<ProgressBar>,
    training: Option<Training>,
    download: Option<Download>,
    stage: Option<ProgressBar>,
}

/// The training in hand.
struct Training {
    bar: Option<ProgressBar>,
    title: String,
    runs: usize,
    steps: u64,
    /// Tokens and seconds since the last line or refresh.
    tokens: u64,
    seconds: f64,
    /// When the last plain line was printed, and at which tenth.
    shown: Instant,
}

/// The file in hand.
struct Download {
    file: String,
    bar: Option<ProgressBar>,
    /// When the last plain line was printed.
    shown: Instant,
}

/// Files of fewer bytes are not worth a line.
const WORTH_A_LINE: u64 = 1 << 20;
/// A plain line at most this often.
const LINE_EVERY: Duration = Duration::from_secs(20);

impl Display {
    pub fn new(common: &Common) -> Self {
        let style = if common.quiet || common.json {
            Style::Quiet
        } else if std::io::stderr().is_terminal() {
            Style::Bars {
                all: MultiProgress::new(),
            }
        } else {
            Style::Lines
        };
        Self {
            style,
            verbose: common.verbose,
            state: Mutex::new(ProgressState::default()),
        }
    }

    /// Shows a grid of `runs` runs from now on.
    pub fn begin_grid(&self, runs: usize) {
        if let Style::Bars { all } = &self.style {
            let grid = all.add(ProgressBar::new(runs as u64));
            grid.set_style(bar_style(
                "grid  {bar:32.cyan/dim} {pos}/{len} runs  {elapsed} elapsed",
            ));
            grid.enable_steady_tick(Duration::from_millis(250));
            self.lock().grid = Some(grid);
        }
    }

    /// Something to know.
    pub fn notice(&self, text: &str) {
        self.print_line(&format!("note: {text}"));
    }

    /// Takes the bars away.
    pub fn close(&self) {
        let mut state = self.lock();
        if let Some(stage) = state.stage.take() {
            stage.finish_and_clear();
        }
        if let Some(Training { bar: Some(bar), .. }) = state.training.take() {
            bar.finish_and_clear();
        }
        if let Some(Download { bar: Some(bar), .. }) = state.download.take() {
            bar.finish_and_clear();
        }
        if let Some(grid) = state.grid.take() {
            grid.finish_and_clear();
        }
        if let Style::Bars { all } = &self.style {
            let _ = all.clear();
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, ProgressState> {
        self.state
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn print_line(&self, text: &str) {
        match &self.style {
            Style::Quiet => {}
            Style::Lines => say(text),
            Style::Bars { all } => {
                let _ = all.println(text);
            }
        }
    }

    fn advance_grid(&self, runs: u64) {
        if let Some(grid) = &self.lock().grid {
            grid.inc(runs);
        }
    }

    fn show_download(&self, file: &str, done: u64, total: u64) {
        let mut state = self.lock();
        if state
            .download
            .as_ref()
            .is_none_or(|download| download.file != file)
        {
            if let Some(Download { bar: Some(bar), .. }) = state.download.take() {
                bar.finish_and_clear();
            }
            let bar = if let Style::Bars { all } = &self.style {
                let bar = all.add(ProgressBar::new(total));
                bar.set_style(bar_style(
                    "fetch {bar:32.yellow/dim} {bytes}/{total_bytes}  {bytes_per_sec}  ETA {eta}  \
                     {msg}",
                ));
                bar.set_position(done);
                bar.reset_eta();
                bar.set_message(file.to_owned());
                Some(bar)
            } else {
                if total >= WORTH_A_LINE || self.verbose {
                    self.print_line(&format!("fetching {file}, {}", megabytes(total)));
                }
                None
            };
            state.download = Some(Download {
                file: file.to_owned(),
                bar,
                shown: Instant::now(),
            });
        }
        let Some(download) = &mut state.download else {
            return;
        };
        if let Some(bar) = &download.bar {
            bar.set_position(done);
            if done == total {
                bar.finish_and_clear();
            }
        } else if download.shown.elapsed() >= LINE_EVERY {
            self.print_line(&format!(
                "  {} of {} ({} %)",
                megabytes(done),
                megabytes(total),
                100 * done / total.max(1)
            ));
            download.shown = Instant::now();
        }
        if done == total {
            state.download = None;
        }
    }

    fn show_stage(&self, text: &str) {
        match &self.style {
            Style::Quiet => {}
            Style::Lines => say(text),
            Style::Bars { all, .. } => {
                let mut state = self.lock();
                let bar = state.stage.get_or_insert_with(|| {
                    let bar = all.add(ProgressBar::new_spinner());
                    bar.enable_steady_tick(Duration::from_millis(120));
                    bar
                });
                bar.set_message(text.to_owned());
            }
        }
    }

    fn begin_training(&self, title: &str, runs: usize, step: u64, steps: u64) {
        let mut state = self.lock();
        if let Some(stage) = state.stage.take() {
            stage.finish_and_clear();
        }
        let bar = if let Style::Bars { all, .. } = &self.style {
            let bar = all.add(ProgressBar::new(steps));
            bar.set_style(bar_style(
                "train {bar:32.green/dim} {pos}/{len} steps  ETA {eta}  {msg}",
            ));
            bar.set_position(step);
            bar.reset_eta();
            bar.set_message(title.to_owned());
            Some(bar)
        } else {
            let from = if step > 0 {
                format!(", from step {step}")
            } else {
                String::new()
            };
            self.print_line(&format!("training {title}: {steps} steps{from}"));
            None
        };
        state.training = Some(Training {
            bar,
            title: title.to_owned(),
            runs,
            steps,
            tokens: 0,
            seconds: 0.0,
            shown: Instant::now(),
        });
    }

    fn advance_training(
        &self,
        step: u64,
        values: &BTreeMap<String, f64>,
        tokens: u64,
        seconds: f64,
    ) {
        let mut state = self.lock();
        let Some(training) = &mut state.training else {
            return;
        };
        training.tokens += tokens * training.runs as u64;
        training.seconds += seconds;
        let rate = training.tokens as f64 / training.seconds.max(1e-9);
        if let Some(bar) = &training.bar {
            bar.set_position(step);
            bar.set_message(format!(
                "{}  {}  {}",
                training.title,
                losses_in_words(values),
                speed_in_words(rate)
            ));
        } else if training.shown.elapsed() >= LINE_EVERY || self.verbose && step.is_multiple_of(10)
        {
            let (share, steps) = (100 * step / training.steps.max(1), training.steps);
            self.print_line(&format!(
                "  step {step} of {steps} ({share} %)  {}  {}",
                losses_in_words(values),
                speed_in_words(rate)
            ));
            training.shown = Instant::now();
        }
        if training.seconds > 30.0 {
            training.tokens /= 2;
            training.seconds /= 2.0;
        }
    }

    fn skipped(&self, runs: usize) {
        self.advance_grid(runs as u64);
        if runs > 0 {
            let are = if runs == 1 { "run is" } else { "runs are" };
            self.print_line(&format!("{runs} {are} finished already"));
        }
    }

    fn end_training(&self) {
        if let Some(Training { bar: Some(bar), .. }) = self.lock().training.take() {
            bar.finish_and_clear();
        }
    }
}

impl Observer for Display {
    fn event(&self, event: &Event) {
        match event {
            Event::Stage(text) => self.show_stage(text),
            Event::Download { file, done, total } => self.show_download(file, *done, *total),
            Event::Notice(text) => self.notice(text),
            Event::Skipped { runs } => self.skipped(*runs),
            Event::DoneByOthers { runs } => self.advance_grid(*runs as u64),
            Event::Training {
                title,
                runs,
                step,
                steps,
            } => self.begin_training(title, *runs, *step, *steps),
            Event::Step {
                step,
                values,
                tokens,
                seconds,
            } => self.advance_training(*step, values, *tokens, *seconds),
            Event::Trained => self.end_training(),
            Event::Finished {
                id,
                label,
                nll,
                perplexity,
            } => {
                self.advance_grid(1);
                let perplexity =
                    perplexity.map_or_else(String::new, |found| format!(", perplexity {found:.2}"));
                self.print_line(&format!(
                    "finished  {id}  {label}: test NLL {nll:.4}{perplexity}"
                ));
            }
            Event::Diverged {
                id,
                label,
                step,
                last_good,
                reason,
            } => {
                self.advance_grid(1);
                let good = last_good_checkpoint(*last_good);
                self.print_line(&format!(
                    "diverged  {id}  {label}: {reason} at step {step}; {good}"
                ));
            }
            Event::Failed { id, label, error } => {
                self.print_line(&format!("failed    {id}  {label}: {error}"))
            }
            Event::Held { id, label, owner } => {
                self.print_line(&format!("held      {id}  {label}: {owner}"))
            }
        }
    }
}

fn bar_style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .expect("the templates of this file are valid")
        .progress_chars("━╸─")
}

/// The loss and its terms in a few words.
fn losses_in_words(values: &BTreeMap<String, f64>) -> String {
    let mut text = values
        .get(recorded::LOSS)
        .map_or_else(String::new, |loss| format!("loss {loss:.3}"));
    for (name, value) in values {
        if let Some(name) = recorded::term_of(name) {
            text.push_str(&format!("  {name} {value:.3}"));
        }
    }
    text
}

fn last_good_checkpoint(steps: Option<u64>) -> String {
    steps.map_or_else(
        || "there was no checkpoint yet".to_owned(),
        |steps| format!("the last checkpoint was after {steps} steps"),
    )
}

fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}

fn speed_in_words(tokens_per_second: f64) -> String {
    if tokens_per_second >= 10_000.0 {
        format!("{:.0}k tokens/s", tokens_per_second / 1000.0)
    } else {
        format!("{tokens_per_second:.0} tokens/s")
    }
}

#[cfg(test)]
#[path = "progress_tests.rs"]
mod tests;
