//! `layer hash`: the content digests that COPY's cache keys are made of.
//!
//! A digest covers, for each entry in the order of a sorted walk: its path below the match, type, mode,
//! xattrs, link target or content, and the owner where the source is an image. It never covers times,
//! nor the name and attributes of the matched directory itself, because COPY takes its contents only.
//! Every field is preceded by its length, so that no two trees give the same bytes.

use crate::error::Failure;
use crate::layer::copy::select::{Place, Selection};
use crate::layer::pattern::expand::Style;
use crate::layer::stream::hex;
use crate::layer::tree::beneath::open_in_root;
use crate::layer::tree::root::{Access, Root, Tree, open_root};
use crate::layer::tree::walk::{
    self, Listing, Xattr, is_whiteout, kind_of, open_file, open_listed, portable_xattrs, read_link,
    stat_entry, stat_fd, unreadable,
};
use rustix::fd::OwnedFd;
use rustix::fs::{FileType, OFlags, Statx};
use rustix::io::Errno;
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    source: Root,
    patterns: Vec<String>,
    #[serde(default)]
    ignore: Vec<String>,
    #[serde(default)]
    exclude: Vec<String>,
    #[serde(default)]
    wildcards: bool,
    #[serde(default)]
    parents: bool,
    #[serde(default)]
    follow_links: bool,
}

struct Hasher<'a> {
    tree: &'a Tree,
    selection: Selection,
    buffer: Vec<u8>,
}

pub fn run(request: &Request) -> Result<Value, Failure> {
    let tree = open_root(&request.source, Access::Read)?;
    let style = Style {
        wildcards: request.wildcards,
        doublestar: request.parents,
    };
    let mut hasher = Hasher {
        tree: &tree,
        selection: Selection::new(&request.ignore, &request.exclude, style)?,
        buffer: vec![0; 256 * 1024],
    };
    let mut entries = Vec::new();
    for pattern in &request.patterns {
        let mut matches = Vec::new();
        for path in hasher.selection.matches(tree.fd(), pattern)? {
            if let Some(digest) = hasher.of_match(&path, request.follow_links)? {
                matches.push(json!({ "path": String::from_utf8_lossy(&path), "digest": digest }));
            }
        }
        entries.push(json!({ "pattern": pattern, "matches": matches }));
    }
    Ok(json!({ "entries": entries }))
}

fn field(hash: &mut Sha256, data: &[u8]) {
    hash.update((data.len() as u64).to_le_bytes());
    hash.update(data);
}

impl Hasher<'_> {
    fn of_match(&mut self, path: &[u8], follow: bool) -> Result<Option<String>, Failure> {
        let fail = unreadable(path);
        let nofollow = if follow { OFlags::empty() } else { OFlags::NOFOLLOW };
        let item = open_in_root(self.tree.fd(), path, OFlags::PATH | nofollow).map_err(&fail)?;
        let stat = stat_fd(&item).map_err(&fail)?;
        if self.tree.raw_layer && is_whiteout(&stat) {
            return Ok(None);
        }
        let mut hash = Sha256::new();
        match kind_of(&stat) {
            FileType::Directory => {
                let dir = open_listed(&item, b"").map_err(&fail)?;
                hash.update(b"tree\0");
                self.below(&mut hash, &dir, &self.selection.start(path), 0)?;
            }
            _ if !self.selection.takes_file(path) => return Ok(None),
            FileType::RegularFile => {
                let file =
                    open_in_root(self.tree.fd(), path, OFlags::RDONLY | OFlags::NONBLOCK).map_err(&fail)?;
                self.file(&mut hash, &file, path)?;
            }
            kind => {
                let link = if kind == FileType::Symlink {
                    read_link(&item, b"").map_err(&fail)?
                } else {
                    Vec::new()
                };
                self.describe(&mut hash, &stat, &[]);
                field(&mut hash, &link);
            }
        }
        Ok(Some(hex(&hash.finalize())))
    }

    fn below(
        &mut self,
        hash: &mut Sha256,
        dir: &OwnedFd,
        place: &Place,
        depth: usize,
    ) -> Result<(), Failure> {
        if depth > walk::MAX_DEPTH {
            return Err(walk::too_deep(&place.path));
        }
        for (name, kind) in Listing::read(dir).map_err(unreadable(&place.path))?.iter() {
            let Some(next) = self.selection.enter(place, dir, name, kind)? else {
                continue;
            };
            match self.entry(hash, dir, name, kind, &next, depth) {
                // Taken away since the listing.
                Err(failure) if failure.errno == Some(Errno::NOENT) => {}
                result => result?,
            }
        }
        Ok(())
    }

    fn entry(
        &mut self,
        hash: &mut Sha256,
        dir: &OwnedFd,
        name: &[u8],
        kind: FileType,
        place: &Place,
        depth: usize,
    ) -> Result<(), Failure> {
        let fail = unreadable(&place.path);
        match kind {
            FileType::RegularFile => {
                let file = open_file(dir, name).map_err(&fail)?;
                field(hash, &place.below);
                self.file(hash, &file, &place.path)
            }
            FileType::Directory => {
                let below = open_listed(dir, name).map_err(&fail)?;
                let stat = stat_fd(&below).map_err(&fail)?;
                field(hash, &place.below);
                let xattrs = portable_xattrs(&below).map_err(&fail)?;
                self.describe(hash, &stat, &xattrs);
                self.below(hash, &below, place, depth + 1)
            }
            _ => {
                let stat = stat_entry(dir, name).map_err(&fail)?;
                if kind_of(&stat) == FileType::Socket || self.tree.raw_layer && is_whiteout(&stat) {
                    return Ok(());
                }
                field(hash, &place.below);
                self.describe(hash, &stat, &[]);
                if kind_of(&stat) == FileType::Symlink {
                    field(hash, &read_link(dir, name).map_err(&fail)?);
                }
                Ok(())
            }
        }
    }

    fn describe(&self, hash: &mut Sha256, stat: &Statx, xattrs: &[Xattr]) {
        let symlink = kind_of(stat) == FileType::Symlink;
        let mode = if symlink {
            0o120_777
        } else {
            u32::from(stat.stx_mode)
        };
        hash.update(mode.to_le_bytes());
        if self.tree.owned {
            hash.update(stat.stx_uid.to_le_bytes());
            hash.update(stat.stx_gid.to_le_bytes());
        }
        if matches!(kind_of(stat), FileType::CharacterDevice | FileType::BlockDevice) {
            hash.update(stat.stx_rdev_major.to_le_bytes());
            hash.update(stat.stx_rdev_minor.to_le_bytes());
        }
        hash.update((xattrs.len() as u64).to_le_bytes());
        for (name, value) in xattrs {
            field(hash, name);
            field(hash, value);
        }
    }

    /// Attributes, size and the digest of the content.
    fn file(&mut self, hash: &mut Sha256, file: &OwnedFd, path: &[u8]) -> Result<(), Failure> {
        let fail = unreadable(path);
        let stat = stat_fd(file).map_err(&fail)?;
        let xattrs = portable_xattrs(file).map_err(&fail)?;
        self.describe(hash, &stat, &xattrs);
        let mut content = Sha256::new();
        let mut size = 0_u64;
        loop {
            match rustix::io::read(file, &mut self.buffer[..]) {
                Ok(0) => break,
                Ok(length) => {
                    content.update(&self.buffer[..length]);
                    size += length as u64;
                    if length < self.buffer.len() && size >= stat.stx_size {
                        break;
                    }
                }
                Err(Errno::INTR) => {}
                Err(errno) => return Err(fail(errno)),
            }
        }
        hash.update(size.to_le_bytes());
        hash.update(content.finalize());
        Ok(())
    }
}
