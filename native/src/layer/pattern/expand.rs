//! From a source argument of COPY or ADD to the paths beneath the source root that it names.

use crate::error::{Failure, Kind};
use crate::layer::pattern::glob::{has_wildcards, matches};
use crate::layer::pattern::ignore::Rules;
use crate::layer::tree::beneath::{clean, joined, open_in_root, shown};
use crate::layer::tree::walk::{Listing, open_listed, unreadable};
use rustix::fd::BorrowedFd;
use rustix::fs::{FileType, OFlags};
use rustix::io::Errno;
use std::collections::HashSet;

/// How patterns are read.
#[derive(Debug, Clone, Copy)]
pub struct Style {
    pub wildcards: bool,
    /// `**` crosses directories (with `--parents`).
    pub doublestar: bool,
}

/// The matches of a pattern that are not ignored, sorted. Links on the way are followed in the root.
pub fn expand(
    root: BorrowedFd<'_>,
    pattern: &str,
    style: Style,
    ignore: &Rules,
) -> Result<Vec<Vec<u8>>, Failure> {
    let cleaned = clean(pattern.as_bytes());
    let mut found = Vec::new();
    if style.wildcards && has_wildcards(&cleaned) {
        let parts: Vec<&[u8]> = cleaned.split(|byte| *byte == b'/').collect();
        let seen = HashSet::new();
        let mut search = Search {
            root,
            pattern,
            style,
            seen,
        };
        search.below(b"", &parts, &mut found, 0)?;
    } else {
        match open_in_root(root, &cleaned, OFlags::PATH) {
            Ok(_) => found.push(cleaned),
            // A link that leads nowhere is not there to be copied.
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => {}
            Err(errno) => return Err(unreadable(&cleaned)(errno)),
        }
    }
    found.sort();
    found.dedup();
    found.retain(|path| ignore.may_return() || !ignore.state_of(path).0);
    Ok(found)
}

struct Search<'a> {
    root: BorrowedFd<'a>,
    pattern: &'a str,
    style: Style,
    /// Where several `**` have been already, and with how many parts to go: each place once, however many ways lead there.
    seen: HashSet<(Vec<u8>, usize)>,
}

impl Search<'_> {
    fn below(
        &mut self,
        path: &[u8],
        parts: &[&[u8]],
        found: &mut Vec<Vec<u8>>,
        depth: usize,
    ) -> Result<(), Failure> {
        let Some((part, rest)) = parts.split_first() else {
            if open_in_root(self.root, path, OFlags::PATH).is_ok() {
                found.push(path.to_vec());
            }
            return Ok(());
        };
        if !has_wildcards(part) {
            return self.below(&joined(path, part), rest, found, depth);
        }
        if depth > 255 {
            return Err(crate::layer::tree::walk::too_deep(path));
        }
        let any_depth = self.style.doublestar && *part == b"**";
        if any_depth && !self.seen.insert((path.to_vec(), parts.len())) {
            return Ok(());
        }
        if any_depth && !rest.is_empty() {
            self.below(path, rest, found, depth)?;
        }
        let dir = match open_in_root(self.root, path, OFlags::RDONLY | OFlags::DIRECTORY) {
            Ok(dir) => dir,
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => return Ok(()),
            Err(errno) => return Err(unreadable(path)(errno)),
        };
        for (name, kind) in Listing::read(&dir).map_err(unreadable(path))?.iter() {
            let next = joined(path, name);
            if any_depth {
                // Links are not followed here, so there is no loop.
                if kind == FileType::Directory && open_listed(&dir, name).is_ok() {
                    self.below(&next, parts, found, depth + 1)?;
                }
                if rest.is_empty() {
                    found.push(next);
                }
                continue;
            }
            let hit = matches(part, name).map_err(|_| {
                Failure::new(
                    Kind::Invalid,
                    format!("\"{}\" is a malformed pattern", self.pattern),
                )
                .at(shown(path))
            })?;
            if hit {
                self.below(&next, rest, found, depth + 1)?;
            }
        }
        Ok(())
    }
}
