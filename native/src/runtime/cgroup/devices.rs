//! `linux.resources.devices`: v1's devices.allow and devices.deny, or on v2 an eBPF program on the
//! container's cgroup. It never leaves a container of root without the rules that were asked for.

use super::super::files::read_bounded;
use super::super::spec::DeviceRule;
use super::Cgroup;
use super::device_program::{MOST_RULES, Rule, assemble};
use super::limits::set;
use crate::error::{Failure, Kind};
use crate::sys::bpf;
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

/// By it a program of ours is told from what others attach to the same cgroup.
const PROGRAM_NAME: [u8; bpf::NAME_LENGTH] = *b"pinnace_devices\0";

/// What every container may do, after its own rules: make nodes, use the default ones, ptys and tun.
/// Type, major, minor, access; -1 is any.
const ALWAYS: [(&str, i64, i64, &str); 12] = [
    ("c", -1, -1, "m"),
    ("b", -1, -1, "m"),
    ("c", 1, 3, "rwm"),
    ("c", 1, 5, "rwm"),
    ("c", 1, 7, "rwm"),
    ("c", 1, 8, "rwm"),
    ("c", 1, 9, "rwm"),
    ("c", 5, 0, "rwm"),
    ("c", 5, 1, "rwm"),
    ("c", 5, 2, "rwm"),
    ("c", 136, -1, "rwm"),
    ("c", 10, 200, "rwm"),
];

/// No rules change nothing.
pub fn apply(cgroup: &Cgroup, rules: &[DeviceRule]) -> Result<(), Failure> {
    if rules.is_empty() {
        return Ok(());
    }
    let always = ALWAYS.iter().map(|(kind, major, minor, access)| DeviceRule {
        allow: true,
        kind: Some((*kind).to_owned()),
        major: Some(*major),
        minor: Some(*minor),
        access: Some((*access).to_owned()),
    });
    let rules: Vec<DeviceRule> = rules.iter().cloned().chain(always).collect();
    if cgroup.version == 1 {
        return rules.iter().try_for_each(|rule| write(cgroup, rule));
    }
    if rules.len() > MOST_RULES {
        return Err(Failure::new(
            Kind::Invalid,
            format!("linux.resources.devices has more than {MOST_RULES} rules"),
        ));
    }
    let program: Vec<Rule> = rules.iter().map(Rule::parse).collect::<Result<_, _>>()?;
    match attach(cgroup, &assemble(&program)) {
        // In another user name space no device nodes can be made, and of the host's only those open
        // that the user may open without a container.
        Err((_, Errno::PERM | Errno::ACCESS)) if !is_host_root() => Ok(()),
        Err((what, errno)) => {
            let failure = Failure::errno(format!("cannot enforce linux.resources.devices: {what}"), errno);
            Err(match cgroup.directory("") {
                Some(directory) => failure.at(directory),
                None => failure,
            })
        }
        Ok(()) => Ok(()),
    }
}

fn write(cgroup: &Cgroup, rule: &DeviceRule) -> Result<(), Failure> {
    let file = if rule.allow {
        "devices.allow"
    } else {
        "devices.deny"
    };
    let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let kind = given(&rule.kind).unwrap_or_else(|| "a".to_owned());
    let number = |number: Option<i64>| {
        number
            .filter(|number| *number >= 0)
            .map_or_else(|| "*".to_owned(), |number| number.to_string())
    };
    let access = given(&rule.access).unwrap_or_else(|| "rwm".to_owned());
    let text = if kind == "a" && rule.major.is_none_or(|major| major < 0) {
        "a".to_owned()
    } else {
        format!("{kind} {}:{} {access}", number(rule.major), number(rule.minor))
    };
    set(cgroup, "devices", file, &text)
}

/// Attached programs all have to allow: the new one takes the place of our old one in one step, and
/// there is no moment with neither. Errors: what failed, and how.
fn attach(cgroup: &Cgroup, program: &[u64]) -> Result<(), (&'static str, Errno)> {
    let directory = cgroup
        .directory("")
        .ok_or(("the container has no cgroup of its own", Errno::ACCESS))?;
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let directory = rustix::fs::open(directory, flags, Mode::empty())
        .map_err(|errno| ("the cgroup cannot be opened", errno))?;
    let program = load(program).map_err(|errno| ("the kernel does not load the eBPF program", errno))?;
    let refused = |errno| ("the kernel does not attach the eBPF program", errno);
    let old = bpf::attached_device_programs(directory.as_fd(), PROGRAM_NAME).map_err(refused)?;
    let mut old = old.iter().map(AsFd::as_fd);
    bpf::attach_device_program(directory.as_fd(), program.as_fd(), old.next()).map_err(refused)?;
    old.try_for_each(|extra| bpf::detach_device_program(directory.as_fd(), extra))
        .map_err(refused)
}

/// Before Linux 5.11 programs count as locked memory, with EPERM when root's few pages are used up.
fn load(program: &[u64]) -> Result<OwnedFd, Errno> {
    let first = bpf::load_device_program(program, PROGRAM_NAME);
    if first.as_ref().err() != Some(&Errno::PERM) || !is_host_root() {
        return first;
    }
    let before = getrlimit(Resource::Memlock);
    let unlimited = Rlimit {
        current: None,
        maximum: None,
    };
    setrlimit(Resource::Memlock, unlimited)?;
    let second = bpf::load_device_program(program, PROGRAM_NAME);
    setrlimit(Resource::Memlock, before)?;
    second
}

/// Root of the first user name space, whose map is the identity on every id.
fn is_host_root() -> bool {
    let map = read_bounded(Path::new("/proc/self/uid_map"), 1 << 16).unwrap_or_default();
    let map = String::from_utf8_lossy(&map);
    rustix::process::geteuid().is_root() && map.split_whitespace().eq(["0", "0", "4294967295"])
}
