//! Writing a file whole. The new content is written beside the file and takes its name in one step, with
//! its owner, mode and attributes; a reader sees the old file or the new one. A file that cannot be
//! exchanged (a mount point, one with several names) is written in place.

use super::{Request, failed, open_parent, shown};
use crate::error::{Failure, Kind};
use crate::layer;
use crate::layer::extract::write_all;
use crate::layer::tree::attrs::{Fresh, Identity, set_owner};
use crate::layer::tree::beneath::{base, clean, resolve};
use crate::layer::tree::root::{Access, open_root};
use crate::layer::tree::walk::{kind_of, open_file, portable_xattrs, stat_entry, stat_fd};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{AtFlags, FileType, Mode, OFlags, Statx, ftruncate, openat, renameat, unlinkat};
use rustix::io::Errno;
use serde_json::{Value, json};
use std::fs::File;
use std::io::Read;

const CHUNK: usize = 256 * 1024;

pub fn write(request: &Request) -> Result<Value, Failure> {
    let tree = open_root(&request.root, Access::Write)?;
    // A link is followed within the root: what it names is written, the link stays.
    let path = resolve(tree.fd(), &clean(request.path.as_bytes()))?;
    let fail = failed("cannot write the file", &path);
    let dir = open_parent(tree.fd(), &path)?;
    let name = base(&path);
    let old = match stat_entry(&dir, name) {
        Ok(stat) => Some(stat),
        Err(Errno::NOENT) => None,
        Err(errno) => return Err(fail(errno)),
    };
    match &old {
        Some(stat) if kind_of(stat) == FileType::Directory => return Err(fail(Errno::ISDIR)),
        Some(stat) if kind_of(stat) != FileType::RegularFile => {
            return Err(Failure::new(Kind::Invalid, "only files can be written").at(shown(&path)));
        }
        Some(_) if !request.overwrite => return Err(fail(Errno::EXIST)),
        None if !request.create => return Err(fail(Errno::NOENT)),
        _ => {}
    }
    let input = layer::standard_input()?;
    let bytes = match &old {
        Some(stat) if stat.stx_nlink > 1 => in_place(&dir, name, &input).map_err(fail)?,
        _ => exchange(&dir, name, old.as_ref(), input).map_err(|failure| failure.at(shown(&path)))?,
    };
    Ok(json!({ "bytes": bytes, "created": old.is_none() }))
}

fn exchange(dir: &OwnedFd, name: &[u8], old: Option<&Statx>, input: File) -> Result<u64, Failure> {
    let fail = |errno| Failure::errno("cannot write the file", errno);
    let temporary = format!(".pinnace-{}-{:x}", std::process::id(), nanos());
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let new = openat(dir, temporary.as_str(), flags, Mode::from_raw_mode(0o600)).map_err(fail)?;
    let made = copy(&input, &new)
        .map_err(fail)
        .and_then(|bytes| dress(dir, name, old, &new).map(|()| bytes))
        .and_then(|bytes| {
            rustix::fs::fdatasync(&new).map_err(fail)?;
            Ok(bytes)
        });
    let bytes = match made {
        Ok(bytes) => bytes,
        Err(failure) => {
            // The first failure is the one to tell.
            let _gone = unlinkat(dir, temporary.as_str(), AtFlags::empty());
            return Err(failure);
        }
    };
    match renameat(dir, temporary.as_str(), dir, name) {
        Ok(()) => Ok(bytes),
        Err(Errno::BUSY) => {
            let again = open_file(dir, temporary.as_bytes()).map_err(fail);
            let _gone = unlinkat(dir, temporary.as_str(), AtFlags::empty());
            in_place(dir, name, &File::from(again?)).map_err(fail)
        }
        Err(errno) => {
            let _gone = unlinkat(dir, temporary.as_str(), AtFlags::empty());
            Err(fail(errno))
        }
    }
}

/// The old file's owner, mode and attributes, or those of a new file in this folder.
fn dress(dir: &OwnedFd, name: &[u8], old: Option<&Statx>, new: &OwnedFd) -> Result<(), Failure> {
    let fail = |errno| Failure::errno("cannot read the file's attributes", errno);
    let identity = Identity::of_process();
    let Some(stat) = old else {
        let folder = stat_fd(dir).map_err(fail)?;
        set_owner(&identity, new, None, (folder.stx_uid, folder.stx_gid))?;
        return rustix::fs::fchmod(new, Mode::from_raw_mode(0o644)).map_err(fail);
    };
    let mut xattrs = portable_xattrs(open_file(dir, name).map_err(fail)?).map_err(fail)?;
    // As for any program that writes: what the old content was trusted with goes.
    xattrs.retain(|(name, _)| name != b"security.capability");
    Fresh {
        identity: &identity,
        owner: (stat.stx_uid, stat.stx_gid),
        mode: u32::from(stat.stx_mode) & 0o1777,
        xattrs: &xattrs,
        inherited: true,
    }
    .apply(new, name)?;
    rustix::fs::fchmod(new, Mode::from_raw_mode(u32::from(stat.stx_mode) & 0o1777)).map_err(fail)
}

fn in_place(dir: &OwnedFd, name: &[u8], input: &File) -> Result<u64, Errno> {
    let flags = OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let fd = openat(dir, name, flags, Mode::empty())?;
    if kind_of(&stat_fd(&fd)?) != FileType::RegularFile {
        return Err(Errno::INVAL);
    }
    ftruncate(&fd, 0)?;
    copy(input, &fd)
}

fn copy(mut input: &File, output: impl AsFd) -> Result<u64, Errno> {
    let mut buffer = vec![0_u8; CHUNK];
    let mut bytes = 0;
    loop {
        let got = match input.read(&mut buffer) {
            Ok(0) => return Ok(bytes),
            Ok(got) => got,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(Errno::from_io_error(&error).unwrap_or(Errno::IO)),
        };
        write_all(&output, &buffer[..got])?;
        bytes += got as u64;
    }
}

fn nanos() -> u128 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |since| since.as_nanos())
}
