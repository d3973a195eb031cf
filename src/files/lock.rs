//! Locks between processes. They save time and nothing else: correctness rests on attempts of their own and publication by one rename.
//!
//! A lock is a file that names its owner. One whose owner is gone (no such process, or one that started at another time, or another boot) is taken over.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::fault;
use super::write::{create_folder, explain, unique_name};

/// Who holds a lock.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Owner {
    host: String,
    boot: String,
    process: u32,
    /// The process's start time as the kernel counts it, so that a reused number is recognised.
    started: String,
}

/// A lock that is held until dropped.
#[derive(Debug)]
pub struct Lock {
    path: PathBuf,
}

/// What came of asking for a lock.
#[derive(Debug)]
pub enum Acquired {
    Lock(Lock),
    /// Who has it, in words.
    HeldBy(String),
}

impl Owner {
    fn this_process() -> Self {
        let first_line = |path: &str| fs::read_to_string(path).unwrap_or_default().trim().to_owned();
        let process = std::process::id();
        Self {
            host: first_line("/proc/sys/kernel/hostname"),
            boot: first_line("/proc/sys/kernel/random/boot_id"),
            process,
            started: start_time(process).unwrap_or_default(),
        }
    }

    /// Whether it certainly runs no more. An owner on another machine may run still.
    fn is_gone(&self) -> bool {
        let own = Self::this_process();
        if self.host != own.host {
            return false;
        }
        self.boot != own.boot || start_time(self.process).is_none_or(|started| started != self.started)
    }
}

/// Field 22 of `/proc/<pid>/stat`; none where there is no such process. A process that waits to be reaped has ended.
fn start_time(process: u32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    if fields.first() == Some(&"Z") {
        return None;
    }
    fields.get(19).map(|&field| field.to_owned())
}

impl Lock {
    /// Takes the lock at `path`, also over from an owner that is gone.
    ///
    /// # Errors
    /// A folder that cannot be written.
    pub fn acquire(path: &Path) -> Result<Acquired> {
        if let Some(folder) = path.parent() {
            create_folder(folder)?;
        }
        let owner = Owner::this_process();
        let text = toml::to_string(&owner)?;
        for _ in 0..8 {
            fault::point().map_err(|error| explain(error, "make the lock", path))?;
            match OpenOptions::new().write(true).create_new(true).open(path) {
                Ok(mut file) => {
                    file.write_all(text.as_bytes()).map_err(|error| explain(error, "write the lock", path))?;
                    return Ok(Acquired::Lock(Self { path: path.to_path_buf() }));
                }
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(explain(error, "make the lock", path)),
            }
            let Ok(found) = fs::read_to_string(path) else { continue };
            match toml::from_str::<Owner>(&found) {
                Ok(other) if !other.is_gone() => {
                    return Ok(Acquired::HeldBy(format!("process {} on {}", other.process, other.host)));
                }
                // A lock without an owner is one that was being written; it is given a moment.
                Err(_) if age_seconds(path) < 2.0 => std::thread::sleep(std::time::Duration::from_millis(300)),
                // The owner is gone. Of several that see this only one can move the file away.
                _ => {
                    let moved = path.with_file_name(unique_name(".stale-"));
                    if fs::rename(path, &moved).is_ok() {
                        let _ = fs::remove_file(&moved);
                    }
                }
            }
        }
        Ok(Acquired::HeldBy("another process that is just taking it".to_owned()))
    }
}

fn age_seconds(path: &Path) -> f64 {
    let modified = fs::metadata(path).and_then(|about| about.modified());
    modified.ok().and_then(|time| time.elapsed().ok()).map_or(f64::INFINITY, |age| age.as_secs_f64())
}

impl Drop for Lock {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_held_until_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let Acquired::Lock(lock) = Lock::acquire(&path).unwrap() else { panic!("nobody holds it") };
        let Acquired::HeldBy(owner) = Lock::acquire(&path).unwrap() else { panic!("it is held") };
        assert!(owner.starts_with(&format!("process {}", std::process::id())), "{owner}");
        drop(lock);
        assert!(matches!(Lock::acquire(&path).unwrap(), Acquired::Lock(_)));
    }

    #[test]
    fn a_lock_of_a_process_that_is_gone_is_taken_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let own = Owner::this_process();
        let gone = [
            Owner { process: u32::MAX - 1, ..own.clone() },
            Owner { started: "1".to_owned(), ..own.clone() },
            Owner { boot: "another".to_owned(), ..own.clone() },
        ];
        for owner in gone {
            fs::write(&path, toml::to_string(&owner).unwrap()).unwrap();
            assert!(matches!(Lock::acquire(&path).unwrap(), Acquired::Lock(_)), "{owner:?}");
        }
        fs::write(&path, toml::to_string(&Owner { host: "elsewhere".to_owned(), ..own }).unwrap()).unwrap();
        assert!(matches!(Lock::acquire(&path).unwrap(), Acquired::HeldBy(_)));
    }
}
