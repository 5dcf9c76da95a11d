//! What of a config.json must hold before anything is made, and which name spaces it asks for. Pure.
//! AppArmor and SELinux labels are accepted and not applied: confinement here is name spaces,
//! capabilities and seccomp; `features` says that both are off.

use super::spec::{Linux, Namespace, NamespaceKind, Process, Spec};
use crate::error::{Failure, Kind};
use crate::sys::runtime as sys;

const MAX_ID: usize = 1024;

/// clone flag of each kind.
pub const fn flag(kind: NamespaceKind) -> u64 {
    match kind {
        NamespaceKind::Pid => sys::CLONE_NEWPID,
        NamespaceKind::Network => sys::CLONE_NEWNET,
        NamespaceKind::Mount => sys::CLONE_NEWNS,
        NamespaceKind::Ipc => sys::CLONE_NEWIPC,
        NamespaceKind::Uts => sys::CLONE_NEWUTS,
        NamespaceKind::User => sys::CLONE_NEWUSER,
        NamespaceKind::Cgroup => sys::CLONE_NEWCGROUP,
        NamespaceKind::Time => sys::CLONE_NEWTIME,
    }
}

/// Name spaces to make (flags) and to join.
#[derive(Debug, Default)]
pub struct Namespaces<'a> {
    pub new: u64,
    pub joined: Vec<&'a Namespace>,
}

impl Namespaces<'_> {
    pub const fn makes(&self, flag: u64) -> bool {
        self.new & flag != 0
    }

    /// True when the container does not share this with the host.
    pub fn has(&self, kind: NamespaceKind) -> bool {
        self.makes(flag(kind)) || self.joined.iter().any(|joined| joined.kind == kind)
    }
}

fn invalid(message: impl Into<String>) -> Failure {
    Failure::new(Kind::Invalid, message)
}

/// An id is a file name: letters, digits, `_ + - .`
pub fn id(id: &str) -> Result<(), Failure> {
    let fits = id
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"_+-.".contains(&byte));
    if id.is_empty() || id.len() > MAX_ID || !fits || id == "." || id == ".." {
        return Err(invalid(format!(
            "{id:?} is not a container id: letters, digits and _ + - . only"
        )));
    }
    Ok(())
}

/// Checks a process, also that of `exec`.
pub fn process(process: &Process) -> Result<(), Failure> {
    if process.args.first().is_none_or(String::is_empty) {
        return Err(invalid("process.args is empty: there is no program to run"));
    }
    if !process.cwd.starts_with('/') {
        return Err(invalid(format!(
            "process.cwd {:?} must be an absolute path",
            process.cwd
        )));
    }
    let strings = process.args.iter().chain(&process.env).chain([&process.cwd]);
    if strings.into_iter().any(|text| text.contains('\0')) {
        return Err(invalid("process: args, env and cwd must not hold NUL bytes"));
    }
    Ok(())
}

/// Checks the whole and gives the name spaces.
pub fn spec(spec: &Spec) -> Result<Namespaces<'_>, Failure> {
    if !spec.oci_version.is_empty() && !spec.oci_version.starts_with("1.") {
        return Err(invalid(format!(
            "ociVersion {:?} is not supported; 1.x is",
            spec.oci_version
        )));
    }
    process(
        spec.process
            .as_ref()
            .ok_or_else(|| invalid("config.json has no process"))?,
    )?;
    if spec.root.is_none() {
        return Err(invalid("config.json has no root"));
    }
    let empty = Linux::default();
    let linux = spec.linux.as_ref().unwrap_or(&empty);
    let namespaces = match &spec.linux {
        Some(linux) => namespaces(&linux.namespaces)?,
        None => Namespaces::default(),
    };
    if !namespaces.has(NamespaceKind::Mount) {
        return Err(invalid("linux.namespaces must hold a mount name space"));
    }
    if spec.hostname.as_deref().is_some_and(|name| !name.is_empty()) && !namespaces.has(NamespaceKind::Uts) {
        return Err(invalid("hostname needs a uts name space"));
    }
    let mapped = !linux.uid_mappings.is_empty() || !linux.gid_mappings.is_empty();
    if mapped && !namespaces.has(NamespaceKind::User) {
        return Err(invalid("linux.uidMappings need a user name space"));
    }
    if namespaces.makes(sys::CLONE_NEWUSER)
        && (linux.uid_mappings.is_empty() || linux.gid_mappings.is_empty())
    {
        return Err(invalid(
            "a new user name space needs linux.uidMappings and linux.gidMappings",
        ));
    }
    for mount in &spec.mounts {
        if mount.destination.is_empty() || mount.destination.contains('\0') {
            return Err(invalid("a mount needs a destination"));
        }
    }
    for name in linux.sysctl.keys() {
        sysctl(name, &namespaces)?;
    }
    Ok(namespaces)
}

fn namespaces(list: &[Namespace]) -> Result<Namespaces<'_>, Failure> {
    let mut found = Namespaces::default();
    for namespace in list {
        if found.has(namespace.kind) {
            return Err(invalid(format!(
                "linux.namespaces holds {:?} twice",
                namespace.kind
            )));
        }
        match &namespace.path {
            Some(path) if !path.as_os_str().is_empty() => found.joined.push(namespace),
            _ => found.new |= flag(namespace.kind),
        }
    }
    Ok(found)
}

/// Only what belongs to a name space of the container may be set.
fn sysctl(name: &str, namespaces: &Namespaces<'_>) -> Result<(), Failure> {
    const IPC: [&str; 10] = [
        "kernel.msgmax",
        "kernel.msgmnb",
        "kernel.msgmni",
        "kernel.sem",
        "kernel.shmall",
        "kernel.shmmax",
        "kernel.shmmni",
        "kernel.shm_rmid_forced",
        "kernel.auto_msgmni",
        "kernel.msg_next_id",
    ];
    let name = name.replace('/', ".");
    let safe = name.split('.').all(|part| !part.is_empty());
    let needs = if IPC.contains(&name.as_str()) || name.starts_with("fs.mqueue.") {
        Some(NamespaceKind::Ipc)
    } else if name.starts_with("net.") {
        Some(NamespaceKind::Network)
    } else if name == "kernel.domainname" || name == "kernel.hostname" {
        Some(NamespaceKind::Uts)
    } else if name.starts_with("user.") {
        Some(NamespaceKind::User)
    } else {
        None
    };
    match needs {
        Some(kind) if safe && namespaces.has(kind) => Ok(()),
        Some(kind) if safe => Err(invalid(format!(
            "sysctl {name} needs a {kind:?} name space of the container's own"
        ))),
        _ => Err(invalid(format!(
            "sysctl {name} belongs to no name space and would change the host"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ids_are_file_names() {
        assert!(id("web-1_a+b.c").is_ok());
        for bad in ["", ".", "..", "a/b", "a b", "ä"] {
            assert!(id(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_sysctl_of_the_host_is_refused() {
        let all = Namespaces {
            new: sys::CLONE_NEWNET | sys::CLONE_NEWIPC,
            joined: Vec::new(),
        };
        assert!(sysctl("net.ipv4.ip_forward", &all).is_ok());
        assert!(sysctl("net/ipv4/ip_forward", &all).is_ok());
        assert!(sysctl("kernel.shmmax", &all).is_ok());
        for bad in [
            "kernel.core_pattern",
            "net..x",
            "net.../../kernel",
            "vm.swappiness",
            "kernel.domainname",
        ] {
            assert!(sysctl(bad, &all).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_parser_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(parsed) = Spec::parse(&bytes) {
                spec(&parsed).ok();
            }
        }
    }
}
