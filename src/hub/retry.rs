//! How often something is tried again, and after what pause.

use std::time::{Duration, Instant};

use super::error::HubError;
use super::{Hub, News};

/// Tries without progress before it is given up.
const TRIES: u32 = 5;
/// Where there is no connection at all, fewer tell.
const TRIES_TO_CONNECT: u32 = 3;
/// The longest wait that the hub may ask for.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// How often a wait looks whether it is stopped.
const STOP_CHECK: Duration = Duration::from_millis(100);

impl Hub<'_> {
    /// Tries again after a pause what may pass, a bounded number of times.
    pub(super) fn with_retries<T>(
        &self,
        mut work: impl FnMut() -> Result<T, HubError>,
    ) -> Result<T, HubError> {
        let mut tries = 0;
        loop {
            if let Some(fault) = self.state().down.clone() {
                return Err(fault);
            }
            match work() {
                Err(fault) => self.pause(&mut tries, fault)?,
                done => return done,
            }
        }
    }

    /// Waits before the next try; the fault itself where it would not help or was tried often
    /// enough.
    pub(super) fn pause(&self, tries: &mut u32, fault: HubError) -> Result<(), HubError> {
        *tries += 1;
        let most = if matches!(fault, HubError::Unreachable { .. }) {
            TRIES_TO_CONNECT
        } else {
            TRIES
        };
        if !fault.is_passing() || *tries >= most {
            if matches!(fault, HubError::Unreachable { .. }) {
                self.state().down = Some(fault.clone());
            }
            return Err(fault);
        }
        (self.listener)(&News::Again {
            reason: &fault.to_string(),
        });
        let own = self.settings.pause * 2u32.pow(*tries - 1);
        let until = Instant::now()
            + fault
                .wait()
                .map_or(own, |asked| asked.min(LONGEST_WAIT).max(own));
        while Instant::now() < until {
            if self.is_stopped() {
                return Err(HubError::Stopped);
            }
            std::thread::sleep(
                until
                    .saturating_duration_since(Instant::now())
                    .min(STOP_CHECK),
            );
        }
        Ok(())
    }
}
