//! The mounts of a container. Runs in init, in the new mount name space, before pivot_root. Every
//! mount is made detached, given its attributes, and then moved onto a descriptor that was resolved
//! beneath the root: no path string of the tree reaches the kernel (CVE-2021-30465, CVE-2019-19921).

use super::beneath::{Leaf, Tree, kind_of};
use super::cgroup_mount;
use super::idmapped;
use super::options::Options;
use crate::error::{Failure, Kind};
use crate::runtime::spec;
use crate::sys::runtime as sys;
use crate::sys::runtime::AttrChange;
use rustix::fs::{CWD, FileType, Mode, OFlags};
use rustix::io::Errno;
use rustix::mount::{FsMountFlags, FsOpenFlags, MountAttrFlags, MoveMountFlags, OpenTreeFlags};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

/// Files of procfs that a container may have its own view of, as lxcfs gives them.
const COVERABLE: [&str; 11] = [
    "/proc/cpuinfo",
    "/proc/diskstats",
    "/proc/loadavg",
    "/proc/meminfo",
    "/proc/net/dev",
    "/proc/slabinfo",
    "/proc/stat",
    "/proc/swaps",
    "/proc/sys/crypto/fips_enabled",
    "/proc/sys/kernel/ns_last_pid",
    "/proc/uptime",
];

/// What the mounts need to know of the container.
pub struct Scene<'a> {
    pub tree: &'a Tree,
    /// Base of relative bind sources.
    pub bundle: Option<&'a Path>,
    pub own_cgroup_namespace: bool,
    pub cgroup: &'a cgroup_mount::View,
    /// The owners of this mount, from [`idmapped::prepare`].
    pub map: Option<&'a OwnedFd>,
}

/// Makes one mount of the spec.
pub fn make(scene: &Scene<'_>, mount: &spec::Mount) -> Result<(), Failure> {
    let path = Path::new(&mount.destination);
    make_at(scene, mount, path).map_err(|mut failure| {
        failure.message = format!("mount {}: {}", mount.destination, failure.message);
        failure.path.get_or_insert_with(|| path.to_owned());
        failure
    })
}

fn make_at(scene: &Scene<'_>, mount: &spec::Mount, path: &Path) -> Result<(), Failure> {
    let options = Options::parse(&mount.options);
    let kind = mount.kind.as_deref().unwrap_or("bind");
    let is_bind = options.bind.is_some() || kind == "bind";
    let mapped = !mount.uid_mappings.is_empty() || !mount.gid_mappings.is_empty();
    if mapped && !is_bind {
        return Err(Failure::new(
            Kind::NotImplemented,
            "only bind mounts can have id mappings; remove the mappings",
        ));
    }
    if is_bind {
        return bind(scene, mount, &options, path);
    }
    match kind {
        "proc" => proc(scene, &options, path),
        "sysfs" => sysfs(scene, &options, path),
        "cgroup" | "cgroup2" => cgroup_mount::make(scene, &options, path),
        "devpts" => devpts(scene, &options, path),
        "tmpfs" => tmpfs(scene, &options, path),
        _ => {
            let target = scene.tree.ensure(path, Leaf::Directory)?;
            let made = filesystem(kind, mount.source.as_deref(), &options.data)?;
            spare_proc(path, &target, &made)?;
            place(made, &options, target.as_fd())
        }
    }
}

fn bind(scene: &Scene<'_>, mount: &spec::Mount, options: &Options, path: &Path) -> Result<(), Failure> {
    let source = mount
        .source
        .as_deref()
        .ok_or_else(|| Failure::new(Kind::Invalid, "a bind mount needs a source"))?;
    let mut source = PathBuf::from(source);
    if source.is_relative() {
        source = scene.bundle.unwrap_or(Path::new("/")).join(source);
    }
    let recursive = options.bind.unwrap_or(true);
    let flags = if recursive {
        OpenTreeFlags::AT_RECURSIVE
    } else {
        OpenTreeFlags::empty()
    };
    let made = rustix::mount::open_tree(
        CWD,
        &source,
        flags | OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC,
    )
    .map_err(|errno| Failure::errno("cannot bind the source", errno).at(&source))?;
    let leaf = if kind_of(&made)? == FileType::Directory {
        Leaf::Directory
    } else {
        Leaf::File
    };
    let target = scene.tree.ensure(path, leaf)?;
    spare_proc(path, &target, &made)?;
    idmapped::apply(&made, scene.map, &source)?;
    place(made, options, target.as_fd())
}

/// Nothing covers procfs but another procfs: what is set there later (sysctls, labels) would be
/// written elsewhere (CVE-2019-19921, CVE-2025-52881).
fn spare_proc(path: &Path, target: &OwnedFd, made: &OwnedFd) -> Result<(), Failure> {
    let refused = if path == Path::new("/proc") {
        !on_proc(made)?
    } else {
        on_proc(target)? && !COVERABLE.iter().any(|file| path == Path::new(file))
    };
    if refused {
        return Err(Failure::new(
            Kind::Invalid,
            "it would cover /proc or a part of it; choose another destination",
        ));
    }
    Ok(())
}

fn on_proc(fd: &OwnedFd) -> Result<bool, Failure> {
    let stat = rustix::fs::fstatfs(fd).map_err(|errno| Failure::errno("cannot look at the target", errno))?;
    Ok(stat.f_type == rustix::fs::PROC_SUPER_MAGIC)
}

/// procfs only on a real directory: on a symlink the masks would land elsewhere.
fn proc(scene: &Scene<'_>, options: &Options, path: &Path) -> Result<(), Failure> {
    let target = scene.tree.ensure_real_directory(path)?;
    match filesystem("proc", Some("proc"), &options.data) {
        Ok(made) => place(made, options, target.as_fd()),
        // A user name space without its own pid name space may only have what is already visible.
        Err(failure) if failure.errno == Some(Errno::PERM) => {
            rebind("/proc", options, target.as_fd(), failure)
        }
        Err(failure) => Err(failure),
    }
}

fn sysfs(scene: &Scene<'_>, options: &Options, path: &Path) -> Result<(), Failure> {
    let target = scene.tree.ensure_real_directory(path)?;
    match filesystem("sysfs", Some("sysfs"), &options.data) {
        Ok(made) => place(made, options, target.as_fd()),
        Err(failure) if failure.errno == Some(Errno::PERM) => {
            let mut read_only = options.clone();
            read_only.tree.set |= sys::ATTR_RDONLY;
            read_only.tree.recursive = true;
            rebind("/sys", &read_only, target.as_fd(), failure)
        }
        Err(failure) => Err(failure),
    }
}

/// The host's own mount of a kernel file system, where a new one is refused.
fn rebind(path: &str, options: &Options, target: BorrowedFd<'_>, refused: Failure) -> Result<(), Failure> {
    let made = rustix::mount::open_tree(
        CWD,
        path,
        OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC | OpenTreeFlags::AT_RECURSIVE,
    )
    .map_err(|_| refused)?;
    place(made, options, target)
}

/// devpts, without the gid where that is not mapped (a single-id user name space).
fn devpts(scene: &Scene<'_>, options: &Options, path: &Path) -> Result<(), Failure> {
    let target = scene.tree.ensure(path, Leaf::Directory)?;
    let made = filesystem("devpts", Some("devpts"), &options.data).or_else(|failure| {
        if failure.errno != Some(Errno::INVAL) {
            return Err(failure);
        }
        let data: Vec<String> = options
            .data
            .iter()
            .filter(|word| !word.starts_with("gid="))
            .cloned()
            .collect();
        filesystem("devpts", Some("devpts"), &data)
    })?;
    place(made, options, target.as_fd())
}

fn tmpfs(scene: &Scene<'_>, options: &Options, path: &Path) -> Result<(), Failure> {
    let target = scene.tree.ensure(path, Leaf::Directory)?;
    let made = filesystem("tmpfs", Some("tmpfs"), &options.data)?;
    spare_proc(path, &target, &made)?;
    if options.copy_up {
        super::copy_up::copy(target.as_fd(), made.as_fd())?;
    }
    place(made, options, target.as_fd())
}

/// A new, detached mount of a file system.
pub fn filesystem(kind: &str, source: Option<&str>, data: &[String]) -> Result<OwnedFd, Failure> {
    let context = rustix::mount::fsopen(kind, FsOpenFlags::FSOPEN_CLOEXEC)
        .map_err(|errno| Failure::errno(format!("this kernel has no {kind} to mount"), errno))?;
    if let Some(source) = source {
        rustix::mount::fsconfig_set_string(&context, "source", source)
            .map_err(|errno| refused(kind, errno))?;
    }
    for word in data {
        let result = match word.split_once('=') {
            Some((key, value)) => rustix::mount::fsconfig_set_string(&context, key, value),
            None => rustix::mount::fsconfig_set_flag(&context, word.as_str()),
        };
        result.map_err(|errno| Failure::errno(format!("{kind} does not take the option {word:?}"), errno))?;
    }
    finish(&context).map_err(|errno| refused(kind, errno))
}

fn refused(kind: &str, errno: Errno) -> Failure {
    Failure::errno(format!("cannot mount {kind}"), errno)
}

/// The detached mount of a configured context.
pub fn finish(context: &OwnedFd) -> Result<OwnedFd, Errno> {
    rustix::mount::fsconfig_create(context)?;
    rustix::mount::fsmount(context, FsMountFlags::FSMOUNT_CLOEXEC, MountAttrFlags::empty())
}

/// Gives a detached mount its attributes and moves it onto `target`.
pub fn place(made: OwnedFd, options: &Options, target: BorrowedFd<'_>) -> Result<(), Failure> {
    attributes(&made, options.top)?;
    attributes(&made, options.tree)?;
    let (propagation, recursive) = options.propagation.unwrap_or((sys::MS_PRIVATE, true));
    let change = AttrChange {
        propagation,
        recursive,
        ..AttrChange::default()
    };
    // A shared mount must be one before it is attached only where its parent is; setting it here is the same.
    sys::mount_setattr(&made, change).map_err(|errno| Failure::errno("cannot set the propagation", errno))?;
    attach(&made, target)
}

/// Sets attributes; one that is locked by an outer user name space stays, as long as only clearing it failed.
fn attributes(made: &OwnedFd, change: AttrChange) -> Result<(), Failure> {
    if change.set == 0 && change.clear == 0 {
        return Ok(());
    }
    match sys::mount_setattr(made, change) {
        Err(Errno::PERM) if change.clear & !sys::ATTR_ATIME != 0 => {
            let keep = AttrChange {
                clear: change.clear & sys::ATTR_ATIME,
                ..change
            };
            if keep.set == 0 {
                return Ok(());
            }
            sys::mount_setattr(made, keep)
        }
        other => other,
    }
    .map_err(|errno| Failure::errno("cannot set the mount's attributes", errno))
}

/// move_mount(2) of a detached mount onto a descriptor.
pub fn attach(made: impl AsFd, target: impl AsFd) -> Result<(), Failure> {
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
    rustix::mount::move_mount(made, "", target, "", flags)
        .map_err(|errno| Failure::errno("cannot attach the mount", errno))
}

/// A detached copy of the mount (or file) that `fd` is.
pub fn clone_of(fd: impl AsFd, flags: OpenTreeFlags) -> Result<OwnedFd, Errno> {
    let flags = flags
        | OpenTreeFlags::OPEN_TREE_CLONE
        | OpenTreeFlags::OPEN_TREE_CLOEXEC
        | OpenTreeFlags::AT_EMPTY_PATH;
    rustix::mount::open_tree(fd, "", flags)
}

/// An O_PATH descriptor of a directory of the host.
pub fn host_directory(path: &Path) -> Result<OwnedFd, Errno> {
    rustix::fs::open(
        path,
        OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC,
        Mode::empty(),
    )
}
