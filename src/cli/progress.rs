//! What `run` shows while it works: bars on a terminal, plain lines elsewhere. Everything here goes
//! to the error stream, so that standard output holds results alone.

use std::sync::Mutex;
use std::time::Duration;

use indicatif::ProgressBar;

use super::args::Common;
use super::grid_progress::GridProgress;
use super::in_hand::{DownloadInHand, EvaluationInHand, ShownStep, TrainingInHand};
use super::progress_words::last_good_checkpoint;
use super::screen::Screen;
use crate::runner::{Event, Observer};

/// Shows a study's events: the grid above, what is in hand below.
pub struct Display {
    screen: Screen,
    state: Mutex<ProgressState>,
}

#[derive(Default)]
struct ProgressState {
    grid: Option<GridProgress>,
    training: Option<TrainingInHand>,
    evaluation: Option<EvaluationInHand>,
    download: Option<DownloadInHand>,
    stage: Option<ProgressBar>,
}

impl Display {
    pub fn new(common: &Common) -> Self {
        Self::on(Screen::new(common))
    }

    fn on(screen: Screen) -> Self {
        Self {
            screen,
            state: Mutex::new(ProgressState::default()),
        }
    }

    /// Shows a grid of `runs` runs from now on.
    pub fn begin_grid(&self, runs: usize) {
        let bar = self.screen.bar(
            runs as u64,
            "grid  {bar:20.cyan/dim} {pos}/{len} runs  {elapsed}{wide_msg}",
        );
        if let Some(bar) = &bar {
            bar.enable_steady_tick(Duration::from_millis(250));
        }
        self.lock().grid = Some(GridProgress::new(runs, bar));
    }

    /// Something to know.
    pub fn notice(&self, text: &str) {
        self.screen.print_line(&format!("note: {text}"));
    }

    /// Whether models are evaluated.
    pub fn is_evaluating(&self) -> bool {
        self.lock().evaluation.is_some()
    }

    /// Takes the bars away.
    pub fn close(&self) {
        let ProgressState {
            grid,
            training,
            evaluation,
            download,
            stage,
        } = std::mem::take(&mut *self.lock());
        let [losses, steps] = training.map_or([None, None], TrainingInHand::bars);
        self.screen.clear([
            stage,
            losses,
            steps,
            evaluation.and_then(|one| one.bar),
            download.and_then(|one| one.bar),
            grid.and_then(|one| one.bar),
        ]);
        self.screen.close();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, ProgressState> {
        self.state
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Changes the grid's line.
    fn of_grid(&self, change: impl FnOnce(&mut GridProgress)) {
        let mut state = self.lock();
        let training = state.training.as_ref();
        let in_hand = training.map_or(0.0, TrainingInHand::runs_done);
        if let Some(grid) = &mut state.grid {
            change(grid);
            grid.show(in_hand);
        }
    }

    fn show_download(&self, file: &str, done: u64, total: u64) {
        let mut state = self.lock();
        let is_new = !matches!(&state.download, Some(known) if known.file == file);
        if is_new {
            let before = state.download.take();
            self.screen.clear([before.and_then(|one| one.bar)]);
            let download = DownloadInHand::begin(&self.screen, file, done, total);
            state.download = Some(download);
        }
        if let Some(download) = &mut state.download {
            download.advance(&self.screen, done, total);
        }
        if done == total {
            let ended = state.download.take();
            self.screen.clear([ended.and_then(|one| one.bar)]);
        }
    }

    fn show_stage(&self, text: &str) {
        let mut state = self.lock();
        if state.stage.is_none() {
            state.stage = self.screen.bar(0, "{spinner} {wide_msg}");
        }
        self.screen.print_beside(state.stage.as_ref(), text);
        if let Some(bar) = &state.stage {
            bar.enable_steady_tick(Duration::from_millis(120));
            bar.set_message(text.to_owned());
        }
    }

    fn begin_training(&self, title: &str, runs: (usize, bool), steps: (u64, u64)) {
        let mut state = self.lock();
        self.screen.clear([state.stage.take()]);
        let training = TrainingInHand::begin(&self.screen, title, runs, steps);
        if let Some(grid) = state.grid.as_mut().filter(|_| training.is_of_grid) {
            grid.begin();
        }
        state.training = Some(training);
    }

    fn advance_training(&self, shown: &ShownStep) {
        let mut state = self.lock();
        let ProgressState { grid, training, .. } = &mut *state;
        let Some(training) = training else {
            return;
        };
        let in_hand = training.runs_done();
        let of_grid = grid.as_ref().and_then(|grid| grid.left(in_hand));
        training.advance(&self.screen, shown, of_grid);
        if let Some(grid) = grid {
            grid.show(training.runs_done());
        }
    }

    fn end_training(&self) {
        let mut state = self.lock();
        let Some(training) = state.training.take() else {
            return;
        };
        if let Some(grid) = state.grid.as_mut().filter(|_| training.is_of_grid) {
            grid.trained(training.runs);
        }
        self.screen.clear(training.bars());
    }

    fn show_evaluation(&self, title: &str, share: f64) {
        let mut state = self.lock();
        match &mut state.evaluation {
            Some(known) if known.title == title => known.advance(&self.screen, share),
            _ => {
                self.screen.clear([state.stage.take()]);
                let begun = EvaluationInHand::begin(&self.screen, title);
                let before = state.evaluation.replace(begun);
                self.screen.clear([before.and_then(|one| one.bar)]);
            }
        }
    }

    fn end_evaluation(&self) {
        let ended = self.lock().evaluation.take();
        self.screen.clear([ended.and_then(|one| one.bar)]);
    }

    fn skipped(&self, runs: usize) {
        self.of_grid(|grid| grid.skip(runs));
        if runs > 0 {
            let are = if runs == 1 { "run is" } else { "runs are" };
            self.screen
                .print_line(&format!("{runs} {are} finished already"));
        }
    }
}

impl Observer for Display {
    /// It is long because it has a line for every kind of event.
    fn event(&self, event: &Event) {
        match event {
            Event::Stage(text) => self.show_stage(text),
            Event::Download { file, done, total } => self.show_download(file, *done, *total),
            Event::Notice(text) => self.notice(text),
            Event::Skipped { runs } => self.skipped(*runs),
            Event::DoneByOthers { runs } => self.of_grid(|grid| grid.skip(*runs)),
            &Event::Training {
                title,
                runs,
                is_of_grid,
                step,
                steps,
            } => self.begin_training(title, (runs, is_of_grid), (step, steps)),
            &Event::Step {
                step,
                run,
                values,
                tokens,
                seconds,
            } => self.advance_training(&ShownStep {
                step,
                run,
                values,
                tokens,
                seconds,
            }),
            Event::Trained => self.end_training(),
            &Event::Evaluation { title, share } => self.show_evaluation(title, share),
            Event::Evaluated => self.end_evaluation(),
            Event::Finished {
                id,
                label,
                nll,
                perplexity,
            } => {
                self.of_grid(GridProgress::finished);
                let perplexity =
                    perplexity.map_or_else(String::new, |found| format!(", perplexity {found:.2}"));
                self.screen.print_line(&format!(
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
                self.of_grid(GridProgress::diverged);
                let good = last_good_checkpoint(*last_good);
                self.screen.print_failure(&format!(
                    "diverged  {id}  {label}: {reason} at step {step}; {good}"
                ));
            }
            Event::Failed { id, label, error } => {
                self.of_grid(GridProgress::failed);
                self.screen
                    .print_failure(&format!("failed    {id}  {label}: {error}"));
            }
            Event::Held { id, label, owner } => self
                .screen
                .print_line(&format!("held      {id}  {label}: {owner}")),
        }
    }
}

#[cfg(test)]
#[path = "progress_tests.rs"]
mod tests;
