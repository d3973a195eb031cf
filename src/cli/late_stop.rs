//! A stop that an evaluation does not hear in time.
//!
//! Evaluations look for a stop between their parts. Where one of these takes longer than a user
//! waits (a wide teacher, a t-SNE of many points), the process ends all the same: an evaluation
//! keeps nothing that an end could break, and the next start does it again.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::Exit;
use super::progress::Display;
use super::signals::StopSignals;

/// How long an evaluation may take to hear of a stop.
const LONGEST: Duration = Duration::from_millis(1200);
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// A watch over the work of a command.
pub(super) struct LateStop<'a> {
    signals: &'a StopSignals,
    display: &'a Display,
    /// What is said and done before the end, and the exit.
    end: &'a (dyn Fn() -> Exit + Sync),
}

impl<'a> LateStop<'a> {
    pub fn new(
        signals: &'a StopSignals,
        display: &'a Display,
        end: &'a (dyn Fn() -> Exit + Sync),
    ) -> Self {
        Self {
            signals,
            display,
            end,
        }
    }

    /// Does some work under this watch.
    pub fn watched<T>(&self, work: impl FnOnce() -> T) -> T {
        let is_done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| self.watch(&is_done));
            let _done = SetOnDrop(&is_done);
            work()
        })
    }

    fn watch(&self, is_done: &AtomicBool) {
        let mut asked = None;
        while !is_done.load(Ordering::Relaxed) {
            std::thread::sleep(LOOK_EVERY);
            if !self.signals.is_stopped() || !self.display.is_evaluating() {
                asked = None;
            } else if asked.get_or_insert_with(Instant::now).elapsed() >= LONGEST {
                self.display.close();
                std::process::exit((self.end)().code().into());
            }
        }
    }
}

/// Sets a flag when it goes, also by a panic.
struct SetOnDrop<'a>(&'a AtomicBool);

impl Drop for SetOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
