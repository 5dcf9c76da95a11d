//! `tmpcopyup`: fills a new tmpfs with the directory that it is going to cover. Both sides are only
//! walked by descriptor and no symlink is followed. Runs in init before pivot_root.

use super::beneath::open_child;
use crate::error::Failure;
use rustix::fs::{AtFlags, Dir, FileType, Gid, Mode, OFlags, Uid};
use rustix::io::Errno;
use std::ffi::OsStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;

const MAX_DEPTH: u32 = 128;

pub fn copy(from: BorrowedFd<'_>, to: BorrowedFd<'_>) -> Result<(), Failure> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::openat(from, ".", flags, Mode::empty())
        .and_then(|from| {
            meta(&from, to, OsStr::new("."))?;
            directory(&from, to, MAX_DEPTH)
        })
        .map_err(|errno| Failure::errno("cannot copy the covered directory up into the tmpfs", errno))
}

fn directory(from: &OwnedFd, to: BorrowedFd<'_>, depth: u32) -> Result<(), Errno> {
    let depth = depth.checked_sub(1).ok_or(Errno::LOOP)?;
    for entry in Dir::read_from(from)? {
        let entry = entry?;
        let name = OsStr::from_bytes(entry.file_name().to_bytes());
        if name == "." || name == ".." {
            continue;
        }
        match entry.file_type() {
            FileType::Directory => {
                let inner = open_child(from.as_fd(), name, OFlags::RDONLY | OFlags::DIRECTORY)?;
                rustix::fs::mkdirat(to, name, Mode::from_raw_mode(0o700))?;
                let made = open_child(to, name, OFlags::RDONLY | OFlags::DIRECTORY)?;
                directory(&inner, made.as_fd(), depth)?;
                meta(&inner, to, name)?;
            }
            FileType::Symlink => {
                let target = rustix::fs::readlinkat(from, name, Vec::new())?;
                rustix::fs::symlinkat(target.as_c_str(), to, name)?;
            }
            FileType::RegularFile => {
                let inner = open_child(from.as_fd(), name, OFlags::RDONLY)?;
                let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
                let made = rustix::fs::openat(to, name, flags, Mode::from_raw_mode(0o600))?;
                let (mut source, mut target) = (std::fs::File::from(inner), std::fs::File::from(made));
                std::io::copy(&mut source, &mut target)
                    .map_err(|err| Errno::from_io_error(&err).unwrap_or(Errno::IO))?;
                meta(&source, to, name)?;
            }
            // Devices, sockets and pipes are not copied up.
            _ => {}
        }
    }
    Ok(())
}

fn meta(from: impl AsFd, to: BorrowedFd<'_>, name: &OsStr) -> Result<(), Errno> {
    let stat = rustix::fs::fstat(from)?;
    let (uid, gid) = (Uid::from_raw(stat.st_uid), Gid::from_raw(stat.st_gid));
    rustix::fs::chownat(to, name, Some(uid), Some(gid), AtFlags::SYMLINK_NOFOLLOW)?;
    rustix::fs::chmodat(
        to,
        name,
        Mode::from_raw_mode(stat.st_mode & 0o7777),
        AtFlags::empty(),
    )
}
