//! A file that appears whole or not at all: written without a name (O_TMPFILE), synced, then named. A
//! kill leaves nothing. It may compress what is written to it, and says what it became.

use crate::error::Failure;
use crate::layer::stream::hex;
use rustix::fd::{AsRawFd, OwnedFd};
use rustix::fs::{AtFlags, CWD, Mode, OFlags, fsync, linkat, open, renameat, unlinkat};
use rustix::io::Errno;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{Result, Write};
use std::path::{Path, PathBuf};

/// A nameless file and where it will be.
pub struct PendingFile {
    file: File,
    dir: OwnedFd,
    path: PathBuf,
    /// The name it has meanwhile, where the file system knows no nameless files.
    interim: Option<PathBuf>,
}

impl PendingFile {
    pub fn create(path: &Path) -> std::result::Result<Self, Failure> {
        let fail = |errno| Failure::errno("cannot write the file", errno).at(path);
        let parent = path
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        let dir = open(
            parent,
            OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC,
            Mode::empty(),
        )
        .map_err(fail)?;
        let mode = Mode::from_raw_mode(0o644);
        let flags = OFlags::WRONLY | OFlags::CLOEXEC;
        let (fd, interim) = match open(parent, flags | OFlags::TMPFILE, mode) {
            Ok(fd) => (fd, None),
            Err(Errno::OPNOTSUPP | Errno::ISDIR | Errno::NOENT) => {
                let interim = beside(path);
                let fd = open(&interim, flags | OFlags::CREATE | OFlags::EXCL, mode).map_err(fail)?;
                (fd, Some(interim))
            }
            Err(errno) => return Err(fail(errno)),
        };
        Ok(Self {
            file: File::from(fd),
            dir,
            path: path.to_owned(),
            interim,
        })
    }

    /// Syncs the file and gives it its name.
    fn publish(mut self) -> Result<()> {
        fsync(&self.file)?;
        let interim = match self.interim.take() {
            Some(interim) => Some(interim),
            None => self.link()?,
        };
        if let Some(interim) = interim {
            renameat(CWD, &interim, CWD, &self.path)?;
        }
        fsync(&self.dir)?;
        Ok(())
    }

    /// Links the nameless file; where the name is taken, under another one that must replace it.
    fn link(&self) -> Result<Option<PathBuf>> {
        let nameless = format!("/proc/self/fd/{}", self.file.as_raw_fd());
        let link = |to: &Path| linkat(CWD, &nameless, CWD, to, AtFlags::SYMLINK_FOLLOW);
        match link(&self.path) {
            Ok(()) => Ok(None),
            Err(Errno::EXIST) => {
                let interim = beside(&self.path);
                link(&interim)?;
                Ok(Some(interim))
            }
            Err(errno) => Err(errno.into()),
        }
    }
}

impl Drop for PendingFile {
    fn drop(&mut self) {
        if let Some(interim) = &self.interim {
            // Nothing more can be done about a file that does not go.
            let _left = unlinkat(CWD, interim, AtFlags::empty());
        }
    }
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}.tmp", std::process::id()));
    PathBuf::from(name)
}

/// The hashing sink below a possible compressor.
pub struct HashedFile {
    pending: Option<PendingFile>,
    hash: Sha256,
    size: u64,
}

impl HashedFile {
    /// Without a file it only hashes.
    pub fn new(pending: Option<PendingFile>) -> Self {
        Self {
            pending,
            hash: Sha256::new(),
            size: 0,
        }
    }

    /// Publishes the file and gives digest and size.
    pub fn finish(mut self) -> Result<(String, u64)> {
        if let Some(pending) = self.pending.take() {
            pending.publish()?;
        }
        Ok((hex(&self.hash.finalize()), self.size))
    }
}

impl Write for HashedFile {
    fn write(&mut self, data: &[u8]) -> Result<usize> {
        if let Some(pending) = &mut self.pending {
            pending.file.write_all(data)?;
        }
        self.hash.update(data);
        self.size += data.len() as u64;
        Ok(data.len())
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}

/// The blob that `layer unpack` keeps: as it comes, or compressed because it comes plain.
pub enum KeptFile {
    AsIs(HashedFile),
    Compressed(zstd::stream::write::Encoder<'static, HashedFile>),
}

impl KeptFile {
    pub fn create(path: &Path) -> std::result::Result<Self, Failure> {
        Ok(Self::AsIs(HashedFile::new(Some(PendingFile::create(path)?))))
    }

    /// The same, with what is written from now on stored as zstd, level 1.
    pub fn compressed(self) -> Result<Self> {
        match self {
            Self::AsIs(file) => Ok(Self::Compressed(zstd::stream::write::Encoder::new(file, 1)?)),
            Self::Compressed(_) => Ok(self),
        }
    }

    /// Ends the compression. The file still has no name.
    pub fn seal(self) -> Result<HashedFile> {
        match self {
            Self::AsIs(file) => Ok(file),
            Self::Compressed(encoder) => encoder.finish(),
        }
    }
}

impl Write for KeptFile {
    fn write(&mut self, data: &[u8]) -> Result<usize> {
        match self {
            Self::AsIs(file) => file.write(data),
            Self::Compressed(encoder) => encoder.write(data),
        }
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}
