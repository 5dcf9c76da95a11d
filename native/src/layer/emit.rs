//! Turns a tree into a tar, in a fixed order (each directory's names sorted by bytes, a directory
//! before what it holds) and with nothing but what a layer carries. Follows no link.

use crate::error::{Failure, Kind as ErrorKind};
use crate::layer::policy::Limits;
use crate::layer::tar::write::{finish, pad, write_head};
use crate::layer::tar::{Head, Kind};
use crate::layer::tree::beneath::{join_into, joined, parent, shown};
use crate::layer::tree::walk::{
    self, Listing, device, is_opaque, is_whiteout, kind_of, open_file, open_listed, portable_xattrs,
    read_link, stat_entry, stat_fd, unreadable,
};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{FileType, Statx};
use rustix::io::Errno;
use std::collections::HashMap;
use std::io::Write;

#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// Whiteouts and opaque marks are written in `.wh.` form; otherwise whiteouts are left out.
    pub layer: bool,
    /// No time is later than this.
    pub latest: Option<i64>,
    /// Directories of other file systems stay empty.
    pub one_file_system: bool,
}

pub struct Emitter<W> {
    out: W,
    options: Options,
    links: HashMap<(u64, u64), Vec<u8>>,
    head: Head,
    buffer: Vec<u8>,
    device: Option<u64>,
    /// Sizes of the regular files, each once.
    pub usage: u64,
}

fn unwritable(error: std::io::Error) -> Failure {
    match error.raw_os_error() {
        Some(code) => Failure::errno("cannot write the archive", Errno::from_raw_os_error(code)),
        None => Failure::new(ErrorKind::Internal, format!("cannot write the archive: {error}")),
    }
}

impl<W: Write> Emitter<W> {
    pub fn new(out: W, options: Options) -> Self {
        Self {
            out,
            options,
            links: HashMap::new(),
            head: Head::default(),
            buffer: vec![0; 256 * 1024],
            device: None,
            usage: 0,
        }
    }

    /// Writes what a directory holds, not itself; `prefix` comes before the names.
    pub fn contents(&mut self, dir: &OwnedFd, prefix: &[u8]) -> Result<(), Failure> {
        self.device = Some(device(&stat_fd(dir).map_err(unreadable(prefix))?));
        let mut path = prefix.to_vec();
        self.below(dir, &mut path, 0)
    }

    /// Writes one entry of a directory, and what it holds, under another name.
    pub fn entry_as<Fd: AsFd>(&mut self, dir: Fd, name: &[u8], path: &[u8]) -> Result<(), Failure> {
        let mut path = path.to_vec();
        let stat = stat_entry(&dir, name).map_err(unreadable(&path))?;
        self.device = Some(device(&stat));
        self.entry(&dir, name, &mut path, 0)
    }

    /// Ends the archive.
    pub fn finish(mut self) -> Result<W, Failure> {
        finish(&mut self.out).map_err(unwritable)?;
        Ok(self.out)
    }

    fn below(&mut self, dir: &OwnedFd, path: &mut Vec<u8>, depth: usize) -> Result<(), Failure> {
        if depth > walk::MAX_DEPTH {
            return Err(walk::too_deep(path));
        }
        let list = Listing::read(dir).map_err(unreadable(path))?;
        for (name, _) in list.iter() {
            let length = path.len();
            join_into(path, name);
            self.entry(dir, name, path, depth)?;
            path.truncate(length);
        }
        Ok(())
    }

    fn entry<Fd: AsFd>(
        &mut self,
        dir: Fd,
        name: &[u8],
        path: &mut Vec<u8>,
        depth: usize,
    ) -> Result<(), Failure> {
        let stat = match stat_entry(&dir, name) {
            // Taken away since the listing.
            Err(Errno::NOENT) => return Ok(()),
            result => result.map_err(unreadable(path))?,
        };
        if is_whiteout(&stat) {
            return self.whiteout(path, name);
        }
        match kind_of(&stat) {
            FileType::RegularFile => self.file(dir, name, path),
            FileType::Directory => self.directory(dir, name, path, depth),
            FileType::Socket => Ok(()),
            kind => self.other(dir, name, path, &stat, kind),
        }
    }

    fn describe(&mut self, path: &[u8], stat: &Statx, kind: Kind) {
        let head = &mut self.head;
        head.clear();
        head.path.extend_from_slice(path);
        head.kind = kind;
        head.mode = u32::from(stat.stx_mode) & 0o7777;
        head.uid = stat.stx_uid;
        head.gid = stat.stx_gid;
        head.mtime = (stat.stx_mtime.tv_sec, stat.stx_mtime.tv_nsec);
        if let Some(latest) = self.options.latest.filter(|latest| head.mtime.0 >= *latest) {
            head.mtime = (latest, 0);
        }
    }

    fn write(&mut self) -> Result<(), Failure> {
        write_head(&mut self.out, &self.head).map_err(unwritable)
    }

    fn whiteout(&mut self, path: &[u8], name: &[u8]) -> Result<(), Failure> {
        if !self.options.layer {
            return Ok(());
        }
        let mut hidden = b".wh.".to_vec();
        hidden.extend_from_slice(name);
        self.head.clear();
        self.head.path = joined(parent(path), &hidden);
        self.write()
    }

    fn directory<Fd: AsFd>(
        &mut self,
        dir: Fd,
        name: &[u8],
        path: &mut Vec<u8>,
        depth: usize,
    ) -> Result<(), Failure> {
        let fd = match open_listed(dir, name) {
            Err(Errno::NOENT) => return Ok(()),
            result => result.map_err(unreadable(path))?,
        };
        let stat = stat_fd(&fd).map_err(unreadable(path))?;
        let xattrs = portable_xattrs(&fd).map_err(unreadable(path))?;
        self.describe(path, &stat, Kind::Dir);
        self.head.path.push(b'/');
        self.head.xattrs = xattrs;
        self.write()?;
        if self.options.layer && is_opaque(&fd) {
            self.head.clear();
            self.head.path = joined(path, b".wh..wh..opq");
            self.write()?;
        }
        if self.options.one_file_system && self.device.is_some_and(|device| device != walk::device(&stat)) {
            return Ok(());
        }
        self.below(&fd, path, depth + 1)
    }

    fn file<Fd: AsFd>(&mut self, dir: Fd, name: &[u8], path: &[u8]) -> Result<(), Failure> {
        let fd = match open_file(dir, name) {
            Err(Errno::NOENT) => return Ok(()),
            result => result.map_err(unreadable(path))?,
        };
        let stat = stat_fd(&fd).map_err(unreadable(path))?;
        if kind_of(&stat) != FileType::RegularFile {
            return Err(changed(path));
        }
        if stat.stx_nlink > 1 {
            let first = self.links.get(&(device(&stat), stat.stx_ino)).cloned();
            if let Some(first) = first {
                self.describe(path, &stat, Kind::HardLink);
                self.head.link = first;
                return self.write();
            }
            self.links.insert((device(&stat), stat.stx_ino), path.to_vec());
        }
        let xattrs = portable_xattrs(&fd).map_err(unreadable(path))?;
        self.describe(path, &stat, Kind::File);
        self.head.xattrs = xattrs;
        self.head.size = stat.stx_size;
        self.usage = self.usage.saturating_add(stat.stx_size);
        let limit = Limits::default().bytes;
        if self.options.layer && self.usage > limit {
            let message = format!("a layer is not larger than {limit} bytes, holes in files included");
            return Err(Failure::new(ErrorKind::Invalid, message).at(shown(path)));
        }
        self.write()?;
        let mut left = stat.stx_size;
        while left > 0 {
            let want = usize::try_from(left).map_or(self.buffer.len(), |left| left.min(self.buffer.len()));
            match rustix::io::read(&fd, &mut self.buffer[..want]) {
                Ok(0) => return Err(changed(path)),
                Ok(length) => {
                    self.out.write_all(&self.buffer[..length]).map_err(unwritable)?;
                    left -= length as u64;
                }
                Err(Errno::INTR) => {}
                Err(errno) => return Err(unreadable(path)(errno)),
            }
        }
        pad(&mut self.out, stat.stx_size).map_err(unwritable)
    }

    fn other<Fd: AsFd>(
        &mut self,
        dir: Fd,
        name: &[u8],
        path: &[u8],
        stat: &Statx,
        kind: FileType,
    ) -> Result<(), Failure> {
        let kind = match kind {
            FileType::Symlink => Kind::Symlink,
            FileType::CharacterDevice => Kind::Char,
            FileType::BlockDevice => Kind::Block,
            _ => Kind::Fifo,
        };
        self.describe(path, stat, kind);
        if kind == Kind::Symlink {
            self.head.mode = 0o777;
            self.head.link = read_link(dir, name).map_err(unreadable(path))?;
        } else if kind != Kind::Fifo {
            self.head.major = stat.stx_rdev_major;
            self.head.minor = stat.stx_rdev_minor;
        }
        self.write()
    }
}

fn changed(path: &[u8]) -> Failure {
    Failure::new(
        ErrorKind::Unavailable,
        "the file changed while it was read: try again",
    )
    .at(shown(path))
}
