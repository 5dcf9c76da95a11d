//! Takes trees away, counts what they use and syncs them, beneath descriptors of their parents only. Any depth: a
//! subtree that is too deep is first moved up to the top of what is being removed.

use crate::error::{Failure, Kind};
use crate::layer::tree::root::open_dir;
use crate::layer::tree::walk::{self, Listing, kind_of, open_listed, stat_entry};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{AtFlags, FileType, renameat, unlinkat};
use rustix::io::Errno;
use serde::Deserialize;
use std::collections::HashSet;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Levels held open while removing.
const LEVELS: usize = 100;

#[derive(Deserialize)]
pub struct Dirs {
    dirs: Vec<PathBuf>,
}

/// `layer remove`: every tree is tried, the first failure is told. What is gone already is no error.
pub fn remove(request: &Dirs) -> Result<serde_json::Value, Failure> {
    let mut failed = None;
    let mut removed = 0_u64;
    for dir in &request.dirs {
        match remove_path(dir) {
            Ok(true) => removed += 1,
            Ok(false) => {}
            Err(failure) => failed = failed.or(Some(failure)),
        }
    }
    failed.map_or_else(|| Ok(serde_json::json!({ "removed": removed })), Err)
}

fn remove_path(path: &Path) -> Result<bool, Failure> {
    let (Some(parent), Some(name), true) = (path.parent(), path.file_name(), path.is_absolute()) else {
        return Err(Failure::new(Kind::Invalid, "only an absolute path below / can be removed").at(path));
    };
    let parent = match open_dir(&parent.to_owned()) {
        Err(failure) if failure.errno == Some(Errno::NOENT) => return Ok(false),
        result => result?,
    };
    match remove_entry(&parent, name.as_bytes()) {
        Ok(()) => Ok(true),
        Err(Errno::NOENT) => Ok(false),
        Err(errno) => Err(Failure::errno("cannot remove the tree", errno).at(path)),
    }
}

/// Removes one entry of a directory, with everything below it.
pub fn remove_entry<Fd: AsFd>(dir: Fd, name: &[u8]) -> Result<(), Errno> {
    match unlinkat(&dir, name, AtFlags::empty()) {
        Err(Errno::ISDIR | Errno::PERM) => {}
        result => return result,
    }
    let top = match open_listed(&dir, name) {
        Err(Errno::NOTDIR) => return Err(Errno::PERM),
        result => result?,
    };
    empty(&top)?;
    unlinkat(&dir, name, AtFlags::REMOVEDIR)
}

/// Removes everything in a directory.
pub fn empty(top: &OwnedFd) -> Result<(), Errno> {
    let mut hoisted = 0_u64;
    loop {
        let before = hoisted;
        empty_level(top, top, 0, &mut hoisted)?;
        if hoisted == before {
            return Ok(());
        }
    }
}

fn empty_level(dir: &OwnedFd, top: &OwnedFd, depth: usize, hoisted: &mut u64) -> Result<(), Errno> {
    for (name, kind) in Listing::read(dir)?.iter() {
        if kind != FileType::Directory {
            match unlinkat(dir, name, AtFlags::empty()) {
                Ok(()) | Err(Errno::NOENT) => continue,
                Err(Errno::ISDIR) => {}
                Err(errno) => return Err(errno),
            }
        }
        if depth >= LEVELS {
            *hoisted += 1;
            renameat(
                dir,
                name,
                top,
                format!(".pinnace-removing-{}-{hoisted}", std::process::id()),
            )?;
            continue;
        }
        let below = match open_listed(dir, name) {
            Err(Errno::NOENT) => continue,
            result => result?,
        };
        empty_level(&below, top, depth + 1, hoisted)?;
        match unlinkat(dir, name, AtFlags::REMOVEDIR) {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}

/// `layer usage`: the sizes of the regular files of each tree, a file with several names once.
pub fn usage(request: &Dirs) -> Result<serde_json::Value, Failure> {
    let bytes = request
        .dirs
        .iter()
        .map(|path| {
            let mut count = Usage::default();
            count
                .below(&open_dir(path)?, 0)
                .map_err(|failure| failure.at(path))?;
            Ok(count.bytes)
        })
        .collect::<Result<Vec<u64>, Failure>>()?;
    Ok(serde_json::json!({ "bytes": bytes }))
}

/// `layer sync`: the file systems of the directories are on the disk when it answers.
pub fn sync(request: &Dirs) -> Result<serde_json::Value, Failure> {
    for path in &request.dirs {
        rustix::fs::syncfs(open_dir(path)?).map_err(|errno| Failure::errno("cannot sync", errno).at(path))?;
    }
    Ok(serde_json::json!({ "synced": request.dirs.len() }))
}

#[derive(Default)]
struct Usage {
    bytes: u64,
    seen: HashSet<(u64, u64)>,
}

impl Usage {
    fn below(&mut self, dir: &OwnedFd, depth: usize) -> Result<(), Failure> {
        let fail = |errno| Failure::errno("cannot read the tree", errno);
        if depth > walk::MAX_DEPTH {
            return Err(walk::too_deep(b""));
        }
        for (name, kind) in Listing::read(dir).map_err(fail)?.iter() {
            match kind {
                FileType::Directory => match open_listed(dir, name) {
                    Ok(below) => self.below(&below, depth + 1)?,
                    Err(Errno::NOENT) => {}
                    Err(errno) => return Err(fail(errno)),
                },
                FileType::RegularFile | FileType::Unknown => match stat_entry(dir, name) {
                    Ok(stat) if kind_of(&stat) == FileType::RegularFile => {
                        if stat.stx_nlink == 1 || self.seen.insert((walk::device(&stat), stat.stx_ino)) {
                            self.bytes += stat.stx_size;
                        }
                    }
                    Ok(_) | Err(Errno::NOENT) => {}
                    Err(errno) => return Err(fail(errno)),
                },
                _ => {}
            }
        }
        Ok(())
    }
}
