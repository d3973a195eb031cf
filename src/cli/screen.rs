//! Where progress is shown: a terminal with bars, lines for whoever reads them later, or nowhere.

use std::io::IsTerminal;

use indicatif::{MultiProgress, ProgressBar};

use super::args::Common;
use super::output::say;
use super::progress_words::bar_style;

/// Bars or lines on the error stream.
pub(super) struct Screen {
    style: Style,
    /// Whether every event is told.
    pub verbose: bool,
}

enum Style {
    /// Nothing; what failed, unless a program reads the results.
    Quiet {
        tells_failures: bool,
    },
    Lines,
    Bars {
        all: MultiProgress,
    },
}

impl Screen {
    pub fn new(common: &Common) -> Self {
        let style = if common.quiet || common.json {
            Style::Quiet {
                tells_failures: !common.json,
            }
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
        }
    }

    /// Bars on a terminal of its own.
    #[cfg(test)]
    pub fn on(terminal: Box<dyn indicatif::TermLike>) -> Self {
        let target = indicatif::ProgressDrawTarget::term_like_with_hz(terminal, 255);
        Self {
            style: Style::Bars {
                all: MultiProgress::with_draw_target(target),
            },
            verbose: false,
        }
    }

    /// A bar below those that are shown; none where lines are printed.
    pub fn bar(&self, length: u64, template: &str) -> Option<ProgressBar> {
        let Style::Bars { all } = &self.style else {
            return None;
        };
        let bar = all.add(ProgressBar::new(length));
        bar.set_style(bar_style(template));
        Some(bar)
    }

    pub fn print_line(&self, text: &str) {
        match &self.style {
            Style::Quiet { .. } => {}
            Style::Lines => say(text),
            Style::Bars { all } => {
                let _ = all.println(text);
            }
        }
    }

    /// Says what went wrong, also to who wants to hear of nothing else.
    pub fn print_failure(&self, text: &str) {
        match self.style {
            Style::Quiet {
                tells_failures: true,
            } => say(text),
            _ => self.print_line(text),
        }
    }

    /// Says what a bar does not show, or who wants every event is to read.
    pub fn print_beside(&self, bar: Option<&ProgressBar>, text: &str) {
        if bar.is_none() || self.verbose {
            self.print_line(text);
        }
    }

    /// Takes bars away.
    pub fn clear(&self, bars: impl IntoIterator<Item = Option<ProgressBar>>) {
        for bar in bars.into_iter().flatten() {
            bar.finish_and_clear();
        }
    }

    /// Takes all bars away.
    pub fn close(&self) {
        if let Style::Bars { all } = &self.style {
            let _ = all.clear();
        }
    }
}
