//! The OCI verbs that make processes: create, run, exec.

use super::cli::{count, only, text, usage, value};
use super::store::{Status, Store};
use super::verbs::{address_in, destroy};
use crate::error::{Failure, Kind};
use crate::runtime::create as library;
use crate::runtime::root::mount::host_directory;
use crate::runtime::root::rootfs::rooted;
use crate::runtime::spec::{Process, Spec};
use crate::runtime::{Container, CreateOptions, Execed, Stdio, files, seal, terminal};
use crate::sys::runtime as sys;
use lexopt::prelude::*;
use rustix::net::{AddressFamily, SocketFlags, SocketType};
use rustix::process::{WaitId, WaitIdOptions};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Larger files are refused unread.
const MAX_BYTES: u64 = 16 << 20;

#[derive(Default)]
struct Flags {
    bundle: Option<PathBuf>,
    console_socket: Option<PathBuf>,
    pid_file: Option<PathBuf>,
    preserve_fds: u32,
    no_pivot: bool,
    detach: bool,
    process: Option<PathBuf>,
    tty: bool,
    cwd: Option<String>,
    env: Vec<String>,
    user: Option<String>,
    caps: Vec<String>,
    no_new_privs: bool,
    values: Vec<String>,
}

/// Options of all three verbs; what does not fit a verb is refused by its own list.
fn flags(mut parser: lexopt::Parser, allowed: &[&str]) -> Result<Flags, Failure> {
    let mut flags = Flags::default();
    while let Some(arg) = parser.next().map_err(usage)? {
        let name = match &arg {
            Long(name) => (*name).to_owned(),
            Short(letter) => letter.to_string(),
            Value(first) => {
                flags.values.push(first.to_string_lossy().into_owned());
                // exec: what follows the id is the command, whatever it looks like.
                if allowed.contains(&"process") {
                    let rest = parser.raw_args().map_err(usage)?;
                    flags
                        .values
                        .extend(rest.map(|value| value.to_string_lossy().into_owned()));
                }
                continue;
            }
        };
        if !allowed.contains(&name.as_str()) {
            return Err(usage(arg.unexpected()));
        }
        match name.as_str() {
            "bundle" | "b" => flags.bundle = Some(value(&mut parser)?.into()),
            "console-socket" => flags.console_socket = Some(value(&mut parser)?.into()),
            "pid-file" => flags.pid_file = Some(value(&mut parser)?.into()),
            "preserve-fds" => flags.preserve_fds = count(&mut parser)?,
            "no-pivot" => flags.no_pivot = true,
            "detach" | "d" => flags.detach = true,
            "process" | "p" => flags.process = Some(value(&mut parser)?.into()),
            "tty" | "t" => flags.tty = true,
            "cwd" => flags.cwd = Some(text(&mut parser)?),
            "env" | "e" => flags.env.push(text(&mut parser)?),
            "user" | "u" => flags.user = Some(text(&mut parser)?),
            "cap" | "c" => flags.caps.push(text(&mut parser)?),
            "no-new-privs" => flags.no_new_privs = true,
            // Accepted for runc's sake: nothing of a bundle's key rings or labels is made here.
            "no-new-keyring" => {}
            _ => drop(value(&mut parser)?),
        }
    }
    Ok(flags)
}

const CREATE: &[&str] = &[
    "bundle",
    "b",
    "console-socket",
    "pid-file",
    "preserve-fds",
    "no-pivot",
    "no-new-keyring",
];
const RUN: &[&str] = &[
    "bundle",
    "b",
    "console-socket",
    "pid-file",
    "preserve-fds",
    "no-pivot",
    "no-new-keyring",
    "detach",
    "d",
];
const EXEC: &[&str] = &[
    "console-socket",
    "pid-file",
    "preserve-fds",
    "detach",
    "d",
    "process",
    "p",
    "tty",
    "t",
    "cwd",
    "env",
    "e",
    "user",
    "u",
    "cap",
    "c",
    "no-new-privs",
    "cgroup",
    "apparmor",
    "process-label",
];

pub fn create(store: &Store, parser: lexopt::Parser) -> Result<ExitCode, Failure> {
    seal::ensure()?;
    let flags = flags(parser, CREATE)?;
    let (id, _) = only(flags.values.clone(), 0)?;
    make(store, &flags, &id, StartBy::AnotherProcess)?;
    Ok(ExitCode::SUCCESS)
}

pub fn run(store: &Store, parser: lexopt::Parser) -> Result<ExitCode, Failure> {
    seal::ensure()?;
    let flags = flags(parser, RUN)?;
    let (id, _) = only(flags.values.clone(), 0)?;
    let foreground = !flags.detach;
    if foreground {
        sys::block_signals();
    }
    let mut container = make(store, &flags, &id, StartBy::ThisProcess)?;
    let outcome = container.start().and_then(|()| {
        if !foreground {
            return Ok(0);
        }
        let master = container.pty_master.take();
        terminal::accompany(container.pidfd.as_fd(), container.init_pid, master)
    });
    if foreground || outcome.is_err() {
        sys::pidfd_kill(&container.pidfd, libc::SIGKILL).ok();
        rustix::process::waitid(WaitId::PidFd(container.pidfd.as_fd()), WaitIdOptions::EXITED).ok();
        // Another process may have deleted it with --force.
        let destroyed = match store.load(&id) {
            Err(failure) if failure.kind == Kind::NotFound => Ok(()),
            entry => entry.and_then(|entry| destroy(store, &entry, &id)),
        };
        let code = outcome?;
        destroyed?;
        return Ok(ExitCode::from(code));
    }
    Ok(ExitCode::SUCCESS)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum StartBy {
    ThisProcess,
    AnotherProcess,
}

/// A created container with its state on disk; on an error nothing of it is left.
fn make(store: &Store, flags: &Flags, id: &str, start: StartBy) -> Result<Container, Failure> {
    let bundle = flags.bundle.clone().unwrap_or_else(|| PathBuf::from("."));
    let bundle = std::fs::canonicalize(&bundle)
        .map_err(|err| files::from_io("cannot find the bundle", &err).at(&bundle))?;
    let path = bundle.join("config.json");
    let config = files::read_bounded(&path, MAX_BYTES)?;
    let spec = Spec::parse(&config).map_err(|failure| failure.at(&path))?;
    let terminal = spec.process.as_ref().is_some_and(|process| process.terminal);
    let size = spec
        .process
        .as_ref()
        .and_then(|process| process.console_size)
        .or_else(terminal::size);
    let detached = start == StartBy::AnotherProcess || flags.detach;
    check_console(terminal, detached, flags.console_socket.is_some())?;
    check_preserved(flags.preserve_fds)?;
    let rootfs = match &spec.root {
        Some(root) if root.overlay.is_none() => rooted(&root.path, Some(&bundle))?,
        _ => PathBuf::new(),
    };
    let directory = store.claim(id)?;
    let made = (|| {
        let start_listener = (start == StartBy::AnotherProcess)
            .then(|| listen(&directory))
            .transpose()?;
        let options = CreateOptions {
            id: id.to_owned(),
            bundle: Some(bundle),
            spec,
            stdio: if terminal { Stdio::Pty } else { own_stdio()? },
            size,
            preserve_fds: flags.preserve_fds,
            pdeathsig: false,
            no_pivot: flags.no_pivot,
            start_listener,
        };
        let mut container = library::create(options)?;
        let settled = settle(store, flags, &mut container, (&config, rootfs));
        if settled.is_err() {
            library::end(&library::Process {
                pid: container.init_pid,
                pidfd: clone(&container.pidfd)?,
            });
            container.destroy().ok();
        }
        settled.map(|()| container)
    })();
    if made.is_err() {
        store.forget(id).ok();
    }
    made
}

fn clone(fd: &OwnedFd) -> Result<OwnedFd, Failure> {
    fd.try_clone().map_err(|err| files::from_io("dup", &err))
}

fn settle(
    store: &Store,
    flags: &Flags,
    container: &mut Container,
    kept: (&[u8], PathBuf),
) -> Result<(), Failure> {
    store.save(container, kept.0, kept.1)?;
    if let Some(path) = &flags.pid_file {
        files::replace(path, container.init_pid.to_string().as_bytes())?;
    }
    if let Some(socket) = &flags.console_socket
        && let Some(master) = container.pty_master.take()
    {
        terminal::hand_over(socket, master.as_fd())?;
    }
    Ok(())
}

fn check_console(terminal: bool, detached: bool, socket: bool) -> Result<(), Failure> {
    let message = match (terminal, detached, socket) {
        (true, true, false) => {
            "cannot allocate tty if the runtime will detach without setting console socket"
        }
        (false, _, true) => "cannot use console socket if the runtime will not allocate a tty",
        _ => return Ok(()),
    };
    Err(Failure::new(Kind::Invalid, message))
}

/// Each preserved descriptor must be open: a hole would be filled by one of the runtime's own.
fn check_preserved(count: u32) -> Result<(), Failure> {
    for fd in 3..3 + count {
        let number =
            i32::try_from(fd).map_err(|_| Failure::new(Kind::Invalid, "--preserve-fds is too large"))?;
        sys::set_cloexec(number, false).map_err(|errno| {
            Failure::errno(
                format!("--preserve-fds {count}: descriptor {fd} is not open"),
                errno,
            )
        })?;
    }
    Ok(())
}

fn listen(directory: &Path) -> Result<OwnedFd, Failure> {
    let failed = |errno| Failure::errno("cannot listen for the start", errno).at(directory);
    let held = host_directory(directory).map_err(failed)?;
    let socket = rustix::net::socket_with(
        AddressFamily::UNIX,
        SocketType::SEQPACKET,
        SocketFlags::CLOEXEC,
        None,
    )
    .map_err(failed)?;
    rustix::net::bind(&socket, &address_in(&held).map_err(failed)?).map_err(failed)?;
    rustix::net::listen(&socket, 1).map_err(failed)?;
    Ok(socket)
}

fn own_stdio() -> Result<Stdio, Failure> {
    let copy = |fd: BorrowedFd<'_>| {
        rustix::io::fcntl_dupfd_cloexec(fd, 3)
            .map_err(|errno| Failure::errno("standard input, output and error must be open", errno))
    };
    Ok(Stdio::Descriptors {
        stdin: copy(rustix::stdio::stdin())?,
        stdout: copy(rustix::stdio::stdout())?,
        stderr: copy(rustix::stdio::stderr())?,
    })
}

pub fn exec(store: &Store, parser: lexopt::Parser) -> Result<ExitCode, Failure> {
    seal::ensure()?;
    let flags = flags(parser, EXEC)?;
    let Some((id, command)) = flags.values.split_first() else {
        return Err(Failure::new(Kind::Invalid, "a container id is missing"));
    };
    let entry = store.load(id)?;
    match entry.status() {
        Status::Running | Status::Created => {}
        Status::Paused => {
            return Err(Failure::new(
                Kind::Conflict,
                format!("cannot exec in a paused container: {id}"),
            ));
        }
        _ => {
            return Err(Failure::new(
                Kind::Conflict,
                format!("cannot exec in a stopped container: {id}"),
            ));
        }
    }
    let process = wanted(&flags, command, || entry.spec())?;
    check_console(process.terminal, flags.detach, flags.console_socket.is_some())?;
    check_preserved(flags.preserve_fds)?;
    let container = entry.container(id)?;
    if !flags.detach {
        sys::block_signals();
    }
    let stdio = if process.terminal {
        Stdio::Pty
    } else {
        own_stdio()?
    };
    let size = process.console_size.or_else(terminal::size);
    let mut execed = crate::runtime::exec(&container.target(), &process, stdio, size, flags.preserve_fds)?;
    finish(&flags, &mut execed)
}

fn finish(flags: &Flags, execed: &mut Execed) -> Result<ExitCode, Failure> {
    if let Some(path) = &flags.pid_file {
        files::replace(path, execed.pid.to_string().as_bytes())?;
    }
    let master = execed.pty_master.take();
    if let (Some(socket), Some(master)) = (&flags.console_socket, &master) {
        terminal::hand_over(socket, master.as_fd())?;
    }
    if flags.detach {
        return Ok(ExitCode::SUCCESS);
    }
    terminal::accompany(execed.pidfd.as_fd(), execed.pid, master).map(ExitCode::from)
}

/// The process of --process, or the container's own with what the command line changes.
fn wanted(
    flags: &Flags,
    command: &[String],
    spec: impl Fn() -> Result<Spec, Failure>,
) -> Result<Process, Failure> {
    if let Some(path) = &flags.process {
        let text = files::read_bounded(path, MAX_BYTES)?;
        return serde_json::from_slice(&text)
            .map_err(|err| Failure::new(Kind::Invalid, format!("not a valid OCI process: {err}")).at(path));
    }
    let mut process = spec()?.process.unwrap_or_default();
    process.args = command.to_vec();
    process.terminal = flags.tty;
    process.env.extend(flags.env.iter().cloned());
    process.no_new_privileges |= flags.no_new_privs;
    if let Some(cwd) = &flags.cwd {
        process.cwd.clone_from(cwd);
    }
    if flags.user.is_some() {
        process.user.username.clone_from(&flags.user);
        process.user.additional_gids.clear();
    }
    if !flags.caps.is_empty() {
        let sets = process.capabilities.get_or_insert_default();
        for set in [&mut sets.bounding, &mut sets.effective, &mut sets.permitted] {
            set.extend(flags.caps.iter().cloned());
        }
    }
    Ok(process)
}
