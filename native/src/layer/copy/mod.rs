//! `layer copy`: COPY's and ADD's semantics. A directory's contents are copied, a file goes into the
//! destination when that is a directory, links are copied as links; the destination is resolved
//! beneath the target root, links followed there.

pub mod chmod;
pub mod select;
mod writer;

use crate::error::{Failure, Kind};
use crate::layer::extract::Extractor;
use crate::layer::pattern::expand::Style;
use crate::layer::policy::Policy;
use crate::layer::stream::decompressor;
use crate::layer::tar::BLOCK;
use crate::layer::tar::read::{Reader, check_sum};
use crate::layer::tree::attrs::Identity;
use crate::layer::tree::beneath::{NewDir, base, clean, ensure_dir, open_in_root, parent, resolve, shown};
use crate::layer::tree::root::{Access, Root, Tree, open_root};
use crate::layer::tree::walk::{
    self, Listing, is_whiteout, kind_of, open_listed, stat_entry, stat_fd, unreadable,
};
use crate::layer::user;
use chmod::Change;
use rustix::fd::OwnedFd;
use rustix::fs::{FileType, OFlags};
use rustix::io::Errno;
use select::{Place, Selection};
use serde::Deserialize;
use serde_json::{Value, json};
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use writer::{Folder, OpenDir, Writer};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    source: Root,
    target: Root,
    items: Vec<Item>,
    #[serde(default)]
    ignore: Vec<String>,
    #[serde(default)]
    exclude: Vec<String>,
    #[serde(default)]
    wildcards: bool,
    chown: Option<String>,
    chmod: Option<String>,
    #[serde(default)]
    dest_is_dir: bool,
    #[serde(default)]
    unpack_archives: bool,
    #[serde(default)]
    parents: bool,
    #[serde(default)]
    keep_owner: bool,
    mtime: Option<i64>,
    /// A directory that is copied gives its own owner, mode and times to the destination (a volume that
    /// takes over an image's directory).
    #[serde(default)]
    top_attributes: bool,
}

#[derive(Debug, Deserialize)]
struct Item {
    pattern: String,
    dest: String,
}

struct Copier<'a> {
    source: &'a Tree,
    target: &'a Tree,
    request: &'a Request,
    selection: Selection,
    writer: Writer,
    new_dir: NewDir,
}

pub fn run(request: &Request) -> Result<Value, Failure> {
    let source = open_root(&request.source, Access::Read)?;
    let target = open_root(&request.target, Access::Volatile)?;
    let result = copy(request, &source, &target);
    let closed = target.close();
    let answer = result?;
    closed?;
    Ok(answer)
}

fn copy(request: &Request, source: &Tree, target: &Tree) -> Result<Value, Failure> {
    let owner = match &request.chown {
        Some(spec) => Some(user::resolve(target.fd(), spec)?),
        None => None,
    };
    let style = Style {
        wildcards: request.wildcards,
        doublestar: request.parents,
    };
    let mut copier = Copier {
        source,
        target,
        request,
        selection: Selection::new(&request.ignore, &request.exclude, style)?,
        writer: Writer::new(
            Identity::of_process(),
            owner.or((!request.keep_owner).then_some((0, 0))),
            request.chmod.as_deref().map(Change::parse).transpose()?,
            request.mtime,
        ),
        new_dir: NewDir { owner, mode: 0o755 },
    };
    for item in &request.items {
        copier.item(item)?;
    }
    Ok(json!({ "files": copier.writer.files, "bytes": copier.writer.bytes }))
}

impl Copier<'_> {
    fn item(&mut self, item: &Item) -> Result<(), Failure> {
        let mut matches = Vec::new();
        for path in self.selection.matches(self.source.fd(), &item.pattern)? {
            let found = open_in_root(self.source.fd(), &path, OFlags::PATH).map_err(unreadable(&path))?;
            let stat = stat_fd(&found).map_err(unreadable(&path))?;
            let is_dir = kind_of(&stat) == FileType::Directory;
            if is_dir || (self.selection.takes_file(&path) && !(self.source.raw_layer && is_whiteout(&stat)))
            {
                matches.push((path, found, kind_of(&stat)));
            }
        }
        if matches.is_empty() {
            let message = format!("{}: not found, or left out by the ignore file", item.pattern);
            return Err(Failure::new(Kind::NotFound, message).at(shown(&clean(item.pattern.as_bytes()))));
        }
        let several = matches.len() > 1
            || self
                .request
                .items
                .iter()
                .filter(|other| other.dest == item.dest)
                .count()
                > 1;
        let written_as_dir =
            item.dest.is_empty() || item.dest.ends_with('/') || item.dest.ends_with("/.") || item.dest == ".";
        let dest = clean(item.dest.as_bytes());
        let dest_is_dir =
            self.request.dest_is_dir || self.request.parents || written_as_dir || self.is_dir(&dest);
        if several && !dest_is_dir {
            return Err(Failure::new(
                Kind::Invalid,
                "with more than one source the destination must be a directory and end with a /",
            )
            .at(shown(&dest)));
        }
        for (path, found, kind) in matches {
            let dest = self.with_parents(&item.pattern, &path, &dest)?;
            if kind == FileType::Directory {
                let folder = self.folder(&dest)?;
                let dir = open_listed(&found, b"").map_err(unreadable(&path))?;
                let place = self.selection.start(&path);
                self.contents(&dir, &place, &folder, 0)?;
                if self.request.top_attributes {
                    self.writer.finish_dir(&dir, &OpenDir::existing(folder)?)?;
                }
            } else {
                self.single(&path, kind, &dest, dest_is_dir)?;
            }
        }
        Ok(())
    }

    fn is_dir(&self, dest: &[u8]) -> bool {
        open_in_root(self.target.fd(), dest, OFlags::PATH | OFlags::DIRECTORY).is_ok()
    }

    /// The destination directory, made when missing.
    fn folder(&self, dest: &[u8]) -> Result<Folder, Failure> {
        let made = ensure_dir(self.target.fd(), dest, self.new_dir)?;
        let folder = Folder::new(made.fd, made.path)?;
        if made.created {
            self.writer.clamp_new_dir(&folder)?;
        }
        Ok(folder)
    }

    /// With `--parents`, the source's directories (after a `/./`) are made below the destination too.
    fn with_parents(&mut self, pattern: &str, path: &[u8], dest: &[u8]) -> Result<Vec<u8>, Failure> {
        if !self.request.parents {
            return Ok(dest.to_vec());
        }
        let pivot = pattern.rfind("/./").map_or(0, |at| {
            clean(&pattern.as_bytes()[..at])
                .split(|byte| *byte == b'/')
                .filter(|part| !part.is_empty())
                .count()
        });
        let is_dir = open_in_root(self.source.fd(), path, OFlags::PATH | OFlags::DIRECTORY).is_ok();
        let dirs = if is_dir { path } else { parent(path) };
        let mut from: Vec<u8> = Vec::new();
        let mut folder = self.folder(dest)?;
        for (at, part) in dirs
            .split(|byte| *byte == b'/')
            .filter(|part| !part.is_empty())
            .enumerate()
        {
            crate::layer::tree::beneath::join_into(&mut from, part);
            if at < pivot {
                continue;
            }
            let dir = open_in_root(self.source.fd(), &from, OFlags::RDONLY | OFlags::DIRECTORY)
                .map_err(unreadable(&from))?;
            let next = self.writer.open_dir(self.target.fd(), &folder, part)?;
            self.writer.finish_dir(&dir, &next)?;
            folder = next.folder;
        }
        Ok(folder.path)
    }

    /// A source that is no directory.
    fn single(&mut self, path: &[u8], kind: FileType, dest: &[u8], dest_is_dir: bool) -> Result<(), Failure> {
        let above = open_in_root(self.source.fd(), parent(path), OFlags::RDONLY | OFlags::DIRECTORY)
            .map_err(unreadable(path))?;
        if kind != FileType::RegularFile {
            let folder = self.folder(if dest_is_dir { dest } else { parent(dest) })?;
            let name = if dest_is_dir { base(path) } else { base(dest) };
            let stat = stat_entry(&above, base(path)).map_err(unreadable(path))?;
            return self.writer.node(&above, base(path), &stat, &folder, name);
        }
        let file = open_in_root(self.source.fd(), path, OFlags::RDONLY | OFlags::NONBLOCK)
            .map_err(unreadable(path))?;
        if self.request.unpack_archives
            && let Some(archive) = archive_of(&file, path)?
        {
            return self.unpack(archive, path, dest);
        }
        if dest_is_dir {
            return self.writer.file(&file, path, &self.folder(dest)?, base(path));
        }
        let real = resolve(self.target.fd(), dest)?;
        if real.is_empty() {
            return Err(Failure::new(Kind::Invalid, "the destination is no file").at(shown(dest)));
        }
        self.writer
            .file(&file, path, &self.folder(parent(&real))?, base(&real))
    }

    fn unpack(&mut self, archive: File, path: &[u8], dest: &[u8]) -> Result<(), Failure> {
        let folder = self.folder(dest)?;
        let policy = Policy {
            owner: self.new_dir.owner,
            latest: self.request.mtime,
            ..Policy::default()
        };
        let refused = |failure: Failure| match failure.path {
            None => failure.at(shown(path)),
            Some(_) => failure,
        };
        let (tar, _) = decompressor(BufReader::with_capacity(128 * 1024, archive))
            .map_err(|error| crate::layer::tar::read::broken(&error).at(shown(path)))?;
        let mut extractor = Extractor::new(self.target.fd(), &folder.path, policy);
        extractor
            .run(&mut Reader::new(BufReader::with_capacity(128 * 1024, tar)))
            .map_err(refused)?;
        self.writer.files += extractor.tally.files;
        self.writer.bytes += extractor.tally.bytes;
        Ok(())
    }

    fn contents(
        &mut self,
        dir: &OwnedFd,
        place: &Place,
        folder: &Folder,
        depth: usize,
    ) -> Result<(), Failure> {
        if depth > walk::MAX_DEPTH {
            return Err(walk::too_deep(&place.path));
        }
        for (name, kind) in Listing::read(dir).map_err(unreadable(&place.path))?.iter() {
            let Some(next) = self.selection.enter(place, dir, name, kind)? else {
                continue;
            };
            match kind {
                FileType::RegularFile => match walk::open_file(dir, name) {
                    Ok(file) => self.writer.file(&file, &next.path, folder, name)?,
                    // Taken away since the listing.
                    Err(Errno::NOENT) => {}
                    Err(errno) => return Err(unreadable(&next.path)(errno)),
                },
                FileType::Directory => {
                    let below = open_listed(dir, name).map_err(unreadable(&next.path))?;
                    let target = self.writer.open_dir(self.target.fd(), folder, name)?;
                    self.contents(&below, &next, &target.folder, depth + 1)?;
                    self.writer.finish_dir(&below, &target)?;
                }
                _ => {
                    let stat = stat_entry(dir, name).map_err(unreadable(&next.path))?;
                    if !(self.source.raw_layer && is_whiteout(&stat)) {
                        self.writer.node(dir, name, &stat, folder, name)?;
                    }
                }
            }
        }
        Ok(())
    }
}

/// The file again, when it is a tar in a form that ADD unpacks. A compressed file that holds no tar is
/// an ordinary file; a tar in a form that is not built in is an error.
fn archive_of(file: &OwnedFd, path: &[u8]) -> Result<Option<File>, Failure> {
    let fail =
        |error: std::io::Error| Failure::new(Kind::Internal, format!("cannot read: {error}")).at(shown(path));
    let mut file = File::from(file.try_clone().map_err(fail)?);
    let mut start = [0_u8; 8];
    let mut read = 0;
    while read < start.len() {
        match file.read(&mut start[read..]).map_err(fail)? {
            0 => break,
            length => read += length,
        }
    }
    file.seek(SeekFrom::Start(0)).map_err(fail)?;
    if let crate::layer::stream::Magic::Other(form) = crate::layer::stream::magic(&start[..read]) {
        return Err(Failure::new(
            Kind::NotImplemented,
            format!("ADD cannot unpack {form} archives yet: recompress it with gzip or zstd, or use COPY"),
        )
        .at(shown(path)));
    }
    let mut block = [0_u8; BLOCK];
    let held = match decompressor(BufReader::new(&file)) {
        Ok((mut tar, _)) => tar.read_exact(&mut block).is_ok(),
        Err(_) => false,
    };
    let is_tar = held && block[0] != 0 && check_sum(&block).is_ok();
    file.seek(SeekFrom::Start(0)).map_err(fail)?;
    Ok(is_tar.then_some(file))
}
