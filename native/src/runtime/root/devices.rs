//! /dev of a container: the default nodes and those of the spec (mknod, or the host's node bound
//! where mknod is refused), the usual links, and the console. Runs in init before pivot_root; /dev
//! itself must be reached without a symlink (CVE-2026-41579).

use super::beneath::{Leaf, Tree, open_child};
use super::mount::{attach, clone_of};
use crate::error::{Failure, Kind};
use crate::runtime::spec::Device;
use rustix::fs::{AtFlags, CWD, FileType, Gid, Mode, OFlags, Uid, makedev};
use rustix::io::Errno;
use rustix::mount::OpenTreeFlags;
use std::ffi::OsStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

/// OCI runtime-spec, "Default Devices".
const DEFAULTS: [(&str, i64, i64); 6] = [
    ("null", 1, 3),
    ("zero", 1, 5),
    ("full", 1, 7),
    ("random", 1, 8),
    ("urandom", 1, 9),
    ("tty", 5, 0),
];

const LINKS: [(&str, &str); 6] = [
    ("core", "/proc/kcore"),
    ("fd", "/proc/self/fd"),
    ("stdin", "/proc/self/fd/0"),
    ("stdout", "/proc/self/fd/1"),
    ("stderr", "/proc/self/fd/2"),
    ("ptmx", "pts/ptmx"),
];

/// Makes nodes and links.
pub fn populate(tree: &Tree, devices: &[Device]) -> Result<(), Failure> {
    let dev = tree.ensure_real_directory(Path::new("/dev"))?;
    for (name, major, minor) in DEFAULTS {
        let path = format!("/dev/{name}");
        if devices.iter().any(|device| device.path == path) {
            continue;
        }
        let kind = "c".to_owned();
        node(
            tree,
            dev.as_fd(),
            &Device {
                kind,
                path,
                major,
                minor,
                ..Device::default()
            },
        )?;
    }
    for device in devices {
        node(tree, dev.as_fd(), device)?;
    }
    for (name, target) in LINKS {
        match rustix::fs::symlinkat(target, &dev, name) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(errno) => {
                return Err(Failure::errno("cannot make the link", errno).at(Path::new("/dev").join(name)));
            }
        }
    }
    Ok(())
}

fn node(tree: &Tree, dev: BorrowedFd<'_>, device: &Device) -> Result<(), Failure> {
    let path = Path::new(&device.path);
    let failed = |errno| Failure::errno("cannot make the device node", errno).at(path);
    let kind = match device.kind.as_str() {
        "c" | "u" => FileType::CharacterDevice,
        "b" => FileType::BlockDevice,
        "p" => FileType::Fifo,
        other => {
            return Err(Failure::new(
                Kind::Invalid,
                format!("device type {other:?} is none of c, b, u, p"),
            )
            .at(path));
        }
    };
    let name = path
        .file_name()
        .ok_or_else(|| Failure::new(Kind::Invalid, "a device needs a path").at(path))?;
    let parent = path.parent().unwrap_or(Path::new("/"));
    let made;
    let directory = if parent == Path::new("/dev") {
        dev
    } else {
        made = tree.ensure(parent, Leaf::Directory)?;
        made.as_fd()
    };
    let number = |value: i64| u32::try_from(value).unwrap_or(0);
    let id = makedev(number(device.major), number(device.minor));
    let mode = Mode::from_raw_mode(device.file_mode.unwrap_or(0o666) & 0o7777);
    match rustix::fs::mknodat(directory, name, kind, mode, id) {
        Ok(()) => {
            let owner = (device.uid.unwrap_or(0), device.gid.unwrap_or(0));
            if owner != (0, 0) {
                let (uid, gid) = (Uid::from_raw(owner.0), Gid::from_raw(owner.1));
                rustix::fs::chownat(directory, name, Some(uid), Some(gid), AtFlags::SYMLINK_NOFOLLOW)
                    .map_err(failed)?;
            }
            Ok(())
        }
        Err(Errno::EXIST) => verify(directory, name, kind, id).map_err(|failure| failure.at(path)),
        Err(Errno::PERM | Errno::ACCESS) => bind_host(directory, name, path, (kind, id)),
        Err(errno) => Err(failed(errno)),
    }
}

/// What is there already must be that very device, and not a link to something else.
fn verify(directory: BorrowedFd<'_>, name: &OsStr, kind: FileType, id: u64) -> Result<(), Failure> {
    let stat = rustix::fs::statat(directory, name, AtFlags::SYMLINK_NOFOLLOW)
        .map_err(|errno| Failure::errno("cannot stat the device", errno))?;
    let same =
        FileType::from_raw_mode(stat.st_mode) == kind && (kind == FileType::Fifo || stat.st_rdev == id);
    if same {
        return Ok(());
    }
    Err(Failure::new(
        Kind::Conflict,
        "the image holds something else where a device must be",
    ))
}

/// Without the right to mknod (user name space): the host's node of the same path, which must be
/// the wanted device.
fn bind_host(
    directory: BorrowedFd<'_>,
    name: &OsStr,
    path: &Path,
    wanted: (FileType, u64),
) -> Result<(), Failure> {
    let failed = |errno| Failure::errno("cannot bind the host's device", errno).at(path);
    let host = rustix::fs::openat(
        CWD,
        path,
        OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC,
        Mode::empty(),
    )
    .map_err(failed)?;
    verify_open(&host, wanted).map_err(|failure| failure.at(path))?;
    let target = empty_file(directory, name).map_err(failed)?;
    let made = clone_of(&host, OpenTreeFlags::empty()).map_err(failed)?;
    attach(made, target)
}

fn verify_open(fd: &OwnedFd, (kind, id): (FileType, u64)) -> Result<(), Failure> {
    let stat = rustix::fs::fstat(fd).map_err(|errno| Failure::errno("cannot stat the device", errno))?;
    if FileType::from_raw_mode(stat.st_mode) == kind && stat.st_rdev == id {
        return Ok(());
    }
    Err(Failure::new(
        Kind::Conflict,
        "the host's node of this path is another device",
    ))
}

/// A regular file to bind over; one that is there already is used, but never a symlink.
fn empty_file(directory: BorrowedFd<'_>, name: &OsStr) -> Result<OwnedFd, Errno> {
    let flags = OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::WRONLY;
    match rustix::fs::openat(directory, name, flags, Mode::from_raw_mode(0o644)) {
        Ok(_) | Err(Errno::EXIST) => open_child(directory, name, OFlags::PATH),
        Err(errno) => Err(errno),
    }
}

/// The pty's other end as /dev/console (the descriptor itself, never its path: CVE-2025-52565).
pub fn console(tree: &Tree, peer: &OwnedFd) -> Result<(), Failure> {
    let failed = |errno| Failure::errno("cannot bind the console", errno).at("/dev/console");
    let dev = tree.resolve_real(Path::new("/dev")).map_err(failed)?;
    let target = empty_file(dev.as_fd(), OsStr::new("console")).map_err(failed)?;
    let made = clone_of(peer, OpenTreeFlags::empty()).map_err(failed)?;
    attach(made, target)
}
