//! A container's cgroup on v1 (one directory per controller), v2, or none where nothing is writable.

use super::spec::Resources;
use crate::error::{Failure, Kind};
use serde::{Deserialize, Serialize};

/// Where a container's processes are counted and limited. Serialisable, so that another process can
/// take it up again.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Cgroup {
    /// Controller name (v1; several for a co-mounted one) and absolute directory; v2: one entry
    /// with an empty name.
    pub(crate) dirs: Vec<(String, std::path::PathBuf)>,
    pub(crate) version: u8,
}

/// One reading, the shape of docs/native.md `stats`.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Stats {
    pub cpu: CpuStats,
    pub memory: MemoryStats,
    pub pids: PidsStats,
    pub blkio: Vec<BlkioEntry>,
}

#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CpuStats {
    pub usage_ns: u64,
    pub user_ns: u64,
    pub system_ns: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_cpu_ns: Option<Vec<u64>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub throttling: Option<Throttling>,
}

#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Throttling {
    pub periods: u64,
    pub throttled_periods: u64,
    pub throttled_ns: u64,
}

/// Bytes; limit None: unlimited.
#[derive(Debug, Clone, Default, Serialize)]
pub struct MemoryStats {
    pub usage: u64,
    pub limit: Option<u64>,
    pub stats: std::collections::BTreeMap<String, u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failcnt: Option<u64>,
}

#[derive(Debug, Clone, Default, Serialize)]
pub struct PidsStats {
    pub current: u64,
    pub limit: Option<u64>,
}

#[derive(Debug, Clone, Default, Serialize)]
pub struct BlkioEntry {
    pub op: String,
    pub major: u64,
    pub minor: u64,
    pub value: u64,
}

fn not_yet<T>() -> Result<T, Failure> {
    Err(Failure::new(Kind::NotImplemented, "cgroups are not built yet"))
}

impl Cgroup {
    /// Writes limits; what the host cannot enforce is left out.
    pub fn update(&self, _resources: &Resources) -> Result<(), Failure> {
        not_yet()
    }
    pub fn freeze(&self) -> Result<(), Failure> {
        not_yet()
    }
    pub fn thaw(&self) -> Result<(), Failure> {
        not_yet()
    }
    pub fn frozen(&self) -> bool {
        false
    }
    /// Kills every process of the cgroup with `signal` (KILL: until it is empty, at most 2 s).
    pub fn kill_all(&self, _signal: i32) -> Result<(), Failure> {
        not_yet()
    }
    pub fn stats(&self) -> Result<Stats, Failure> {
        not_yet()
    }
    pub fn oom_kill_count(&self) -> u64 {
        0
    }
    /// Removes the directories; not an error when they are gone.
    pub fn remove(&self) -> Result<(), Failure> {
        not_yet()
    }
    pub fn procs(&self) -> Result<Vec<i32>, Failure> {
        not_yet()
    }
}
