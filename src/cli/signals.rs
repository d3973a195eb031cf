//! Signals. Ctrl-C: the first stops at the end of the step with everything saved, the second stops
//! at once.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::Exit;
use anyhow::{Context, Result};
use signal_hook::consts::{SIGINT, SIGTERM, SIGXFSZ};

/// A flag that the first SIGINT or SIGTERM sets; the second ends the process with exit code 130. A
/// file that outgrows its limit does not end it.
///
/// # Errors
/// Handlers that cannot be installed.
pub fn stop_flag() -> Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        // The order matters: the shutdown looks at the flag before this same signal sets it.
        signal_hook::flag::register_conditional_shutdown(
            signal,
            Exit::Interrupted.code().into(),
            Arc::clone(&stop),
        )
        .context("cannot watch for Ctrl-C")?;
        signal_hook::flag::register(signal, Arc::clone(&stop))
            .context("cannot watch for Ctrl-C")?;
    }
    // A file beyond the limit of its size is then an error of the write, and told as one.
    signal_hook::flag::register(SIGXFSZ, Arc::default())
        .context("cannot watch the limit of file sizes")?;
    Ok(stop)
}
