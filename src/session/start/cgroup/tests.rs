//! A tree of files that looks like cgroup v2 or v1 stands for the kernel: this machine may have neither.

use std::fs;
use std::path::Path;

use orrery_wire::control::Usage;
use tempfile::TempDir;

use super::*;

const LIMITS: Limits = Limits { memory: 1 << 31, cpu: 1500, processes: 64 };

/// What mounting `folder` as cgroup v2 looks like.
fn unified(folder: &Path) -> Hierarchies {
    let line = format!("30 23 0:26 / {} rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n", folder.display());
    Hierarchies::parse(line.as_bytes())
}

fn version_1(folder: &Path) -> Hierarchies {
    let lines = ["memory", "cpu,cpuacct", "pids", "freezer", "blkio"].map(|controllers| {
        let mount = folder.join(controllers);
        fs::create_dir_all(&mount).unwrap();
        format!("30 23 0:26 / {} rw - cgroup cgroup rw,{controllers}\n", mount.display())
    });
    Hierarchies::parse(lines.concat().as_bytes())
}

fn write_all(folder: &Path, files: &[(&str, &str)]) {
    fs::create_dir_all(folder).unwrap();
    for (name, content) in files {
        fs::write(folder.join(name), content).unwrap();
    }
}

fn content(file: impl AsRef<Path>) -> String {
    fs::read_to_string(file).unwrap()
}

#[test]
fn only_hierarchies_of_use_are_taken_and_each_once() {
    let mountinfo = b"\
24 1 0:22 / /proc rw - proc proc rw
31 30 0:27 / /sys/fs/cgroup/sys\\040temd rw - cgroup cgroup rw,xattr,name=systemd
32 30 0:28 / /sys/fs/cgroup/memory rw shared:9 - cgroup cgroup rw,memory
33 30 0:29 / /sys/fs/cgroup/blkio rw - cgroup cgroup rw,blkio
34 30 0:30 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct
35 30 0:31 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
36 30 0:31 / /other rw - cgroup2 cgroup2 rw
37 30 0:28 / /other/memory rw - cgroup cgroup rw,memory
nonsense";
    let found = Hierarchies::parse(mountinfo);
    let mounts: Vec<_> = found.all().iter().map(|one| one.mount().to_str().unwrap()).collect();
    assert_eq!(
        mounts,
        [
            "/sys/fs/cgroup/sys temd",
            "/sys/fs/cgroup/memory",
            "/sys/fs/cgroup/cpu,cpuacct",
            "/sys/fs/cgroup/unified"
        ]
    );
    assert!(found.all()[0].is_systemds() && !found.all()[1].is_systemds());
}

#[test]
fn the_controllers_of_v2_are_handed_down_to_the_group() {
    let root = TempDir::new().unwrap();
    let hierarchies = unified(root.path());
    let group = Group::make(&hierarchies, "a/b", 1000, "s1").unwrap();
    assert!(root.path().join("a/b/1000/s1").is_dir());
    for folder in ["", "a", "a/b", "a/b/1000"] {
        assert_eq!(content(root.path().join(folder).join("cgroup.subtree_control")), "+pids", "{folder}");
    }
    assert!(!root.path().join("a/b/1000/s1/cgroup.subtree_control").exists());
    assert_eq!(Group::ids(&hierarchies, "a/b", 1000), ["s1"]);
    group.remove();
    assert!(!root.path().join("a/b/1000/s1").exists());
}

#[test]
fn sec_086_limits_of_v2_kill_one_process_and_not_all() {
    let root = TempDir::new().unwrap();
    let folder = root.path().join("orrery/1000/s1");
    let group = Group::make(&unified(root.path()), "orrery", 1000, "s1").unwrap();
    let files = ["memory.max", "memory.oom.group", "cpu.max", "pids.max"];
    write_all(&folder, &files.map(|name| (name, "max")));
    assert_eq!(group.limit(&LIMITS), Vec::<&str>::new());
    assert_eq!(files.map(|name| content(folder.join(name))), ["2147483648", "0", "150000 100000", "64"]);
}

#[test]
fn limits_of_v1_are_set_in_their_hierarchies() {
    let root = TempDir::new().unwrap();
    let group = Group::make(&version_1(root.path()), "orrery", 1000, "s1").unwrap();
    let file = |controller: &str, name: &str| root.path().join(controller).join("orrery/1000/s1").join(name);
    for (controller, name) in [
        ("memory", "memory.limit_in_bytes"),
        ("cpu,cpuacct", "cpu.cfs_period_us"),
        ("cpu,cpuacct", "cpu.cfs_quota_us"),
        ("pids", "pids.max"),
    ] {
        fs::write(file(controller, name), "").unwrap();
    }
    assert_eq!(group.limit(&LIMITS), Vec::<&str>::new());
    assert_eq!(content(file("memory", "memory.limit_in_bytes")), "2147483648");
    assert_eq!(content(file("cpu,cpuacct", "cpu.cfs_quota_us")), "150000");
    assert_eq!(content(file("pids", "pids.max")), "64");
    assert!(!root.path().join("blkio/orrery").exists());
}

#[test]
fn a_limit_without_a_controller_is_told_and_none_is_never_missed() {
    let root = TempDir::new().unwrap();
    let group = Group::make(&unified(root.path()), "orrery", 1000, "s1").unwrap();
    assert_eq!(group.limit(&LIMITS), ["memory limit", "CPU limit", "limit of processes"]);
    assert_eq!(group.limit(&Limits::default()), Vec::<&str>::new());
    assert_eq!(group.usage(), Usage::default());
}

#[test]
fn usage_of_v2_leaves_out_what_can_be_dropped() {
    let root = TempDir::new().unwrap();
    let group = Group::make(&unified(root.path()), "orrery", 1000, "s1").unwrap();
    write_all(
        &root.path().join("orrery/1000/s1"),
        &[
            ("memory.current", "5000\n"),
            ("memory.stat", "anon 1\ninactive_file 2000\n"),
            ("memory.max", "max\n"),
            ("memory.events", "low 0\noom 3\noom_kill 2\n"),
            ("cpu.stat", "usage_usec 77\nuser_usec 1\n"),
            ("pids.current", "4\n"),
        ],
    );
    let expected = Usage {
        memory: Some(3000),
        memory_limit: None,
        cpu_time: Some(77),
        processes: Some(4),
        oom_kills: 2,
    };
    assert_eq!(group.usage(), expected);
}

#[test]
fn usage_of_v1_comes_from_several_hierarchies() {
    let root = TempDir::new().unwrap();
    let group = Group::make(&version_1(root.path()), "orrery", 1000, "s1").unwrap();
    let folder = |controller: &str| root.path().join(controller).join("orrery/1000/s1");
    write_all(
        &folder("memory"),
        &[
            ("memory.usage_in_bytes", "5000\n"),
            ("memory.limit_in_bytes", "9000\n"),
            ("memory.stat", "total_inactive_file 1000\n"),
            ("memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n"),
        ],
    );
    write_all(&folder("cpu,cpuacct"), &[("cpuacct.usage", "9000\n")]);
    write_all(&folder("pids"), &[("pids.current", "2\n")]);
    let expected = Usage {
        memory: Some(4000),
        memory_limit: Some(9000),
        cpu_time: Some(9),
        processes: Some(2),
        oom_kills: 1,
    };
    assert_eq!(group.usage(), expected);
}

#[test]
fn without_any_hierarchy_there_is_no_group() {
    assert!(Group::make(&Hierarchies::default(), "orrery", 1000, "s1").is_err());
}

#[test]
fn sec_085_a_group_that_belongs_to_somebody_else_is_not_used() {
    let root = TempDir::new().unwrap();
    let foreign = root.path().join("orrery");
    fs::create_dir(&foreign).unwrap();
    fs::set_permissions(&foreign, std::os::unix::fs::PermissionsExt::from_mode(0o777)).unwrap();
    assert!(Group::make(&unified(root.path()), "orrery", 1000, "s1").is_err());
    fs::remove_dir(&foreign).unwrap();
    std::os::unix::fs::symlink("/tmp", &foreign).unwrap();
    assert!(Group::make(&unified(root.path()), "orrery", 1000, "s1").is_err());
}

#[test]
fn sec_083_everything_in_a_group_is_killed_in_one_step() {
    let root = TempDir::new().unwrap();
    let group = Group::make(&unified(root.path()), "orrery", 1000, "s1").unwrap();
    let folder = root.path().join("orrery/1000/s1");
    write_all(&folder, &[("cgroup.kill", "")]);
    group.kill();
    assert_eq!(content(folder.join("cgroup.kill")), "1");
}
