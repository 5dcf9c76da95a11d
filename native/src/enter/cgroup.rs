//! Which cgroup controllers this process may really use: tried by making a directory (and, on v2, by
//! moving a child into it), which is removed at once. It changes no limit.

use super::trial;
use crate::error::Failure;
use crate::runtime::cgroup::{Layout, place};
use rustix::fs::{Access, Mode};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// `cgroup` of the probe's answer.
#[derive(Debug, Serialize)]
pub struct Cgroups {
    pub version: u8,
    pub controllers: Vec<String>,
    /// The directory beneath which containers can be placed (v1: the parent of the hierarchies).
    pub root: Option<PathBuf>,
    pub delegated: bool,
}

const MOUNT: &str = "/sys/fs/cgroup";

/// A mounted hierarchy, from /proc/self/mountinfo.
#[derive(Debug, PartialEq, Eq)]
struct Hierarchy {
    /// The path within the hierarchy that is mounted.
    root: String,
    at: PathBuf,
    unified: bool,
    controllers: Vec<String>,
}

pub fn find() -> Cgroups {
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let own = std::fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let hierarchies = parse_mounts(&mounts);
    let is_root = rustix::process::geteuid().is_root();
    match hierarchies
        .iter()
        .find(|hierarchy| hierarchy.unified && hierarchy.at == Path::new(MOUNT))
    {
        Some(unified) => find_v2(unified, &own),
        None => find_v1(&hierarchies, &own, is_root),
    }
}

/// The same choice that the runtime makes for a container.
fn find_v2(unified: &Hierarchy, own: &str) -> Cgroups {
    let home = own_directory(unified, own);
    let place = Layout::detect()
        .ok()
        .and_then(|layout| place::choose(layout.hierarchies.first()?))
        .filter(|place| trial::run(|| try_v2(&place.directory, home.as_deref())).is_ok());
    Cgroups {
        version: 2,
        delegated: place.is_some(),
        controllers: place
            .as_ref()
            .map(|place| place.controllers.clone())
            .unwrap_or_default(),
        root: place.map(|place| place.directory),
    }
}

/// In a child: makes a cgroup, moves there and back, removes it.
fn try_v2(parent: &Path, home: Option<&Path>) -> Result<(), Failure> {
    let path = parent.join(trial_name());
    let fail = |errno| Failure::errno("cgroup", errno).at(&path);
    rustix::fs::mkdir(&path, Mode::from_raw_mode(0o755)).map_err(fail)?;
    let moved = std::fs::write(path.join("cgroup.procs"), "0");
    if let Some(home) = home {
        let _ = std::fs::write(home.join("cgroup.procs"), "0");
    }
    let removed = rustix::fs::rmdir(&path).map_err(fail);
    moved.map_err(|error| fail(rustix::io::Errno::from_io_error(&error).unwrap_or(rustix::io::Errno::IO)))?;
    removed
}

fn find_v1(hierarchies: &[Hierarchy], own: &str, is_root: bool) -> Cgroups {
    let mut controllers = Vec::new();
    for hierarchy in hierarchies.iter().filter(|hierarchy| !hierarchy.unified) {
        let mut candidates: Vec<PathBuf> = own_directory(hierarchy, own).into_iter().collect();
        if is_root {
            candidates.insert(0, hierarchy.at.clone());
        }
        if candidates.iter().any(|candidate| try_v1(candidate)) {
            controllers.extend(hierarchy.controllers.iter().cloned());
        }
    }
    Cgroups {
        version: 1,
        delegated: !controllers.is_empty(),
        root: (!controllers.is_empty()).then(|| PathBuf::from(MOUNT)),
        controllers,
    }
}

/// Makes a directory whose processes file this process may write. Moving is not tried: on v1 it needs
/// nothing more, and it makes the whole machine wait.
fn try_v1(parent: &Path) -> bool {
    let path = parent.join(trial_name());
    if rustix::fs::mkdir(&path, Mode::from_raw_mode(0o755)).is_err() {
        return false;
    }
    let writable = rustix::fs::access(path.join("cgroup.procs"), Access::WRITE_OK).is_ok();
    let removed = rustix::fs::rmdir(&path).is_ok();
    writable && removed
}

fn trial_name() -> String {
    format!("pinnace-probe-{}", rustix::process::getpid().as_raw_nonzero())
}

/// Where this process is in a hierarchy, as a directory.
fn own_directory(hierarchy: &Hierarchy, own: &str) -> Option<PathBuf> {
    let path = own.lines().find_map(|line| {
        let mut fields = line.splitn(3, ':');
        let (_, names, path) = (fields.next()?, fields.next()?, fields.next()?);
        let same = if hierarchy.unified {
            names.is_empty()
        } else {
            !names.is_empty()
                && names
                    .split(',')
                    .all(|name| hierarchy.controllers.iter().any(|have| have == name))
        };
        same.then_some(path)
    })?;
    let beneath = if hierarchy.root == "/" {
        path
    } else {
        path.strip_prefix(hierarchy.root.as_str())?
    };
    let directory = hierarchy.at.join(beneath.trim_start_matches('/'));
    (!beneath.split('/').any(|part| part == "..")).then_some(directory)
}

/// proc_pid_mountinfo(5): root is field 4, the mount point field 5, after " - " type, source, options.
fn parse_mounts(text: &str) -> Vec<Hierarchy> {
    const NOT_CONTROLLERS: [&str; 6] = ["rw", "ro", "xattr", "noprefix", "clone_children", "none"];
    text.lines()
        .filter_map(|line| {
            let (place, kind) = line.split_once(" - ")?;
            let mut place = place.split(' ').skip(3);
            let (root, at) = (place.next()?, place.next()?);
            let mut kind = kind.split(' ');
            let (name, options) = (kind.next()?, kind.nth(1)?);
            if name != "cgroup" && name != "cgroup2" {
                return None;
            }
            let controllers = options
                .split(',')
                .filter(|option| !NOT_CONTROLLERS.contains(option) && !option.starts_with("release_agent"))
                .map(str::to_owned)
                .collect::<Vec<_>>();
            let named = controllers.iter().any(|option| option.starts_with("name="));
            (name == "cgroup2" || !named).then(|| Hierarchy {
                root: root.to_owned(),
                at: PathBuf::from(at),
                unified: name == "cgroup2",
                controllers: if name == "cgroup2" {
                    Vec::new()
                } else {
                    controllers
                },
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "\
30 23 0:26 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid - cgroup cgroup rw,cpu,cpuacct
31 23 0:27 /docker/abc /sys/fs/cgroup/memory rw,nosuid shared:9 - cgroup cgroup rw,memory
32 23 0:28 / /sys/fs/cgroup/systemd rw - cgroup systemd rw,xattr,name=systemd
33 23 0:29 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw,nsdelegate
34 23 0:30 / /proc rw - proc proc rw
";

    #[test]
    fn finds_the_hierarchies_and_the_own_place_in_them() {
        let found = parse_mounts(MOUNTS);
        assert_eq!(found.len(), 3);
        let own = "4:memory:/docker/abc/x\n3:cpu,cpuacct:/y\n0::/z\n";
        let place = |index: usize| own_directory(&found[index], own);
        assert_eq!(place(0), Some(PathBuf::from("/sys/fs/cgroup/cpu,cpuacct/y")));
        assert_eq!(place(1), Some(PathBuf::from("/sys/fs/cgroup/memory/x")));
        assert_eq!(place(2), Some(PathBuf::from("/sys/fs/cgroup/unified/z")));
    }
}
