//! The cgroup file systems as a container sees them: its own cgroup as the root of each hierarchy.
//! With a cgroup name space they are mounted; without one, the container's directories are bound.
//! Runs in init before pivot_root.

use super::mount::{Scene, attach, clone_of, filesystem, host_directory, place};
use super::options::Options;
use crate::error::Failure;
use crate::runtime::cgroup::Layout;
use crate::sys::runtime as sys;
use crate::sys::runtime::AttrChange;
use rustix::fs::Mode;
use rustix::io::Errno;
use rustix::mount::OpenTreeFlags;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

/// What is to be shown: the host's hierarchies and the container's directory in each.
pub struct View {
    pub version: u8,
    /// Controllers (v1; none for v2) and the container's directory.
    pub entries: Vec<(Vec<String>, PathBuf)>,
}

impl View {
    /// Where this process is, which must be in its final cgroup already.
    pub fn of_this_process(layout: &Layout) -> Self {
        let entries = layout
            .hierarchies
            .iter()
            .map(|hierarchy| (hierarchy.controllers.clone(), hierarchy.own()));
        Self {
            version: layout.version,
            entries: entries.collect(),
        }
    }
}

pub fn make(scene: &Scene<'_>, options: &Options, path: &Path) -> Result<(), Failure> {
    let target = scene.tree.ensure_real_directory(path)?;
    if scene.cgroup.version == 2 {
        let data: Vec<String> = options
            .data
            .iter()
            .filter(|word| word.as_str() == "nsdelegate")
            .cloned()
            .collect();
        let made = match scene
            .own_cgroup_namespace
            .then(|| filesystem("cgroup2", Some("cgroup"), &data))
        {
            Some(Ok(made)) => made,
            _ => bound(
                scene
                    .cgroup
                    .entries
                    .first()
                    .map_or(Path::new("/sys/fs/cgroup"), |entry| &entry.1),
            )?,
        };
        return place(made, options, target.as_fd());
    }
    hierarchies(scene, options, target.as_fd())
}

/// v1: a small tmpfs with one mount for each hierarchy.
fn hierarchies(scene: &Scene<'_>, options: &Options, target: BorrowedFd<'_>) -> Result<(), Failure> {
    let failed = |errno| Failure::errno("cannot lay out the cgroup directory", errno);
    let base = filesystem(
        "tmpfs",
        Some("cgroup"),
        &["mode=755".to_owned(), "size=64k".to_owned()],
    )?;
    let set = sys::ATTR_NOSUID | sys::ATTR_NODEV | sys::ATTR_NOEXEC;
    sys::mount_setattr(
        &base,
        AttrChange {
            set,
            ..AttrChange::default()
        },
    )
    .map_err(failed)?;
    attach(&base, target)?;
    for (controllers, directory) in &scene.cgroup.entries {
        let name = controllers.join(",");
        rustix::fs::mkdirat(&base, &name, Mode::from_raw_mode(0o755)).map_err(failed)?;
        let point = super::beneath::open_child(base.as_fd(), name.as_ref(), rustix::fs::OFlags::PATH)
            .map_err(failed)?;
        let made = match scene
            .own_cgroup_namespace
            .then(|| filesystem("cgroup", Some("cgroup"), controllers))
        {
            Some(Ok(made)) => made,
            _ => match bound(directory) {
                Ok(made) => made,
                Err(failure) if matches!(failure.errno, Some(Errno::ACCESS | Errno::PERM | Errno::NOENT)) => {
                    continue;
                }
                Err(failure) => return Err(failure),
            },
        };
        place(made, options, point.as_fd())?;
        if controllers.len() > 1 {
            for alias in controllers {
                rustix::fs::symlinkat(name.as_str(), &base, alias.as_str()).map_err(failed)?;
            }
        }
    }
    let read_only = AttrChange {
        set: options.top.set & sys::ATTR_RDONLY,
        ..AttrChange::default()
    };
    if read_only.set != 0 {
        sys::mount_setattr(&base, read_only).map_err(failed)?;
    }
    Ok(())
}

fn bound(directory: &Path) -> Result<OwnedFd, Failure> {
    let failed = |errno| Failure::errno("cannot bind the cgroup", errno).at(directory);
    let host = host_directory(directory).map_err(failed)?;
    clone_of(&host, OpenTreeFlags::empty()).map_err(failed)
}
