//! Which hierarchies of control groups this machine has.

use std::fs;
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use super::make_folder;

/// Controllers of cgroup v1 that servers are put under: limits, times, ending them. `name=systemd` takes servers out of
/// the hub's unit.
const WANTED: [&str; 6] = ["memory", "cpu", "cpuacct", "pids", "freezer", "name=systemd"];
/// Controllers of cgroup v2.
const CONTROLLERS: [&str; 3] = ["memory", "cpu", "pids"];

/// All that are mounted and of use.
#[derive(Debug, Clone, Default)]
pub(crate) struct Hierarchies(Vec<Hierarchy>);

/// One of them.
#[derive(Debug, Clone)]
pub(crate) struct Hierarchy {
    mount: PathBuf,
    /// Those of [`WANTED`] that are in it; none in cgroup v2.
    controllers: Vec<&'static str>,
    unified: bool,
}

impl Hierarchies {
    /// Those of this machine.
    ///
    /// # Errors
    /// What reading `/proc/self/mountinfo` said.
    pub(crate) fn find() -> io::Result<Self> {
        Ok(Self::parse(&fs::read("/proc/self/mountinfo")?))
    }

    /// Reads `mountinfo` (`proc_pid_mountinfo(5)`). Of several mounts of the same, the first one counts.
    pub(crate) fn parse(mountinfo: &[u8]) -> Self {
        let mut found = Self::default();
        for line in mountinfo.split(|byte| *byte == b'\n') {
            if let Some(hierarchy) = Hierarchy::parse(line).filter(|one| !found.has(one)) {
                found.0.push(hierarchy);
            }
        }
        found
    }

    /// All of them.
    pub(crate) fn all(&self) -> &[Hierarchy] {
        &self.0
    }

    fn has(&self, other: &Hierarchy) -> bool {
        self.0.iter().any(|one| one.unified == other.unified && one.controllers == other.controllers)
    }
}

impl Hierarchy {
    fn parse(line: &[u8]) -> Option<Self> {
        let fields: Vec<&[u8]> = line.split(|byte| *byte == b' ').collect();
        let end = fields.iter().position(|field| *field == b"-")?;
        let mount = PathBuf::from(std::ffi::OsString::from_vec(unescaped(fields.get(4)?)));
        let options = fields.get(end + 3)?;
        let unified = match *fields.get(end + 1)? {
            b"cgroup2" => true,
            b"cgroup" => false,
            _ => return None,
        };
        let of_it = |wanted: &&&str| options.split(|byte| *byte == b',').any(|one| one == wanted.as_bytes());
        let controllers: Vec<_> = WANTED.iter().filter(of_it).copied().collect();
        match unified {
            true => Some(Self { mount, controllers: Vec::new(), unified }),
            false if controllers.is_empty() => None,
            false => Some(Self { mount, controllers, unified }),
        }
    }

    pub(crate) fn mount(&self) -> &Path {
        &self.mount
    }

    pub(crate) fn is_unified(&self) -> bool {
        self.unified
    }

    pub(crate) fn is_systemds(&self) -> bool {
        self.controllers.contains(&"name=systemd")
    }

    /// Makes the folder of a group and those above it. Another start or end may remove one in between: once more, then.
    pub(super) fn make(&self, parent: &str, uid: u32, group: &Path) -> io::Result<()> {
        let mut last = Ok(());
        for _ in 0..20 {
            last = self.make_once(parent, Some(uid), group);
            if !last.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
                break;
            }
        }
        last
    }

    /// The same for the keepers' group.
    pub(super) fn make_keepers(&self, parent: &str, group: &Path) -> io::Result<()> {
        self.make_once(parent, None, group)
    }

    fn make_once(&self, parent: &str, uid: Option<u32>, group: &Path) -> io::Result<()> {
        let mut folder = self.mount.clone();
        let uid = uid.map(|uid| uid.to_string());
        for name in parent.split('/').chain(uid.as_deref()) {
            self.hand_down(&folder);
            folder.push(name);
            make_folder(&folder)?;
        }
        if uid.is_some() {
            self.hand_down(&folder);
        }
        make_folder(group)
    }

    /// Lets the groups below have controllers (cgroup v2). One by one, because one that is missing would spoil all; those
    /// that do not get there are missed when a limit is set.
    fn hand_down(&self, folder: &Path) {
        if self.unified {
            let enabled = fs::read_to_string(folder.join("cgroup.subtree_control")).unwrap_or_default();
            for controller in CONTROLLERS {
                if !enabled.split_ascii_whitespace().any(|one| one == controller) {
                    let _ = fs::write(folder.join("cgroup.subtree_control"), format!("+{controller}"));
                }
            }
        }
    }
}

/// Spaces, tabs, newlines and backslashes stand there in octal digits.
fn unescaped(field: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    let mut rest = field;
    while let Some((byte, after)) = rest.split_first() {
        let digits = after.get(..3).filter(|_| *byte == b'\\');
        let number = digits.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok());
        plain.push(number.unwrap_or(*byte));
        rest = if number.is_some() { after.get(3..).unwrap_or_default() } else { after };
    }
    plain
}
