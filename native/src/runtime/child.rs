//! Init's side of `create`: from the clone to the blocked process that only waits for "start".
//! Runs first in the caller's name spaces (joins), then in the container's. It holds a copy of all
//! of the caller's descriptors, which the container's program never gets.

use super::build::{Gate, build};
use super::identity::seccomp::Program;
use super::process::{self, Settings};
use super::root::beneath::Tree;
use super::spec::{Linux, Process, Root, Spec};
use super::validate::{self, Namespaces};
use super::wire::{self, Word};
use super::{Cgroup, CreateOptions, Stdio, hooks};
use crate::error::{Failure, Kind};
use crate::sys::runtime as sys;
use crate::sys::runtime::Fork;
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::process::{DumpableBehavior, Signal};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::Path;

/// What init works from.
pub struct Init<'a> {
    pub options: &'a CreateOptions,
    pub namespaces: &'a Namespaces<'a>,
    pub seccomp: Option<&'a Program>,
    pub sync: OwnedFd,
    pub state: &'a hooks::State,
    /// The v1 cgroup that init joins first.
    pub cgroup: Option<&'a Cgroup>,
}

/// Everything of a config.json that init reads, with the optional parts filled in.
pub struct Parts<'a> {
    pub spec: &'a Spec,
    pub process: &'a Process,
    pub root: &'a Root,
    pub linux: &'a Linux,
}

/// Never returns: it becomes the container's program, or reports why not and ends.
pub fn run(init: &Init<'_>) -> ! {
    let failure = match set_up(init) {
        Ok(never) => match never {},
        Err(failure) => failure,
    };
    // The parent may be gone; then nobody is left to tell.
    wire::send_failure(&init.sync, &failure).ok();
    sys::exit_now(1)
}

fn set_up(init: &Init<'_>) -> Result<std::convert::Infallible, Failure> {
    let empty = Linux::default();
    let spec = &init.options.spec;
    let missing = || Failure::new(Kind::Invalid, "config.json lacks process or root");
    let parts = Parts {
        spec,
        process: spec.process.as_ref().ok_or_else(missing)?,
        root: spec.root.as_ref().ok_or_else(missing)?,
        linux: spec.linux.as_ref().unwrap_or(&empty),
    };
    sys::reset_signals();
    rustix::process::umask(Mode::empty());
    oom_score(parts.process.oom_score_adj);
    if let Some(cgroup) = init.cgroup {
        let refused = cgroup.join_where_allowed()?;
        wire::send_bytes(&init.sync, Word::Joined, &refused)
            .map_err(|errno| Failure::errno("nobody waits for the container's init", errno))?;
    }
    if !init.namespaces.joined.is_empty() {
        step_over(init)?;
    }
    if init.options.pdeathsig {
        rustix::process::set_parent_process_death_signal(Some(Signal::KILL))
            .map_err(|errno| Failure::errno("cannot set the parent death signal", errno))?;
    }
    rustix::process::setsid().map_err(|errno| Failure::errno("setsid", errno))?;
    if init.namespaces.makes(sys::CLONE_NEWUSER) {
        wire::expect(&init.sync, Word::Mapped)?;
        become_root()?;
    }
    undumpable()?;
    let mut gate = Gate::new(init);
    let (tree, peer) = build(&mut gate, &parts)?;
    gate.pass()?;
    finish(init, &parts, tree, peer)
}

/// Lowering the score needs a right that the caller may lack: then it stays as it is.
pub fn oom_score(score: Option<i32>) {
    if let Some(score) = score {
        super::files::write_kernel(
            Path::new("/proc/self/oom_score_adj"),
            score.to_string().as_bytes(),
        )
        .ok();
    }
}

/// From here on no process of the container may open what this one has through /proc, nor trace it
/// (CVE-2016-9962, CVE-2019-5736).
pub fn undumpable() -> Result<(), Failure> {
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable)
        .map_err(|errno| Failure::errno("cannot make the process non-dumpable", errno))
}

/// Id 0 of the user name space that was just made or joined.
pub fn become_root() -> Result<(), Failure> {
    let failed = |errno| {
        Failure::errno(
            "cannot become root of the user name space (is id 0 mapped?)",
            errno,
        )
    };
    rustix::thread::set_thread_res_gid(
        rustix::fs::Gid::ROOT,
        rustix::fs::Gid::ROOT,
        rustix::fs::Gid::ROOT,
    )
    .map_err(failed)?;
    rustix::thread::set_thread_res_uid(
        rustix::fs::Uid::ROOT,
        rustix::fs::Uid::ROOT,
        rustix::fs::Uid::ROOT,
    )
    .map_err(failed)?;
    // Refused where setgroups is denied (a single-id map): then there is nothing to drop.
    rustix::thread::set_thread_groups(&[]).ok();
    Ok(())
}

/// Joins name spaces and goes on as a sibling that is born in the new ones.
fn step_over(init: &Init<'_>) -> Result<(), Failure> {
    undumpable()?;
    let mut pending = Vec::new();
    for namespace in &init.namespaces.joined {
        let path = namespace.path.as_deref().unwrap_or(Path::new(""));
        let fd = rustix::fs::open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
            .map_err(|errno| Failure::errno("cannot open the name space", errno).at(path))?;
        pending.push((namespace, fd));
    }
    // What belongs to the user name space that is joined too can only be joined after it; what
    // belongs to the caller's, only before.
    pending.retain(|(namespace, fd)| namespace.kind == super::spec::NamespaceKind::User || join(fd).is_err());
    let user =
        |namespace: &super::spec::Namespace| u8::from(namespace.kind != super::spec::NamespaceKind::User);
    pending.sort_by_key(|(namespace, _)| user(namespace));
    for (namespace, fd) in &pending {
        let path = namespace.path.clone().unwrap_or_default();
        join(fd).map_err(|errno| Failure::errno("cannot join the name space", errno).at(path))?;
        if namespace.kind == super::spec::NamespaceKind::User {
            become_root()?;
        }
    }
    let born = init.namespaces.new & !sys::CLONE_NEWCGROUP;
    match sys::fork(born | sys::CLONE_PARENT, None) {
        Ok(Fork::Child) => Ok(()),
        Ok(Fork::Parent { pidfd, .. }) => {
            wire::send_fd(&init.sync, Word::Successor, pidfd.as_fd()).ok();
            sys::exit_now(0)
        }
        Err(errno) => Err(Failure::errno("cannot make the container's name spaces", errno)),
    }
}

fn join(fd: &OwnedFd) -> Result<(), Errno> {
    rustix::thread::move_into_link_name_space(fd.as_fd(), None)
}

/// Takes the process's shape on, says "ready", waits for the start and runs the program.
fn finish(
    init: &Init<'_>,
    parts: &Parts<'_>,
    tree: Tree,
    peer: Option<OwnedFd>,
) -> Result<std::convert::Infallible, Failure> {
    let peer = match (&init.options.stdio, peer) {
        (Stdio::Pty, None) => {
            let (master, peer) = process::open_pty(&tree, init.options.size.or(parts.process.console_size))?;
            wire::send_fd(&init.sync, Word::Pty, master.as_fd())
                .map_err(|errno| Failure::errno("cannot hand over the pty", errno))?;
            Some(peer)
        }
        (_, peer) => peer,
    };
    match (&init.options.stdio, &peer) {
        (
            Stdio::Descriptors {
                stdin,
                stdout,
                stderr,
            },
            _,
        ) => {
            process::install_stdio([stdin.as_fd(), stdout.as_fd(), stderr.as_fd()])?;
        }
        (Stdio::Pty, Some(peer)) => process::install_stdio([peer.as_fd(), peer.as_fd(), peer.as_fd()])?,
        (Stdio::Pty, None) => return Err(Failure::new(Kind::Internal, "no pty")),
    }
    let terminal = peer.is_some();
    drop((tree, peer));
    let_go(init)?;
    let settings = Settings {
        process: parts.process,
        seccomp: init.seccomp,
        single_id: parts.spec.single_id(),
        preserve_fds: init.options.preserve_fds,
        pdeathsig: init.options.pdeathsig,
        program: None,
    };
    let ready = process::settle(&settings, terminal)?;
    if init.options.start_listener.is_some() {
        process::look_up(&ready)?;
    }
    wire::send(&init.sync, Word::Ready).map_err(|errno| Failure::errno("the caller is gone", errno))?;
    let report = wait_start(init)?;
    let hooks = parts
        .spec
        .hooks
        .as_ref()
        .map_or(&[][..], |hooks| &hooks.start_container);
    let run = hooks::run(
        "startContainer",
        hooks,
        &hooks::State {
            pid: 1,
            ..init.state.clone()
        },
        "created",
    );
    let failure = run
        .err()
        .unwrap_or_else(|| process::launch(&ready, report.as_fd()));
    wire::send_failure(&report, &failure).ok();
    sys::exit_now(if failure.errno == Some(Errno::NOENT) {
        127
    } else {
        126
    })
}

/// Closes everything of the caller, so that no path of the container leads out through a descriptor
/// (CVE-2024-21626).
fn let_go(init: &Init<'_>) -> Result<(), Failure> {
    let mut keep = vec![init.sync.as_raw_fd()];
    keep.extend(init.options.start_listener.as_ref().map(AsRawFd::as_raw_fd));
    keep.extend((3..).take(usize::try_from(init.options.preserve_fds).unwrap_or(0)));
    sys::close_all_but(&keep).map_err(|errno| Failure::errno("cannot close descriptors", errno))
}

/// The socket that asked for the start, on which the outcome is reported.
fn wait_start(init: &Init<'_>) -> Result<OwnedFd, Failure> {
    let Some(listener) = &init.options.start_listener else {
        wire::expect(&init.sync, Word::Start)?;
        return rustix::io::fcntl_dupfd_cloexec(&init.sync, 3).map_err(|errno| Failure::errno("dup", errno));
    };
    loop {
        let flags = rustix::net::SocketFlags::CLOEXEC;
        let caller = match rustix::net::accept_with(listener, flags) {
            Err(Errno::INTR | Errno::CONNABORTED) => continue,
            other => other.map_err(|errno| Failure::errno("cannot wait for the start", errno))?,
        };
        // Whoever connects and says nothing, or something else, changes nothing.
        if wire::expect(&caller, Word::Start).is_ok() {
            return Ok(caller);
        }
    }
}

/// Name spaces of a spec, checked.
pub fn checked(options: &CreateOptions) -> Result<Namespaces<'_>, Failure> {
    validate::id(&options.id)?;
    validate::spec(&options.spec)
}
