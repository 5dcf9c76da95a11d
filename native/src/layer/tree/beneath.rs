//! Paths beneath a root descriptor. A path here is bytes relative to the root, without `.`, `..` or
//! doubled slashes; the kernel resolves it with RESOLVE_IN_ROOT, so no link and no race leads outside.
//! Nothing in this crate joins an image's path onto a host path.

use crate::error::{Failure, Kind};
use crate::layer::tree::attrs::{Identity, set_owner};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, StatxFlags, statx};
use rustix::fs::{FileType, Mode, OFlags, ResolveFlags, mkdirat, openat2, readlinkat};
use rustix::io::Errno;
use std::collections::{HashMap, VecDeque};
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::rc::Rc;

/// How many links are followed before ELOOP, as in the kernel.
const MAX_LINKS: usize = 40;
/// How many directories stay open.
const CACHED_DIRS: usize = 256;

/// The path as people see it: absolute within the tree.
pub fn shown(path: &[u8]) -> PathBuf {
    let mut bytes = Vec::with_capacity(path.len() + 1);
    bytes.push(b'/');
    bytes.extend_from_slice(path);
    PathBuf::from(OsString::from_vec(bytes))
}

/// Cleans a path lexically, as Go's path.Clean("/" + path): `..` at the top stays at the top.
pub fn clean(path: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(path.len());
    for part in path.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => out.truncate(parent(&out).len()),
            _ => join_into(&mut out, part),
        }
    }
    out
}

/// Cleans the name of an archive entry into `out`: absolute becomes relative, and a name that climbs
/// out or holds a NUL is refused.
pub fn clean_entry(path: &[u8], out: &mut Vec<u8>) -> Result<(), Failure> {
    out.clear();
    if path.contains(&0) {
        return Err(
            Failure::new(Kind::Invalid, "an archive entry's name holds a NUL byte")
                .at(shown(&path[..path.len().min(64)])),
        );
    }
    for part in path.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." if out.is_empty() => {
                return Err(
                    Failure::new(Kind::Invalid, "an archive entry's name leaves the root").at(shown(path)),
                );
            }
            b".." => out.truncate(parent(out).len()),
            _ => join_into(out, part),
        }
    }
    Ok(())
}

/// Everything before the last slash, or nothing.
pub fn parent(path: &[u8]) -> &[u8] {
    path.iter()
        .rposition(|byte| *byte == b'/')
        .map_or(&[], |at| &path[..at])
}

/// The last component.
pub fn base(path: &[u8]) -> &[u8] {
    path.iter()
        .rposition(|byte| *byte == b'/')
        .map_or(path, |at| &path[at + 1..])
}

pub fn join_into(path: &mut Vec<u8>, name: &[u8]) {
    if !path.is_empty() && !name.is_empty() {
        path.push(b'/');
    }
    path.extend_from_slice(name);
}

pub fn joined(path: &[u8], name: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(path.len() + name.len() + 1);
    out.extend_from_slice(path);
    join_into(&mut out, name);
    out
}

fn or_dot(path: &[u8]) -> &[u8] {
    if path.is_empty() { b"." } else { path }
}

/// openat2 with RESOLVE_IN_ROOT; EAGAIN (a rename elsewhere in the tree raced a `..`) is tried again.
pub fn open_in_root(root: BorrowedFd<'_>, path: &[u8], flags: OFlags) -> Result<OwnedFd, Errno> {
    let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
    for _ in 0..64 {
        match openat2(
            root,
            or_dot(path),
            flags | OFlags::CLOEXEC,
            Mode::empty(),
            resolve,
        ) {
            Err(Errno::AGAIN | Errno::INTR) => {}
            result => return result,
        }
    }
    Err(Errno::AGAIN)
}

/// A directory as a place to work in, links followed within the root.
pub fn open_dir_in_root(root: BorrowedFd<'_>, path: &[u8]) -> Result<OwnedFd, Errno> {
    open_in_root(root, path, OFlags::PATH | OFlags::DIRECTORY)
}

/// What a new directory gets.
#[derive(Debug, Clone, Copy)]
pub struct NewDir {
    pub owner: Option<(u32, u32)>,
    pub mode: u32,
}

/// The outcome of a walk: the real path of the directory and whether something was made.
pub struct Ensured {
    pub fd: OwnedFd,
    pub path: Vec<u8>,
    pub created: bool,
}

/// Opens a directory beneath the root and makes what is missing. Links are followed within the root,
/// dangling ones too: their target is made.
pub fn ensure_dir(root: BorrowedFd<'_>, path: &[u8], new: NewDir) -> Result<Ensured, Failure> {
    let fail = |errno, at: &[u8]| Failure::errno("cannot make the directory", errno).at(shown(at));
    let mut todo: VecDeque<Vec<u8>> = parts(path);
    let mut here: Vec<u8> = Vec::new();
    let mut fd = open_dir_in_root(root, b"").map_err(|errno| fail(errno, b""))?;
    let mut links = 0;
    let mut created = false;
    while let Some(part) = todo.pop_front() {
        if part == b".." {
            here.truncate(parent(&here).len());
            fd = open_dir_in_root(root, &here).map_err(|errno| fail(errno, &here))?;
            continue;
        }
        let next = joined(&here, &part);
        let made = match mkdirat(&fd, &part, Mode::from_raw_mode(new.mode & 0o1777)) {
            Ok(()) => true,
            Err(Errno::EXIST) => false,
            Err(errno) => return Err(fail(errno, &next)),
        };
        if made {
            created = true;
            if let Some(owner) = new.owner.filter(|owner| *owner != (0, 0)) {
                set_owner(&Identity::of_process(), &fd, Some(&part), owner)
                    .map_err(|failure| failure.at(shown(&next)))?;
            }
        }
        let item = rustix::fs::openat(
            &fd,
            &part,
            OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC,
            Mode::empty(),
        )
        .map_err(|errno| fail(errno, &next))?;
        match file_type(&item).map_err(|errno| fail(errno, &next))? {
            FileType::Directory => {
                fd = item;
                here = next;
            }
            FileType::Symlink => {
                links += 1;
                if links > MAX_LINKS {
                    return Err(fail(Errno::LOOP, path));
                }
                let target = readlinkat(&item, "", Vec::new()).map_err(|errno| fail(errno, &next))?;
                push_target(&mut todo, &mut here, target.to_bytes());
                fd = open_dir_in_root(root, &here).map_err(|errno| fail(errno, &here))?;
            }
            _ => return Err(fail(Errno::NOTDIR, &next)),
        }
    }
    Ok(Ensured {
        fd,
        path: here,
        created,
    })
}

/// Resolves every link of `path` within the root; what does not exist is kept as written.
pub fn resolve(root: BorrowedFd<'_>, path: &[u8]) -> Result<Vec<u8>, Failure> {
    let mut todo = parts(path);
    let mut here: Vec<u8> = Vec::new();
    let mut links = 0;
    while let Some(part) = todo.pop_front() {
        if part == b".." {
            here.truncate(parent(&here).len());
            continue;
        }
        let next = joined(&here, &part);
        match open_in_root(root, &next, OFlags::PATH | OFlags::NOFOLLOW) {
            Ok(item) if file_type(&item).is_ok_and(|kind| kind == FileType::Symlink) => {
                links += 1;
                let target = readlinkat(&item, "", Vec::new());
                if let (Ok(target), true) = (target, links <= MAX_LINKS) {
                    push_target(&mut todo, &mut here, target.to_bytes());
                } else {
                    return Err(Failure::errno("too many links", Errno::LOOP).at(shown(path)));
                }
            }
            Ok(_) | Err(Errno::NOENT | Errno::NOTDIR) => here = next,
            Err(errno) => return Err(Failure::errno("cannot resolve the path", errno).at(shown(&next))),
        }
    }
    Ok(here)
}

fn parts(path: &[u8]) -> VecDeque<Vec<u8>> {
    path.split(|byte| *byte == b'/')
        .filter(|part| !part.is_empty() && *part != b".")
        .map(<[u8]>::to_vec)
        .collect()
}

fn push_target(todo: &mut VecDeque<Vec<u8>>, here: &mut Vec<u8>, target: &[u8]) {
    if target.first() == Some(&b'/') {
        here.clear();
    }
    for part in parts(target).into_iter().rev() {
        todo.push_front(part);
    }
}

pub fn file_type<Fd: AsFd>(fd: &Fd) -> Result<FileType, Errno> {
    let stat = statx(fd, "", AtFlags::EMPTY_PATH, StatxFlags::TYPE)?;
    Ok(FileType::from_raw_mode(u32::from(stat.stx_mode)))
}

/// A directory of the cache.
pub struct Dir {
    pub fd: OwnedFd,
    /// New entries inherit its group, so their owner must be set.
    pub setgid: bool,
}

/// Open directories of one tree by their path, so that an entry costs no path walk.
pub struct DirCache<'a> {
    root: BorrowedFd<'a>,
    open: HashMap<Vec<u8>, Rc<Dir>>,
    last: Option<(Vec<u8>, Rc<Dir>)>,
    new: NewDir,
}

impl<'a> DirCache<'a> {
    pub fn new(root: BorrowedFd<'a>, new: NewDir) -> Self {
        Self {
            root,
            open: HashMap::new(),
            last: None,
            new,
        }
    }

    pub fn root(&self) -> BorrowedFd<'a> {
        self.root
    }

    /// The directory at a clean path; it and its parents are made when missing.
    pub fn get(&mut self, path: &[u8]) -> Result<Rc<Dir>, Failure> {
        let fail = |errno| Failure::errno("cannot open the directory", errno).at(shown(path));
        match self.find(path) {
            Err(Errno::NOENT) => {
                let fd = ensure_dir(self.root, path, self.new)?.fd;
                self.keep(path, fd).map_err(fail)
            }
            result => result.map_err(fail),
        }
    }

    /// The same, but nothing is made.
    pub fn find(&mut self, path: &[u8]) -> Result<Rc<Dir>, Errno> {
        if let Some((last, dir)) = &self.last
            && last == path
        {
            return Ok(Rc::clone(dir));
        }
        if let Some(dir) = self.open.get(path) {
            let dir = Rc::clone(dir);
            self.last = Some((path.to_vec(), Rc::clone(&dir)));
            return Ok(dir);
        }
        let fd = open_dir_in_root(self.root, path)?;
        self.keep(path, fd)
    }

    fn keep(&mut self, path: &[u8], fd: OwnedFd) -> Result<Rc<Dir>, Errno> {
        let stat = statx(&fd, "", AtFlags::EMPTY_PATH, StatxFlags::MODE)?;
        let dir = Rc::new(Dir {
            fd,
            setgid: stat.stx_mode & 0o2000 != 0,
        });
        if self.open.len() >= CACHED_DIRS {
            self.open.clear();
        }
        self.open.insert(path.to_vec(), Rc::clone(&dir));
        self.last = Some((path.to_vec(), Rc::clone(&dir)));
        Ok(dir)
    }

    /// To be called when a directory or a link was taken away.
    pub fn forget(&mut self) {
        self.open.clear();
        self.last = None;
    }

    /// To be called when a directory changed its mode.
    pub fn forget_one(&mut self, path: &[u8]) {
        self.open.remove(path);
        self.last = self.last.take().filter(|(last, _)| last != path);
    }
}
