//! Where on cgroup v2 this process may put containers with limits: the root of the hierarchy, the parent
//! of the own cgroup, or the own cgroup itself. Only `prepare` changes anything, and only in the chosen place.

use super::super::files::{read_kernel_at, write_kernel_at};
use super::detect::Hierarchy;
use super::limits;
use rustix::fs::{Access, CWD, Mode};
use std::path::{Path, PathBuf};

/// The leaf that the processes of a delegated cgroup are moved to: on v2 a cgroup with processes of its
/// own can give its children no controllers.
const LEAF: &str = "pinnace-engine";

/// The controllers that people limit containers with.
const WANTED: [&str; 3] = ["cpu", "memory", "pids"];

/// A directory beneath which containers can be limited.
#[derive(Debug, Clone)]
pub struct Place {
    pub directory: PathBuf,
    /// What the children can be limited by, once prepared.
    pub controllers: Vec<String>,
    /// Its own processes must leave before.
    crowded: bool,
}

/// The place with most of cpu, memory and pids; among equals the one outside the own cgroup, so that
/// nothing has to be moved. None: nothing is writable.
pub fn choose(hierarchy: &Hierarchy) -> Option<Place> {
    let own = home(hierarchy);
    let mut candidates = Vec::new();
    if rustix::process::geteuid().is_root() {
        candidates.push(hierarchy.mount.clone());
    }
    candidates.extend(
        own.parent()
            .filter(|parent| parent.starts_with(&hierarchy.mount))
            .map(Path::to_owned),
    );
    candidates.push(own.clone());
    let mut best: Option<Place> = None;
    for place in candidates
        .iter()
        .filter_map(|candidate| look(candidate, *candidate == own))
    {
        if best.as_ref().is_none_or(|best| rank(&place) > rank(best)) {
            best = Some(place);
        }
    }
    best
}

/// Lets the children of the place use its controllers; moves the processes of a crowded one to a leaf.
pub fn prepare(place: &Place) {
    if place.crowded {
        make_room(&place.directory);
    }
    limits::enable_controllers(&place.directory);
}

fn make_room(directory: &Path) {
    let leaf = directory.join(LEAF);
    rustix::fs::mkdir(&leaf, Mode::from_raw_mode(0o755)).ok();
    // What forks in between is found at the second reading.
    for _ in 0..2 {
        for pid in words(directory, "cgroup.procs") {
            write_kernel_at(CWD, leaf.join("cgroup.procs"), pid.as_bytes()).ok();
        }
    }
}

/// The own cgroup, without the leaf.
fn home(hierarchy: &Hierarchy) -> PathBuf {
    let own = hierarchy.own();
    if own.components().any(|part| part.as_os_str() == "..") {
        return hierarchy.mount.clone();
    }
    match own.parent() {
        Some(parent) if own.ends_with(LEAF) && parent.starts_with(&hierarchy.mount) => parent.to_owned(),
        _ => own,
    }
}

fn look(directory: &Path, own: bool) -> Option<Place> {
    let writable = |path: &Path| rustix::fs::access(path, Access::WRITE_OK).is_ok();
    if !writable(directory) || !writable(&directory.join("cgroup.procs")) {
        return None;
    }
    let given = enabled(directory);
    let available = words(directory, "cgroup.controllers");
    let may_give = writable(&directory.join("cgroup.subtree_control"));
    // The root of the machine's hierarchy, which alone has no type, may hold processes of its own.
    let empty = !directory.join("cgroup.type").exists() || words(directory, "cgroup.procs").is_empty();
    let controllers = if may_give && (empty || own) {
        available
    } else {
        given
    };
    Some(Place {
        directory: directory.to_owned(),
        controllers,
        crowded: own && !empty,
    })
}

fn rank(place: &Place) -> usize {
    WANTED
        .iter()
        .filter(|name| place.controllers.iter().any(|have| have == *name))
        .count()
}

fn enabled(directory: &Path) -> Vec<String> {
    words(directory, "cgroup.subtree_control")
}

fn words(directory: &Path, file: &str) -> Vec<String> {
    let text = read_kernel_at(CWD, directory.join(file)).unwrap_or_default();
    text.split_whitespace().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(controllers: &[&str]) -> Place {
        Place {
            directory: PathBuf::new(),
            controllers: controllers.iter().map(|name| (*name).to_owned()).collect(),
            crowded: false,
        }
    }

    #[test]
    fn the_leaf_is_not_the_home_and_the_mount_is_where_the_path_leads_out() {
        let home_of = |own: &str| {
            home(&Hierarchy {
                controllers: Vec::new(),
                mount: PathBuf::from("/sys/fs/cgroup"),
                own: own.to_owned(),
            })
        };
        assert_eq!(
            home_of("/user/x/pinnace-engine"),
            Path::new("/sys/fs/cgroup/user/x")
        );
        assert_eq!(home_of("/user/x"), Path::new("/sys/fs/cgroup/user/x"));
        assert_eq!(home_of("/../x"), Path::new("/sys/fs/cgroup"));
    }

    #[test]
    fn a_place_with_more_of_the_wanted_controllers_ranks_higher() {
        assert!(rank(&place(&["memory", "pids"])) > rank(&place(&["io", "cpuset", "pids"])));
    }
}
