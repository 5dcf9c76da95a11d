//! Builds what the container sees: root, mounts, devices, pty, names, sysctls, masks; then enters it.
//! Runs in init, inside the new name spaces, while the caller sets its limits; the two meet at the
//! [`Gate`].

use super::cgroup::Layout;
use super::child::{Init, Parts};
use super::root::beneath::Tree;
use super::root::cgroup_mount::View;
use super::root::masks::{self, Covers};
use super::root::mount::{self, Scene, host_directory};
use super::root::{devices, idmapped, rootfs};
use super::spec::NamespaceKind;
use super::validate::Namespaces;
use super::wire::{self, Word};
use super::{Stdio, hooks, process};
use crate::error::{Failure, Kind};
use crate::sys::runtime as sys;
use rustix::fs::{OFlags, ResolveFlags};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

const PROC_MAGIC: u64 = 0x9fa0;

/// The parent's "go": the cgroup's limits are set and the runtime's hooks have run. Waited for as late as
/// possible, so that both sides work at once.
pub struct Gate<'a> {
    init: &'a Init<'a>,
    open: bool,
}

impl<'a> Gate<'a> {
    pub const fn new(init: &'a Init<'a>) -> Self {
        Self { init, open: false }
    }

    pub fn pass(&mut self) -> Result<(), Failure> {
        if !self.open {
            wire::expect(&self.init.sync, Word::Go)?;
            self.open = true;
        }
        Ok(())
    }
}

/// Builds the root and everything that it shows; enters nothing yet. Gives the tree and the pty's
/// container end.
pub fn build(gate: &mut Gate<'_>, parts: &Parts<'_>) -> Result<(Tree, Option<OwnedFd>), Failure> {
    let options = gate.init.options;
    let namespaces = gate.init.namespaces;
    let bundle = options.bundle.as_deref();
    if !namespaces.makes(sys::CLONE_NEWNS) {
        let root = host_directory(Path::new("/")).map_err(|errno| Failure::errno("cannot open /", errno))?;
        return Ok((Tree::new(root), None));
    }
    let kernel = trusted_proc()?;
    let maps = parts
        .spec
        .mounts
        .iter()
        .map(idmapped::prepare)
        .collect::<Result<Vec<_>, _>>()?;
    let tree = rootfs::prepare(parts.root, bundle, parts.linux.rootfs_propagation.as_deref())?;
    let mut view = View {
        version: 0,
        entries: Vec::new(),
    };
    let own_cgroup_namespace = namespaces.has(NamespaceKind::Cgroup);
    let mut unshared = false;
    for (mount, map) in parts.spec.mounts.iter().zip(&maps) {
        if matches!(mount.kind.as_deref(), Some("cgroup" | "cgroup2")) {
            gate.pass()?;
            view = View::of_this_process(&Layout::detect()?);
            unshare_cgroup(namespaces, &mut unshared)?;
        }
        let scene = Scene {
            tree: &tree,
            bundle,
            own_cgroup_namespace,
            cgroup: &view,
            map: map.as_ref(),
        };
        mount::make(&scene, mount)?;
    }
    let dev_is_bound = parts.spec.mounts.iter().any(|mount| {
        mount.destination.trim_end_matches('/') == "/dev"
            && mount.options.iter().any(|word| word == "bind" || word == "rbind")
    });
    if !dev_is_bound {
        devices::populate(&tree, &parts.linux.devices)?;
    }
    let mut peer = None;
    if let Stdio::Pty = options.stdio {
        let (master, other) = process::open_pty(&tree, options.size.or(parts.process.console_size))?;
        wire::send_fd(&gate.init.sync, Word::Pty, master.as_fd())
            .map_err(|errno| Failure::errno("cannot hand over the pty", errno))?;
        devices::console(&tree, &other)?;
        peer = Some(other);
    }
    names(parts, namespaces)?;
    sysctls(&kernel, parts)?;
    if namespaces.makes(sys::CLONE_NEWNET) {
        loopback()?;
    }
    gate.pass()?;
    unshare_cgroup(namespaces, &mut unshared)?;
    let hooks = parts
        .spec
        .hooks
        .as_ref()
        .map_or(&[][..], |hooks| &hooks.create_container);
    hooks::run(
        "createContainer",
        hooks,
        &host_state(gate.init.state, &kernel),
        "creating",
    )?;
    protect(&tree, parts)?;
    rootfs::enter(&tree, options.no_pivot)?;
    if parts.root.readonly {
        rootfs::make_read_only(&tree)?;
    }
    Ok((tree, peer))
}

/// The host's procfs, verified: what is written through it lands where it says (CVE-2025-52881).
fn trusted_proc() -> Result<Tree, Failure> {
    let fd =
        host_directory(Path::new("/proc")).map_err(|errno| Failure::errno("cannot open /proc", errno))?;
    if !super::root::beneath::is_on(&fd, PROC_MAGIC) {
        return Err(Failure::new(
            Kind::Unavailable,
            "the host's /proc is not procfs; mount it first",
        )
        .at("/proc"));
    }
    Ok(Tree::new(fd))
}

/// The cgroup name space's root is the cgroup that the process is in, so it must be there already.
fn unshare_cgroup(namespaces: &Namespaces<'_>, done: &mut bool) -> Result<(), Failure> {
    if namespaces.makes(sys::CLONE_NEWCGROUP) && !*done {
        sys::unshare(sys::CLONE_NEWCGROUP)
            .map_err(|errno| Failure::errno("cannot make the cgroup name space", errno))?;
    }
    *done = true;
    Ok(())
}

fn names(parts: &Parts<'_>, namespaces: &Namespaces<'_>) -> Result<(), Failure> {
    if !namespaces.has(NamespaceKind::Uts) {
        return Ok(());
    }
    if let Some(name) = parts.spec.hostname.as_deref().filter(|name| !name.is_empty()) {
        rustix::system::sethostname(name.as_bytes())
            .map_err(|errno| Failure::errno(format!("cannot set the host name {name:?}"), errno))?;
    }
    if let Some(name) = parts.spec.domainname.as_deref().filter(|name| !name.is_empty()) {
        rustix::system::setdomainname(name.as_bytes())
            .map_err(|errno| Failure::errno(format!("cannot set the domain name {name:?}"), errno))?;
    }
    Ok(())
}

fn sysctls(kernel: &Tree, parts: &Parts<'_>) -> Result<(), Failure> {
    for (name, value) in &parts.linux.sysctl {
        let path = Path::new("/sys").join(name.replace('.', "/"));
        let failed = |errno| Failure::errno(format!("cannot set the sysctl {name}"), errno);
        let how = ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_XDEV;
        let fd = kernel.open(&path, OFlags::WRONLY, how).map_err(failed)?;
        rustix::io::write(fd, value.as_bytes()).map_err(failed)?;
    }
    Ok(())
}

fn loopback() -> Result<(), Failure> {
    let failed = |errno| Failure::errno("cannot bring the loopback interface up", errno);
    let kind = rustix::net::SocketType::DGRAM;
    let flags = rustix::net::SocketFlags::CLOEXEC;
    let socket =
        rustix::net::socket_with(rustix::net::AddressFamily::INET, kind, flags, None).map_err(failed)?;
    sys::loopback_up(socket).map_err(failed)
}

/// The state with init's pid as the host sees it.
fn host_state(state: &hooks::State, kernel: &Tree) -> hooks::State {
    let own = rustix::fs::readlinkat(kernel, "self", Vec::new()).ok();
    let pid = own.and_then(|text| text.to_str().ok()?.parse().ok()).unwrap_or(0);
    hooks::State { pid, ..state.clone() }
}

fn protect(tree: &Tree, parts: &Parts<'_>) -> Result<(), Failure> {
    let own_proc = parts
        .spec
        .mounts
        .iter()
        .any(|mount| mount.kind.as_deref() == Some("proc") && mount.destination == "/proc");
    for path in &parts.linux.readonly_paths {
        masks::read_only(tree, path, own_proc)?;
    }
    let mut covers = Covers::default();
    for path in &parts.linux.masked_paths {
        masks::mask(tree, &mut covers, path, own_proc)?;
    }
    Ok(())
}
