//! How a supervisor comes to life: one for a directory, in the background, with its lock, its socket and
//! its record. A second start finds the first, or ends it when it is of another user namespace: from
//! there no container of this one's could be entered.

use super::namespace::Space;
use super::server::Server;
use super::supervisor::Supervisor;
use crate::error::{Failure, Kind};
use crate::runtime::create::start_time;
use crate::sys::shim::Fork;
use crate::{shim, sys};
use rustix::fd::{AsRawFd, OwnedFd};
use rustix::fs::{FlockOperation, Mode, OFlags};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};
use rustix::process::{Pid, Resource, Rlimit, Signal, WaitOptions};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

const REQUEST_LIMIT: u64 = 1 << 20;
const BACKLOG: i32 = 1024;
/// How long a supervisor that is in the way may take to end by itself.
const MANNERS: Duration = Duration::from_secs(2);
/// How long a second start waits for the first one's record, or for its end.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Deserialize)]
struct Begin {
    dir: PathBuf,
}

/// Who serves a directory.
#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    pid: i32,
    start_time: u64,
    /// Its user namespace, as /proc/PID/ns/user numbers it.
    #[serde(default)]
    user_namespace: u64,
}

/// `net`: reads the request, prints who serves.
pub fn main() -> Result<ExitCode, Failure> {
    let mut text = Vec::new();
    std::io::stdin()
        .lock()
        .take(REQUEST_LIMIT)
        .read_to_end(&mut text)
        .map_err(|error| io_failure("cannot read the request", &error))?;
    let begin: Begin = serde_json::from_slice(&text)
        .map_err(|error| Failure::new(Kind::Invalid, format!("the request cannot be read: {error}")))?;
    if !begin.dir.is_absolute() {
        return Err(Failure::new(Kind::Invalid, "the directory must be absolute").at(begin.dir));
    }
    let (reader, writer) = shim::pipe()?;
    match sys::shim::fork().map_err(|errno| Failure::errno("cannot fork the supervisor", errno))? {
        Fork::Parent(child) => {
            drop(writer);
            relay(reader, child)
        }
        Fork::Child => {
            drop(reader);
            sys::shim::close_all_but(writer.as_raw_fd());
            serve(&begin.dir, writer);
            sys::shim::exit_now(0);
        }
    }
}

/// The first process: prints what the second one reports.
fn relay(reader: OwnedFd, child: Pid) -> Result<ExitCode, Failure> {
    let mut report = String::new();
    std::fs::File::from(reader)
        .read_to_string(&mut report)
        .map_err(|error| io_failure("cannot read the supervisor's report", &error))?;
    if let Some(line) = report.strip_prefix('+') {
        print!("{line}");
        return Ok(ExitCode::SUCCESS);
    }
    let _ = rustix::process::waitpid(Some(child), WaitOptions::empty());
    if let Some(line) = report.strip_prefix('-') {
        eprint!("{line}");
        return Ok(ExitCode::from(1));
    }
    Err(Failure::new(
        Kind::Internal,
        "the network supervisor ended before it served",
    ))
}

/// The second process.
fn serve(dir: &Path, report: OwnedFd) {
    let say = |mark: char, value: serde_json::Value| {
        let _ = rustix::io::write(&report, format!("{mark}{value}\n").as_bytes());
    };
    match prepare(dir) {
        Err(failure) => say('-', failure.to_json()),
        Ok(Start::Other(record)) => say('+', json!(record)),
        Ok(Start::Own(mut started)) => {
            say('+', json!(started.record));
            drop(report);
            started.server.run();
            for name in ["net.json", "net.sock"] {
                let _ = rustix::fs::unlinkat(&started.dir, name, rustix::fs::AtFlags::empty());
            }
            drop(started);
        }
    }
}

enum Start {
    /// Another one serves this directory.
    Other(Record),
    Own(Box<Started>),
}

struct Started {
    server: Server,
    record: Record,
    dir: OwnedFd,
    /// Held for as long as the process lives.
    _lock: OwnedFd,
}

fn prepare(path: &Path) -> Result<Start, Failure> {
    detach()?;
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let dir = rustix::fs::open(path, flags, Mode::empty())
        .map_err(|errno| Failure::errno("cannot open the directory", errno).at(path))?;
    let lock = match lock_or_find(&dir, path)? {
        Ok(lock) => lock,
        Err(record) => return Ok(Start::Other(record)),
    };
    raise_limit();
    let signals = sys::shim::signal_fd(&[libc::SIGTERM, libc::SIGINT])
        .map_err(|errno| Failure::errno("cannot watch signals", errno))?;
    let listener = listen(&dir, path)?;
    let own = identity()?;
    let supervisor = Space::create().and_then(|space| Supervisor::new(space, own));
    let result = supervisor.and_then(|supervisor| {
        record(&dir, path, own)?;
        Ok((Server::new(supervisor, signals, listener), own))
    });
    match result {
        Ok((server, record)) => {
            sys::shim::release_memory();
            Ok(Start::Own(Box::new(Started {
                server,
                record,
                dir,
                _lock: lock,
            })))
        }
        Err(failure) => {
            let _ = rustix::fs::unlinkat(&dir, "net.sock", rustix::fs::AtFlags::empty());
            Err(failure)
        }
    }
}

/// A session of its own, and none of the caller's streams.
fn detach() -> Result<(), Failure> {
    let fail = |errno| Failure::errno("cannot let go of the caller", errno);
    rustix::process::setsid().map_err(fail)?;
    let null = rustix::fs::open("/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())
        .map_err(|errno| Failure::errno("cannot open", errno).at("/dev/null"))?;
    rustix::stdio::dup2_stdin(&null).map_err(fail)?;
    rustix::stdio::dup2_stdout(&null).map_err(fail)?;
    rustix::stdio::dup2_stderr(&null).map_err(fail)?;
    rustix::process::chdir("/").map_err(fail)
}

/// The lock, or the record of the one that holds it.
fn lock_or_find(dir: &OwnedFd, path: &Path) -> Result<Result<OwnedFd, Record>, Failure> {
    let flags = OFlags::CREATE | OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let lock = rustix::fs::openat(dir, "net.lock", flags, Mode::RUSR | Mode::WUSR)
        .map_err(|errno| Failure::errno("cannot open", errno).at(path.join("net.lock")))?;
    let own = user_namespace()?;
    let end = Instant::now() + PATIENCE;
    let mut ending: Option<(Record, Instant)> = None;
    loop {
        match rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(Ok(lock)),
            Err(Errno::AGAIN) => {}
            Err(errno) => return Err(Failure::errno("cannot lock", errno).at(path.join("net.lock"))),
        }
        match read_record(dir) {
            Some(record) if record.user_namespace == own => return Ok(Err(record)),
            Some(record) => dismiss(record, &mut ending),
            None => {}
        }
        if Instant::now() >= end {
            return Err(Failure::new(
                Kind::Unavailable,
                "another supervisor holds the lock and does not serve",
            )
            .at(path));
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Asks a supervisor to end, once; one that has not after a while is ended.
fn dismiss(record: Record, ending: &mut Option<(Record, Instant)>) {
    let signal = match ending {
        Some((known, since)) if *known == record => {
            if since.elapsed() < MANNERS {
                return;
            }
            Signal::KILL
        }
        _ => {
            *ending = Some((record, Instant::now()));
            Signal::TERM
        }
    };
    // One that is gone meanwhile is what was wanted; one that may not be signalled holds the lock on.
    if let Ok(pidfd) = super::endpoint::watch(record.pid, record.start_time) {
        let _ = rustix::process::pidfd_send_signal(&pidfd, signal);
    }
}

/// The caller's user namespace.
fn user_namespace() -> Result<u64, Failure> {
    const OWN: &str = "/proc/self/ns/user";
    let stat = rustix::fs::stat(OWN)
        .map_err(|errno| Failure::errno("cannot look at the user namespace", errno).at(OWN))?;
    Ok(stat.st_ino)
}

fn identity() -> Result<Record, Failure> {
    let pid = rustix::process::getpid().as_raw_nonzero().get();
    Ok(Record {
        pid,
        start_time: start_time(pid)?,
        user_namespace: user_namespace()?,
    })
}

/// The record of a living supervisor.
fn read_record(dir: &OwnedFd) -> Option<Record> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let file = rustix::fs::openat(dir, "net.json", flags, Mode::empty()).ok()?;
    let mut text = Vec::new();
    std::fs::File::from(file).take(4096).read_to_end(&mut text).ok()?;
    let record: Record = serde_json::from_slice(&text).ok()?;
    (start_time(record.pid).ok()? == record.start_time).then_some(record)
}

/// As many descriptors as the hard limit allows.
fn raise_limit() {
    let limit = rustix::process::getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    let _ = rustix::process::setrlimit(Resource::Nofile, raised);
}

/// Listens on `net.sock` (0600), named from inside the directory: a socket's path may have 107 bytes only.
fn listen(dir: &OwnedFd, path: &Path) -> Result<OwnedFd, Failure> {
    let fail = |what: &'static str| move |errno| Failure::errno(what, errno).at(path.join("net.sock"));
    match rustix::fs::unlinkat(dir, "net.sock", rustix::fs::AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => {}
        Err(errno) => return Err(fail("cannot remove the earlier socket")(errno)),
    }
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)
        .map_err(fail("cannot make a socket"))?;
    rustix::process::fchdir(dir).map_err(fail("cannot enter the directory"))?;
    let address = SocketAddrUnix::new("net.sock").map_err(fail("cannot name the socket"))?;
    let before = rustix::process::umask(Mode::from_raw_mode(0o177));
    let bound = rustix::net::bind(&socket, &address);
    rustix::process::umask(before);
    bound.map_err(fail("cannot bind the socket"))?;
    rustix::process::chdir("/").map_err(fail("cannot leave the directory"))?;
    rustix::net::listen(&socket, BACKLOG).map_err(fail("cannot listen on the socket"))?;
    Ok(socket)
}

/// Writes `net.json`, whole or not at all.
fn record(dir: &OwnedFd, path: &Path, record: Record) -> Result<(), Failure> {
    let fail = |errno| Failure::errno("cannot write", errno).at(path.join("net.json"));
    let flags = OFlags::CREATE | OFlags::TRUNC | OFlags::WRONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let file = rustix::fs::openat(dir, "net.json.tmp", flags, Mode::RUSR | Mode::WUSR).map_err(fail)?;
    rustix::io::write(&file, format!("{}\n", json!(record)).as_bytes()).map_err(fail)?;
    rustix::fs::renameat(dir, "net.json.tmp", dir, "net.json").map_err(fail)
}

fn io_failure(message: &str, error: &std::io::Error) -> Failure {
    Failure::errno(message, Errno::from_io_error(error).unwrap_or(Errno::IO))
}
