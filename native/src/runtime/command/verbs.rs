//! The OCI verbs that act on a container which exists: start, kill, delete, pause, resume, update.

use super::cli::{only, positionals, usage, value};
use super::store::{Entry, Status, Store};
use crate::error::{Failure, Kind};
use crate::runtime::create::start_over;
use crate::runtime::files::{read_bounded, read_file};
use crate::runtime::hooks;
use crate::runtime::root::mount::host_directory;
use crate::runtime::spec::Resources;
use crate::sys::runtime as sys;
use lexopt::prelude::*;
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;
use std::process::ExitCode;

/// Seconds that a killed init may take to be gone.
const PATIENCE: i64 = 10;

/// signal(7), by number; RTMIN+n is given as a number.
const SIGNALS: [&str; 31] = [
    "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE",
    "ALRM", "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ",
    "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS",
];

pub fn start(store: &Store, parser: lexopt::Parser) -> Result<ExitCode, Failure> {
    let (id, _) = positionals(parser, 0)?;
    let entry = store.load(&id)?;
    let status = entry.status();
    if status != Status::Created {
        return Err(Failure::new(
            Kind::Conflict,
            format!("cannot start a container in the {} state: {id}", status.name()),
        ));
    }
    let socket = connect(&entry.directory)?;
    let started = start_over(&socket);
    std::fs::remove_file(entry.socket()).ok();
    started?;
    let spec = entry.spec()?;
    let state = &entry.saved()?.state;
    if let Some(hooks) = &spec.hooks
        && let Err(failure) = hooks::run("poststart", &hooks.poststart, state, "running")
    {
        eprintln!("{failure}");
    }
    Ok(ExitCode::SUCCESS)
}

/// Connects to init's socket through the directory's descriptor: its path may be longer than a
/// socket address.
fn connect(directory: &Path) -> Result<OwnedFd, Failure> {
    let failed = |errno| Failure::errno("cannot reach the container's init", errno).at(directory);
    let held = host_directory(directory).map_err(failed)?;
    let address = address_in(&held).map_err(failed)?;
    let socket = rustix::net::socket_with(
        AddressFamily::UNIX,
        SocketType::SEQPACKET,
        SocketFlags::CLOEXEC,
        None,
    )
    .map_err(failed)?;
    rustix::net::connect(&socket, &address).map_err(failed)?;
    Ok(socket)
}

pub fn address_in(directory: &OwnedFd) -> Result<SocketAddrUnix, Errno> {
    SocketAddrUnix::new(format!("/proc/self/fd/{}/start.sock", directory.as_raw_fd()))
}

/// A name with or without SIG, or a number.
fn signal(text: &str) -> Result<i32, Failure> {
    let upper = text.to_ascii_uppercase();
    let short = upper.strip_prefix("SIG").unwrap_or(&upper);
    let named = SIGNALS
        .iter()
        .position(|name| *name == short)
        .and_then(|at| i32::try_from(at + 1).ok());
    let number = || text.parse().ok().filter(|number| (0..=64).contains(number));
    named
        .or_else(number)
        .ok_or_else(|| Failure::new(Kind::Invalid, format!("unknown signal {text:?}")))
}

pub fn kill(store: &Store, mut parser: lexopt::Parser) -> Result<ExitCode, Failure> {
    let (mut all, mut values) = (false, Vec::new());
    while let Some(arg) = parser.next().map_err(usage)? {
        match arg {
            Long("all") | Short('a') => all = true,
            Value(value) => values.push(value.to_string_lossy().into_owned()),
            other => return Err(usage(other.unexpected())),
        }
    }
    let (id, rest) = only(values, 1)?;
    let signal = signal(rest.first().map_or("TERM", String::as_str))?;
    let entry = store.load(&id)?;
    let gone = || Failure::new(Kind::Conflict, format!("container not running: {id}"));
    if all {
        entry.saved()?.cgroup.kill_all(signal)?;
        if let Some(pidfd) = entry
            .pidfd()
            .filter(|_| entry.saved().is_ok_and(|saved| saved.cgroup.groups.is_empty()))
        {
            sys::pidfd_kill(pidfd, signal).ok();
        }
        return Ok(ExitCode::SUCCESS);
    }
    let pidfd = entry.pidfd().ok_or_else(gone)?;
    sys::pidfd_kill(pidfd, signal).map_err(|errno| {
        if errno == Errno::SRCH {
            gone()
        } else {
            Failure::errno(format!("cannot signal {id}"), errno)
        }
    })?;
    if signal == libc::SIGKILL && entry.status() == Status::Paused {
        // A frozen v1 group takes the signal only when it thaws.
        entry.saved()?.cgroup.thaw().ok();
    }
    Ok(ExitCode::SUCCESS)
}

pub fn delete(store: &Store, mut parser: lexopt::Parser) -> Result<ExitCode, Failure> {
    let (mut force, mut values) = (false, Vec::new());
    while let Some(arg) = parser.next().map_err(usage)? {
        match arg {
            Long("force") | Short('f') => force = true,
            Value(value) => values.push(value.to_string_lossy().into_owned()),
            other => return Err(usage(other.unexpected())),
        }
    }
    let (id, _) = only(values, 0)?;
    let entry = match store.load(&id) {
        Err(failure) if force && failure.kind == Kind::NotFound => return Ok(ExitCode::SUCCESS),
        other => other?,
    };
    let status = entry.status();
    if matches!(status, Status::Running | Status::Paused) && !force {
        return Err(Failure::new(
            Kind::Conflict,
            format!(
                "cannot delete container {id} that is not stopped: {}",
                status.name()
            ),
        ));
    }
    destroy(store, &entry, &id)?;
    Ok(ExitCode::SUCCESS)
}

/// Kills what lives, removes the cgroup, runs poststop, forgets the state. Every step is tried.
pub fn destroy(store: &Store, entry: &Entry, id: &str) -> Result<(), Failure> {
    let Some(saved) = &entry.saved else {
        return store.forget(id);
    };
    if let Some(pidfd) = entry.pidfd() {
        sys::pidfd_kill(&pidfd, libc::SIGKILL).ok();
        saved.cgroup.thaw().ok();
        let mut fds = [PollFd::new(&pidfd, PollFlags::IN)];
        rustix::event::poll(
            &mut fds,
            Some(&Timespec {
                tv_sec: PATIENCE,
                tv_nsec: 0,
            }),
        )
        .ok();
    }
    let killed = saved.cgroup.kill_all(libc::SIGKILL);
    let removed = saved.cgroup.remove();
    let hooks = entry.spec().ok().and_then(|spec| spec.hooks).unwrap_or_default();
    if let Err(failure) = hooks::run("poststop", &hooks.poststop, &saved.state, "stopped") {
        eprintln!("{failure}");
    }
    let forgotten = store.forget(id);
    killed.and(removed).and(forgotten)
}

pub fn pause(store: &Store, parser: lexopt::Parser) -> Result<ExitCode, Failure> {
    let (id, _) = positionals(parser, 0)?;
    let entry = store.load(&id)?;
    match entry.status() {
        Status::Running | Status::Created => entry.saved()?.cgroup.freeze()?,
        other => {
            return Err(Failure::new(
                Kind::Conflict,
                format!("cannot pause container {id} that is {}", other.name()),
            ));
        }
    }
    Ok(ExitCode::SUCCESS)
}

pub fn resume(store: &Store, parser: lexopt::Parser) -> Result<ExitCode, Failure> {
    let (id, _) = positionals(parser, 0)?;
    let entry = store.load(&id)?;
    if entry.status() != Status::Paused {
        return Err(Failure::new(
            Kind::Conflict,
            format!("container {id} is not paused"),
        ));
    }
    entry.saved()?.cgroup.thaw()?;
    Ok(ExitCode::SUCCESS)
}

/// `update --resources FILE ID`, "-" for standard input.
pub fn update(store: &Store, mut parser: lexopt::Parser) -> Result<ExitCode, Failure> {
    let (mut file, mut values) = (None, Vec::new());
    while let Some(arg) = parser.next().map_err(usage)? {
        match arg {
            Long("resources") | Short('r') => file = Some(value(&mut parser)?),
            Value(value) => values.push(value.to_string_lossy().into_owned()),
            other => return Err(usage(other.unexpected())),
        }
    }
    let (id, _) = only(values, 0)?;
    let file = file.ok_or_else(|| Failure::new(Kind::Invalid, "update needs --resources FILE"))?;
    let text = if file == "-" {
        let stdin = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdin(), 3)
            .map_err(|errno| Failure::errno("cannot read standard input", errno))?;
        read_file(stdin.into(), 1 << 20)?
    } else {
        read_bounded(Path::new(&file), 1 << 20)?
    };
    let resources: Resources = serde_json::from_slice(&text)
        .map_err(|err| Failure::new(Kind::Invalid, format!("the resources are not valid: {err}")))?;
    store.load(&id)?.saved()?.cgroup.update(&resources)?;
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_have_names_and_numbers() {
        let number = |text: &str| signal(text).ok();
        assert_eq!(
            [number("KILL"), number("sigterm"), number("10"), number("WINCH")],
            [Some(9), Some(15), Some(10), Some(28)]
        );
        assert_eq!([number("65"), number("-1"), number("NOPE")], [None; 3]);
    }
}
