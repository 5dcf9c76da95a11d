//! Id-mapped bind mounts: files show other owners than they have on the disk, and what is made gets the
//! owner that belongs to its maker (mount_setattr(2), MOUNT_ATTR_IDMAP). The map travels as a user name
//! space that nobody lives in. Runs in init, in the new mount name space, before pivot_root.

use crate::error::{Failure, Kind};
use crate::runtime::files::write_kernel;
use crate::runtime::spec::{IdMap, Mount};
use crate::sys::runtime as sys;
use crate::sys::runtime::Fork;
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::process::{Signal, WaitId, WaitIdOptions, pidfd_send_signal, waitid};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

/// The map of a mount, None without mappings. Before the root is changed: in a chroot the kernel gives no
/// user name space (EPERM).
pub fn prepare(mount: &Mount) -> Result<Option<OwnedFd>, Failure> {
    if mount.uid_mappings.is_empty() && mount.gid_mappings.is_empty() {
        return Ok(None);
    }
    holder(&mount.uid_mappings, &mount.gid_mappings).map(Some)
}

/// Maps the owners of a detached bind mount as the spec's mappings say (containerID: on the disk, hostID:
/// in the mount). Errors: not-implemented where the file system cannot.
pub fn apply(made: &OwnedFd, map: Option<&OwnedFd>, source: &Path) -> Result<(), Failure> {
    let Some(map) = map else { return Ok(()) };
    match sys::idmap_mount(made, map.as_fd()) {
        Err(Errno::INVAL | Errno::PERM | Errno::OPNOTSUPP | Errno::NOSYS) => Err(Failure::new(
            Kind::NotImplemented,
            "its file system (or the kernel, before 5.12) cannot show files with another owner; bind a \
             folder of another file system, or run the container as the folder's owner",
        )
        .at(source)),
        other => other.map_err(|errno| Failure::errno("cannot map the owners", errno).at(source)),
    }
}

/// A user name space with the maps: a child is made in it, mapped, held by descriptor, and ended.
fn holder(uids: &[IdMap], gids: &[IdMap]) -> Result<OwnedFd, Failure> {
    let failed = |errno| Failure::errno("cannot make a user name space for the owners", errno);
    let (here, there) = super::super::wire::pair()?;
    let child = match sys::fork(sys::CLONE_NEWUSER, None).map_err(failed)? {
        Fork::Child => {
            drop(here);
            // The number that the mounted procfs knows this process by, which may be of an outer pid name space.
            let own = rustix::fs::readlink("/proc/self", Vec::new()).unwrap_or_default();
            let _told = rustix::io::write(&there, own.as_bytes());
            let mut byte = [0_u8; 1];
            // Ends when the other side goes.
            let _ended = rustix::io::read(&there, &mut byte);
            sys::exit_now(0)
        }
        Fork::Parent { pidfd, .. } => pidfd,
    };
    drop(there);
    let result = map_child(&here, uids, gids);
    drop(here);
    let _ended = pidfd_send_signal(&child, Signal::KILL);
    let _reaped = waitid(WaitId::PidFd(child.as_fd()), WaitIdOptions::EXITED);
    result
}

fn map_child(sync: &OwnedFd, uids: &[IdMap], gids: &[IdMap]) -> Result<OwnedFd, Failure> {
    let failed = |errno| Failure::errno("cannot map the owners", errno);
    let mut number = [0_u8; 32];
    let length = rustix::io::read(sync, &mut number).map_err(failed)?;
    let number = std::str::from_utf8(&number[..length])
        .ok()
        .filter(|text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()))
        .ok_or_else(|| Failure::new(Kind::Unavailable, "procfs is not mounted on /proc"))?;
    let directory = PathBuf::from(format!("/proc/{number}"));
    for (name, maps) in [("uid_map", uids), ("gid_map", gids)] {
        let lines: Vec<String> = maps
            .iter()
            .map(|map| format!("{} {} {}\n", map.container_id, map.host_id, map.size))
            .collect();
        write_kernel(&directory.join(name), lines.concat().as_bytes()).map_err(failed)?;
    }
    rustix::fs::open(
        directory.join("ns/user"),
        OFlags::RDONLY | OFlags::CLOEXEC,
        Mode::empty(),
    )
    .map_err(failed)
}
