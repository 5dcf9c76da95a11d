//! Writes `linux.resources` to the control files of v1 and v2. What has no file, or one that this
//! process may not write, is left out; a value that the kernel refuses is an error.

use super::super::files::{read_kernel_at, write_kernel_at};
use super::super::spec::{BlockIo, Cpu, HugepageLimit, Memory, Resources, Throttle};
use super::{Cgroup, devices};
use crate::error::{Failure, Kind};
use rustix::fs::CWD;
use rustix::io::Errno;
use std::path::Path;

pub fn apply(cgroup: &Cgroup, resources: &Resources) -> Result<(), Failure> {
    if cgroup.version == 0 {
        return Ok(());
    }
    if let Some(memory) = &resources.memory {
        memory_limits(cgroup, memory)?;
    }
    if let Some(cpu) = &resources.cpu {
        cpu_limits(cgroup, cpu)?;
    }
    if let Some(limit) = resources.pids.as_ref().and_then(|pids| pids.limit) {
        // 0 and below are "no limit" for OCI's callers.
        let text = if limit <= 0 {
            "max".to_owned()
        } else {
            limit.to_string()
        };
        set(cgroup, "pids", "pids.max", &text)?;
    }
    if let Some(block) = &resources.block_io {
        block_limits(cgroup, block)?;
    }
    hugepages(cgroup, &resources.hugepage_limits)?;
    devices::apply(cgroup, &resources.devices)?;
    if cgroup.version == 1 {
        return Ok(());
    }
    for (file, value) in &resources.unified {
        if file.contains('/') || file.starts_with('.') {
            return Err(Failure::new(
                Kind::Invalid,
                format!("linux.resources.unified: {file:?} is not a file name"),
            ));
        }
        for line in value.lines() {
            set(cgroup, "", file, line)?;
        }
    }
    Ok(())
}

pub(super) fn set(cgroup: &Cgroup, controller: &str, file: &str, value: &str) -> Result<(), Failure> {
    let Some(directory) = cgroup.directory(controller) else {
        return Ok(());
    };
    let path = directory.join(file);
    match write_kernel_at(CWD, &path, value.as_bytes()) {
        Ok(())
        | Err(Errno::NOENT | Errno::ACCESS | Errno::PERM | Errno::ROFS | Errno::OPNOTSUPP | Errno::NODEV) => {
            Ok(())
        }
        Err(errno) => Err(Failure::errno(format!("the kernel refuses the limit {value:?}"), errno).at(path)),
    }
}

fn memory_limits(cgroup: &Cgroup, memory: &Memory) -> Result<(), Failure> {
    let bound = |value: i64, unlimited: &str| {
        if value < 0 {
            unlimited.to_owned()
        } else {
            value.to_string()
        }
    };
    let limit = memory.limit.filter(|limit| *limit != 0);
    let swap = memory.swap.filter(|swap| *swap != 0);
    if cgroup.version == 2 {
        if let Some(swap) = swap {
            let only = if swap < 0 {
                -1
            } else {
                (swap - limit.unwrap_or(0).max(0)).max(0)
            };
            set(cgroup, "memory", "memory.swap.max", &bound(only, "max"))?;
        }
        if let Some(limit) = limit {
            set(cgroup, "memory", "memory.max", &bound(limit, "max"))?;
        }
        if let Some(reservation) = memory.reservation {
            set(cgroup, "memory", "memory.low", &bound(reservation, "max"))?;
        }
        return Ok(());
    }
    if let Some(limit) = limit {
        // memsw may never be below the limit: growing needs it written first, shrinking last.
        let first = set(cgroup, "memory", "memory.limit_in_bytes", &bound(limit, "-1"));
        if let (Err(_), Some(swap)) = (&first, swap) {
            set(
                cgroup,
                "memory",
                "memory.memsw.limit_in_bytes",
                &bound(swap, "-1"),
            )?;
            set(cgroup, "memory", "memory.limit_in_bytes", &bound(limit, "-1"))?;
        } else {
            first?;
        }
    }
    if let Some(swap) = swap {
        set(
            cgroup,
            "memory",
            "memory.memsw.limit_in_bytes",
            &bound(swap, "-1"),
        )?;
    }
    if let Some(reservation) = memory.reservation {
        set(
            cgroup,
            "memory",
            "memory.soft_limit_in_bytes",
            &bound(reservation, "-1"),
        )?;
    }
    if let Some(swappiness) = memory.swappiness {
        set(cgroup, "memory", "memory.swappiness", &swappiness.to_string())?;
    }
    if memory.disable_oom_killer == Some(true) {
        set(cgroup, "memory", "memory.oom_control", "1")?;
    }
    Ok(())
}

fn cpu_limits(cgroup: &Cgroup, cpu: &Cpu) -> Result<(), Failure> {
    let period = cpu.period.filter(|period| *period != 0);
    let quota = cpu.quota.filter(|quota| *quota != 0);
    let shares = cpu.shares.filter(|shares| *shares != 0);
    if cgroup.version == 2 {
        if let Some(shares) = shares {
            set(cgroup, "cpu", "cpu.weight", &weight_of_shares(shares).to_string())?;
        }
        if quota.is_some() || period.is_some() {
            let quota = quota
                .filter(|quota| *quota > 0)
                .map_or_else(|| "max".to_owned(), |quota| quota.to_string());
            set(
                cgroup,
                "cpu",
                "cpu.max",
                &format!("{quota} {}", period.unwrap_or(100_000)),
            )?;
        }
        if let Some(idle) = cpu.idle {
            set(cgroup, "cpu", "cpu.idle", &idle.to_string())?;
        }
    } else {
        if let Some(shares) = shares {
            set(cgroup, "cpu", "cpu.shares", &shares.to_string())?;
        }
        if let Some(period) = period {
            set(cgroup, "cpu", "cpu.cfs_period_us", &period.to_string())?;
        }
        if let Some(quota) = quota {
            set(cgroup, "cpu", "cpu.cfs_quota_us", &quota.to_string())?;
        }
    }
    for (file, value) in [("cpuset.cpus", &cpu.cpus), ("cpuset.mems", &cpu.mems)] {
        if let Some(value) = value.as_deref().filter(|value| !value.is_empty()) {
            set(cgroup, "cpuset", file, value)?;
        }
    }
    Ok(())
}

/// The usual map of v1's 2…262144 to v2's 1…10000.
fn weight_of_shares(shares: u64) -> u64 {
    1 + (shares.clamp(2, 262_144) - 2) * 9999 / 262_142
}

fn block_limits(cgroup: &Cgroup, block: &BlockIo) -> Result<(), Failure> {
    if let Some(weight) = block.weight.filter(|weight| *weight != 0) {
        if cgroup.version == 2 {
            let scaled = 1 + (u64::from(weight.clamp(10, 1000)) - 10) * 9999 / 990;
            set(cgroup, "io", "io.weight", &format!("default {scaled}"))?;
        } else {
            set(cgroup, "blkio", "blkio.weight", &weight.to_string())?;
            set(cgroup, "blkio", "blkio.bfq.weight", &weight.to_string())?;
        }
    }
    let tables: [(&[Throttle], &str, &str); 4] = [
        (
            &block.throttle_read_bps_device,
            "blkio.throttle.read_bps_device",
            "rbps",
        ),
        (
            &block.throttle_write_bps_device,
            "blkio.throttle.write_bps_device",
            "wbps",
        ),
        (
            &block.throttle_read_iops_device,
            "blkio.throttle.read_iops_device",
            "riops",
        ),
        (
            &block.throttle_write_iops_device,
            "blkio.throttle.write_iops_device",
            "wiops",
        ),
    ];
    for (throttles, v1, v2) in tables {
        for Throttle { major, minor, rate } in throttles {
            if cgroup.version == 2 {
                set(cgroup, "io", "io.max", &format!("{major}:{minor} {v2}={rate}"))?;
            } else {
                set(cgroup, "blkio", v1, &format!("{major}:{minor} {rate}"))?;
            }
        }
    }
    Ok(())
}

fn hugepages(cgroup: &Cgroup, limits: &[HugepageLimit]) -> Result<(), Failure> {
    for HugepageLimit { page_size, limit } in limits {
        if page_size.is_empty() || !page_size.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(Failure::new(
                Kind::Invalid,
                format!("hugepage size {page_size:?} is not a size"),
            ));
        }
        let suffix = if cgroup.version == 2 {
            "max"
        } else {
            "limit_in_bytes"
        };
        set(
            cgroup,
            "hugetlb",
            &format!("hugetlb.{page_size}.{suffix}"),
            &limit.to_string(),
        )?;
    }
    Ok(())
}

/// A new v1 cpuset is empty, and nothing may join it so.
pub fn inherit_cpuset(parent: &Path, child: &Path) {
    for file in ["cpuset.cpus", "cpuset.mems"] {
        let own = read_kernel_at(CWD, child.join(file)).unwrap_or_default();
        if own.is_empty()
            && let Ok(value) = read_kernel_at(CWD, parent.join(file))
        {
            write_kernel_at(CWD, child.join(file), value.as_bytes()).ok();
        }
    }
}

/// v2: lets the children of `directory` use each controller that is there and may be given. A directory with
/// processes of its own is left alone: with some controllers it would become the root of a threaded
/// tree, whose children can hold no processes (cgroup-v2.rst, "Threads").
pub fn enable_controllers(directory: &Path) {
    let text = |file: &str| read_kernel_at(CWD, directory.join(file)).unwrap_or_default();
    // Only the machine's root has no type; it may hold processes.
    if !text("cgroup.type").is_empty() && !text("cgroup.procs").is_empty() {
        return;
    }
    let Ok(available) = read_kernel_at(CWD, directory.join("cgroup.controllers")) else {
        return;
    };
    let enabled = read_kernel_at(CWD, directory.join("cgroup.subtree_control")).unwrap_or_default();
    for name in ["cpu", "memory", "pids", "io", "cpuset", "hugetlb"] {
        let has = |list: &str| list.split_whitespace().any(|word| word == name);
        if has(&available) && !has(&enabled) {
            write_kernel_at(
                CWD,
                directory.join("cgroup.subtree_control"),
                format!("+{name}").as_bytes(),
            )
            .ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_map_to_weights_at_both_ends_and_at_the_default() {
        assert_eq!(
            [
                weight_of_shares(0),
                weight_of_shares(1024),
                weight_of_shares(1 << 40)
            ],
            [1, 39, 10_000]
        );
    }
}
