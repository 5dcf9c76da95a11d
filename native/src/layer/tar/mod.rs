//! The tar format, read from and written to byte streams. Knows nothing of file systems.

pub mod pax;
pub mod read;
pub mod sparse;
pub mod write;

use crate::layer::tree::walk::Xattr;

pub const BLOCK: usize = 512;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Kind {
    #[default]
    File,
    HardLink,
    Symlink,
    Char,
    Block,
    Dir,
    Fifo,
}

/// One entry. A reader fills the same value again and again, so that its buffers are kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Head {
    /// As written in the archive: not clean.
    pub path: Vec<u8>,
    /// The target of a link.
    pub link: Vec<u8>,
    pub kind: Kind,
    /// Permission and set-id bits.
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
    /// Bytes of data that follow in the archive.
    pub size: u64,
    pub mtime: (i64, u32),
    pub major: u32,
    pub minor: u32,
    pub xattrs: Vec<Xattr>,
    pub sparse: Option<sparse::Map>,
}

impl Head {
    pub fn clear(&mut self) {
        self.path.clear();
        self.link.clear();
        self.kind = Kind::File;
        self.mode = 0;
        self.uid = 0;
        self.gid = 0;
        self.size = 0;
        self.mtime = (0, 0);
        self.major = 0;
        self.minor = 0;
        self.xattrs.clear();
        self.sparse = None;
    }

    /// The size of the file once unpacked.
    pub fn real_size(&self) -> u64 {
        self.sparse.as_ref().map_or(self.size, |map| map.size)
    }
}

#[cfg(test)]
mod tests;
