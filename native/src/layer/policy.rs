//! How an archive is unpacked: owners, limits and forms, and the count of what was done.

use crate::error::{Failure, Kind as ErrorKind};
use crate::layer::tar::Head;
use serde::Deserialize;

/// How entries become files.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    pub overlay: bool,
    /// An entry may not turn a directory into something else, nor the other way round.
    pub keep_types: bool,
    /// Owners that cannot be had are left out: nobody looks at those of a build context.
    pub lenient_owners: bool,
    /// Every entry gets this owner.
    pub owner: Option<(u32, u32)>,
    pub id_map: Option<IdMap>,
    /// No time is later than this.
    pub latest: Option<i64>,
    pub limits: Limits,
}

impl Policy {
    /// The owner that an entry gets.
    pub fn owner_of(&self, head: &Head) -> Result<(u32, u32), Failure> {
        match (self.owner, &self.id_map) {
            (Some(owner), _) => Ok(owner),
            (None, Some(map)) => Ok((mapped(&map.uids, head.uid)?, mapped(&map.gids, head.gid)?)),
            (None, None) => Ok((head.uid, head.gid)),
        }
    }
}

#[derive(Debug, Clone, Copy, Deserialize)]
pub struct Limits {
    pub bytes: u64,
    pub entries: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes: 256 << 30,
            entries: 10_000_000,
        }
    }
}

/// Ids of the archive and what they become.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct IdMap {
    #[serde(default)]
    uids: Vec<IdRange>,
    #[serde(default)]
    gids: Vec<IdRange>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
struct IdRange {
    #[serde(alias = "containerID", alias = "containerId")]
    container: u32,
    #[serde(alias = "hostID", alias = "hostId")]
    host: u32,
    size: u32,
}

fn mapped(ranges: &[IdRange], id: u32) -> Result<u32, Failure> {
    if ranges.is_empty() {
        return Ok(id);
    }
    ranges
        .iter()
        .find(|range| id >= range.container && id - range.container < range.size)
        .and_then(|range| range.host.checked_add(id - range.container))
        .ok_or_else(|| Failure::new(ErrorKind::Invalid, format!("id {id} is not in the id map")))
}

/// What was written.
#[derive(Debug, Default, Clone, Copy)]
pub struct Tally {
    pub entries: u64,
    pub files: u64,
    /// Sizes of the regular files.
    pub bytes: u64,
    pub skipped_devices: u64,
}
