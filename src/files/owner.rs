//! Who a process is, so that what a dead one left behind can be told from what a living one is
//! using.

use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::digest::sha256;

/// A process, named so that no other ever has the same name: a number is given to one process at a
/// time per name space, and a start time tells those apart that shared it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Owner {
    pub process: u32,
    /// In clock ticks since the start of the system; empty where the system does not tell.
    pub start: String,
    /// Identity of the system's start; empty where the system does not tell.
    pub boot: String,
    pub host: String,
    /// The name space of process numbers (a container has its own).
    pub space: String,
}

/// What can be said about an owner from here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Life {
    Alive,
    Dead,
    /// On another machine or in another container: only its silence can tell.
    Unknown,
}

impl Owner {
    /// This process.
    pub fn this() -> &'static Self {
        static THIS: OnceLock<Owner> = OnceLock::new();
        THIS.get_or_init(|| {
            let process = std::process::id();
            Self {
                process,
                start: start_of(process).unwrap_or_default(),
                boot: line("/proc/sys/kernel/random/boot_id"),
                host: Some(line("/proc/sys/kernel/hostname"))
                    .filter(|name| !name.is_empty())
                    .or_else(|| std::env::var("HOSTNAME").ok())
                    .unwrap_or_default(),
                space: std::fs::read_link("/proc/self/ns/pid")
                    .map(|path| path.display().to_string())
                    .unwrap_or_default(),
            }
        })
    }

    pub fn life(&self) -> Life {
        let this = Self::this();
        if self == this {
            return Life::Alive;
        }
        if self.host != this.host || self.boot.is_empty() || this.boot.is_empty() {
            return Life::Unknown;
        }
        if self.boot != this.boot {
            return Life::Dead;
        }
        if self.space != this.space {
            return Life::Unknown;
        }
        match start_of(self.process) {
            Some(start) if start == self.start => Life::Alive,
            _ => Life::Dead,
        }
    }

    /// "process 4711 on host a".
    pub fn describe(&self) -> String {
        let host = if self.host.is_empty() {
            "this host"
        } else {
            &self.host
        };
        format!("process {} on {host}", self.process)
    }

    /// The text of a lock file.
    pub fn to_text(&self) -> String {
        let Self {
            process,
            start,
            boot,
            host,
            space,
        } = self;
        format!(
            "process = {process}\nstart = {start}\nboot = {boot}\nhost = {host}\nspace = {space}\n"
        )
    }

    /// Reads [`Owner::to_text`]; nothing where it is cut short or foreign.
    pub fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let mut value = |key: &str| {
            lines
                .next()?
                .strip_prefix(key)?
                .strip_prefix(" =")
                .map(|rest| rest.trim().to_owned())
        };
        let owner = Self {
            process: value("process")?.parse().ok()?,
            start: value("start")?,
            boot: value("boot")?,
            host: value("host")?,
            space: value("space")?,
        };
        text.ends_with('\n').then_some(owner)
    }
}

/// The start of a living process: the 22nd field of its `stat`, counted after the parenthesised
/// name, which may hold anything. A zombie (state Z or X) counts as dead.
fn start_of(process: u32) -> Option<String> {
    let text = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let mut fields = text.rsplit_once(')')?.1.split_whitespace();
    let state = fields.next()?;
    (!matches!(state, "Z" | "X")).then(|| fields.nth(18).map(str::to_owned))?
}

fn line(path: &str) -> String {
    std::fs::read_to_string(Path::new(path))
        .map(|text| text.trim().to_owned())
        .unwrap_or_default()
}

/// A name that no other call of any process gets: for attempts and files in the making.
pub fn unique_name() -> String {
    static CALLS: AtomicU64 = AtomicU64::new(0);
    let call = CALLS.fetch_add(1, Ordering::Relaxed);
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |time| time.as_nanos());
    sha256(format!("{}{now} {call}", Owner::this().to_text()).as_bytes())[..12].to_owned()
}

/// The name of a file or folder in the making for `name`, which tells its maker:
/// `.name.PROCESS-START-CALL.new`.
pub(super) fn name_in_the_making(name: &str) -> String {
    static CALLS: AtomicU64 = AtomicU64::new(0);
    let this = Owner::this();
    let place = &sha256(format!("{} {} {}", this.host, this.boot, this.space).as_bytes())[..8];
    format!(
        ".{name}.{place}-{}-{}-{}.new",
        this.process,
        this.start,
        CALLS.fetch_add(1, Ordering::Relaxed)
    )
}

/// Whether `found` is what a dead process left in the making for `name`. What another machine left
/// stays.
pub(super) fn is_left_behind(found: &str, name: &str) -> bool {
    let middle = found
        .strip_prefix('.')
        .and_then(|rest| rest.strip_prefix(name))
        .and_then(|rest| rest.strip_prefix('.'));
    let Some(middle) = middle.and_then(|rest| rest.strip_suffix(".new")) else {
        return false;
    };
    let parts: Vec<&str> = middle.split('-').collect();
    let [place, process, start, _] = parts[..] else {
        return false;
    };
    let this = Owner::this();
    if place != &sha256(format!("{} {} {}", this.host, this.boot, this.space).as_bytes())[..8]
        || this.boot.is_empty()
    {
        return false;
    }
    process
        .parse()
        .is_ok_and(|process| start_of(process).as_deref() != Some(start))
}

#[cfg(test)]
#[path = "owner_tests.rs"]
mod tests;
