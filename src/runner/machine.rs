//! Memory of this machine as the process may use it.
//!
//! The process runs in a control group (cgroup), which may lie in others, as a step of a Slurm job
//! lies in its job. Every one of them may have a limit, and the lowest counts. Version 2 of the
//! groups and version 1 are read; both may be mounted.

use std::path::{Path, PathBuf};

/// All memory that the process may take, in bytes: the machine's, or the lowest limit of its
/// groups. `root` is the folder that `/proc` and `/sys` lie in.
pub(super) fn total_memory(root: &Path) -> Option<u64> {
    let limits = control_groups(root)
        .into_iter()
        .filter_map(|group| group.limit());
    meminfo(root, "MemTotal:").into_iter().chain(limits).min()
}

/// Memory that is free for the process, in bytes: the machine's, or what its groups leave.
///
/// Files that the system keeps in memory and has no use for count as free, as they do in the
/// machine's own figure.
pub(super) fn available_memory(root: &Path) -> Option<u64> {
    let free = control_groups(root).into_iter().filter_map(|group| {
        let used = group.used().unwrap_or(0);
        Some(group.limit()?.saturating_sub(used))
    });
    meminfo(root, "MemAvailable:").into_iter().chain(free).min()
}

fn meminfo(root: &Path, name: &str) -> Option<u64> {
    let text = std::fs::read_to_string(root.join("proc/meminfo")).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    let kilobytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes * 1024)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CgroupVersion {
    V1,
    V2,
}

/// A control group that holds the process, itself or through one inside it.
#[derive(Debug)]
struct ControlGroup {
    version: CgroupVersion,
    folder: PathBuf,
}

impl ControlGroup {
    /// The lowest of its own limits. A group of version 2 is slowed down above `memory.high`, and
    /// its processes end above `memory.max`.
    fn limit(&self) -> Option<u64> {
        let files: &[&str] = match self.version {
            CgroupVersion::V1 => &["memory.limit_in_bytes"],
            CgroupVersion::V2 => &["memory.max", "memory.high"],
        };
        files.iter().filter_map(|file| self.number(file)).min()
    }

    /// What its processes hold, without files that are kept in memory and not in use.
    fn used(&self) -> Option<u64> {
        let (file, idle) = match self.version {
            CgroupVersion::V1 => ("memory.usage_in_bytes", "total_inactive_file"),
            CgroupVersion::V2 => ("memory.current", "inactive_file"),
        };
        Some(
            self.number(file)?
                .saturating_sub(self.statistic(idle).unwrap_or(0)),
        )
    }

    /// `max` is no number.
    fn number(&self, file: &str) -> Option<u64> {
        let text = std::fs::read_to_string(self.folder.join(file)).ok()?;
        text.trim().parse().ok()
    }

    fn statistic(&self, name: &str) -> Option<u64> {
        let text = std::fs::read_to_string(self.folder.join("memory.stat")).ok()?;
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))?;
        line.trim().parse().ok()
    }
}

/// Every group that holds the process, from its own up to the root of the mount.
fn control_groups(root: &Path) -> Vec<ControlGroup> {
    let Ok(memberships) = std::fs::read_to_string(root.join("proc/self/cgroup")) else {
        return Vec::new();
    };
    let mounts = std::fs::read_to_string(root.join("proc/self/mountinfo")).unwrap_or_default();
    let mut groups = Vec::new();
    for membership in memberships.lines() {
        // The hierarchy's number, its controllers, the group's path.
        let mut fields = membership.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (fields.next(), fields.next()) else {
            continue;
        };
        let version = if controllers.is_empty() {
            CgroupVersion::V2
        } else if controllers
            .split(',')
            .any(|controller| controller == "memory")
        {
            CgroupVersion::V1
        } else {
            continue;
        };
        let mount = CgroupMount::find(version, &mounts);
        let own = mount.folder_of(root, path);
        let top = root.join(&mount.folder);
        let folders = own
            .ancestors()
            .take_while(|folder| folder.starts_with(&top));
        groups.extend(folders.map(|folder| ControlGroup {
            version,
            folder: folder.to_owned(),
        }));
    }
    groups
}

/// Where the groups of a version are mounted.
#[derive(Debug)]
struct CgroupMount {
    /// Below the root of the file system.
    folder: PathBuf,
    /// The group that the folder shows, which need not be the uppermost one: a container may see
    /// its own alone and yet be told its whole path.
    group: PathBuf,
}

impl CgroupMount {
    /// From `/proc/self/mountinfo`, or where it is on most machines.
    fn find(version: CgroupVersion, mounts: &str) -> Self {
        let usual = match version {
            CgroupVersion::V1 => "sys/fs/cgroup/memory",
            CgroupVersion::V2 => "sys/fs/cgroup",
        };
        mounts
            .lines()
            .find_map(|line| Self::read(version, line))
            .unwrap_or_else(|| Self {
                folder: usual.into(),
                group: "/".into(),
            })
    }

    /// A line of `/proc/self/mountinfo`: `36 25 0:31 GROUP FOLDER OPTIONS - TYPE SOURCE OPTIONS`.
    fn read(version: CgroupVersion, line: &str) -> Option<Self> {
        let (mount, kind) = line.split_once(" - ")?;
        let mut kind = kind.split(' ');
        let kind_name = kind.next()?;
        let has_memory = match version {
            CgroupVersion::V1 => {
                kind_name == "cgroup"
                    && kind
                        .next_back()?
                        .split(',')
                        .any(|option| option == "memory")
            }
            CgroupVersion::V2 => kind_name == "cgroup2",
        };
        let mut fields = mount.split(' ').skip(3);
        let (group, folder) = (fields.next()?, fields.next()?);
        has_memory.then(|| Self {
            folder: folder.trim_start_matches('/').into(),
            group: group.into(),
        })
    }

    /// The folder of the group at `path`. A path outside the mount is that of a container that sees
    /// its own group alone, as the mount's root.
    fn folder_of(&self, root: &Path, path: &str) -> PathBuf {
        let below = Path::new(path)
            .strip_prefix(&self.group)
            .unwrap_or(Path::new(""));
        root.join(&self.folder).join(below)
    }
}

#[cfg(test)]
#[path = "machine_tests.rs"]
mod tests;
