//! `exec`: a further process in a running container. A first child joins the cgroup and every name
//! space but never shows itself inside; its sibling is born there already undumpable and without any
//! descriptor of the host (CVE-2016-9962), and is the caller's own child.

use super::child::{become_root, oom_score, undumpable};
use super::create::{self, outcome, successor};
use super::identity::seccomp;
use super::process::{self, Settings};
use super::root::mount::host_directory;
use super::spec::{ConsoleSize, NamespaceKind, Process};
use super::wire::{self, Word};
use super::{Cgroup, Stdio, validate};
use crate::error::{Failure, Kind};
use crate::sys::runtime as sys;
use crate::sys::runtime::Fork;
use rustix::fs::CWD;
use rustix::io::Errno;
use rustix::thread::ThreadNameSpaceType;
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::path::Path;

const KINDS: [(NamespaceKind, &str); 8] = [
    (NamespaceKind::User, "user"),
    (NamespaceKind::Mount, "mnt"),
    (NamespaceKind::Uts, "uts"),
    (NamespaceKind::Ipc, "ipc"),
    (NamespaceKind::Network, "net"),
    (NamespaceKind::Cgroup, "cgroup"),
    (NamespaceKind::Time, "time"),
    (NamespaceKind::Pid, "pid"),
];

/// A running container to enter.
pub struct Target<'a> {
    pub init_pid: i32,
    pub pidfd: &'a OwnedFd,
    pub cgroup: &'a Cgroup,
    pub seccomp: Option<&'a seccomp::Program>,
    pub single_id: bool,
    /// Run instead of a program of the container's: the arguments' first word is only its name.
    pub program: Option<&'a OwnedFd>,
}

/// The new process, a child of the caller, already exec'd.
pub struct Execed {
    pub pid: i32,
    pub pidfd: OwnedFd,
    pub pty_master: Option<OwnedFd>,
}

/// Runs `process` in the container; returns after its execve. `size` wins over consoleSize.
/// Errors: the exec error (errno, path), a user that does not exist (invalid), a stopped container
/// (conflict).
pub fn exec(
    target: &Target<'_>,
    process: &Process,
    stdio: Stdio,
    size: Option<ConsoleSize>,
    preserve_fds: u32,
) -> Result<Execed, Failure> {
    validate::process(process)?;
    if sys::pidfd_kill(target.pidfd, 0).is_err() {
        return Err(Failure::new(Kind::Conflict, "the container is not running"));
    }
    let (here, there) = wire::pair()?;
    let mut entering = Entering {
        target,
        process,
        stdio: &stdio,
        size,
        preserve_fds,
        born_inside: false,
    };
    let first = match entering.fork() {
        Ok(Fork::Parent { pid, pidfd }) => create::Process { pid, pidfd },
        Ok(Fork::Child) => {
            drop(here);
            entering.run(&there)
        }
        Err(errno) => return Err(Failure::errno("cannot fork", errno)),
    };
    drop(there);
    let entered = match successor(&here, &first) {
        Ok(entered) => entered,
        Err(failure) => {
            create::end(&first);
            return Err(failure);
        }
    };
    // The sibling waits for this, so that its words cannot overtake the first child's.
    wire::send(&here, Word::Go).ok();
    match accompany(&here, matches!(stdio, Stdio::Pty)) {
        Ok(pty_master) => Ok(Execed {
            pid: entered.pid,
            pidfd: entered.pidfd,
            pty_master,
        }),
        Err(failure) => {
            create::end(&entered);
            Err(failure)
        }
    }
}

fn accompany(sync: &OwnedFd, terminal: bool) -> Result<Option<OwnedFd>, Failure> {
    let mut master = None;
    if terminal {
        master = wire::expect(sync, Word::Pty)?.fd;
    }
    outcome(sync)?;
    Ok(master)
}

struct Entering<'a> {
    target: &'a Target<'a>,
    process: &'a Process,
    stdio: &'a Stdio,
    size: Option<ConsoleSize>,
    preserve_fds: u32,
    /// In the container's cgroup already.
    born_inside: bool,
}

impl Entering<'_> {
    /// The first child, in the container's cgroup from its birth where that can be (v2).
    fn fork(&mut self) -> Result<Fork, Errno> {
        if let Some(cradle) = self.target.cgroup.cradle() {
            self.born_inside = true;
            let forked = sys::fork(0, Some(cradle.as_fd()));
            if forked.is_ok() {
                return forked;
            }
            self.born_inside = false;
        }
        sys::fork(0, None)
    }

    /// Never returns.
    fn run(&self, sync: &OwnedFd) -> ! {
        let failure = match self.enter(sync) {
            Ok(failure) | Err(failure) => failure,
        };
        wire::send_failure(sync, &failure).ok();
        sys::exit_now(1)
    }

    fn enter(&self, sync: &OwnedFd) -> Result<Failure, Failure> {
        sys::reset_signals();
        rustix::process::umask(rustix::fs::Mode::empty());
        self.let_go(sync)?;
        oom_score(self.process.oom_score_adj);
        if !self.born_inside {
            self.target.cgroup.join()?;
        }
        let kinds = self.foreign()?;
        undumpable()?;
        rustix::thread::move_into_thread_name_spaces(self.target.pidfd.as_fd(), kinds)
            .map_err(|errno| Failure::errno("cannot enter the container's name spaces", errno))?;
        if kinds.contains(ThreadNameSpaceType::USER) {
            become_root()?;
        }
        match sys::fork(sys::CLONE_PARENT, None) {
            Ok(Fork::Child) => self.settle(sync),
            Ok(Fork::Parent { pidfd, .. }) => {
                wire::send_fd(sync, Word::Successor, pidfd.as_fd()).ok();
                sys::exit_now(0)
            }
            Err(errno) => Err(Failure::errno("cannot fork in the container", errno)),
        }
    }

    /// Closes everything of the host but what is passed on.
    fn let_go(&self, sync: &OwnedFd) -> Result<(), Failure> {
        let preserved = (3..).take(usize::try_from(self.preserve_fds).unwrap_or(0));
        let mut keep: Vec<RawFd> = vec![sync.as_raw_fd(), self.target.pidfd.as_raw_fd()];
        keep.extend(preserved);
        keep.extend(self.target.program.map(AsRawFd::as_raw_fd));
        if let Stdio::Descriptors {
            stdin,
            stdout,
            stderr,
        } = self.stdio
        {
            keep.extend([stdin.as_raw_fd(), stdout.as_raw_fd(), stderr.as_raw_fd()]);
        }
        sys::close_all_but(&keep).map_err(|errno| Failure::errno("cannot close descriptors", errno))
    }

    /// The name spaces that init does not share with this process.
    fn foreign(&self) -> Result<ThreadNameSpaceType, Failure> {
        let mut kinds = ThreadNameSpaceType::empty();
        for (kind, name) in KINDS {
            let identity = |path: String| {
                rustix::fs::statat(CWD, path, rustix::fs::AtFlags::empty()).map(|stat| stat.st_ino)
            };
            let theirs = identity(format!("/proc/{}/ns/{name}", self.target.init_pid));
            let ours = identity(format!("/proc/self/ns/{name}"));
            match (theirs, ours) {
                (Ok(theirs), Ok(ours)) if theirs == ours => {}
                (Ok(_), Ok(_)) => {
                    let flag = u32::try_from(validate::flag(kind)).unwrap_or(0);
                    kinds |= ThreadNameSpaceType::from_bits_retain(flag);
                }
                // A kernel without this kind.
                (Err(_), Err(_)) => {}
                (Err(errno), Ok(_)) => return Err(Failure::errno("the container is not running", errno)),
                (Ok(_), Err(errno)) => return Err(Failure::errno("cannot read the own name spaces", errno)),
            }
        }
        Ok(kinds)
    }

    /// In the sibling, inside.
    fn settle(&self, sync: &OwnedFd) -> Result<Failure, Failure> {
        wire::expect(sync, Word::Go)?;
        rustix::process::setsid().map_err(|errno| Failure::errno("setsid", errno))?;
        match self.stdio {
            Stdio::Descriptors {
                stdin,
                stdout,
                stderr,
            } => {
                process::install_stdio([stdin.as_fd(), stdout.as_fd(), stderr.as_fd()])?;
            }
            Stdio::Pty => {
                let root = host_directory(Path::new("/"))
                    .map_err(|errno| Failure::errno("cannot open the root", errno))?;
                let tree = super::root::beneath::Tree::new(root);
                let (master, peer) = process::open_pty(&tree, self.size.or(self.process.console_size))?;
                wire::send_fd(sync, Word::Pty, master.as_fd())
                    .map_err(|errno| Failure::errno("cannot hand over the pty", errno))?;
                process::install_stdio([peer.as_fd(), peer.as_fd(), peer.as_fd()])?;
            }
        }
        let settings = Settings {
            process: self.process,
            seccomp: self.target.seccomp,
            single_id: self.target.single_id,
            preserve_fds: self.preserve_fds,
            pdeathsig: false,
            program: self.target.program,
        };
        let ready = process::settle(&settings, matches!(self.stdio, Stdio::Pty))?;
        Ok(process::launch(&ready, sync.as_fd()))
    }
}
