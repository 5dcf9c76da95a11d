//! The parent's side of `create`, `start` and `destroy`. Runs in the caller's name spaces. While
//! init builds its root, this side sets the cgroup's limits and runs the runtime's hooks.

use super::child::{self, Init};
use super::hooks::{self, Later};
use super::identity::idmap;
use super::identity::seccomp::Program;
use super::spec::{Linux, Spec};
use super::validate::Namespaces;
use super::wire::{self, Word};
use super::{Cgroup, Container, CreateOptions, cgroup};
use crate::error::{Failure, Kind};
use crate::sys::runtime as sys;
use crate::sys::runtime::Fork;
use rustix::io::Errno;
use rustix::process::{Pid, WaitId, WaitIdOptions, WaitOptions};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

/// Makes the container up to "created". On an error nothing is left (no process, cgroup, mount).
pub fn create(options: CreateOptions) -> Result<Container, Failure> {
    let namespaces = child::checked(&options)?;
    let empty = Linux::default();
    let linux = options.spec.linux.as_ref().unwrap_or(&empty);
    let seccomp = linux.seccomp.as_ref().map(Program::compile).transpose()?;
    let layout = cgroup::Layout::detect()?;
    let mut making = Making {
        options: &options,
        namespaces: &namespaces,
        linux,
        seccomp: seccomp.as_ref(),
        layout: &layout,
        cgroup: Cgroup::default(),
        state: hooks::State {
            oci_version: options.spec.oci_version.clone(),
            id: options.id.clone(),
            status: "creating".to_owned(),
            pid: 0,
            bundle: options.bundle.clone().unwrap_or_default(),
            annotations: options.spec.annotations.clone(),
        },
    };
    match making.run() {
        Ok((init, sync, pty_master)) => {
            let (cgroup, state) = (
                std::mem::take(&mut making.cgroup),
                std::mem::take(&mut making.state),
            );
            let hooks = options.spec.hooks.clone().unwrap_or_default();
            let single_id = options.spec.single_id();
            let waits_here = options.start_listener.is_none();
            Ok(Container {
                id: options.id,
                init_pid: init.pid,
                start_time: start_time(init.pid)?,
                pidfd: init.pidfd,
                pty_master,
                cgroup,
                seccomp,
                single_id,
                sync: waits_here.then_some(sync),
                after: Later {
                    state,
                    poststart: hooks.poststart,
                    poststop: hooks.poststop,
                },
            })
        }
        Err(failure) => {
            making.cgroup.kill_all(libc::SIGKILL).ok();
            making.cgroup.remove().ok();
            Err(failure)
        }
    }
}

struct Making<'a> {
    options: &'a CreateOptions,
    namespaces: &'a Namespaces<'a>,
    linux: &'a Linux,
    seccomp: Option<&'a Program>,
    layout: &'a cgroup::Layout,
    cgroup: Cgroup,
    state: hooks::State,
}

/// How init gets into its cgroup.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Entry {
    /// v1: it joins before anything else.
    ByItself,
    /// v2: it is born there.
    Born,
    /// v2, where that is refused, and no cgroup at all: it is moved.
    Moved,
}

/// A process that is this one's child.
pub struct Process {
    pub pid: i32,
    pub pidfd: OwnedFd,
}

impl Making<'_> {
    fn run(&mut self) -> Result<(Process, OwnedFd, Option<OwnedFd>), Failure> {
        let (here, there) = wire::pair()?;
        let born = if self.namespaces.joined.is_empty() {
            self.namespaces.new & !sys::CLONE_NEWCGROUP
        } else {
            0
        };
        self.cgroup = Cgroup::make(self.layout, self.linux.cgroups_path.as_deref(), &self.options.id)?;
        let cradle = self.cgroup.cradle();
        let mut entry = match (self.cgroup.version, &cradle) {
            (1, _) => Entry::ByItself,
            (_, Some(_)) => Entry::Born,
            (_, None) => Entry::Moved,
        };
        let forked = sys::fork(born, cradle.as_ref().map(AsFd::as_fd)).or_else(|errno| {
            // A v2 directory with inner processes or a domain that does not fit: joined later.
            if entry == Entry::Born {
                entry = Entry::Moved;
                sys::fork(born, None)
            } else {
                Err(errno)
            }
        });
        let (pid, pidfd) = match forked {
            Ok(Fork::Parent { pid, pidfd }) => (pid, pidfd),
            Ok(Fork::Child) => {
                drop(here);
                child::run(&Init {
                    options: self.options,
                    namespaces: self.namespaces,
                    seccomp: self.seccomp,
                    sync: there,
                    state: &self.state,
                    cgroup: (entry == Entry::ByItself).then_some(&self.cgroup),
                })
            }
            Err(errno) => return Err(Failure::errno("cannot make the container's name spaces", errno)),
        };
        drop(there);
        let mut init = Process { pid, pidfd };
        match self.accompany(&mut init, &here, entry) {
            Ok(master) => Ok((init, here, master)),
            Err(failure) => {
                end(&init);
                Err(failure)
            }
        }
    }

    /// Everything from the clone to "ready"; gives the pty's master.
    fn accompany(
        &mut self,
        init: &mut Process,
        sync: &OwnedFd,
        entry: Entry,
    ) -> Result<Option<OwnedFd>, Failure> {
        if entry == Entry::ByItself {
            let refused = wire::expect(sync, Word::Joined)?.body;
            self.cgroup.leave_out(&refused);
        }
        if !self.namespaces.joined.is_empty() {
            *init = successor(sync, init)?;
        }
        if self.namespaces.makes(sys::CLONE_NEWUSER) {
            idmap::write(init.pid, self.linux)?;
            self.tell(sync, Word::Mapped)?;
        }
        if entry == Entry::Moved {
            self.cgroup.add(init.pid)?;
        }
        if let Some(resources) = &self.linux.resources {
            self.cgroup.update(resources)?;
        }
        self.state.pid = init.pid;
        if let Some(hooks) = &self.options.spec.hooks {
            hooks::run("prestart", &hooks.prestart, &self.state, "creating")?;
            hooks::run("createRuntime", &hooks.create_runtime, &self.state, "creating")?;
        }
        self.tell(sync, Word::Go)?;
        let mut master = None;
        loop {
            let message = wire::receive(sync)?.ok_or_else(|| died("while the container was set up"))?;
            match message.word {
                Word::Pty => master = message.fd,
                Word::Ready => return Ok(master),
                Word::Failed => return Err(wire::failure_of(&message.body)),
                other => {
                    return Err(Failure::new(
                        Kind::Internal,
                        format!("unexpected {other:?} from init"),
                    ));
                }
            }
        }
    }

    /// A broken pipe means that init has failed: its reason is read next.
    fn tell(&self, sync: &OwnedFd, word: Word) -> Result<(), Failure> {
        match wire::send(sync, word) {
            Ok(()) | Err(Errno::PIPE | Errno::CONNRESET) => Ok(()),
            Err(errno) => Err(Failure::errno(
                format!("cannot talk to the init of {}", self.options.id),
                errno,
            )),
        }
    }
}

fn died(when: &str) -> Failure {
    Failure::new(Kind::Internal, format!("the container's init ended {when}"))
}

/// The sibling that goes on in the first child's place, which is reaped.
pub fn successor(sync: &OwnedFd, first: &Process) -> Result<Process, Failure> {
    let message = wire::expect(sync, Word::Successor)?;
    let pidfd = message.fd.ok_or_else(|| died("without a successor"))?;
    let info = PathBuf::from(format!(
        "/proc/self/fdinfo/{}",
        std::os::fd::AsRawFd::as_raw_fd(&pidfd)
    ));
    let text = super::files::read_kernel_at(rustix::fs::CWD, &info)
        .map_err(|errno| Failure::errno("cannot read the pidfd's pid", errno).at(info))?;
    let pid = text
        .lines()
        .find_map(|line| line.strip_prefix("Pid:")?.trim().parse().ok());
    reap(first);
    Ok(Process {
        pid: pid.filter(|pid| *pid > 0).ok_or_else(|| died("at once"))?,
        pidfd,
    })
}

fn reap(process: &Process) {
    if let Some(pid) = Pid::from_raw(process.pid) {
        rustix::process::waitpid(Some(pid), WaitOptions::empty()).ok();
    }
}

/// Kills and reaps a child.
pub fn end(process: &Process) {
    sys::pidfd_kill(&process.pidfd, libc::SIGKILL).ok();
    rustix::process::waitid(WaitId::PidFd(process.pidfd.as_fd()), WaitIdOptions::EXITED).ok();
}

/// Field 22 of /proc/PID/stat.
pub fn start_time(pid: i32) -> Result<u64, Failure> {
    let path = PathBuf::from(format!("/proc/{pid}/stat"));
    let text = super::files::read_kernel_at(rustix::fs::CWD, &path)
        .map_err(|errno| Failure::errno("cannot read the process's state", errno).at(&path))?;
    let after = text.rfind(')').map_or("", |end| &text[end + 1..]);
    let field = after
        .split_whitespace()
        .nth(19)
        .and_then(|word| word.parse().ok());
    field.ok_or_else(|| Failure::new(Kind::Internal, "an unreadable process state").at(path))
}

/// Sends "start" and waits for the outcome of execve.
pub fn start_over(sync: &OwnedFd) -> Result<(), Failure> {
    match wire::send(sync, Word::Start) {
        Ok(()) => {}
        Err(Errno::PIPE | Errno::CONNRESET) => return Err(died("before it was started")),
        Err(errno) => return Err(Failure::errno("cannot start the container", errno)),
    }
    outcome(sync)
}

/// Reads until the socket closes: after [`Word::Exec`] that is success.
pub fn outcome(sync: &OwnedFd) -> Result<(), Failure> {
    let mut executing = false;
    loop {
        match wire::receive(sync)? {
            None if executing => return Ok(()),
            None => return Err(died("before it ran the program")),
            Some(message) if message.word == Word::Exec => executing = true,
            Some(message) if message.word == Word::Failed => return Err(wire::failure_of(&message.body)),
            Some(message) => {
                return Err(Failure::new(
                    Kind::Internal,
                    format!("unexpected {:?} from init", message.word),
                ));
            }
        }
    }
}

impl Container {
    /// Unblocks init; returns when execve succeeded, or its error (errno, path; the message starts
    /// with "exec: "). Poststart hooks run here; one that fails is only reported on standard error.
    pub fn start(&mut self) -> Result<(), Failure> {
        let sync = self.sync.take().ok_or_else(|| {
            Failure::new(
                Kind::Conflict,
                format!("container {} has been started already", self.id),
            )
        })?;
        start_over(&sync)?;
        self.run_poststart();
        Ok(())
    }

    pub(crate) fn run_poststart(&self) {
        if let Err(failure) = hooks::run("poststart", &self.after.poststart, &self.after.state, "running") {
            eprintln!("{failure}");
        }
    }

    /// After init's end (or to give up a created one): kills what is left, removes the cgroup, runs
    /// the poststop hooks. Every step is tried; the first failure is returned. Does not reap init.
    pub fn destroy(&mut self) -> Result<(), Failure> {
        self.sync = None;
        sys::pidfd_kill(&self.pidfd, libc::SIGKILL).ok();
        let killed = self.cgroup.kill_all(libc::SIGKILL);
        let removed = self.cgroup.remove();
        let stopped = hooks::run("poststop", &self.after.poststop, &self.after.state, "stopped");
        killed.and(removed).and(stopped)
    }

    /// A container of another process's making, for the command line.
    pub(crate) fn adopt(
        id: &str,
        pid: i32,
        cgroup: Cgroup,
        spec: &Spec,
        state: hooks::State,
    ) -> Result<Self, Failure> {
        let pidfd = open_pid(pid)?;
        let hooks = spec.hooks.clone().unwrap_or_default();
        let seccomp = spec
            .linux
            .as_ref()
            .and_then(|linux| linux.seccomp.as_ref())
            .map(Program::compile)
            .transpose()?;
        Ok(Self {
            id: id.to_owned(),
            init_pid: pid,
            start_time: start_time(pid).unwrap_or(0),
            pidfd,
            pty_master: None,
            cgroup,
            seccomp,
            single_id: spec.single_id(),
            sync: None,
            after: Later {
                state,
                poststart: hooks.poststart,
                poststop: hooks.poststop,
            },
        })
    }
}

/// A pidfd of a process that exists.
pub fn open_pid(pid: i32) -> Result<OwnedFd, Failure> {
    let gone = || {
        Failure::new(Kind::Conflict, format!("process {pid} is gone"))
            .at(Path::new("/proc").join(pid.to_string()))
    };
    let pid = Pid::from_raw(pid).ok_or_else(gone)?;
    rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()).map_err(|_| gone())
}
