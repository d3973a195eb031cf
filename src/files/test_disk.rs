//! For tests: faults at a chosen call of the calling thread, and what a disk may hold after the
//! power went.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::fault::Strike;
use super::system::DiskChange;

/// What happens at the chosen call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// It fails, and the program goes on.
    Fails,
    /// It and every later call fail: nothing reaches the disk any more, as if the process had been
    /// killed there.
    Dies,
}

#[derive(Debug, Default)]
struct SimulationState {
    fault: Option<(Mode, u64)>,
    calls: u64,
    changes: Option<Vec<DiskChange>>,
}

thread_local! {
    static STATE: RefCell<SimulationState> = RefCell::default();
}

/// Whether the fault strikes the call about to be made.
pub(super) fn next() -> Option<Strike> {
    STATE.with_borrow_mut(|state| {
        let (mode, at) = state.fault?;
        state.calls += 1;
        match mode {
            _ if state.calls == at => Some(Strike::full(true)),
            Mode::Dies if state.calls > at => Some(Strike::full(false)),
            _ => None,
        }
    })
}

pub(super) fn record(change: DiskChange) {
    STATE.with_borrow_mut(|state| {
        if let Some(changes) = &mut state.changes {
            changes.push(change);
        }
    });
}

/// Runs `work` with a fault at call `at` (from 1), and tells whether the fault was reached.
pub(crate) fn with_fault<R>(mode: Mode, at: u64, work: impl FnOnce() -> R) -> (R, bool) {
    STATE.with_borrow_mut(|state| (state.fault, state.calls) = (Some((mode, at)), 0));
    let result = work();
    let reached = STATE.with_borrow_mut(|state| {
        state.fault = None;
        state.calls >= at
    });
    (result, reached)
}

/// Runs `work` and returns what it changed.
pub(crate) fn recorded<R>(work: impl FnOnce() -> R) -> (R, Changes) {
    STATE.with_borrow_mut(|state| state.changes = Some(Vec::new()));
    let result = work();
    (
        result,
        Changes(
            STATE
                .with_borrow_mut(|state| state.changes.take())
                .unwrap_or_default(),
        ),
    )
}

/// A disk's changes in order.
pub(crate) struct Changes(Vec<DiskChange>);

/// What of the names was kept when the power went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Names {
    /// Those of flushed folders alone.
    Flushed,
    /// All of them, while content that was not flushed is lost: the file is empty or shorter.
    All,
}

#[derive(Debug, Clone)]
enum DiskNode {
    File {
        content: Vec<u8>,
        durable: Vec<u8>,
    },
    Folder {
        names: BTreeMap<String, usize>,
        durable: BTreeMap<String, usize>,
    },
}

/// A model of a folder: what is seen, and what is on the disk. Node 0 is the folder itself.
struct Disk {
    root: PathBuf,
    nodes: Vec<DiskNode>,
}

impl Changes {
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Writes into the empty folder `target` what the disk holds when the power goes after the
    /// first `count` changes; `root` is the folder that they happened in, empty before.
    pub(crate) fn replay(&self, root: &Path, count: usize, names: Names, target: &Path) {
        let folder = DiskNode::Folder {
            names: BTreeMap::new(),
            durable: BTreeMap::new(),
        };
        let mut disk = Disk {
            root: root.to_owned(),
            nodes: vec![folder],
        };
        self.0[..count].iter().for_each(|change| disk.apply(change));
        disk.write(0, names, target);
    }
}

impl Disk {
    fn find(&self, path: &Path) -> usize {
        path.strip_prefix(&self.root)
            .expect("below the root")
            .iter()
            .fold(0, |at, name| match &self.nodes[at] {
                DiskNode::Folder { names, .. } => names[name.to_str().expect("UTF-8")],
                DiskNode::File { .. } => panic!("{} is not a folder", path.display()),
            })
    }

    /// The names of the folder that a path is in, and its own.
    fn names(&mut self, path: &Path) -> (&mut BTreeMap<String, usize>, String) {
        let at = self.find(path.parent().expect("below the root"));
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .expect("UTF-8")
            .to_owned();
        match &mut self.nodes[at] {
            DiskNode::Folder { names, .. } => (names, name),
            DiskNode::File { .. } => panic!("{} is in a file", path.display()),
        }
    }

    fn place(&mut self, path: &Path, id: usize) {
        let (names, name) = self.names(path);
        names.insert(name, id);
    }

    fn take(&mut self, path: &Path) -> usize {
        let (names, name) = self.names(path);
        names.remove(&name).expect("it exists")
    }

    fn make(&mut self, path: &Path, node: DiskNode) {
        self.nodes.push(node);
        self.place(path, self.nodes.len() - 1);
    }

    fn file(&mut self, path: &Path) -> (&mut Vec<u8>, &mut Vec<u8>) {
        let id = self.find(path);
        match &mut self.nodes[id] {
            DiskNode::File { content, durable } => (content, durable),
            DiskNode::Folder { .. } => panic!("{} is a folder", path.display()),
        }
    }

    fn apply(&mut self, change: &DiskChange) {
        match change {
            DiskChange::Create(path) => self.make(
                path,
                DiskNode::File {
                    content: Vec::new(),
                    durable: Vec::new(),
                },
            ),
            DiskChange::CreateFolder(path) => self.make(
                path,
                DiskNode::Folder {
                    names: BTreeMap::new(),
                    durable: BTreeMap::new(),
                },
            ),
            DiskChange::Write(path, bytes) => self.file(path).0.extend(bytes),
            DiskChange::Truncate(path, length) => self.file(path).0.truncate(*length as usize),
            DiskChange::SyncFile(path) => {
                let (content, durable) = self.file(path);
                durable.clone_from(content);
            }
            // What lies above the root is not modelled; the root itself is node 0.
            DiskChange::SyncFolder(path) => {
                let id = self.find(path);
                if let DiskNode::Folder { names, durable } = &mut self.nodes[id] {
                    durable.clone_from(names);
                }
            }
            DiskChange::Rename(from, to) => {
                let id = self.take(from);
                self.place(to, id);
            }
            DiskChange::Link(from, to) => {
                let id = self.find(from);
                self.place(to, id);
            }
            // Where it leads is not modelled.
            DiskChange::Symlink(path) => self.make(
                path,
                DiskNode::File {
                    content: Vec::new(),
                    durable: Vec::new(),
                },
            ),
            DiskChange::Remove(path) => drop(self.take(path)),
        }
    }

    fn write(&self, id: usize, kept: Names, target: &Path) {
        match &self.nodes[id] {
            DiskNode::File { durable, .. } => std::fs::write(target, durable).expect("written"),
            DiskNode::Folder { names, durable } => {
                std::fs::create_dir_all(target).expect("made");
                let names = if kept == Names::All { names } else { durable };
                names
                    .iter()
                    .for_each(|(name, &id)| self.write(id, kept, &target.join(name)));
            }
        }
    }
}
