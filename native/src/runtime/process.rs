//! The last stretch of a process on its way into the container, the same for init and for exec:
//! stdio or pty, working directory, ids, limits, capabilities, seccomp, execve. Runs in the process
//! itself, inside all name spaces, with the container's root as its root.

use super::identity::privileges::{self, Caps};
use super::identity::seccomp::Program;
use super::identity::users::{self, Identity};
use super::root::beneath::{Tree, is_on};
use super::root::mount::host_directory;
use super::spec::{ConsoleSize, Process};
use super::wire::{self, Word};
use crate::error::{Failure, Kind};
use crate::sys::runtime as sys;
use rustix::fs::{Access, Mode, OFlags, ResolveFlags, Uid, makedev};
use rustix::io::Errno;
use rustix::process::Signal;
use rustix::pty::OpenptFlags;
use std::ffi::{CStr, CString};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

const DEVPTS_MAGIC: u64 = 0x1cd1;
const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What the process gets besides its own description.
pub struct Settings<'a> {
    pub process: &'a Process,
    pub seccomp: Option<&'a Program>,
    pub single_id: bool,
    pub preserve_fds: u32,
    pub pdeathsig: bool,
    /// The open file to run in place of a path in the container.
    pub program: Option<&'a OwnedFd>,
}

/// Everything of execve that needs no more rights.
pub struct Ready {
    argv: Vec<CString>,
    env: Vec<CString>,
    candidates: Vec<CString>,
    /// Filters still to be loaded (with no_new_privs they come last).
    late: Vec<Program>,
    preserve_fds: u32,
    program: Option<OwnedFd>,
}

/// Opens a pty of the container's own devpts: (master, peer).
pub fn open_pty(tree: &Tree, size: Option<ConsoleSize>) -> Result<(OwnedFd, OwnedFd), Failure> {
    let failed = |errno| {
        Failure::errno(
            "cannot open a pty (does the container mount devpts on /dev/pts?)",
            errno,
        )
    };
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    let master = tree
        .open(Path::new("/dev/pts/ptmx"), flags, ResolveFlags::NO_SYMLINKS)
        .map_err(failed)?;
    let stat = rustix::fs::fstat(&master).map_err(failed)?;
    if !is_on(&master, DEVPTS_MAGIC) || stat.st_rdev != makedev(5, 2) {
        return Err(Failure::new(
            Kind::Conflict,
            "/dev/pts/ptmx of the container is not a pty multiplexer",
        ));
    }
    rustix::pty::unlockpt(&master).map_err(failed)?;
    let peer = rustix::pty::ioctl_tiocgptpeer(
        &master,
        OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC,
    )
    .map_err(failed)?;
    if let Some(size) = size.filter(|size| size.height != 0 || size.width != 0) {
        let size = rustix::termios::Winsize {
            ws_row: size.height,
            ws_col: size.width,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        rustix::termios::tcsetwinsize(&master, size).map_err(failed)?;
    }
    Ok((master, peer))
}

/// Installs the descriptors as 0, 1 and 2.
pub fn install_stdio(fds: [BorrowedFd<'_>; 3]) -> Result<(), Failure> {
    let failed = |errno| Failure::errno("cannot install the standard descriptors", errno);
    // Copies above 2 first: a source may be one of the targets.
    let above = |fd: BorrowedFd<'_>| rustix::io::fcntl_dupfd_cloexec(fd, 3).map_err(failed);
    let [stdin, stdout, stderr] = [above(fds[0])?, above(fds[1])?, above(fds[2])?];
    rustix::stdio::dup2_stdin(stdin).map_err(failed)?;
    rustix::stdio::dup2_stdout(stdout).map_err(failed)?;
    rustix::stdio::dup2_stderr(stderr).map_err(failed)
}

/// Takes everything on but seccomp (with no_new_privs) and execve. `terminal`: stdin is a pty that
/// becomes the controlling terminal.
pub fn settle(settings: &Settings<'_>, terminal: bool) -> Result<Ready, Failure> {
    let process = settings.process;
    let root =
        host_directory(Path::new("/")).map_err(|errno| Failure::errno("cannot open the root", errno))?;
    let tree = Tree::new(root);
    let identity = identity(&tree, process)?;
    let caps = privileges::parse(process.capabilities.as_ref())?;
    let mut ready = exec_plan(settings, &tree, &identity)?;
    own_stdio(identity.uid);
    if terminal {
        rustix::process::ioctl_tiocsctty(rustix::stdio::stdin())
            .map_err(|errno| Failure::errno("cannot take the controlling terminal", errno))?;
    }
    rustix::process::umask(Mode::from_raw_mode(process.user.umask.unwrap_or(0o022) & 0o777));
    let entered = enter_directory(&process.cwd, MayMake::Yes);
    privileges::limit(&process.rlimits)?;
    privileges::bound(caps)?;
    privileges::become_user(&identity, settings.single_id)?;
    if let Err(failure) = entered {
        // Root of the container may lack the right where the user has it (FUSE, root squash).
        if failure.errno != Some(Errno::ACCESS) {
            return Err(failure);
        }
        enter_directory(&process.cwd, MayMake::No)?;
    }
    if process.no_new_privileges {
        finish_privileges(settings, caps)?;
        rustix::thread::set_no_new_privs(true)
            .map_err(|errno| Failure::errno("cannot set no_new_privs", errno))?;
        ready.late = filters(settings);
    } else {
        for filter in filters(settings) {
            filter.load()?;
        }
        finish_privileges(settings, caps)?;
    }
    Ok(ready)
}

fn finish_privileges(settings: &Settings<'_>, caps: Caps) -> Result<(), Failure> {
    privileges::apply(caps)?;
    if settings.pdeathsig {
        // Only now: a change of ids clears it (prctl(2)).
        rustix::process::set_parent_process_death_signal(Some(Signal::KILL))
            .map_err(|errno| Failure::errno("cannot set the parent death signal", errno))?;
    }
    Ok(())
}

fn filters(settings: &Settings<'_>) -> Vec<Program> {
    let single = settings.single_id.then(Program::single_id);
    single.into_iter().chain(settings.seccomp.cloned()).collect()
}

fn identity(tree: &Tree, process: &Process) -> Result<Identity, Failure> {
    let user = &process.user;
    let Some(name) = user.username.as_deref().filter(|name| !name.is_empty()) else {
        return Ok(Identity {
            uid: user.uid,
            gid: user.gid,
            groups: user.additional_gids.clone(),
            home: None,
        });
    };
    let mut found = users::named(tree, name)?;
    found.groups.insert(0, found.gid);
    found.groups.extend(&user.additional_gids);
    let mut seen = Vec::new();
    found.groups.retain(|gid| {
        let new = !seen.contains(gid);
        seen.push(*gid);
        new
    });
    Ok(found)
}

fn exec_plan(settings: &Settings<'_>, tree: &Tree, identity: &Identity) -> Result<Ready, Failure> {
    let process = settings.process;
    let mut env = process.env.clone();
    if !env.iter().any(|entry| entry.starts_with("HOME=")) {
        let home = identity
            .home
            .clone()
            .or_else(|| users::home_of(tree, identity.uid));
        env.push(format!(
            "HOME={}",
            home.as_deref().filter(|home| !home.is_empty()).unwrap_or("/")
        ));
    }
    let path = env
        .iter()
        .find_map(|entry| entry.strip_prefix("PATH="))
        .unwrap_or(DEFAULT_PATH);
    let program = process.args.first().map_or("", String::as_str);
    let candidates: Vec<String> = if program.contains('/') {
        vec![program.to_owned()]
    } else {
        path.split(':')
            .filter(|part| part.starts_with('/'))
            .map(|part| format!("{part}/{program}"))
            .collect()
    };
    Ok(Ready {
        argv: c_strings(&process.args)?,
        candidates: c_strings(&candidates)?,
        env: c_strings(&env)?,
        late: Vec::new(),
        preserve_fds: settings.preserve_fds,
        program: match settings.program {
            Some(file) => Some(
                rustix::io::fcntl_dupfd_cloexec(file, 3)
                    .map_err(|errno| Failure::errno("cannot keep the program open", errno))?,
            ),
            None => None,
        },
    })
}

fn c_strings(texts: &[String]) -> Result<Vec<CString>, Failure> {
    let convert = |text: &String| {
        CString::new(text.as_str())
            .map_err(|_| Failure::new(Kind::Invalid, "process: a string holds a NUL byte"))
    };
    texts.iter().map(convert).collect()
}

/// The program may reopen its stdio through /proc/self/fd, so it must own it; what cannot be given
/// (read-only, unmapped) stays as it is, and the null device is everybody's.
fn own_stdio(uid: u32) {
    for fd in [
        rustix::stdio::stdin(),
        rustix::stdio::stdout(),
        rustix::stdio::stderr(),
    ] {
        let Ok(stat) = rustix::fs::fstat(fd) else { continue };
        if stat.st_uid != uid && stat.st_rdev != makedev(1, 3) {
            rustix::fs::fchown(fd, Some(Uid::from_raw(uid)), None).ok();
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum MayMake {
    Yes,
    No,
}

/// chdir, making the directory when it is missing; one that is not beneath the root (reached through
/// a leaked descriptor, CVE-2024-21626) is refused.
fn enter_directory(cwd: &str, make: MayMake) -> Result<(), Failure> {
    let failed = |errno| Failure::errno("cannot enter the working directory", errno).at(cwd);
    match rustix::process::chdir(cwd) {
        Err(Errno::NOENT) if make == MayMake::Yes => {
            std::fs::create_dir_all(cwd)
                .map_err(|err| super::files::from_io("cannot make the working directory", &err).at(cwd))?;
            rustix::process::chdir(cwd).map_err(failed)?;
        }
        other => other.map_err(failed)?,
    }
    let now = rustix::process::getcwd(Vec::new()).map_err(|_| outside(cwd))?;
    if now.as_bytes().first() == Some(&b'/') {
        Ok(())
    } else {
        Err(outside(cwd))
    }
}

fn outside(cwd: &str) -> Failure {
    Failure::new(
        Kind::Forbidden,
        "the working directory is outside of the container's root",
    )
    .at(cwd)
}

/// Fails as execve would when no candidate is there or may be run; for callers who want to know that
/// before they start (podman).
pub fn look_up(ready: &Ready) -> Result<(), Failure> {
    let mut worst = Errno::NOENT;
    for candidate in &ready.candidates {
        match rustix::fs::access(candidate, Access::EXEC_OK) {
            Ok(()) => return Ok(()),
            Err(Errno::ACCESS) => worst = Errno::ACCESS,
            Err(_) => {}
        }
    }
    Err(exec_failure(ready, worst))
}

/// Loads what filters are left and runs the program; returns only with the failure. `report` gets
/// [`Word::Exec`] before, and is closed by a successful execve.
pub fn launch(ready: &Ready, report: BorrowedFd<'_>) -> Failure {
    for filter in &ready.late {
        if let Err(failure) = filter.load() {
            return failure;
        }
    }
    if let Err(errno) = sys::cloexec_from(3 + ready.preserve_fds) {
        return Failure::errno("cannot mark descriptors close-on-exec", errno);
    }
    if let Err(errno) = wire::send(report.as_fd(), Word::Exec) {
        return Failure::errno("nobody waits for the container's start", errno);
    }
    let argv: Vec<&CStr> = ready.argv.iter().map(CString::as_c_str).collect();
    let env: Vec<&CStr> = ready.env.iter().map(CString::as_c_str).collect();
    if let Some(file) = &ready.program {
        return exec_failure(ready, sys::exec_file(file.as_fd(), &argv, &env));
    }
    let mut worst = Errno::NOENT;
    for candidate in &ready.candidates {
        match sys::execve(candidate, &argv, &env) {
            Errno::NOENT | Errno::NOTDIR => {}
            Errno::ACCESS => worst = Errno::ACCESS,
            errno => {
                worst = errno;
                break;
            }
        }
    }
    exec_failure(ready, worst)
}

/// Worded as Docker and runc do: callers look for these texts.
fn exec_failure(ready: &Ready, errno: Errno) -> Failure {
    let program = ready
        .argv
        .first()
        .map(|text| text.to_string_lossy().into_owned())
        .unwrap_or_default();
    let reason = match errno {
        Errno::NOENT if program.contains('/') => format!("stat {program}: no such file or directory"),
        Errno::NOENT => "executable file not found in $PATH".to_owned(),
        Errno::ACCESS => "permission denied".to_owned(),
        Errno::NOEXEC => "exec format error".to_owned(),
        other => other.to_string(),
    };
    Failure::errno(format!("exec: {program:?}: {reason}"), errno).at(program)
}
