//! What a process may do: capability sets, resource limits, ids. Runs in the process itself, as the
//! last thing before seccomp and execve.

use super::users::Identity;
use crate::error::{Failure, Kind};
use crate::runtime::spec::{Capabilities, Rlimit};
use crate::sys::runtime as sys;
use rustix::fs::{Gid, Uid};
use rustix::io::Errno;
use rustix::process::Resource;
use rustix::thread::{CapabilitySet, CapabilitySets};

/// capabilities(7), by number.
const CAPABILITIES: [&str; 41] = [
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "KILL",
    "SETGID",
    "SETUID",
    "SETPCAP",
    "LINUX_IMMUTABLE",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_ADMIN",
    "NET_RAW",
    "IPC_LOCK",
    "IPC_OWNER",
    "SYS_MODULE",
    "SYS_RAWIO",
    "SYS_CHROOT",
    "SYS_PTRACE",
    "SYS_PACCT",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_NICE",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "MKNOD",
    "LEASE",
    "AUDIT_WRITE",
    "AUDIT_CONTROL",
    "SETFCAP",
    "MAC_OVERRIDE",
    "MAC_ADMIN",
    "SYSLOG",
    "WAKE_ALARM",
    "BLOCK_SUSPEND",
    "AUDIT_READ",
    "PERFMON",
    "BPF",
    "CHECKPOINT_RESTORE",
];

const RESOURCES: [(&str, Resource); 16] = [
    ("AS", Resource::As),
    ("CORE", Resource::Core),
    ("CPU", Resource::Cpu),
    ("DATA", Resource::Data),
    ("FSIZE", Resource::Fsize),
    ("LOCKS", Resource::Locks),
    ("MEMLOCK", Resource::Memlock),
    ("MSGQUEUE", Resource::Msgqueue),
    ("NICE", Resource::Nice),
    ("NOFILE", Resource::Nofile),
    ("NPROC", Resource::Nproc),
    ("RSS", Resource::Rss),
    ("RTPRIO", Resource::Rtprio),
    ("RTTIME", Resource::Rttime),
    ("SIGPENDING", Resource::Sigpending),
    ("STACK", Resource::Stack),
];

/// The five sets as bits; a container without any gets none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Caps {
    bounding: u64,
    effective: u64,
    permitted: u64,
    inheritable: u64,
    ambient: u64,
}

/// Parses the names. Error: invalid, naming the unknown one.
pub fn parse(capabilities: Option<&Capabilities>) -> Result<Caps, Failure> {
    let Some(capabilities) = capabilities else {
        return Ok(Caps::default());
    };
    Ok(Caps {
        bounding: bits(&capabilities.bounding)?,
        effective: bits(&capabilities.effective)?,
        permitted: bits(&capabilities.permitted)?,
        inheritable: bits(&capabilities.inheritable)?,
        ambient: bits(&capabilities.ambient)?,
    })
}

fn bits(names: &[String]) -> Result<u64, Failure> {
    names.iter().try_fold(0, |bits, name| {
        let upper = name.to_ascii_uppercase();
        let short = upper.strip_prefix("CAP_").unwrap_or(&upper);
        let number = CAPABILITIES.iter().position(|known| *known == short);
        let number =
            number.ok_or_else(|| Failure::new(Kind::Invalid, format!("{name:?} is not a capability")))?;
        Ok(bits | 1 << number)
    })
}

/// The known names, with their prefix.
pub fn names() -> impl Iterator<Item = String> {
    CAPABILITIES.iter().map(|name| format!("CAP_{name}"))
}

/// Shrinks the bounding set. Needs CAP_SETPCAP.
pub fn bound(caps: Caps) -> Result<(), Failure> {
    for number in 0..64_u32 {
        if caps.bounding >> number & 1 == 1 {
            continue;
        }
        match sys::drop_bounding(number) {
            Ok(()) => {}
            // The first number that the kernel does not know.
            Err(Errno::INVAL) => break,
            Err(errno) => {
                return Err(Failure::errno(
                    "cannot drop a capability from the bounding set",
                    errno,
                ));
            }
        }
    }
    Ok(())
}

/// Takes the ids on and keeps every permitted capability, for what still has to be done.
pub fn become_user(identity: &Identity, single_id: bool) -> Result<(), Failure> {
    if single_id {
        return Ok(());
    }
    let failed = |what: String| move |errno| Failure::errno(what, errno);
    rustix::thread::set_keep_capabilities(true).map_err(failed("cannot keep the capabilities".to_owned()))?;
    let groups: Vec<Gid> = identity.groups.iter().map(|gid| Gid::from_raw(*gid)).collect();
    match rustix::thread::set_thread_groups(&groups) {
        Ok(()) => {}
        // A user name space whose setgroups is "deny" (single id): nothing to drop either.
        Err(Errno::PERM) if groups.is_empty() => {}
        Err(errno) => return Err(Failure::errno("cannot set the additional groups", errno)),
    }
    let gid = Gid::from_raw(identity.gid);
    rustix::thread::set_thread_res_gid(gid, gid, gid).map_err(failed(format!(
        "cannot become gid {} (is it mapped in the user name space?)",
        identity.gid
    )))?;
    let uid = Uid::from_raw(identity.uid);
    rustix::thread::set_thread_res_uid(uid, uid, uid).map_err(failed(format!(
        "cannot become uid {} (is it mapped in the user name space?)",
        identity.uid
    )))?;
    // A change from 0 cleared the effective set.
    let sets =
        rustix::thread::capabilities(None).map_err(failed("cannot read the capabilities".to_owned()))?;
    let all = CapabilitySets {
        effective: sets.permitted,
        ..sets
    };
    rustix::thread::set_capabilities(None, all).map_err(failed("cannot raise the capabilities".to_owned()))
}

/// The final sets, cut to what this process has.
pub fn apply(caps: Caps) -> Result<(), Failure> {
    let failed = |errno| Failure::errno("cannot set the capabilities", errno);
    let now = rustix::thread::capabilities(None).map_err(failed)?;
    let set = |bits: u64| CapabilitySet::from_bits_retain(bits & now.permitted.bits());
    let permitted = set(caps.permitted);
    let sets = CapabilitySets {
        permitted,
        effective: set(caps.effective) & permitted,
        inheritable: set(caps.inheritable),
    };
    sys::clear_ambient().ok();
    rustix::thread::set_capabilities(None, sets).map_err(failed)?;
    let ambient = caps.ambient & permitted.bits() & sets.inheritable.bits();
    for number in (0..64_u32).filter(|number| ambient >> number & 1 == 1) {
        sys::raise_ambient(number)
            .map_err(|errno| Failure::errno("cannot raise an ambient capability", errno))?;
    }
    Ok(())
}

/// Sets the limits, clamped to the hard limit where raising it is refused. Error: invalid.
pub fn limit(rlimits: &[Rlimit]) -> Result<(), Failure> {
    for rlimit in rlimits {
        let wanted = rlimit.kind.strip_prefix("RLIMIT_").unwrap_or(&rlimit.kind);
        let resource = RESOURCES
            .iter()
            .find(|(name, _)| *name == wanted)
            .map(|(_, resource)| *resource);
        let resource = resource.ok_or_else(|| {
            Failure::new(
                Kind::Invalid,
                format!("{:?} is not a resource limit", rlimit.kind),
            )
        })?;
        set_limit(resource, rlimit.soft, rlimit.hard)
            .map_err(|errno| Failure::errno(format!("cannot set {}", rlimit.kind), errno))?;
    }
    Ok(())
}

fn set_limit(resource: Resource, soft: u64, hard: u64) -> Result<(), Errno> {
    // The kernel's "unlimited" is the largest number; rustix says None.
    let bound = |value: u64| Some(value).filter(|value| *value != u64::MAX);
    let limit = |soft, hard| rustix::process::Rlimit {
        current: bound(soft),
        maximum: bound(hard),
    };
    match rustix::process::setrlimit(resource, limit(soft, hard)) {
        Err(Errno::PERM) => {
            let most = rustix::process::getrlimit(resource).maximum.unwrap_or(u64::MAX);
            rustix::process::setrlimit(resource, limit(soft.min(most), hard.min(most)))
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_with_and_without_prefix_and_unknown_ones_refused() {
        let caps = |name: &str| {
            parse(Some(&Capabilities {
                bounding: vec![name.to_owned()],
                ..Capabilities::default()
            }))
            .ok()
            .map(|caps| caps.bounding)
        };
        assert_eq!(caps("CAP_SYS_ADMIN"), Some(1 << 21));
        assert_eq!(caps("checkpoint_restore"), Some(1 << 40));
        assert_eq!(caps("CAP_ROOT"), None);
    }
}
