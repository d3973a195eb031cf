//! How far the evaluations in hand are, for whoever shows it; a stop of the study stops them.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::{Event, Site};
use crate::eval::EvaluationWatch;

/// It is told how far they are at most this often.
const TOLD_EVERY: Duration = Duration::from_millis(200);

/// Evaluations that go side by side.
pub(super) struct WatchedEvaluations<'a> {
    site: &'a Site<'a>,
    title: String,
    state: Mutex<WorkDone>,
}

struct WorkDone {
    expected: f64,
    done: f64,
    told: Instant,
}

impl<'a> WatchedEvaluations<'a> {
    /// Evaluations that begin, `title` saying of what; of nothing where it is empty.
    pub fn begin(site: &'a Site<'a>, title: String) -> Self {
        let watched = Self {
            site,
            title,
            state: Mutex::new(WorkDone {
                expected: 0.0,
                done: 0.0,
                told: Instant::now(),
            }),
        };
        watched.tell(0.0);
        watched
    }

    fn tell(&self, share: f64) {
        if self.title.is_empty() {
            return;
        }
        self.site.tell(&Event::Evaluation {
            title: &self.title,
            share,
        });
    }

    fn change(&self, change: impl FnOnce(&mut WorkDone)) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut state);
        if state.told.elapsed() >= TOLD_EVERY {
            state.told = Instant::now();
            self.tell((state.done / state.expected.max(1.0)).min(1.0));
        }
    }
}

impl EvaluationWatch for WatchedEvaluations<'_> {
    fn expect(&self, operations: f64) {
        self.change(|work| work.expected += operations);
    }

    fn advance(&self, operations: f64) {
        self.change(|work| work.done += operations);
    }

    fn is_stopped(&self) -> bool {
        self.site.is_stopped()
    }
}

impl Drop for WatchedEvaluations<'_> {
    fn drop(&mut self) {
        self.site.tell(&Event::Evaluated);
    }
}
