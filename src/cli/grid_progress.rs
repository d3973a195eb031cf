//! How far the grid of a study is, and what of it failed.

use std::time::{Duration, Instant};

use indicatif::ProgressBar;

use super::progress_words::{short, time_left};

/// How much of a run's work is its training; the rest is its evaluation.
const TRAINING: f64 = 0.9;

/// The runs of a grid as they end.
pub(super) struct GridProgress {
    pub bar: Option<ProgressBar>,
    runs: usize,
    /// Runs that need nothing any more, since whenever.
    over: usize,
    /// Of them, those that were done here.
    done: usize,
    /// Runs that are trained and not evaluated yet.
    trained: usize,
    failed: usize,
    diverged: usize,
    /// When the first run began.
    began: Option<Instant>,
}

impl GridProgress {
    pub fn new(runs: usize, bar: Option<ProgressBar>) -> Self {
        Self {
            bar,
            runs,
            over: 0,
            done: 0,
            trained: 0,
            failed: 0,
            diverged: 0,
            began: None,
        }
    }

    /// A run begins.
    pub fn begin(&mut self) {
        self.began.get_or_insert_with(Instant::now);
    }

    /// Runs that others did, or that were done before.
    pub fn skip(&mut self, runs: usize) {
        self.over += runs;
    }

    pub fn trained(&mut self, runs: usize) {
        self.trained += runs;
    }

    pub fn finished(&mut self) {
        self.over += 1;
        self.done += 1;
        self.trained = self.trained.saturating_sub(1);
    }

    pub fn diverged(&mut self) {
        self.diverged += 1;
        self.finished();
    }

    pub fn failed(&mut self) {
        self.failed += 1;
        self.trained = self.trained.saturating_sub(1);
    }

    /// The time that the rest takes, where `in_hand` runs are trained of those in hand.
    pub fn left(&self, in_hand: f64) -> Option<Duration> {
        let done = self.done as f64 + TRAINING * (self.trained as f64 + in_hand);
        let open = self.runs.saturating_sub(self.over + self.failed) as f64;
        let all = self.done as f64 + open;
        time_left(self.began?.elapsed(), done / all.max(1.0))
    }

    /// Brings the bar up to date.
    pub fn show(&self, in_hand: f64) {
        let Some(bar) = &self.bar else {
            return;
        };
        bar.set_position(self.over as u64);
        let mut text = String::new();
        if let Some(left) = self.left(in_hand) {
            text += &format!(", ETA {}", short(left));
        }
        for (count, word) in [(self.failed, "failed"), (self.diverged, "diverged")] {
            if count > 0 {
                text += &format!(", {count} {word}");
            }
        }
        bar.set_message(text);
    }
}

#[cfg(test)]
#[path = "grid_progress_tests.rs"]
mod tests;
