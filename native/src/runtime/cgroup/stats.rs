//! Reads a cgroup's counters into the shape of docs/native.md `stats`. A counter that is not there
//! reads as zero or is left out.

use super::super::files::read_kernel_at;
use super::Cgroup;
use rustix::fs::CWD;
use serde::Serialize;
use std::collections::BTreeMap;

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
    pub stats: BTreeMap<String, u64>,
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

pub fn read(cgroup: &Cgroup) -> Stats {
    let reader = Reader { cgroup };
    let v2 = cgroup.version == 2;
    Stats {
        cpu: if v2 { reader.cpu_v2() } else { reader.cpu_v1() },
        memory: if v2 {
            reader.memory_v2()
        } else {
            reader.memory_v1()
        },
        pids: PidsStats {
            current: reader.number("pids", "pids.current").unwrap_or(0),
            limit: reader.number("pids", "pids.max"),
        },
        blkio: if v2 { reader.io_v2() } else { reader.blkio_v1() },
    }
}

struct Reader<'a> {
    cgroup: &'a Cgroup,
}

impl Reader<'_> {
    fn text(&self, controller: &str, file: &str) -> Option<String> {
        read_kernel_at(CWD, self.cgroup.directory(controller)?.join(file)).ok()
    }

    /// None for "max" too.
    fn number(&self, controller: &str, file: &str) -> Option<u64> {
        self.text(controller, file)?.trim().parse().ok()
    }

    fn table(&self, controller: &str, file: &str) -> BTreeMap<String, u64> {
        let text = self.text(controller, file).unwrap_or_default();
        let pair = |line: &str| {
            let (key, value) = line.split_once(' ')?;
            Some((key.to_owned(), value.trim().parse().ok()?))
        };
        text.lines().filter_map(pair).collect()
    }

    fn cpu_v1(&self) -> CpuStats {
        // cpuacct.stat counts in USER_HZ, which is 100 on every Linux architecture of ours.
        let tick = 10_000_000;
        let split = self.table("cpuacct", "cpuacct.stat");
        let throttle = self.table("cpu", "cpu.stat");
        let get = |table: &BTreeMap<String, u64>, key: &str| table.get(key).copied().unwrap_or(0);
        CpuStats {
            usage_ns: self.number("cpuacct", "cpuacct.usage").unwrap_or(0),
            user_ns: get(&split, "user") * tick,
            system_ns: get(&split, "system") * tick,
            per_cpu_ns: self.text("cpuacct", "cpuacct.usage_percpu").map(|text| {
                text.split_whitespace()
                    .filter_map(|word| word.parse().ok())
                    .collect()
            }),
            throttling: throttle.contains_key("nr_periods").then(|| Throttling {
                periods: get(&throttle, "nr_periods"),
                throttled_periods: get(&throttle, "nr_throttled"),
                throttled_ns: get(&throttle, "throttled_time"),
            }),
        }
    }

    fn cpu_v2(&self) -> CpuStats {
        let table = self.table("cpu", "cpu.stat");
        let get = |key: &str| table.get(key).copied().unwrap_or(0);
        CpuStats {
            usage_ns: get("usage_usec") * 1000,
            user_ns: get("user_usec") * 1000,
            system_ns: get("system_usec") * 1000,
            per_cpu_ns: None,
            throttling: table.contains_key("nr_periods").then(|| Throttling {
                periods: get("nr_periods"),
                throttled_periods: get("nr_throttled"),
                throttled_ns: get("throttled_usec") * 1000,
            }),
        }
    }

    fn memory_v1(&self) -> MemoryStats {
        // "Unlimited" is the largest multiple of a page in an i64.
        let limit = self
            .number("memory", "memory.limit_in_bytes")
            .filter(|limit| *limit < (1 << 62));
        MemoryStats {
            usage: self.number("memory", "memory.usage_in_bytes").unwrap_or(0),
            limit,
            stats: self.table("memory", "memory.stat"),
            failcnt: self.number("memory", "memory.failcnt"),
        }
    }

    fn memory_v2(&self) -> MemoryStats {
        MemoryStats {
            usage: self.number("memory", "memory.current").unwrap_or(0),
            limit: self.number("memory", "memory.max"),
            stats: self.table("memory", "memory.stat"),
            failcnt: self.table("memory", "memory.events").get("max").copied(),
        }
    }

    fn blkio_v1(&self) -> Vec<BlkioEntry> {
        let text = self
            .text("blkio", "blkio.throttle.io_service_bytes_recursive")
            .or_else(|| self.text("blkio", "blkio.throttle.io_service_bytes"))
            .unwrap_or_default();
        let entry = |line: &str| {
            let mut words = line.split_whitespace();
            let (major, minor) = device(words.next()?)?;
            Some(BlkioEntry {
                op: words.next()?.to_lowercase(),
                major,
                minor,
                value: words.next()?.parse().ok()?,
            })
        };
        text.lines().filter_map(entry).collect()
    }

    fn io_v2(&self) -> Vec<BlkioEntry> {
        let mut entries = Vec::new();
        for line in self.text("io", "io.stat").unwrap_or_default().lines() {
            let mut words = line.split_whitespace();
            let Some((major, minor)) = words.next().and_then(device) else {
                continue;
            };
            for word in words {
                let op = match word.split_once('=') {
                    Some(("rbytes", value)) => ("read", value),
                    Some(("wbytes", value)) => ("write", value),
                    _ => continue,
                };
                if let Ok(value) = op.1.parse() {
                    entries.push(BlkioEntry {
                        op: op.0.to_owned(),
                        major,
                        minor,
                        value,
                    });
                }
            }
        }
        entries
    }
}

fn device(word: &str) -> Option<(u64, u64)> {
    let (major, minor) = word.split_once(':')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}
