//! Keeps the helper's own binary out of a container's reach (CVE-2019-5736). A process that is on its
//! way into a container can be found there as /proc/PID/exe; so before any such work the helper runs
//! itself again from a detached read-only mount of its file, or, without the right to mount, from a
//! sealed copy in memory. A binary that lies on a read-only mount already is left as it is.

use super::root::mount::clone_of;
use crate::error::Failure;
use crate::sys::runtime as sys;
use crate::sys::runtime::AttrChange;
use rustix::fs::{MemfdFlags, Mode, OFlags, SealFlags, StatVfsMountFlags};
use std::ffi::{CStr, CString};
use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;

const SELF: &str = "/proc/self/exe";

/// Returns when the running image is sealed; else it replaces this process by the same command line
/// from a sealed image. To be called before anything else is done.
pub fn ensure() -> Result<(), Failure> {
    let failed = |errno| Failure::errno("cannot look at the own program file", errno).at(SELF);
    let flags = rustix::fs::statvfs(SELF).map_err(failed)?.f_flag;
    if flags.contains(StatVfsMountFlags::RDONLY) {
        return Ok(());
    }
    let file = rustix::fs::open(SELF, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).map_err(failed)?;
    if rustix::fs::fcntl_get_seals(&file).is_ok_and(|seals| seals.contains(SealFlags::WRITE)) {
        return Ok(());
    }
    let image = image_of(file)?;
    let argv: Vec<CString> = std::env::args_os()
        .filter_map(|arg| CString::new(arg.into_vec()).ok())
        .collect();
    let env = std::env::vars_os().filter_map(|(key, value)| {
        let mut entry = key.into_vec();
        entry.push(b'=');
        entry.extend(value.into_vec());
        CString::new(entry).ok()
    });
    let env: Vec<CString> = env.collect();
    let argv: Vec<&CStr> = argv.iter().map(CString::as_c_str).collect();
    let env: Vec<&CStr> = env.iter().map(CString::as_c_str).collect();
    Err(failed(sys::exec_file(image.as_fd(), &argv, &env)))
}

/// A program of the host's to be run inside a container, out of whose reach its file stays.
pub fn program(path: &std::path::Path) -> Result<OwnedFd, Failure> {
    let file = rustix::fs::open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
        .map_err(|errno| Failure::errno("cannot open the program", errno).at(path))?;
    image_of(file)
}

fn image_of(file: OwnedFd) -> Result<OwnedFd, Failure> {
    match mounted(&file) {
        Some(image) => Ok(image),
        None => copied(file),
    }
}

fn mounted(file: &OwnedFd) -> Option<OwnedFd> {
    let image = clone_of(file, rustix::mount::OpenTreeFlags::empty()).ok()?;
    let set = sys::ATTR_RDONLY | sys::ATTR_NODEV;
    sys::mount_setattr(
        &image,
        AttrChange {
            set,
            ..AttrChange::default()
        },
    )
    .ok()?;
    Some(image)
}

fn copied(file: OwnedFd) -> Result<OwnedFd, Failure> {
    let failed = |errno| Failure::errno("cannot make a sealed copy of the own program file", errno);
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let copy = rustix::fs::memfd_create("pinnace-native", flags | MemfdFlags::EXEC)
        .or_else(|_| rustix::fs::memfd_create("pinnace-native", flags))
        .map_err(failed)?;
    let mut copy = File::from(copy);
    std::io::copy(&mut File::from(file), &mut copy)
        .map_err(|err| super::files::from_io("cannot copy", &err))?;
    let seals = SealFlags::SEAL | SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE;
    rustix::fs::fcntl_add_seals(&copy, seals).map_err(failed)?;
    let path = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&copy));
    // Reopened for reading: a file that is open for writing cannot be executed.
    rustix::fs::open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).map_err(failed)
}
