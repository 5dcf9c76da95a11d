//! `layer changes`: what an upper directory changes in the tree below it, as docker diff tells it.

use crate::error::Failure;
use crate::layer::tree::beneath::{join_into, open_in_root, parent, shown};
use crate::layer::tree::root::{Access, Root, Tree, open_dir, open_root};
use crate::layer::tree::walk::{
    self, Listing, is_whiteout, kind_of, open_listed, stat_entry, stat_fd, unreadable,
};
use rustix::fd::OwnedFd;
use rustix::fs::{FileType, OFlags, Statx};
use rustix::io::Errno;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;

#[derive(Debug, Deserialize)]
pub struct Request {
    lowers: Vec<PathBuf>,
    upper: PathBuf,
}

const MODIFIED: u8 = 0;
const ADDED: u8 = 1;
const DELETED: u8 = 2;

struct Comparison {
    lower: Option<Tree>,
    found: BTreeMap<Vec<u8>, u8>,
}

pub fn run(request: &Request) -> Result<Value, Failure> {
    let upper = open_dir(&request.upper)?;
    let lower = if request.lowers.is_empty() {
        None
    } else {
        let root = Root::Overlay {
            ids: None,
            lowers: request.lowers.clone(),
            upper: None,
            work: None,
        };
        Some(open_root(&root, Access::Read)?)
    };
    let mut comparison = Comparison {
        lower,
        found: BTreeMap::new(),
    };
    comparison.below(&upper, &mut Vec::new(), 0)?;
    let changes: Vec<Value> = comparison
        .found
        .iter()
        .map(|(path, kind)| json!({ "path": shown(path).to_string_lossy(), "kind": kind }))
        .collect();
    Ok(json!({ "changes": changes }))
}

impl Comparison {
    fn lower(&self, path: &[u8]) -> Result<Option<Statx>, Failure> {
        let Some(tree) = &self.lower else { return Ok(None) };
        match open_in_root(tree.fd(), path, OFlags::PATH | OFlags::NOFOLLOW).and_then(stat_fd) {
            Ok(stat) if tree.raw_layer && is_whiteout(&stat) => Ok(None),
            Ok(stat) => Ok(Some(stat)),
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => Ok(None),
            Err(errno) => Err(unreadable(path)(errno)),
        }
    }

    fn below(&mut self, dir: &OwnedFd, path: &mut Vec<u8>, depth: usize) -> Result<(), Failure> {
        if depth > walk::MAX_DEPTH {
            return Err(walk::too_deep(path));
        }
        for (name, _) in Listing::read(dir).map_err(unreadable(path))?.iter() {
            let length = path.len();
            join_into(path, name);
            self.entry(dir, name, path, depth)?;
            path.truncate(length);
        }
        Ok(())
    }

    fn entry(&mut self, dir: &OwnedFd, name: &[u8], path: &mut Vec<u8>, depth: usize) -> Result<(), Failure> {
        let stat = match stat_entry(dir, name) {
            Err(Errno::NOENT) => return Ok(()),
            result => result.map_err(unreadable(path))?,
        };
        let below = self.lower(path)?;
        if is_whiteout(&stat) {
            if below.is_some() {
                self.add(path, DELETED);
            }
            return Ok(());
        }
        let both_dirs = kind_of(&stat) == FileType::Directory
            && below
                .as_ref()
                .is_some_and(|below| kind_of(below) == FileType::Directory);
        match &below {
            None => self.add(path, ADDED),
            Some(below) if both_dirs && same_dir(&stat, below) => {}
            Some(_) => self.add(path, MODIFIED),
        }
        if kind_of(&stat) == FileType::Directory {
            match open_listed(dir, name) {
                Ok(fd) => self.below(&fd, path, depth + 1)?,
                Err(Errno::NOENT) => {}
                Err(errno) => return Err(unreadable(path)(errno)),
            }
        }
        Ok(())
    }

    /// Records a change, and its parents as modified where they are not recorded.
    fn add(&mut self, path: &[u8], kind: u8) {
        let mut above = parent(path);
        while !above.is_empty() && !self.found.contains_key(above) {
            self.found.insert(above.to_vec(), MODIFIED);
            above = parent(above);
        }
        self.found.insert(path.to_vec(), kind);
    }
}

fn same_dir(a: &Statx, b: &Statx) -> bool {
    (
        a.stx_mode,
        a.stx_uid,
        a.stx_gid,
        a.stx_mtime.tv_sec,
        a.stx_mtime.tv_nsec,
    ) == (
        b.stx_mode,
        b.stx_uid,
        b.stx_gid,
        b.stx_mtime.tv_sec,
        b.stx_mtime.tv_nsec,
    )
}
