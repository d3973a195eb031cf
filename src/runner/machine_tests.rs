//! Tests of `machine.rs`, on folders laid out as `/proc` and `/sys`.

use super::*;

const GB: u64 = 1 << 30;

/// A root folder with the given files; the machine has 64 GiB of memory, 32 of them free.
fn system(files: &[(&str, &str)]) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    let meminfo = "MemTotal:       67108864 kB\nMemFree: 1 kB\nMemAvailable:   33554432 kB\n";
    for (path, text) in [("proc/meminfo", meminfo)].iter().chain(files) {
        let path = root.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    root
}

/// Total and available memory.
fn memory(files: &[(&str, &str)]) -> (Option<u64>, Option<u64>) {
    let root = system(files);
    (total_memory(root.path()), available_memory(root.path()))
}

fn bytes(count: u64) -> String {
    format!("{count}\n")
}

#[test]
fn without_control_groups_the_memory_is_the_machines() {
    assert_eq!(memory(&[]), (Some(64 * GB), Some(32 * GB)));
    let nothing = tempfile::tempdir().unwrap();
    assert_eq!(available_memory(nothing.path()), None);
}

#[test]
fn a_limit_lowers_the_total_and_what_is_available_by_what_is_used() {
    let files = [
        ("proc/self/cgroup", "0::/\n"),
        ("sys/fs/cgroup/memory.max", &bytes(8 * GB)),
        ("sys/fs/cgroup/memory.high", "max\n"),
        ("sys/fs/cgroup/memory.current", &bytes(5 * GB)),
        (
            "sys/fs/cgroup/memory.stat",
            "anon 1\ninactive_file 2147483648\n",
        ),
    ];
    assert_eq!(memory(&files), (Some(8 * GB), Some(5 * GB)));
}

#[test]
fn the_lowest_limit_of_all_groups_around_the_process_counts() {
    let job = "sys/fs/cgroup/system.slice/slurmstepd.scope/job_7";
    let files = [
        (
            "proc/self/cgroup",
            "0::/system.slice/slurmstepd.scope/job_7/step_0/user/task_0\n",
        ),
        (&format!("{job}/step_0/user/task_0/memory.max"), "max\n"),
        (&format!("{job}/step_0/memory.max"), &bytes(12 * GB)),
        (&format!("{job}/step_0/memory.high"), &bytes(10 * GB)),
        (&format!("{job}/step_0/memory.current"), &bytes(GB)),
        (&format!("{job}/memory.max"), &bytes(16 * GB)),
        // Other steps of the job take from its memory, too.
        (&format!("{job}/memory.current"), &bytes(13 * GB)),
    ];
    assert_eq!(memory(&files), (Some(10 * GB), Some(3 * GB)));
}

#[test]
fn version_1_is_read_beside_the_controllers_of_version_2() {
    let files = [
        (
            "proc/self/cgroup",
            "5:cpu,cpuacct:/job\n4:memory:/slurm/uid_0/job_7/step_0\n0::/system.slice\n",
        ),
        (
            "sys/fs/cgroup/memory/slurm/uid_0/job_7/step_0/memory.limit_in_bytes",
            "9223372036854771712\n",
        ),
        (
            "sys/fs/cgroup/memory/slurm/uid_0/job_7/memory.limit_in_bytes",
            &bytes(4 * GB),
        ),
        (
            "sys/fs/cgroup/memory/slurm/uid_0/job_7/memory.usage_in_bytes",
            &bytes(3 * GB),
        ),
        (
            "sys/fs/cgroup/memory/slurm/uid_0/job_7/memory.stat",
            "inactive_file 5\ntotal_inactive_file 1073741824\n",
        ),
    ];
    assert_eq!(memory(&files), (Some(4 * GB), Some(2 * GB)));
}

#[test]
fn a_container_that_sees_its_own_group_alone_finds_the_limit_there() {
    let mounts = "36 25 0:31 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n";
    let files = [
        ("proc/self/cgroup", "4:memory:/docker/abc/inner\n"),
        ("proc/self/mountinfo", mounts),
        ("sys/fs/cgroup/memory/memory.limit_in_bytes", &bytes(4 * GB)),
        (
            "sys/fs/cgroup/memory/inner/memory.limit_in_bytes",
            &bytes(2 * GB),
        ),
    ];
    assert_eq!(memory(&files), (Some(2 * GB), Some(2 * GB)));
    let elsewhere = [
        ("proc/self/cgroup", "4:memory:/lxc/other\n"),
        files[1],
        files[2],
    ];
    assert_eq!(memory(&elsewhere), (Some(4 * GB), Some(4 * GB)));
}

#[test]
fn use_above_the_limit_leaves_nothing() {
    let files = [
        ("proc/self/cgroup", "0::/\n"),
        ("sys/fs/cgroup/memory.high", &bytes(2 * GB)),
        ("sys/fs/cgroup/memory.current", &bytes(3 * GB)),
    ];
    assert_eq!(memory(&files), (Some(2 * GB), Some(0)));
}
