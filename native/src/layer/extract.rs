//! Writes the entries of an archive beneath a root. Parents are held open, new files are made with
//! O_EXCL, links are never followed at the last component, and directories get their times at the end.
//!
//! In overlay form `.wh.X` becomes a character device 0:0 and `.wh..wh..opq` the opaque mark. A
//! whiteout hides lower layers only: it never takes away what the same archive brings (OCI image
//! layer specification, "Whiteouts").

use crate::error::{Failure, Kind as ErrorKind};
use crate::layer::policy::{Policy, Tally};
use crate::layer::tar::read::Reader;
use crate::layer::tar::{Head, Kind};
use crate::layer::tree::attrs::{Fresh, Identity, Time, set_owner, set_time, set_time_at, set_xattr_at};
use crate::layer::tree::beneath::{Dir, DirCache, NewDir, base, clean_entry, joined, parent, shown};
use crate::layer::tree::remove::remove_entry;
use crate::layer::tree::walk::{OPAQUE, is_opaque, is_whiteout, kind_of, open_listed, stat_entry};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{
    AtFlags, FileType, Mode, OFlags, SeekFrom, XattrFlags, chmodat, fsetxattr, ftruncate, linkat, makedev,
    mkdirat, mknodat, openat, seek, symlinkat, unlinkat,
};
use rustix::io::Errno;
use std::io::BufRead;
use std::rc::Rc;

/// So many bytes of directories' names and times are gathered before they are set.
const TIMES_BYTES: usize = 128 << 20;

pub struct Extractor<'a> {
    cache: DirCache<'a>,
    policy: Policy,
    identity: Identity,
    prefix: Vec<u8>,
    times: Vec<(Vec<u8>, Time)>,
    times_bytes: usize,
    pub tally: Tally,
}

impl<'a> Extractor<'a> {
    /// Extracts below the directory `prefix` (clean, links resolved) of the root.
    pub fn new(root: BorrowedFd<'a>, prefix: &[u8], policy: Policy) -> Self {
        Self {
            cache: DirCache::new(
                root,
                NewDir {
                    owner: policy.owner,
                    mode: 0o755,
                },
            ),
            identity: Identity::of_process().or_lenient(policy.lenient_owners),
            policy,
            prefix: prefix.to_vec(),
            times: Vec::new(),
            times_bytes: 0,
            tally: Tally::default(),
        }
    }

    /// Extracts a whole archive.
    pub fn run<R: BufRead>(&mut self, reader: &mut Reader<R>) -> Result<(), Failure> {
        let mut head = Head::default();
        let mut clean = Vec::new();
        while reader.next(&mut head)? {
            self.tally.entries += 1;
            if self.tally.entries > self.policy.limits.entries {
                return Err(Failure::new(
                    ErrorKind::Invalid,
                    format!("the archive has more than {} entries", self.policy.limits.entries),
                ));
            }
            clean_entry(&head.path, &mut clean)?;
            let path = joined(&self.prefix, &clean);
            self.entry(&mut head, &path, clean.is_empty(), reader)?;
        }
        self.set_times()
    }

    fn entry<R: BufRead>(
        &mut self,
        head: &mut Head,
        path: &[u8],
        top: bool,
        reader: &mut Reader<R>,
    ) -> Result<(), Failure> {
        head.xattrs.retain(|(name, _)| !is_overlays_own(name));
        let owner = self.policy.owner_of(head)?;
        if let Some(latest) = self.policy.latest.filter(|latest| head.mtime.0 >= *latest) {
            head.mtime = (latest, 0);
        }
        if top {
            return self.top(head, owner);
        }
        let name = base(path);
        if name.len() > 255 {
            return Err(
                Failure::errno("a file name of more than 255 bytes", Errno::NAMETOOLONG).at(shown(path)),
            );
        }
        let dir = self.cache.get(parent(path))?;
        if let Some(hidden) = name.strip_prefix(b".wh.").filter(|_| self.policy.overlay) {
            return self.whiteout(&dir, hidden, path);
        }
        match head.kind {
            Kind::File => self.file(&dir, head, path, owner, reader),
            Kind::Dir => self.dir(&dir, head, path, owner),
            Kind::HardLink => self.hard_link(&dir, head, path),
            Kind::Symlink | Kind::Char | Kind::Block | Kind::Fifo => self.node(&dir, head, path, owner),
        }
    }

    /// The archive's own root: of a layer it is the layer's root, elsewhere it changes nothing.
    fn top(&mut self, head: &Head, owner: (u32, u32)) -> Result<(), Failure> {
        if !self.policy.overlay || head.kind != Kind::Dir {
            return Ok(());
        }
        let fd = open_listed(self.cache.root(), b"")
            .map_err(|errno| Failure::errno("cannot open the root", errno))?;
        self.fresh(head, owner, true).apply(&fd, b"")?;
        self.remember(&[], head.mtime)
    }

    fn fresh<'b>(&'b self, head: &'b Head, owner: (u32, u32), inherited: bool) -> Fresh<'b> {
        Fresh {
            identity: &self.identity,
            owner,
            mode: head.mode,
            xattrs: &head.xattrs,
            inherited,
        }
    }

    fn file<R: BufRead>(
        &mut self,
        dir: &Dir,
        head: &Head,
        path: &[u8],
        owner: (u32, u32),
        reader: &mut Reader<R>,
    ) -> Result<(), Failure> {
        if head.real_size() > self.policy.limits.bytes {
            return Err(Failure::new(
                ErrorKind::Invalid,
                format!(
                    "a file of {} bytes is over the limit of {}",
                    head.real_size(),
                    self.policy.limits.bytes
                ),
            )
            .at(shown(path)));
        }
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mode = Mode::from_raw_mode(head.mode & 0o777);
        let fd = self.make(dir, path, head.kind, |dir, name| openat(dir, name, flags, mode))?;
        let fail = |errno| Failure::errno("cannot write the file", errno).at(shown(path));
        match &head.sparse {
            None => while reader.data(u64::MAX, &mut |data| write_all(&fd, data).map_err(fail))? {},
            Some(map) => {
                for (offset, length) in &map.segments {
                    seek(&fd, SeekFrom::Start(*offset)).map_err(fail)?;
                    let mut left = *length;
                    while left > 0 {
                        reader.data(left, &mut |data| {
                            left -= data.len() as u64;
                            write_all(&fd, data).map_err(fail)
                        })?;
                    }
                }
                ftruncate(&fd, map.size).map_err(fail)?;
            }
        }
        self.fresh(head, owner, dir.setgid).apply(&fd, path)?;
        set_time(&fd, head.mtime).map_err(fail)?;
        self.tally.files += 1;
        self.tally.bytes += head.real_size();
        Ok(())
    }

    fn dir(&mut self, dir: &Dir, head: &Head, path: &[u8], owner: (u32, u32)) -> Result<(), Failure> {
        let fail = |errno| Failure::errno("cannot make the directory", errno).at(shown(path));
        let name = base(path);
        let mode = Mode::from_raw_mode(head.mode & 0o777);
        let mut existed = false;
        let mut hides = false;
        match mkdirat(&dir.fd, name, mode) {
            Ok(()) => {}
            Err(Errno::EXIST) => {
                let stat = stat_entry(&dir.fd, name).map_err(fail)?;
                existed = kind_of(&stat) == FileType::Directory;
                hides = self.policy.overlay && is_whiteout(&stat);
                if !existed {
                    self.make(dir, path, head.kind, |dir, name| mkdirat(dir, name, mode))?;
                }
            }
            Err(errno) => return Err(fail(errno)),
        }
        let fd = open_listed(&dir.fd, name).map_err(fail)?;
        if hides {
            mark_opaque(&fd).map_err(fail)?;
        }
        self.fresh(head, owner, existed || dir.setgid).apply(&fd, path)?;
        if existed {
            self.cache.forget_one(path);
        }
        self.remember(path, head.mtime)
    }

    fn hard_link(&mut self, dir: &Dir, head: &Head, path: &[u8]) -> Result<(), Failure> {
        let mut target = Vec::new();
        clean_entry(&head.link, &mut target)?;
        let target = joined(&self.prefix, &target);
        if target == path {
            return Ok(());
        }
        let missing = || {
            Failure::new(
                ErrorKind::NotFound,
                format!(
                    "a hard link to {}, which is not in the archive",
                    shown(&target).display()
                ),
            )
            .at(shown(path))
        };
        let from = match self.cache.find(parent(&target)) {
            Err(Errno::NOENT | Errno::NOTDIR) => return Err(missing()),
            result => result.map_err(|errno| Failure::errno("cannot link", errno).at(shown(path)))?,
        };
        let result = self.make(dir, path, head.kind, |dir, name| {
            linkat(&from.fd, base(&target), dir, name, AtFlags::empty())
        });
        match result {
            Err(failure) if failure.errno == Some(Errno::NOENT) => Err(missing()),
            result => result,
        }
    }

    /// A link, device or fifo.
    fn node(&mut self, dir: &Dir, head: &Head, path: &[u8], owner: (u32, u32)) -> Result<(), Failure> {
        let fail = |errno| Failure::errno("cannot set the attributes", errno).at(shown(path));
        let device = match head.kind {
            Kind::Char => Some(FileType::CharacterDevice),
            Kind::Block => Some(FileType::BlockDevice),
            _ => None,
        };
        let number = makedev(head.major, head.minor);
        if device.is_some() && (self.identity.confined || number == 0) {
            self.tally.skipped_devices += 1;
            return Ok(());
        }
        let mode = Mode::from_raw_mode(head.mode & 0o777);
        self.make(dir, path, head.kind, |dir, name| match device {
            Some(kind) => mknodat(dir, name, kind, mode, number),
            None if head.kind == Kind::Fifo => mknodat(dir, name, FileType::Fifo, mode, 0),
            None => symlinkat(&head.link, dir, name),
        })?;
        let name = base(path);
        set_owner(&self.identity, &dir.fd, Some(name), owner).map_err(|failure| failure.at(shown(path)))?;
        if head.kind != Kind::Symlink {
            chmodat(
                &dir.fd,
                name,
                Mode::from_raw_mode(head.mode & 0o7777),
                AtFlags::empty(),
            )
            .map_err(fail)?;
        }
        for (key, value) in &head.xattrs {
            set_xattr_at(&dir.fd, name, key, value).map_err(|failure| failure.at(shown(path)))?;
        }
        set_time_at(&dir.fd, name, head.mtime).map_err(fail)
    }

    fn whiteout(&mut self, dir: &Dir, hidden: &[u8], path: &[u8]) -> Result<(), Failure> {
        let fail = |errno| Failure::errno("cannot make the whiteout", errno).at(shown(path));
        if hidden == b".wh..opq" {
            let fd = open_listed(&dir.fd, b"").map_err(fail)?;
            return mark_opaque(&fd).map_err(fail);
        }
        if hidden.starts_with(b".wh.") {
            return Ok(());
        }
        if hidden.is_empty() || hidden == b"." || hidden == b".." {
            return Err(Failure::new(ErrorKind::Invalid, "a whiteout without a name").at(shown(path)));
        }
        match mknodat(&dir.fd, hidden, FileType::CharacterDevice, Mode::empty(), 0) {
            Err(Errno::EXIST) => match open_listed(&dir.fd, hidden) {
                Ok(fd) => mark_opaque(&fd).map_err(fail),
                Err(_) => Ok(()),
            },
            result => result.map_err(fail),
        }
    }

    /// Makes an entry; what stands in its place is taken away first.
    fn make<T>(
        &mut self,
        dir: &Dir,
        path: &[u8],
        kind: Kind,
        make: impl Fn(&OwnedFd, &[u8]) -> Result<T, Errno>,
    ) -> Result<T, Failure> {
        let fail = |errno| Failure::errno("cannot make the entry", errno).at(shown(path));
        let name = base(path);
        for _ in 0..8 {
            match make(&dir.fd, name) {
                Err(Errno::EXIST) => {}
                result => return result.map_err(fail),
            }
            match stat_entry(&dir.fd, name) {
                Err(Errno::NOENT) => {}
                Err(errno) => return Err(fail(errno)),
                Ok(stat) if kind_of(&stat) == FileType::Directory => {
                    if self.policy.keep_types {
                        let message = "cannot overwrite a directory with a non-directory";
                        return Err(Failure::new(ErrorKind::Invalid, message).at(shown(path)));
                    }
                    self.cache.forget();
                    remove_entry(&dir.fd, name).map_err(fail)?;
                }
                Ok(stat) => {
                    if self.policy.keep_types && kind == Kind::Dir {
                        let message = "cannot overwrite a non-directory with a directory";
                        return Err(Failure::new(ErrorKind::Invalid, message).at(shown(path)));
                    }
                    if kind_of(&stat) == FileType::Symlink {
                        self.cache.forget();
                    }
                    match unlinkat(&dir.fd, name, AtFlags::empty()) {
                        Ok(()) | Err(Errno::NOENT) => {}
                        Err(errno) => return Err(fail(errno)),
                    }
                }
            }
        }
        Err(fail(Errno::BUSY))
    }

    /// Keeps a directory's time for the end, when nothing is made in it any more; memory stays bounded.
    fn remember(&mut self, path: &[u8], time: Time) -> Result<(), Failure> {
        self.times_bytes += path.len() + size_of::<(Vec<u8>, Time)>();
        self.times.push((path.to_vec(), time));
        if self.times_bytes < TIMES_BYTES {
            return Ok(());
        }
        self.set_times()
    }

    /// Times of directories, of several the last. A directory that the archive replaced later has none.
    fn set_times(&mut self) -> Result<(), Failure> {
        self.times_bytes = 0;
        for (path, time) in std::mem::take(&mut self.times) {
            let fail = |errno| Failure::errno("cannot set the time", errno).at(shown(&path));
            let result = if path.is_empty() {
                set_time_at(self.cache.root(), b".", time)
            } else {
                match self.cache.find(parent(&path)) {
                    Ok(dir) => set_dir_time(&dir, base(&path), time),
                    Err(errno) => Err(errno),
                }
            };
            match result {
                Ok(()) | Err(Errno::NOENT | Errno::NOTDIR) => {}
                Err(errno) => return Err(fail(errno)),
            }
        }
        Ok(())
    }
}

fn set_dir_time(dir: &Rc<Dir>, name: &[u8], time: Time) -> Result<(), Errno> {
    if kind_of(&stat_entry(&dir.fd, name)?) == FileType::Directory {
        set_time_at(&dir.fd, name, time)?;
    }
    Ok(())
}

fn is_overlays_own(name: &[u8]) -> bool {
    name.starts_with(b"user.overlay.") || name.starts_with(b"trusted.overlay.")
}

/// Sets the opaque mark; without it the layer would be wrong, so a refusal is an error.
fn mark_opaque(fd: &OwnedFd) -> Result<(), Errno> {
    if is_opaque(fd) {
        return Ok(());
    }
    fsetxattr(fd, OPAQUE, b"y", XattrFlags::empty())
}

pub fn write_all<Fd: AsFd>(fd: Fd, mut data: &[u8]) -> Result<(), Errno> {
    while !data.is_empty() {
        match rustix::io::write(&fd, data) {
            Ok(0) => return Err(Errno::IO),
            Ok(length) => data = &data[length..],
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}
