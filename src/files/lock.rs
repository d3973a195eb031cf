//! Claims between processes. They save time; nothing correct may rest on one, since locks lie on
//! some network file systems.
//!
//! A lock is a file that names its owner. A dead owner is recognised, so nobody ever has to unlock
//! by hand: on the same machine at once, by its process number, start time and the machine's start;
//! on another machine by its silence, since a living owner touches its lock every few seconds.

use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

use anyhow::{Result, bail};

use super::error::explain;
use super::folders::{create_folders, split};
use super::owner::{Life, Owner, name_in_the_making, unique_name};
use super::place::remove_quietly;
use super::read::read_text;
use super::system;
use super::write::{sweep, write_new};

/// How often a living owner touches its lock.
const BEAT: Duration = Duration::from_secs(10);
/// Silence after which an owner elsewhere counts as dead.
const SILENCE: Duration = Duration::from_secs(120);
/// Takers that get in each other's way this often leave it for now.
const TRIES: usize = 64;

/// What came of asking for a lock.
#[derive(Debug)]
pub enum LockClaim {
    Acquired(Lock),
    /// Somebody else has it; in words.
    HeldBy(String),
}

/// The living owner of a lock, as somebody sees it who only looks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockOwner {
    /// "process 4711 on host a".
    pub words: String,
    /// Empty where it is not known.
    pub host: String,
    /// Since it last touched the lock, by the clock of this machine.
    pub silence: Duration,
}

/// A lock that this process holds. Dropping it removes the file.
#[derive(Debug)]
pub struct Lock {
    path: PathBuf,
    text: String,
    /// One line about the dead owner it was taken from.
    pub taken_over: Option<String>,
    beat: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Lock {
    /// Takes the lock at `path`, or says who has it.
    ///
    /// # Errors
    /// Anything the disk refuses.
    pub fn acquire(path: &Path) -> Result<LockClaim> {
        acquire(
            path,
            &format!("{}token = {}\n", Owner::this().to_text(), unique_name()),
            0,
        )
    }

    fn hold(path: &Path, text: &str, taken_over: Option<String>) -> Self {
        let (stop, stopped) = channel();
        let (file, content) = (path.to_owned(), text.to_owned());
        let beat = std::thread::Builder::new()
            .name("lock".to_owned())
            .spawn(move || {
                while stopped.recv_timeout(BEAT) == Err(RecvTimeoutError::Timeout) {
                    touch(&file, &content);
                }
            });
        // Without a thread to be had the lock works, only not against takers elsewhere.
        Self {
            path: path.to_owned(),
            text: text.to_owned(),
            taken_over,
            beat: beat.ok().map(|thread| (stop, thread)),
        }
    }

    /// The living owner of the lock at `path`, in words; none where nobody has it, or a dead
    /// process left it. Nothing is taken or written. Where only silence can tell (an owner on
    /// another machine), the clock of this one is asked.
    pub fn living_owner(path: &Path) -> Option<String> {
        match judge(&read(path)?, path, SystemTime::now()).ok()? {
            LockVerdict::Held(words) => Some(words),
            LockVerdict::Gone(_) => None,
        }
    }

    /// The same with what the lock says of its owner.
    pub fn look(path: &Path) -> Option<LockOwner> {
        let (text, now) = (read(path)?, SystemTime::now());
        match judge(&text, path, now).ok()? {
            LockVerdict::Held(words) => {
                let owner = owner_of(&text);
                Some(LockOwner {
                    words: owner.as_ref().map_or(words, Owner::describe),
                    host: owner.map(|owner| owner.host).unwrap_or_default(),
                    silence: now.duration_since(changed(path)).unwrap_or_default(),
                })
            }
            LockVerdict::Gone(_) => None,
        }
    }

    /// Whether the file still names this owner: not after somebody elsewhere took it over.
    pub fn is_held(&self) -> bool {
        std::fs::read_to_string(&self.path).is_ok_and(|text| text == self.text)
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if let Some((stop, thread)) = self.beat.take() {
            drop(stop);
            let _ = thread.join();
        }
        if self.is_held() {
            let _ = system::remove_file(&self.path);
        }
    }
}

/// Writes the same bytes again, so that the file system sets the time by its own clock.
#[allow(
    clippy::disallowed_methods,
    reason = "nothing changes but the time, so no fault can strike"
)]
fn touch(path: &Path, text: &str) {
    if std::fs::read_to_string(path).is_ok_and(|found| found == text)
        && let Ok(mut file) = std::fs::OpenOptions::new().write(true).open(path)
    {
        let _ = file.write_all(text.as_bytes());
    }
}

/// A file of this owner is linked to the lock's name, which fails where there is one. A dead
/// owner's file is replaced under a lock of its own (`PATH.takeover`), after another look: so of
/// several takers exactly one replaces it, and none replaces a living one.
fn acquire(path: &Path, text: &str, depth: usize) -> Result<LockClaim> {
    let (folder, name) = split(path);
    for _ in 0..TRIES {
        create_folders(folder)?;
        sweep(folder, name);
        let own = folder.join(name_in_the_making(name));
        match write_new(&own, text.as_bytes()) {
            Ok(()) => {}
            // The folder went away with the run of another process.
            Err(_) if !folder.exists() => continue,
            Err(error) => {
                remove_quietly(&own);
                return Err(error);
            }
        }
        let claim = try_once(path, &own, text, depth);
        remove_quietly(&own);
        if let Some(claim) = claim? {
            return Ok(claim);
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok(LockClaim::HeldBy(format!(
        "processes that take {} at the same moment",
        path.display()
    )))
}

/// Nothing where the state changed under way.
fn try_once(path: &Path, own: &Path, text: &str, depth: usize) -> Result<Option<LockClaim>> {
    match place(own, path, text) {
        Ok(()) => return Ok(Some(LockClaim::Acquired(Lock::hold(path, text, None)))),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(explain(error, "take the lock", path)),
    }
    let Some(found) = read(path) else {
        return Ok(None);
    };
    let gone = match judge(&found, path, changed(own))? {
        LockVerdict::Held(words) => return Ok(Some(LockClaim::HeldBy(words))),
        LockVerdict::Gone(words) => words,
    };
    if depth > 8 {
        bail!(
            "{} and the locks beside it are left over; remove them",
            path.display()
        );
    }
    let mut guard = path.as_os_str().to_owned();
    guard.push(".takeover");
    let LockClaim::Acquired(_guard) = acquire(Path::new(&guard), text, depth + 1)? else {
        return Ok(None);
    };
    if read(path).as_ref() != Some(&found) {
        return Ok(None);
    }
    system::rename(own, path).map_err(|error| explain(error, "take over the lock", path))?;
    Ok(Some(LockClaim::Acquired(Lock::hold(
        path,
        text,
        Some(gone),
    ))))
}

/// Puts the own file at the lock's name, unless that is taken. Where the file system has no links,
/// the file is made there.
fn place(own: &Path, path: &Path, text: &str) -> std::io::Result<()> {
    match system::link(own, path) {
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::Unsupported | ErrorKind::PermissionDenied
            ) =>
        {
            let mut file = system::create(path)?;
            system::write(&mut file, path, text.as_bytes())
        }
        placed => placed,
    }
}

/// The text of a lock; nothing where there is none any more.
fn read(path: &Path) -> Option<String> {
    if !path.exists() {
        return None;
    }
    Some(read_text(path, 1 << 16).unwrap_or_default())
}

enum LockVerdict {
    Held(String),
    Gone(String),
}

/// When a file was changed.
fn changed(path: &Path) -> SystemTime {
    path.metadata()
        .and_then(|about| about.modified())
        .unwrap_or(SystemTime::UNIX_EPOCH)
}

/// The owner that a lock names; none where its text is cut short or foreign.
fn owner_of(text: &str) -> Option<Owner> {
    let at = text.rfind("token = ")?;
    Owner::parse(&text[..at]).filter(|_| text.lines().count() == 6)
}

/// Whether the owner lives, by what it says of itself or by its silence until `now`: the time of a
/// file just written on the same file system, where one may be written.
fn judge(text: &str, path: &Path, now: SystemTime) -> Result<LockVerdict> {
    let owner = owner_of(text);
    let who = owner
        .as_ref()
        .map_or_else(|| "an unknown process".to_owned(), Owner::describe);
    let life = owner.as_ref().map_or(Life::Unknown, Owner::life);
    Ok(match life {
        Life::Alive => LockVerdict::Held(who),
        Life::Dead => LockVerdict::Gone(format!(
            "{} was left by {who}, which ended without finishing; it is taken over",
            path.display()
        )),
        Life::Unknown => {
            let silence = now.duration_since(changed(path)).unwrap_or_default();
            if silence < SILENCE {
                LockVerdict::Held(format!(
                    "{who} (last heard of {} s ago; taken over after {} s of silence)",
                    silence.as_secs(),
                    SILENCE.as_secs()
                ))
            } else {
                LockVerdict::Gone(format!(
                    "{} was left by {who}, silent for {} s; it is taken over",
                    path.display(),
                    silence.as_secs()
                ))
            }
        }
    })
}

#[cfg(test)]
#[path = "lock_tests.rs"]
mod tests;
