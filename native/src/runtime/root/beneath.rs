//! Paths inside a container's tree, resolved only beneath its root descriptor (openat2 with
//! RESOLVE_IN_ROOT, never through magic links), and missing mount points made there. No path string
//! of the tree is ever given to a call that would resolve it from the host's root.

use crate::error::{Failure, Kind};
use rustix::fs::{AtFlags, FileType, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;
use std::ffi::OsStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Symlinks and missing parents that one path may need, as the kernel's own bound.
const MAX_STEPS: u32 = 255;

/// What a missing mount point is made as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leaf {
    Directory,
    File,
}

/// The root of a tree: an O_PATH descriptor of its directory.
pub struct Tree {
    root: OwnedFd,
}

impl AsFd for Tree {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.root.as_fd()
    }
}

impl Tree {
    pub fn new(root: OwnedFd) -> Self {
        Self { root }
    }

    /// An O_PATH descriptor of what `path` names, following symlinks within the root.
    pub fn resolve(&self, path: &Path) -> Result<OwnedFd, Errno> {
        self.open(path, OFlags::PATH, ResolveFlags::empty())
    }

    /// The same, but ELOOP when any component is a symlink.
    pub fn resolve_real(&self, path: &Path) -> Result<OwnedFd, Errno> {
        self.open(path, OFlags::PATH, ResolveFlags::NO_SYMLINKS)
    }

    /// Opens for use (not O_PATH) within the root.
    pub fn open(&self, path: &Path, flags: OFlags, resolve: ResolveFlags) -> Result<OwnedFd, Errno> {
        let how = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS | resolve;
        loop {
            match rustix::fs::openat2(
                &self.root,
                relative(path),
                flags | OFlags::CLOEXEC,
                Mode::empty(),
                how,
            ) {
                // A rename elsewhere in the tree raced with a ".." (openat2(2)).
                Err(Errno::AGAIN | Errno::INTR) => {}
                other => return other,
            }
        }
    }

    /// The mount point `path`, made (with its parents, mode 0755) when it is missing.
    pub fn ensure(&self, path: &Path, leaf: Leaf) -> Result<OwnedFd, Failure> {
        self.ensure_bounded(path, leaf, MAX_STEPS)
            .map_err(|errno| Failure::errno("cannot make the mount point", errno).at(path))
    }

    fn ensure_bounded(&self, path: &Path, leaf: Leaf, steps: u32) -> Result<OwnedFd, Errno> {
        match self.resolve(path) {
            Err(Errno::NOENT) => {}
            other => return other,
        }
        let steps = steps.checked_sub(1).ok_or(Errno::LOOP)?;
        let name = path.file_name().ok_or(Errno::NOENT)?;
        let parent_path = path.parent().unwrap_or(Path::new("/"));
        let parent = self.ensure_bounded(parent_path, Leaf::Directory, steps)?;
        match make(parent.as_fd(), name, leaf) {
            Err(Errno::EXIST) => match rustix::fs::readlinkat(&parent, name, Vec::new()) {
                Ok(target) => {
                    let target = Path::new(OsStr::from_bytes(target.as_bytes()));
                    self.ensure_bounded(&parent_path.join(target), leaf, steps)
                }
                Err(Errno::INVAL) => self.resolve(path),
                Err(errno) => Err(errno),
            },
            Err(errno) => Err(errno),
            Ok(()) => open_child(parent.as_fd(), name, OFlags::PATH),
        }
    }

    /// The directory `path`, made when missing, which must be reached without any symlink: what
    /// procfs and sysfs may be mounted on.
    pub fn ensure_real_directory(&self, path: &Path) -> Result<OwnedFd, Failure> {
        match self.resolve_real(path) {
            Ok(fd) => {
                if kind_of(&fd)? == FileType::Directory {
                    return Ok(fd);
                }
                return Err(not_ordinary(path));
            }
            Err(Errno::NOENT) => {}
            Err(Errno::LOOP) => return Err(not_ordinary(path)),
            Err(errno) => return Err(Failure::errno("cannot open the mount point", errno).at(path)),
        }
        self.ensure(path, Leaf::Directory)?;
        self.resolve_real(path).map_err(|_| not_ordinary(path))
    }
}

fn not_ordinary(path: &Path) -> Failure {
    Failure::new(
        Kind::Invalid,
        "must be an ordinary directory of the root file system, not a symbolic link",
    )
    .at(path)
}

fn make(parent: BorrowedFd<'_>, name: &OsStr, leaf: Leaf) -> Result<(), Errno> {
    match leaf {
        Leaf::Directory => rustix::fs::mkdirat(parent, name, Mode::from_raw_mode(0o755)),
        Leaf::File => {
            let flags = OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::WRONLY;
            rustix::fs::openat(parent, name, flags, Mode::from_raw_mode(0o644)).map(drop)
        }
    }
}

/// Opens one name in a directory, never through a symlink.
pub fn open_child(parent: BorrowedFd<'_>, name: &OsStr, flags: OFlags) -> Result<OwnedFd, Errno> {
    let how = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
    rustix::fs::openat2(
        parent,
        Path::new(name),
        flags | OFlags::CLOEXEC,
        Mode::empty(),
        how,
    )
}

pub fn kind_of(fd: impl AsFd) -> Result<FileType, Failure> {
    let stat = rustix::fs::statat(fd, "", AtFlags::EMPTY_PATH)
        .map_err(|errno| Failure::errno("cannot stat", errno))?;
    Ok(FileType::from_raw_mode(stat.st_mode))
}

/// True when `fd` is on a file system with this magic number (statfs(2)).
pub fn is_on(fd: impl AsFd, magic: u64) -> bool {
    rustix::fs::fstatfs(fd).is_ok_and(|stat| u64::try_from(stat.f_type).is_ok_and(|found| found == magic))
}

/// `path` without leading slashes, "." for the root itself.
fn relative(path: &Path) -> PathBuf {
    let trimmed = path.strip_prefix("/").unwrap_or(path);
    if trimmed.as_os_str().is_empty() {
        PathBuf::from(".")
    } else {
        trimmed.to_owned()
    }
}
