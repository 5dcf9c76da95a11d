//! A container's cgroup on v1 (one directory per controller), v2 (one directory), or none where
//! nothing is writable: then nothing is enforced, and that is not an error here.

mod detect;
mod device_program;
mod devices;
mod join;
mod limits;
pub mod place;
mod stats;

use super::files::{read_kernel_at, write_kernel_at};
use super::spec::Resources;
use crate::error::{Failure, Kind};
use crate::sys::runtime as sys;
pub use detect::{Hierarchy, Layout};
use rustix::fs::{CWD, Mode};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};
pub use stats::Stats;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long a kill or a removal may take before it is an error.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where a container's processes are counted and limited. Serialisable, so that another process can
/// take it up again.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Cgroup {
    /// 1, 2, or 0 for none.
    pub(crate) version: u8,
    pub(crate) groups: Vec<Group>,
}

/// One directory of it; v2 has a single one with no controllers named.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Group {
    pub(crate) controllers: Vec<String>,
    pub(crate) path: PathBuf,
}

impl Cgroup {
    /// Makes the directories; those that this process may not make are left out. `path` as
    /// `linux.cgroupsPath`: absolute from the hierarchy's root, relative from this process's own cgroup
    /// (v2: from the place where limits can be had, see `place`).
    pub(crate) fn make(layout: &Layout, path: Option<&str>, id: &str) -> Result<Self, Failure> {
        let default = format!("pinnace-{id}");
        let wanted = path.filter(|path| !path.is_empty()).unwrap_or(&default);
        check_path(wanted)?;
        let from_root = wanted.starts_with('/') || (path.is_none() && rustix::process::geteuid().is_root());
        let mut made = Self {
            version: layout.version,
            groups: Vec::new(),
        };
        for hierarchy in &layout.hierarchies {
            let base = if from_root {
                hierarchy.mount.clone()
            } else if layout.version == 2 {
                let Some(place) = place::choose(hierarchy) else {
                    continue;
                };
                place::prepare(&place);
                place.directory
            } else {
                hierarchy.own()
            };
            let directory = base.join(wanted.trim_start_matches('/'));
            match make_directories(hierarchy, &directory) {
                Ok(()) => made.groups.push(Group {
                    controllers: hierarchy.controllers.clone(),
                    path: directory,
                }),
                Err(Errno::ACCESS | Errno::PERM | Errno::ROFS | Errno::NOENT) => {}
                Err(errno) => {
                    made.remove().ok();
                    return Err(Failure::errno("cannot make the cgroup", errno).at(directory));
                }
            }
        }
        if made.groups.is_empty() {
            made.version = 0;
        }
        Ok(made)
    }

    /// Writes limits; what the host cannot enforce is left out. Errors: a value that the kernel
    /// refuses (invalid), a memory limit below the use (conflict).
    pub fn update(&self, resources: &Resources) -> Result<(), Failure> {
        limits::apply(self, resources)
    }

    /// The directory of a controller; on v2 the only one, if the controller is enabled there.
    pub(crate) fn directory(&self, controller: &str) -> Option<&Path> {
        if self.version == 2 {
            return self.groups.first().map(|group| group.path.as_path());
        }
        let group = self
            .groups
            .iter()
            .find(|group| group.controllers.iter().any(|name| name == controller))?;
        Some(&group.path)
    }

    pub fn freeze(&self) -> Result<(), Failure> {
        self.set_frozen("FROZEN", "1")
    }

    pub fn thaw(&self) -> Result<(), Failure> {
        self.set_frozen("THAWED", "0")
    }

    fn set_frozen(&self, v1: &str, v2: &str) -> Result<(), Failure> {
        let directory = self.directory("freezer").ok_or_else(|| {
            Failure::new(
                Kind::NotImplemented,
                "this container has no cgroup with a freezer, so it cannot be paused",
            )
        })?;
        let (file, value) = if self.version == 2 {
            ("cgroup.freeze", v2)
        } else {
            ("freezer.state", v1)
        };
        let path = directory.join(file);
        let deadline = Instant::now() + PATIENCE;
        loop {
            write_kernel_at(CWD, &path, value.as_bytes())
                .map_err(|errno| Failure::errno("cannot pause or resume", errno).at(&path))?;
            if self.frozen_state(directory).as_deref() == Some(value) {
                return Ok(());
            }
            if Instant::now() > deadline {
                return Err(
                    Failure::new(Kind::Unavailable, "the container's processes do not freeze").at(path),
                );
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    fn frozen_state(&self, directory: &Path) -> Option<String> {
        if self.version != 2 {
            return read_kernel_at(CWD, directory.join("freezer.state")).ok();
        }
        let events = read_kernel_at(CWD, directory.join("cgroup.events")).ok()?;
        events
            .lines()
            .find_map(|line| line.strip_prefix("frozen ").map(str::to_owned))
    }

    pub fn frozen(&self) -> bool {
        self.directory("freezer")
            .and_then(|directory| self.frozen_state(directory))
            .is_some_and(|state| state == "1" || state == "FROZEN" || state == "FREEZING")
    }

    /// Signals every process of the cgroup; with KILL it returns when none is left. A caller that is
    /// the parent of some must reap them: a zombie counts until then only on v1 while it is init.
    pub fn kill_all(&self, signal: i32) -> Result<(), Failure> {
        if signal == libc::SIGKILL && self.kill_file() {
            return Ok(());
        }
        let deadline = Instant::now() + PATIENCE;
        let was_frozen = self.frozen();
        loop {
            let procs: Vec<i32> = self.procs()?.into_iter().filter(|pid| is_alive(*pid)).collect();
            if procs.is_empty() {
                return Ok(());
            }
            // Frozen, nothing forks away between the reading and the killing.
            let froze = procs.len() > 1 && !was_frozen && self.freeze().is_ok();
            let procs = if froze { self.procs()? } else { procs };
            for pid in procs {
                sys::kill(pid, signal).ok();
            }
            if froze || (was_frozen && signal == libc::SIGKILL) {
                self.thaw().ok();
            }
            if signal != libc::SIGKILL {
                return Ok(());
            }
            if Instant::now() > deadline {
                return Err(Failure::new(
                    Kind::Unavailable,
                    "processes of the container survive SIGKILL",
                ));
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// v2 since Linux 5.14: one write kills the whole tree, also when it is frozen.
    fn kill_file(&self) -> bool {
        let Some(group) = self.groups.first().filter(|_| self.version == 2) else {
            return false;
        };
        write_kernel_at(CWD, group.path.join("cgroup.kill"), b"1").is_ok()
    }

    pub fn stats(&self) -> Result<Stats, Failure> {
        Ok(stats::read(self))
    }

    /// How many processes the kernel killed for want of memory.
    pub fn oom_kill_count(&self) -> u64 {
        let file = if self.version == 2 {
            "memory.events"
        } else {
            "memory.oom_control"
        };
        self.directory("memory")
            .and_then(|directory| read_kernel_at(CWD, directory.join(file)).ok())
            .and_then(|text| {
                text.lines()
                    .find_map(|line| line.strip_prefix("oom_kill ")?.trim().parse().ok())
            })
            .unwrap_or(0)
    }

    /// The ids of all processes, with those of nested cgroups.
    pub fn procs(&self) -> Result<Vec<i32>, Failure> {
        let preferred = self.directory("freezer").or_else(|| self.directory("pids"));
        let Some(directory) = preferred.or_else(|| self.groups.first().map(|group| group.path.as_path()))
        else {
            return Ok(Vec::new());
        };
        let mut procs = Vec::new();
        collect_procs(directory, &mut procs)
            .map_err(|errno| Failure::errno("cannot list the cgroup", errno).at(directory))?;
        procs.sort_unstable();
        procs.dedup();
        Ok(procs)
    }

    /// Removes the directories, nested ones first; not an error when they are gone.
    pub fn remove(&self) -> Result<(), Failure> {
        let mut failed = Ok(());
        for group in &self.groups {
            if let Err(errno) = remove_tree(&group.path) {
                failed = Err(Failure::errno("cannot remove the cgroup", errno).at(&group.path));
            }
        }
        failed
    }
}

/// Signals of a zombie change nothing: it is as good as gone.
fn is_alive(pid: i32) -> bool {
    let Ok(stat) = read_kernel_at(CWD, format!("/proc/{pid}/stat")) else {
        return false;
    };
    let state = stat.rfind(')').and_then(|end| stat.get(end + 2..end + 3));
    !matches!(state, Some("Z" | "X") | None)
}

fn check_path(path: &str) -> Result<(), Failure> {
    if path.split('/').any(|part| part == "..") || path.contains('\0') {
        return Err(Failure::new(Kind::Invalid, "linux.cgroupsPath must not hold \"..\"").at(path));
    }
    if path.matches(':').count() == 2 && !path.starts_with('/') {
        return Err(Failure::new(
            Kind::NotImplemented,
            "linux.cgroupsPath in systemd's form is not supported; use the cgroupfs manager",
        )
        .at(path));
    }
    Ok(())
}

/// mkdir -p below the hierarchy's mount, with what new directories need to be usable.
fn make_directories(hierarchy: &Hierarchy, directory: &Path) -> Result<(), Errno> {
    let below: PathBuf = directory
        .strip_prefix(&hierarchy.mount)
        .map_err(|_| Errno::INVAL)?
        .into();
    if below.as_os_str().is_empty() {
        return Err(Errno::INVAL);
    }
    let mut path = hierarchy.mount.clone();
    for part in below.components() {
        if hierarchy.controllers.is_empty() {
            limits::enable_controllers(&path);
        }
        let parent = path.clone();
        path.push(part);
        match rustix::fs::mkdir(&path, Mode::from_raw_mode(0o755)) {
            Ok(()) | Err(Errno::EXIST) => {}
            // A parent that exists but may not be written answers EACCES or EROFS too.
            Err(Errno::ACCESS | Errno::ROFS | Errno::PERM) if path.is_dir() => {}
            Err(errno) => return Err(errno),
        }
        if hierarchy.controllers.iter().any(|name| name == "cpuset") {
            limits::inherit_cpuset(&parent, &path);
        }
    }
    Ok(())
}

fn collect_procs(directory: &Path, procs: &mut Vec<i32>) -> Result<(), Errno> {
    let text = match read_kernel_at(CWD, directory.join("cgroup.procs")) {
        Err(Errno::NOENT | Errno::NODEV) => return Ok(()),
        Err(Errno::OPNOTSUPP) => String::new(),
        other => other?,
    };
    procs.extend(
        text.lines()
            .filter_map(|line| line.parse::<i32>().ok())
            .filter(|pid| *pid > 0),
    );
    for child in subdirectories(directory) {
        collect_procs(&child, procs)?;
    }
    Ok(())
}

fn subdirectories(directory: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(directory) else {
        return Vec::new();
    };
    entries
        .flatten()
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .map(|entry| entry.path())
        .collect()
}

fn remove_tree(directory: &Path) -> Result<(), Errno> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match rustix::fs::rmdir(directory) {
            Ok(()) | Err(Errno::NOENT) => return Ok(()),
            Err(Errno::BUSY | Errno::NOTEMPTY) if Instant::now() < deadline => {
                for child in subdirectories(directory) {
                    remove_tree(&child)?;
                }
                std::thread::sleep(Duration::from_micros(500));
            }
            Err(errno) => return Err(errno),
        }
    }
}
