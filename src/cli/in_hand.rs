//! What a command has in hand, with its bar or its lines: a training, evaluations, a file.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use indicatif::ProgressBar;

use super::progress_words::{
    eta_in_words, losses_in_words, megabytes, short, speed_in_words, time_left,
};
use super::screen::Screen;

/// Files of fewer bytes are not worth a line.
const WORTH_A_LINE: u64 = 1 << 20;
/// A plain line at most this often.
const LINE_EVERY: Duration = Duration::from_secs(20);
/// Steps of a bar that shows a share.
const WHOLE: f64 = 1000.0;

/// A training.
pub(super) struct TrainingInHand {
    bar: Option<ProgressBar>,
    /// What the losses are, and of which run, below the bar.
    losses: Option<ProgressBar>,
    pub runs: usize,
    /// Whether it is of the grid's runs, or of a teacher.
    pub is_of_grid: bool,
    step: u64,
    steps: u64,
    /// Steps that were done when it began, and when that was.
    from: u64,
    began: Instant,
    /// Tokens and seconds since the last line or refresh.
    tokens: u64,
    seconds: f64,
    /// When the last plain line was printed.
    shown: Instant,
}

/// A step of a training.
pub(super) struct ShownStep<'a> {
    pub step: u64,
    /// What the values are of.
    pub run: &'a str,
    pub values: &'a BTreeMap<String, f64>,
    pub tokens: u64,
    pub seconds: f64,
}

impl TrainingInHand {
    /// A training that begins, some of its steps done already.
    pub fn begin(
        screen: &Screen,
        title: &str,
        (runs, is_of_grid): (usize, bool),
        (step, steps): (u64, u64),
    ) -> Self {
        let bar = screen.bar(
            steps,
            "train {bar:20.green/dim} {pos}/{len} steps  {wide_msg}",
        );
        let losses = screen.bar(0, "      {wide_msg}");
        let from = if step > 0 {
            format!(", from step {step}")
        } else {
            String::new()
        };
        let text = format!("training {title}: {steps} steps{from}");
        screen.print_beside(bar.as_ref(), &text);
        if let (Some(bar), Some(losses)) = (&bar, &losses) {
            bar.set_position(step);
            losses.set_message(title.to_owned());
        }
        Self {
            bar,
            losses,
            runs,
            is_of_grid,
            step,
            steps,
            from: step,
            began: Instant::now(),
            tokens: 0,
            seconds: 0.0,
            shown: Instant::now(),
        }
    }

    /// Shows a step; `of_grid` is the time that the rest of the grid takes.
    pub fn advance(&mut self, screen: &Screen, shown: &ShownStep, of_grid: Option<Duration>) {
        self.step = shown.step;
        self.tokens += shown.tokens * self.runs as u64;
        self.seconds += shown.seconds;
        let speed = speed_in_words(self.tokens as f64 / self.seconds.max(1e-9));
        let losses = format!("{}  of {}", losses_in_words(shown.values), shown.run);
        let left = self.left();
        if let (Some(bar), Some(below)) = (&self.bar, &self.losses) {
            bar.set_position(self.step);
            let left = left.map_or_else(String::new, |left| format!("ETA {}  ", short(left)));
            bar.set_message(format!("{left}{speed}"));
            below.set_message(losses.clone());
        }
        if screen.verbose || self.bar.is_none() && self.shown.elapsed() >= LINE_EVERY {
            let of_grid =
                of_grid.map_or_else(String::new, |left| format!("; of the grid {}", short(left)));
            let (step, steps) = (self.step, self.steps);
            let share = 100 * step / steps.max(1);
            screen.print_line(&format!(
                "  step {step} of {steps} ({share} %)  {losses}  {speed}{}{of_grid}",
                eta_in_words(left)
            ));
            self.shown = Instant::now();
        }
        if self.seconds > 30.0 {
            self.tokens /= 2;
            self.seconds /= 2.0;
        }
    }

    /// Runs of the grid that it has done, as parts of them.
    pub fn runs_done(&self) -> f64 {
        if self.is_of_grid {
            self.runs as f64 * self.step as f64 / self.steps.max(1) as f64
        } else {
            0.0
        }
    }

    /// The time that its other steps take.
    fn left(&self) -> Option<Duration> {
        let of = |step: u64| step.saturating_sub(self.from) as f64;
        time_left(
            self.began.elapsed(),
            of(self.step) / of(self.steps).max(1.0),
        )
    }

    pub fn bars(self) -> [Option<ProgressBar>; 2] {
        [self.losses, self.bar]
    }
}

/// Evaluations that go side by side.
pub(super) struct EvaluationInHand {
    pub title: String,
    pub bar: Option<ProgressBar>,
    began: Instant,
    shown: Instant,
}

impl EvaluationInHand {
    pub fn begin(screen: &Screen, title: &str) -> Self {
        let bar = screen.bar(
            WHOLE as u64,
            "eval  {bar:20.magenta/dim} {percent} %  {wide_msg}",
        );
        screen.print_beside(bar.as_ref(), &format!("evaluating {title}"));
        if let Some(bar) = &bar {
            bar.set_message(title.to_owned());
        }
        Self {
            title: title.to_owned(),
            bar,
            began: Instant::now(),
            shown: Instant::now(),
        }
    }

    /// Shows the share of the work that is done.
    pub fn advance(&mut self, screen: &Screen, share: f64) {
        let left = time_left(self.began.elapsed(), share);
        if let Some(bar) = &self.bar {
            bar.set_position((share * WHOLE) as u64);
            let left = left.map_or_else(String::new, |left| format!("ETA {}  ", short(left)));
            bar.set_message(format!("{left}{}", self.title));
        }
        if screen.verbose || self.bar.is_none() && self.shown.elapsed() >= LINE_EVERY {
            let percent = 100.0 * share;
            screen.print_line(&format!("  {percent:.0} % evaluated{}", eta_in_words(left)));
            self.shown = Instant::now();
        }
    }
}

/// A file that is fetched.
pub(super) struct DownloadInHand {
    pub file: String,
    pub bar: Option<ProgressBar>,
    /// When the last plain line was printed.
    shown: Instant,
}

impl DownloadInHand {
    pub fn begin(screen: &Screen, file: &str, done: u64, total: u64) -> Self {
        let bar = screen.bar(
            total,
            "fetch {bar:20.yellow/dim} {bytes}/{total_bytes}  ETA {eta}  {wide_msg}",
        );
        match &bar {
            Some(bar) => {
                bar.set_position(done);
                bar.reset_eta();
                bar.set_message(file.to_owned());
            }
            None if total >= WORTH_A_LINE || screen.verbose => {
                screen.print_line(&format!("fetching {file}, {}", megabytes(total)));
            }
            None => {}
        }
        Self {
            file: file.to_owned(),
            bar,
            shown: Instant::now(),
        }
    }

    pub fn advance(&mut self, screen: &Screen, done: u64, total: u64) {
        if let Some(bar) = &self.bar {
            bar.set_position(done);
        } else if self.shown.elapsed() >= LINE_EVERY {
            screen.print_line(&format!(
                "  {} of {} ({} %)",
                megabytes(done),
                megabytes(total),
                100 * done / total.max(1)
            ));
            self.shown = Instant::now();
        }
    }
}
