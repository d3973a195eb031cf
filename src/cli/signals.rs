//! Signals. Ctrl-C: the first stops at the end of the step with everything saved, the second stops
//! at once. What a batch system or a shell sends (SIGTERM, SIGUSR1) stops like a first Ctrl-C
//! however often it comes: `srun` sends SIGTERM twice within milliseconds.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::Exit;
use anyhow::{Context, Result};
use signal_hook::consts::{SIGINT, SIGTERM, SIGUSR1, SIGXFSZ};

/// What signals have asked for so far.
#[derive(Debug, Clone, Default)]
pub struct StopSignals {
    /// To stop.
    pub stop: Arc<AtomicBool>,
    /// To stop since the time is almost up, and to go on later: SIGUSR1.
    time_is_up: Arc<AtomicBool>,
    /// By Ctrl-C.
    by_hand: Arc<AtomicBool>,
}

impl StopSignals {
    /// Watches for SIGINT, SIGTERM and SIGUSR1, the first of which sets the flag; a second SIGINT
    /// ends the process with exit code 130. A file that outgrows its limit does not end it.
    ///
    /// # Errors
    /// Handlers that cannot be installed.
    pub fn watch() -> Result<Self> {
        let signals = Self::default();
        let by_hand = &signals.by_hand;
        // The order matters: the shutdown looks at the flag before this same signal sets it.
        signal_hook::flag::register_conditional_shutdown(
            SIGINT,
            Exit::Interrupted.code().into(),
            Arc::clone(by_hand),
        )
        .context("cannot watch for Ctrl-C")?;
        for (signal, flag) in [
            (SIGINT, by_hand),
            (SIGINT, &signals.stop),
            (SIGTERM, &signals.stop),
            (SIGUSR1, &signals.time_is_up),
            (SIGUSR1, &signals.stop),
        ] {
            signal_hook::flag::register(signal, Arc::clone(flag))
                .context("cannot watch for signals")?;
        }
        // A file beyond the limit of its size is then an error of the write, and told as one.
        signal_hook::flag::register(SIGXFSZ, Arc::default())
            .context("cannot watch the limit of file sizes")?;
        Ok(signals)
    }

    pub fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Whether a batch system said that the time is almost up.
    pub fn is_time_up(&self) -> bool {
        self.time_is_up.load(Ordering::Relaxed)
    }
}

/// What stops from now on ends the process at once, with the exit code of an interruption: for
/// commands that only read.
///
/// # Errors
/// Handlers that cannot be installed.
pub fn end_at_once() -> Result<()> {
    let always = Arc::new(AtomicBool::new(true));
    for signal in [SIGINT, SIGTERM] {
        signal_hook::flag::register_conditional_shutdown(
            signal,
            Exit::Interrupted.code().into(),
            Arc::clone(&always),
        )
        .context("cannot watch for signals")?;
    }
    Ok(())
}

/// The flag of [`StopSignals::watch`] alone.
///
/// # Errors
/// As there.
pub fn stop_flag() -> Result<Arc<AtomicBool>> {
    Ok(StopSignals::watch()?.stop)
}
