//! Where the time of training steps goes.

use std::time::Instant;

/// Seconds of a member's steps, part by part; those of the teacher are the whole group's.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Phases {
    pub teacher: f64,
    pub forward: f64,
    pub critic: f64,
    pub losses: f64,
    pub backward: f64,
    pub update: f64,
}

/// A clock that gives the time since it was last asked.
pub(super) struct Lap(Instant);

impl Lap {
    pub fn start() -> Self {
        Self(Instant::now())
    }

    pub fn seconds(&mut self) -> f64 {
        let now = Instant::now();
        let seconds = now.duration_since(self.0).as_secs_f64();
        self.0 = now;
        seconds
    }
}
