//! Reading trees: sorted directory listings without an allocation per name, and the attributes that
//! layers carry. Directories are opened without following links.

use crate::error::{Failure, Kind};
use crate::layer::tree::beneath::shown;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{
    AtFlags, FileType, Mode, OFlags, RawDir, SeekFrom, Statx, StatxFlags, fgetxattr, flistxattr, openat,
    readlinkat, seek, statx,
};
use rustix::io::Errno;
use std::mem::MaybeUninit;

/// Each level holds a descriptor open; deeper trees are refused by the readers (`remove` takes any depth).
pub const MAX_DEPTH: usize = 3000;

/// The name of the xattr that makes an overlay directory opaque.
pub const OPAQUE: &str = "user.overlay.opaque";

/// The names of one directory, sorted by bytes.
pub struct Listing {
    bytes: Vec<u8>,
    items: Vec<(usize, usize, FileType)>,
}

impl Listing {
    /// Reads a directory opened for reading, from its start however often it was read before.
    #[inline(never)]
    pub fn read<Fd: AsFd>(dir: Fd) -> Result<Self, Errno> {
        seek(&dir, SeekFrom::Start(0))?;
        let mut buffer = [MaybeUninit::<u8>::uninit(); 32 * 1024];
        let mut raw = RawDir::new(dir, &mut buffer);
        let mut list = Self {
            bytes: Vec::new(),
            items: Vec::new(),
        };
        while let Some(entry) = raw.next() {
            let entry = entry?;
            let name = entry.file_name().to_bytes();
            if name == b"." || name == b".." {
                continue;
            }
            list.items.push((list.bytes.len(), name.len(), entry.file_type()));
            list.bytes.extend_from_slice(name);
        }
        let bytes = &list.bytes;
        list.items
            .sort_unstable_by(|a, b| bytes[a.0..a.0 + a.1].cmp(&bytes[b.0..b.0 + b.1]));
        Ok(list)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&[u8], FileType)> {
        self.items
            .iter()
            .map(|(at, len, kind)| (&self.bytes[*at..*at + *len], *kind))
    }

    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }
}

/// Opens a directory for reading, never through a link.
pub fn open_listed<Fd: AsFd>(dir: Fd, name: &[u8]) -> Result<OwnedFd, Errno> {
    openat(
        dir,
        if name.is_empty() { b"." } else { name },
        OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC,
        Mode::empty(),
    )
}

/// Opens a file for reading; never through a link, and a fifo does not block.
pub fn open_file<Fd: AsFd>(dir: Fd, name: &[u8]) -> Result<OwnedFd, Errno> {
    openat(
        dir,
        name,
        OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC,
        Mode::empty(),
    )
}

pub fn stat_entry<Fd: AsFd>(dir: Fd, name: &[u8]) -> Result<Statx, Errno> {
    statx(dir, name, AtFlags::SYMLINK_NOFOLLOW, StatxFlags::BASIC_STATS)
}

pub fn stat_fd<Fd: AsFd>(fd: Fd) -> Result<Statx, Errno> {
    statx(fd, "", AtFlags::EMPTY_PATH, StatxFlags::BASIC_STATS)
}

pub fn kind_of(stat: &Statx) -> FileType {
    FileType::from_raw_mode(u32::from(stat.stx_mode))
}

pub fn device(stat: &Statx) -> u64 {
    rustix::fs::makedev(stat.stx_dev_major, stat.stx_dev_minor)
}

/// A character device 0:0.
pub fn is_whiteout(stat: &Statx) -> bool {
    kind_of(stat) == FileType::CharacterDevice && stat.stx_rdev_major == 0 && stat.stx_rdev_minor == 0
}

pub fn read_link<Fd: AsFd>(dir: Fd, name: &[u8]) -> Result<Vec<u8>, Errno> {
    readlinkat(dir, name, Vec::new()).map(std::ffi::CString::into_bytes)
}

/// An extended attribute: name and value.
pub type Xattr = (Vec<u8>, Vec<u8>);

/// The extended attributes that belong to a file wherever it goes: `user.*` (but not overlayfs's own)
/// and the file capabilities. Sorted by name.
#[inline(never)]
pub fn portable_xattrs<Fd: AsFd>(fd: Fd) -> Result<Vec<Xattr>, Errno> {
    let mut names = [0_u8; 1024];
    let fd = fd.as_fd();
    let list: Vec<u8> = match flistxattr(fd, &mut names[..]) {
        Ok(0) | Err(Errno::OPNOTSUPP) => return Ok(Vec::new()),
        Ok(len) => names[..len].to_vec(),
        Err(Errno::RANGE) => {
            let mut big = vec![0_u8; 64 * 1024];
            let len = flistxattr(fd, &mut big[..])?;
            big.truncate(len);
            big
        }
        Err(errno) => return Err(errno),
    };
    let mut found = Vec::new();
    for name in list.split(|byte| *byte == 0).filter(|name| is_portable(name)) {
        let mut value = vec![0_u8; 64 * 1024];
        match fgetxattr(fd, name, &mut value[..]) {
            Ok(len) => {
                value.truncate(len);
                value.shrink_to_fit();
                found.push((name.to_vec(), value));
            }
            Err(Errno::NODATA | Errno::OPNOTSUPP) => {}
            Err(errno) => return Err(errno),
        }
    }
    found.sort();
    Ok(found)
}

pub fn is_portable(name: &[u8]) -> bool {
    (name.starts_with(b"user.") && !name.starts_with(b"user.overlay.")) || name == b"security.capability"
}

/// Whether a directory hides what is below it.
pub fn is_opaque<Fd: AsFd>(dir: Fd) -> bool {
    let mut value = [0_u8; 2];
    fgetxattr(dir, OPAQUE, &mut value[..]).is_ok_and(|len| len >= 1 && value[0] == b'y')
}

/// The error of a tree that is nested too deeply to be read.
pub fn too_deep(path: &[u8]) -> Failure {
    Failure::new(
        Kind::Invalid,
        format!("the tree is nested more than {MAX_DEPTH} directories deep"),
    )
    .at(shown(&path[..path.len().min(200)]))
}

/// The error of a failed read at a path of the tree.
pub fn unreadable(path: &[u8]) -> impl Fn(Errno) -> Failure + '_ {
    move |errno| Failure::errno("cannot read from the tree", errno).at(shown(path))
}

/// Lets the walkers hold many directories open.
pub fn raise_descriptor_limit() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    // A refusal only means that deep trees fail later, with an error of their own.
    let _refused = setrlimit(Resource::Nofile, limit);
}
