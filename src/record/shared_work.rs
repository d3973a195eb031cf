//! Work that several runs share, held by one process at a time: a group of runs in lockstep, a
//! teacher with its evaluation. So several processes at one folder tear no group apart, and make
//! nothing twice.
//!
//! The lock lies in a folder of `work/` that goes with it. As every lock it only saves time: what
//! is made in spite of it is settled at its publication.

use std::path::PathBuf;

use anyhow::Result;

use super::layout::Layout;
use super::work::{GROUP, LOCK, TEACHER, finish};
use crate::files::{Lock, LockClaim};

/// What runs share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SharedWork<'a> {
    /// The runs of this group key.
    Group(&'a str),
    /// The teacher of this key.
    Teacher(&'a str),
}

impl SharedWork<'_> {
    fn folder(&self, layout: &Layout) -> PathBuf {
        layout.work(&match self {
            Self::Group(key) => format!("{GROUP}{key}"),
            Self::Teacher(key) => format!("{TEACHER}{key}"),
        })
    }

    /// The living process that is at it, in words.
    pub fn owner(&self, layout: &Layout) -> Option<String> {
        Lock::living_owner(&self.folder(layout).join(LOCK))
    }

    /// Takes it, or says who has it.
    ///
    /// # Errors
    /// Anything the disk refuses.
    pub fn claim(&self, layout: &Layout) -> Result<SharedClaim> {
        let folder = self.folder(layout);
        Ok(match Lock::acquire(&folder.join(LOCK))? {
            LockClaim::Acquired(lock) => SharedClaim::Ours(SharedLock {
                folder,
                lock: Some(lock),
            }),
            LockClaim::HeldBy(owner) => SharedClaim::HeldBy(owner),
        })
    }
}

/// What came of asking for shared work.
#[derive(Debug)]
pub enum SharedClaim {
    Ours(SharedLock),
    /// Another process is at it; in words.
    HeldBy(String),
}

/// Shared work that this process holds. Dropping it gives it back.
#[derive(Debug)]
pub struct SharedLock {
    folder: PathBuf,
    lock: Option<Lock>,
}

impl Drop for SharedLock {
    fn drop(&mut self) {
        if let Some(lock) = self.lock.take() {
            // A lock that was taken over has another owner, who clears its folder.
            if lock.is_held() {
                let _ = finish(&self.folder, lock);
            }
        }
    }
}
