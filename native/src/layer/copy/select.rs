//! Which files of a source tree a COPY takes: .dockerignore rules on paths from the root, `--exclude`
//! rules on paths from the match. The cache key and the copy must choose alike, so both choose here.

use crate::error::Failure;
use crate::layer::pattern::expand::{Style, expand};
use crate::layer::pattern::ignore::{Above, Rules};
use crate::layer::tree::beneath::{base, joined};
use crate::layer::tree::walk::{Listing, open_listed, unreadable};
use rustix::fd::{BorrowedFd, OwnedFd};
use rustix::fs::FileType;

pub struct Selection {
    ignore: Rules,
    exclude: Rules,
    style: Style,
}

/// A place in the walk: its paths and what the rules said about it.
pub struct Place {
    /// From the source root.
    pub path: Vec<u8>,
    /// From the match.
    pub below: Vec<u8>,
    ignored: Above,
    excluded: Above,
}

impl Selection {
    pub fn new(ignore: &[String], exclude: &[String], style: Style) -> Result<Self, Failure> {
        Ok(Self {
            ignore: Rules::parse(ignore)?,
            exclude: Rules::parse(exclude)?,
            style,
        })
    }

    /// The matches of a pattern. A file that is left out is no match.
    pub fn matches(&self, root: BorrowedFd<'_>, pattern: &str) -> Result<Vec<Vec<u8>>, Failure> {
        expand(root, pattern, self.style, &self.ignore)
    }

    /// Whether a match that is no directory is taken.
    pub fn takes_file(&self, path: &[u8]) -> bool {
        !self.ignore.state_of(path).0
            && !self.exclude.state_of(base(path)).0
            && !self.exclude.state_of(path).0
    }

    /// The start of the walk of a directory that matched.
    pub fn start(&self, path: &[u8]) -> Place {
        Place {
            path: path.to_vec(),
            below: Vec::new(),
            ignored: self.ignore.state_of(path).1,
            excluded: Above::default(),
        }
    }

    /// Goes to an entry; none when it is left out.
    pub fn enter(
        &self,
        place: &Place,
        dir: &OwnedFd,
        name: &[u8],
        kind: FileType,
    ) -> Result<Option<Place>, Failure> {
        let mut next = Place {
            path: joined(&place.path, name),
            below: joined(&place.below, name),
            ignored: Above::default(),
            excluded: Above::default(),
        };
        let is_dir = kind == FileType::Directory;
        let ignored = self
            .ignore
            .excludes(&next.path, &place.ignored, is_dir.then_some(&mut next.ignored));
        let excluded =
            self.exclude
                .excludes(&next.below, &place.excluded, is_dir.then_some(&mut next.excluded));
        if !ignored && !excluded {
            return Ok(Some(next));
        }
        let may_return =
            is_dir && (!ignored || self.ignore.may_return()) && (!excluded || self.exclude.may_return());
        if may_return && self.returns_below(&next, dir, name)? {
            return Ok(Some(next));
        }
        Ok(None)
    }

    /// Whether something below a directory that is left out is taken after all.
    fn returns_below(&self, place: &Place, dir: &OwnedFd, name: &[u8]) -> Result<bool, Failure> {
        let dir = open_listed(dir, name).map_err(unreadable(&place.path))?;
        for (name, kind) in Listing::read(&dir).map_err(unreadable(&place.path))?.iter() {
            if self.enter(place, &dir, name, kind)?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
