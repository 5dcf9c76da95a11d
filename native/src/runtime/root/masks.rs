//! Masked and read-only paths. Runs in init after the mounts and before pivot_root. Beneath /proc
//! and /sys no component may be a symlink (CVE-2025-31133), and what covers a path is verified.

use super::beneath::{Tree, is_on, kind_of};
use super::mount::{attach, clone_of, filesystem};
use crate::error::{Failure, Kind};
use crate::sys::runtime as sys;
use crate::sys::runtime::AttrChange;
use rustix::fs::{FileType, Mode, OFlags, makedev};
use rustix::io::Errno;
use rustix::mount::OpenTreeFlags;
use std::os::fd::OwnedFd;
use std::path::Path;

const PROC_MAGIC: u64 = 0x9fa0;

/// What masked paths are covered with, made when the first one is met.
#[derive(Default)]
pub struct Covers {
    file: Option<OwnedFd>,
    directory: Option<OwnedFd>,
}

/// Covers a path: a directory with an empty read-only tmpfs, anything else with /dev/null.
pub fn mask(tree: &Tree, covers: &mut Covers, path: &str, own_proc: bool) -> Result<(), Failure> {
    let path = Path::new(path);
    let failed = |errno| Failure::errno("cannot mask the path", errno).at(path);
    let Some(target) = find(tree, path, own_proc)? else {
        return Ok(());
    };
    if kind_of(&target)? == FileType::Directory {
        return mask_directory(covers, &target).map_err(|failure| failure.at(path));
    }
    if covers.file.is_none() {
        covers.file = Some(host_null()?);
    }
    let Some(cover) = &covers.file else { return Ok(()) };
    let made = clone_of(cover, OpenTreeFlags::empty()).map_err(failed)?;
    attach(made, target).map_err(|failure| failure.at(path))
}

/// One tmpfs serves all: the first directory gets it, the others copies of that mount (a detached
/// mount can be copied only since Linux 6.15).
fn mask_directory(covers: &mut Covers, target: &OwnedFd) -> Result<(), Failure> {
    if let Some(cover) = &covers.directory {
        let made = clone_of(cover, OpenTreeFlags::empty())
            .map_err(|errno| Failure::errno("cannot mask the directory", errno))?;
        return attach(made, target);
    }
    let made = empty_directory()?;
    attach(&made, target)?;
    covers.directory = Some(made);
    Ok(())
}

/// Makes a path and what is mounted beneath read-only.
pub fn read_only(tree: &Tree, path: &str, own_proc: bool) -> Result<(), Failure> {
    let path = Path::new(path);
    let failed = |errno| Failure::errno("cannot make the path read-only", errno).at(path);
    let Some(target) = find(tree, path, own_proc)? else {
        return Ok(());
    };
    let made = clone_of(&target, OpenTreeFlags::AT_RECURSIVE).map_err(failed)?;
    let change = AttrChange {
        set: sys::ATTR_RDONLY,
        recursive: true,
        ..AttrChange::default()
    };
    sys::mount_setattr(&made, change).map_err(failed)?;
    attach(made, target).map_err(|failure| failure.at(path))
}

/// The path's descriptor; None when it does not exist.
fn find(tree: &Tree, path: &Path, own_proc: bool) -> Result<Option<OwnedFd>, Failure> {
    let kernel = path.starts_with("/proc") || path.starts_with("/sys");
    let found = if kernel {
        tree.resolve_real(path)
    } else {
        tree.resolve(path)
    };
    match found {
        Ok(fd) => {
            if own_proc && path.starts_with("/proc/") && !is_on(&fd, PROC_MAGIC) {
                return Err(Failure::new(Kind::Conflict, "is not on the container's procfs").at(path));
            }
            Ok(Some(fd))
        }
        Err(Errno::NOENT | Errno::NOTDIR | Errno::ACCESS) => Ok(None),
        Err(errno) => Err(Failure::errno("cannot find the path to protect", errno).at(path)),
    }
}

/// The host's /dev/null, which must really be it (mem 1:3).
fn host_null() -> Result<OwnedFd, Failure> {
    let failed = |errno| Failure::errno("cannot open the host's /dev/null", errno).at("/dev/null");
    let fd = rustix::fs::open(
        "/dev/null",
        OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC,
        Mode::empty(),
    )
    .map_err(failed)?;
    let stat = rustix::fs::fstat(&fd).map_err(failed)?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::CharacterDevice || stat.st_rdev != makedev(1, 3) {
        return Err(
            Failure::new(Kind::Conflict, "the host's /dev/null is not the null device").at("/dev/null"),
        );
    }
    Ok(fd)
}

fn empty_directory() -> Result<OwnedFd, Failure> {
    let made = filesystem("tmpfs", Some("tmpfs"), &["size=4k".to_owned()])?;
    let set = sys::ATTR_RDONLY | sys::ATTR_NOSUID | sys::ATTR_NODEV | sys::ATTR_NOEXEC;
    sys::mount_setattr(
        &made,
        AttrChange {
            set,
            ..AttrChange::default()
        },
    )
    .map_err(|errno| Failure::errno("cannot make the empty cover read-only", errno))?;
    Ok(made)
}
