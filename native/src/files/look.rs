//! Listing, facts and content. A listing reads all names of the folder, but looks only at the files of
//! the page that is asked for, so that 100,000 entries cost little.

use super::{Request, failed, open_entry};
use crate::error::{Failure, Kind};
use crate::layer::tree::beneath::{base, clean, join_into, open_in_root};
use crate::layer::tree::root::{Access, Tree, open_root};
use crate::layer::tree::walk::{Listing, is_whiteout, kind_of, read_link, stat_entry, stat_fd};
use rustix::fd::{AsFd, BorrowedFd};
use rustix::fs::{FileType, OFlags, SeekFrom, Statx, seek};
use rustix::io::Errno;
use serde_json::{Value, json};
use std::io::Write;

const PAGE: usize = 1000;
const MAX_PAGE: usize = 10_000;
const CHUNK: usize = 256 * 1024;

pub fn list(request: &Request) -> Result<Value, Failure> {
    let tree = open_root(&request.root, Access::Read)?;
    let path = clean(request.path.as_bytes());
    let fail = failed("cannot list the folder", &path);
    let dir = open_in_root(tree.fd(), &path, OFlags::RDONLY | OFlags::DIRECTORY).map_err(&fail)?;
    let names = Listing::read(&dir).map_err(&fail)?;
    let after = request.after.as_deref().map(str::as_bytes);
    let limit = request.limit.unwrap_or(PAGE).clamp(1, MAX_PAGE);
    let mut entries = Vec::new();
    let mut last = Vec::new();
    let mut rest = names
        .iter()
        .skip_while(|(name, _)| after.is_some_and(|after| *name <= after));
    for (name, _) in rest.by_ref() {
        let Ok(stat) = stat_entry(&dir, name) else {
            // It went while we looked.
            continue;
        };
        if tree.raw_layer && is_whiteout(&stat) {
            continue;
        }
        let mut full = path.clone();
        join_into(&mut full, name);
        entries.push(entry(&Shown {
            root: tree.fd(),
            dir: dir.as_fd(),
            in_dir: name,
            path: &full,
            stat: &stat,
        }));
        last = name.to_vec();
        if entries.len() == limit {
            break;
        }
    }
    let next = rest.next().map(|_| String::from_utf8_lossy(&last).into_owned());
    Ok(json!({ "entries": entries, "next": next }))
}

pub fn stat(request: &Request) -> Result<Value, Failure> {
    let tree = open_root(&request.root, Access::Read)?;
    let path = clean(request.path.as_bytes());
    let fail = failed("cannot look at the file", &path);
    let fd = open_entry(tree.fd(), &path).map_err(&fail)?;
    let stat = stat_fd(&fd).map_err(&fail)?;
    missing_in(&tree, &stat).map_err(fail)?;
    Ok(entry(&Shown {
        root: tree.fd(),
        dir: fd.as_fd(),
        in_dir: b"",
        path: &path,
        stat: &stat,
    }))
}

/// A whiteout of a layer that is read directly is no file.
fn missing_in(tree: &Tree, stat: &Statx) -> Result<(), Errno> {
    if tree.raw_layer && is_whiteout(stat) {
        return Err(Errno::NOENT);
    }
    Ok(())
}

/// A file on its way into an answer.
struct Shown<'a> {
    root: BorrowedFd<'a>,
    /// The folder that holds it, or the file itself when `in_dir` is empty.
    dir: BorrowedFd<'a>,
    in_dir: &'a [u8],
    path: &'a [u8],
    stat: &'a Statx,
}

fn entry(shown: &Shown<'_>) -> Value {
    let Shown { stat, path, .. } = shown;
    let name = if path.is_empty() { b"/" } else { base(path) };
    let mut entry = json!({
        "name": String::from_utf8_lossy(name),
        "type": type_name(kind_of(stat)),
        "size": stat.stx_size,
        "mode": u32::from(stat.stx_mode) & 0o7777,
        "mtime": stat.stx_mtime.tv_sec * 1000 + i64::from(stat.stx_mtime.tv_nsec / 1_000_000),
        "uid": stat.stx_uid,
        "gid": stat.stx_gid,
    });
    if kind_of(stat) == FileType::Symlink {
        if let Ok(target) = read_link(shown.dir, shown.in_dir) {
            entry["target"] = json!(String::from_utf8_lossy(&target));
        }
        let behind = open_in_root(shown.root, path, OFlags::PATH).and_then(|fd| stat_fd(&fd));
        if let Ok(behind) = behind {
            entry["targetType"] = json!(type_name(kind_of(&behind)));
        }
    }
    entry
}

fn type_name(kind: FileType) -> &'static str {
    match kind {
        FileType::Directory => "directory",
        FileType::Symlink => "symlink",
        FileType::Fifo => "fifo",
        FileType::Socket => "socket",
        FileType::CharacterDevice => "character",
        FileType::BlockDevice => "block",
        _ => "file",
    }
}

/// The content of a regular file on standard output. Links are followed within the root.
pub fn read(request: &Request) -> Result<Value, Failure> {
    let tree = open_root(&request.root, Access::Read)?;
    let path = clean(request.path.as_bytes());
    let fail = failed("cannot read the file", &path);
    // Looked at first: opening a fifo or a device has effects.
    let place = open_in_root(tree.fd(), &path, OFlags::PATH).map_err(&fail)?;
    let stat = stat_fd(&place).map_err(&fail)?;
    missing_in(&tree, &stat).map_err(&fail)?;
    match kind_of(&stat) {
        FileType::RegularFile => {}
        FileType::Directory => return Err(fail(Errno::ISDIR)),
        kind => {
            let message = format!("only files can be read, and this is a {}", type_name(kind));
            return Err(Failure::new(Kind::Invalid, message).at(super::shown(&path)));
        }
    }
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY;
    let fd = open_in_root(tree.fd(), &path, flags).map_err(&fail)?;
    let again = stat_fd(&fd).map_err(&fail)?;
    if (again.stx_ino, kind_of(&again)) != (stat.stx_ino, FileType::RegularFile) {
        return Err(
            Failure::new(Kind::Conflict, "the file was exchanged while it was opened")
                .at(super::shown(&path)),
        );
    }
    if request.offset > 0 {
        seek(&fd, SeekFrom::Start(request.offset)).map_err(&fail)?;
    }
    let mut out = std::io::stdout().lock();
    let mut buffer = vec![0_u8; CHUNK];
    let mut left = request.length.unwrap_or(u64::MAX);
    let mut bytes = 0_u64;
    while left > 0 {
        let want = usize::try_from(left).unwrap_or(CHUNK).min(CHUNK);
        let got = match rustix::io::read(&fd, &mut buffer[..want]) {
            Err(Errno::INTR) => continue,
            other => other.map_err(&fail)?,
        };
        if got == 0 {
            break;
        }
        out.write_all(&buffer[..got])
            .map_err(|error| Failure::new(Kind::Internal, format!("cannot hand on the file: {error}")))?;
        bytes += got as u64;
        left -= got as u64;
    }
    out.flush()
        .map_err(|error| Failure::new(Kind::Internal, format!("cannot hand on the file: {error}")))?;
    Ok(json!({ "bytes": bytes }))
}
