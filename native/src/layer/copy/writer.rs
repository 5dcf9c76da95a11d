//! Writes copies of files, directories and other nodes into open directories, with the owner, mode and
//! times that a COPY asks for. Data goes by copy_file_range where the kernel can, holes stay holes.

use crate::error::{Failure, Kind};
use crate::layer::copy::chmod::Change;
use crate::layer::extract::write_all;
use crate::layer::tree::attrs::{Fresh, Identity, Time, set_owner, set_time, set_time_at};
use crate::layer::tree::beneath::{joined, open_in_root, shown};
use crate::layer::tree::walk::{
    kind_of, open_listed, portable_xattrs, read_link, stat_entry, stat_fd, unreadable,
};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{
    AtFlags, FileType, Mode, OFlags, SeekFrom, Statx, chmodat, copy_file_range, ftruncate, makedev, mkdirat,
    mknodat, openat, seek, symlinkat, unlinkat,
};
use rustix::io::Errno;

/// Files up to this size are copied through a buffer: two calls.
const SMALL: u64 = 64 * 1024;

/// An open directory of the target.
pub struct Folder {
    fd: OwnedFd,
    pub path: Vec<u8>,
    setgid: bool,
}

impl Folder {
    pub fn new(fd: OwnedFd, path: Vec<u8>) -> Result<Self, Failure> {
        let stat = stat_fd(&fd).map_err(unreadable(&path))?;
        Ok(Self {
            setgid: stat.stx_mode & 0o2000 != 0,
            fd,
            path,
        })
    }
}

/// A directory of the target that is being filled.
pub struct OpenDir {
    pub folder: Folder,
    created: bool,
    /// Reached through a link: its attributes are not the copy's to set.
    linked: bool,
}

impl OpenDir {
    /// A directory that stood there before, as one whose attributes may be set.
    pub fn existing(folder: Folder) -> Result<Self, Failure> {
        let fd = open_listed(&folder.fd, b"").map_err(unwritable(&folder.path))?;
        Ok(Self {
            folder: Folder { fd, ..folder },
            created: false,
            linked: false,
        })
    }
}

pub struct Writer {
    identity: Identity,
    /// None keeps the source's.
    owner: Option<(u32, u32)>,
    chmod: Option<Change>,
    latest: Option<i64>,
    buffer: Vec<u8>,
    pub files: u64,
    pub bytes: u64,
}

fn unwritable(path: &[u8]) -> impl Fn(Errno) -> Failure + '_ {
    move |errno| Failure::errno("cannot write to the target", errno).at(shown(path))
}

impl Writer {
    pub fn new(
        identity: Identity,
        owner: Option<(u32, u32)>,
        chmod: Option<Change>,
        latest: Option<i64>,
    ) -> Self {
        Self {
            identity,
            owner,
            chmod,
            latest,
            buffer: vec![0; 256 * 1024],
            files: 0,
            bytes: 0,
        }
    }

    fn owner(&self, stat: &Statx) -> (u32, u32) {
        self.owner.unwrap_or((stat.stx_uid, stat.stx_gid))
    }

    fn mode(&self, stat: &Statx) -> u32 {
        let mode = u32::from(stat.stx_mode) & 0o7777;
        let directory = kind_of(stat) == FileType::Directory;
        self.chmod
            .as_ref()
            .map_or(mode, |change| change.apply(mode, directory))
    }

    fn time(&self, stat: &Statx) -> Time {
        match self.latest {
            Some(latest) if stat.stx_mtime.tv_sec >= latest => (latest, 0),
            _ => (stat.stx_mtime.tv_sec, stat.stx_mtime.tv_nsec),
        }
    }

    /// A directory that was made for the copy has the fixed time, when there is one.
    pub fn clamp_new_dir(&self, folder: &Folder) -> Result<(), Failure> {
        match self.latest {
            Some(latest) => set_time_at(&folder.fd, b".", (latest, 0)).map_err(unwritable(&folder.path)),
            None => Ok(()),
        }
    }

    /// Copies a regular file to `name`; what stood there (but a directory) is replaced.
    pub fn file(
        &mut self,
        source: &OwnedFd,
        from: &[u8],
        folder: &Folder,
        name: &[u8],
    ) -> Result<(), Failure> {
        let stat = stat_fd(source).map_err(unreadable(from))?;
        if kind_of(&stat) != FileType::RegularFile {
            return Err(
                Failure::new(Kind::Unavailable, "the file changed while it was copied").at(shown(from)),
            );
        }
        let mode = self.mode(&stat);
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = replacing(folder, name, |dir, name| {
            openat(dir, name, flags, Mode::from_raw_mode(mode & 0o777))
        })?;
        let to = joined(&folder.path, name);
        self.data(source, &stat, &fd, from, &to)?;
        let xattrs = portable_xattrs(source).map_err(unreadable(from))?;
        Fresh {
            identity: &self.identity,
            owner: self.owner(&stat),
            mode,
            xattrs: &xattrs,
            inherited: folder.setgid,
        }
        .apply(&fd, &to)?;
        set_time(&fd, self.time(&stat)).map_err(unwritable(&to))?;
        self.files += 1;
        self.bytes += stat.stx_size;
        Ok(())
    }

    fn data(
        &mut self,
        source: &OwnedFd,
        stat: &Statx,
        fd: &OwnedFd,
        from: &[u8],
        to: &[u8],
    ) -> Result<(), Failure> {
        let size = stat.stx_size;
        if size > SMALL && stat.stx_blocks * 512 < size {
            return self.sparse(source, size, fd, from, to);
        }
        if size > SMALL {
            return self.range(source, fd, from, to, u64::MAX);
        }
        self.plain(source, fd, from, to, u64::MAX)
    }

    /// Copies up to `left` bytes from where both files stand, in the kernel where it can.
    fn range(
        &mut self,
        source: &OwnedFd,
        fd: &OwnedFd,
        from: &[u8],
        to: &[u8],
        mut left: u64,
    ) -> Result<(), Failure> {
        while left > 0 {
            let step = usize::try_from(left.min(1 << 30)).unwrap_or(1 << 30);
            match copy_file_range(source, None, fd, None, step) {
                Ok(0) => return self.plain(source, fd, from, to, left),
                Ok(length) => left -= length as u64,
                Err(Errno::XDEV | Errno::INVAL | Errno::OPNOTSUPP | Errno::NOSYS | Errno::PERM) => {
                    return self.plain(source, fd, from, to, left);
                }
                Err(errno) => return Err(unwritable(to)(errno)),
            }
        }
        Ok(())
    }

    fn plain(
        &mut self,
        source: &OwnedFd,
        fd: &OwnedFd,
        from: &[u8],
        to: &[u8],
        mut left: u64,
    ) -> Result<(), Failure> {
        while left > 0 {
            let want = usize::try_from(left).map_or(self.buffer.len(), |left| left.min(self.buffer.len()));
            match rustix::io::read(source, &mut self.buffer[..want]) {
                Ok(0) => break,
                Ok(length) => {
                    write_all(fd, &self.buffer[..length]).map_err(unwritable(to))?;
                    left -= length as u64;
                }
                Err(Errno::INTR) => {}
                Err(errno) => return Err(unreadable(from)(errno)),
            }
        }
        Ok(())
    }

    fn sparse(
        &mut self,
        source: &OwnedFd,
        size: u64,
        fd: &OwnedFd,
        from: &[u8],
        to: &[u8],
    ) -> Result<(), Failure> {
        let mut at = 0;
        while at < size {
            let data = match seek(source, SeekFrom::Data(at)) {
                Ok(data) => data,
                Err(Errno::NXIO) => break,
                Err(errno) => return Err(unreadable(from)(errno)),
            };
            let hole = seek(source, SeekFrom::Hole(data)).map_err(unreadable(from))?;
            seek(source, SeekFrom::Start(data)).map_err(unreadable(from))?;
            seek(fd, SeekFrom::Start(data)).map_err(unwritable(to))?;
            self.range(source, fd, from, to, hole - data)?;
            at = hole;
        }
        ftruncate(fd, size).map_err(unwritable(to))
    }

    /// Opens the directory `name` of the target, made when missing. A link to a directory is followed
    /// within the root.
    pub fn open_dir(&self, root: BorrowedFd<'_>, folder: &Folder, name: &[u8]) -> Result<OpenDir, Failure> {
        let path = joined(&folder.path, name);
        let fail = unwritable(&path);
        let created = match mkdirat(&folder.fd, name, Mode::from_raw_mode(0o755)) {
            Ok(()) => true,
            Err(Errno::EXIST) => false,
            Err(errno) => return Err(fail(errno)),
        };
        let not_dir = || {
            Failure::new(
                Kind::Conflict,
                "cannot copy a directory onto what is no directory",
            )
            .at(shown(&path))
        };
        let kind = kind_of(&stat_entry(&folder.fd, name).map_err(&fail)?);
        let (fd, linked) = match kind {
            FileType::Directory => (open_listed(&folder.fd, name).map_err(&fail)?, false),
            FileType::Symlink => {
                let flags = OFlags::RDONLY | OFlags::DIRECTORY;
                (open_in_root(root, &path, flags).map_err(|_| not_dir())?, true)
            }
            _ => return Err(not_dir()),
        };
        Ok(OpenDir {
            folder: Folder::new(fd, path.clone())?,
            created,
            linked,
        })
    }

    /// Gives a filled directory the source's attributes.
    pub fn finish_dir(&self, source: &OwnedFd, dir: &OpenDir) -> Result<(), Failure> {
        if dir.linked {
            return Ok(());
        }
        let stat = stat_fd(source).map_err(unreadable(&dir.folder.path))?;
        let xattrs = portable_xattrs(source).map_err(unreadable(&dir.folder.path))?;
        let mode = self.mode(&stat);
        Fresh {
            identity: &self.identity,
            owner: self.owner(&stat),
            mode,
            xattrs: &xattrs,
            inherited: !dir.created || dir.folder.setgid || mode != 0o755,
        }
        .apply(&dir.folder.fd, &dir.folder.path)?;
        set_time(&dir.folder.fd, self.time(&stat)).map_err(unwritable(&dir.folder.path))
    }

    /// Copies a link, device or fifo; sockets are left out.
    pub fn node<Fd: AsFd>(
        &mut self,
        dir: Fd,
        from: &[u8],
        stat: &Statx,
        folder: &Folder,
        name: &[u8],
    ) -> Result<(), Failure> {
        let to = joined(&folder.path, name);
        let kind = kind_of(stat);
        match kind {
            FileType::Socket => return Ok(()),
            FileType::Symlink => {
                let target = read_link(&dir, from).map_err(unreadable(&to))?;
                replacing(folder, name, |dir, name| symlinkat(&target, dir, name))?;
            }
            FileType::CharacterDevice | FileType::BlockDevice if self.identity.confined => return Ok(()),
            _ => {
                let number = makedev(stat.stx_rdev_major, stat.stx_rdev_minor);
                let mode = Mode::from_raw_mode(self.mode(stat) & 0o777);
                replacing(folder, name, |dir, name| mknodat(dir, name, kind, mode, number))?;
            }
        }
        set_owner(&self.identity, &folder.fd, Some(name), self.owner(stat))
            .map_err(|failure| failure.at(shown(&to)))?;
        if kind != FileType::Symlink {
            chmodat(
                &folder.fd,
                name,
                Mode::from_raw_mode(self.mode(stat)),
                AtFlags::empty(),
            )
            .map_err(unwritable(&to))?;
        }
        set_time_at(&folder.fd, name, self.time(stat)).map_err(unwritable(&to))?;
        self.files += 1;
        Ok(())
    }
}

/// Makes an entry; what stands in its place is taken away first, unless it is a directory.
fn replacing<T>(
    folder: &Folder,
    name: &[u8],
    make: impl Fn(&OwnedFd, &[u8]) -> Result<T, Errno>,
) -> Result<T, Failure> {
    let path = joined(&folder.path, name);
    for _ in 0..8 {
        match make(&folder.fd, name) {
            Err(Errno::EXIST) => {}
            result => return result.map_err(unwritable(&path)),
        }
        match unlinkat(&folder.fd, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(Errno::ISDIR | Errno::PERM) => {
                return Err(
                    Failure::new(Kind::Conflict, "cannot copy a file onto a directory").at(shown(&path)),
                );
            }
            Err(errno) => return Err(unwritable(&path)(errno)),
        }
    }
    Err(unwritable(&path)(Errno::BUSY))
}
