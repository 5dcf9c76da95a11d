//! The shim: the tiny parent of one container. It runs in the engine's name spaces and keeps the
//! container's stdio, log, attach socket and exit status while engines come and go. It never runs
//! anything of the container's outside it. The contract is docs/native.md, "shim".
//!
//! The first process only forks and waits for the word of the second, which is the shim: it leaves the
//! session, closes every descriptor of the caller, reads the request, makes the container, reports and
//! serves. A shim that cannot report (its caller is gone) undoes what it made.

mod buffer;
mod client;
mod container;
mod ending;
mod exit;
mod input;
mod log;
mod operation;
mod request;
mod server;
mod session;
mod stdio;

use crate::error::{Failure, Kind};
use crate::sys::shim::Fork;
use crate::{error, sys};
pub use stdio::pipe;

use request::Create;
use rustix::fd::{AsFd, AsRawFd, OwnedFd};
use rustix::fs::{Mode, OFlags};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};
use rustix::process::{Pid, WaitOptions};
use serde_json::json;
use server::{Parts, Server};
use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

/// A request larger than this is refused.
const REQUEST_LIMIT: usize = 32 << 20;
/// Connections waiting to be accepted.
const BACKLOG: i32 = 128;

pub fn main(args: Vec<OsString>) -> Result<ExitCode, Failure> {
    if !args.is_empty() {
        return Err(Failure::new(
            Kind::Invalid,
            "shim takes no arguments: its request is on standard input",
        ));
    }
    let (reader, writer) = stdio::pipe()?;
    match sys::shim::fork().map_err(|errno| Failure::errno("cannot fork the shim", errno))? {
        Fork::Parent(child) => {
            drop(writer);
            relay(&reader, child)
        }
        Fork::Child => {
            drop(reader);
            sys::shim::close_all_but(writer.as_raw_fd());
            let code = serve(writer);
            sys::shim::exit_now(code);
        }
    }
}

/// The first process: prints what the shim reports.
fn relay(reader: &OwnedFd, child: Pid) -> Result<ExitCode, Failure> {
    // Up to the end of the line, not of the pipe: a created init may still hold the other end.
    let report = read_until(reader, REQUEST_LIMIT, Some(b'\n'))?;
    if let Some(line) = report.strip_prefix(b"+") {
        exit::write_all(rustix::stdio::stdout(), line)
            .map_err(|errno| Failure::errno("cannot print the answer", errno))?;
        return Ok(ExitCode::SUCCESS);
    }
    let status = rustix::process::waitpid(Some(child), WaitOptions::empty());
    if let Some(line) = report.strip_prefix(b"-") {
        let _ = exit::write_all(rustix::stdio::stderr(), line);
        return Ok(ExitCode::from(1));
    }
    let how = status
        .ok()
        .flatten()
        .map_or_else(String::new, |(_, status)| format!(" ({status:?})"));
    Err(Failure::new(
        Kind::Internal,
        format!("the shim ended before it had made the container{how}"),
    ))
}

/// The shim: everything after the fork. Returns its exit status, which nobody reads.
fn serve(report: OwnedFd) -> i32 {
    match prepare() {
        Err(failure) => {
            let _ = exit::write_all(&report, format!("-{}\n", failure.to_json()).as_bytes());
            1
        }
        Ok(mut server) => {
            let word = json!({"pid": server.container.pid(), "startTime": server.container.start_time()});
            if exit::write_all(&report, format!("+{word}\n").as_bytes()).is_err() {
                server.stop_created(0);
                return 1;
            }
            drop(report);
            server.run();
            0
        }
    }
}

fn prepare() -> Result<Server, Failure> {
    rustix::process::setsid().map_err(|errno| Failure::errno("cannot start a session", errno))?;
    let null = stdio::null(OFlags::RDWR)?;
    let redirect = |result: Result<(), rustix::io::Errno>| {
        result.map_err(|errno| Failure::errno("cannot let go of the caller's streams", errno))
    };
    redirect(rustix::stdio::dup2_stdout(&null))?;
    redirect(rustix::stdio::dup2_stderr(&null))?;
    let text = read_all(rustix::stdio::stdin(), REQUEST_LIMIT)?;
    redirect(rustix::stdio::dup2_stdin(&null))?;
    let mut request = Create::parse(&text)?;
    drop(text);
    // A caller may hang up, and terminals may signal: the container's life is not theirs to end.
    let signals = [
        libc::SIGCHLD,
        libc::SIGTERM,
        libc::SIGHUP,
        libc::SIGINT,
        libc::SIGQUIT,
    ];
    let signals =
        sys::shim::signal_fd(&signals).map_err(|errno| Failure::errno("cannot watch signals", errno))?;
    rustix::process::set_child_subreaper(Some(rustix::process::getpid()))
        .map_err(|errno| Failure::errno("cannot become a subreaper", errno))?;

    let new_log = request.log.as_ref().is_some_and(|log| !log.path.exists());
    let (listener, socket_inode) = listen(&request.dir)?;
    let undo = Undo {
        paths: [
            Some(request.dir.join("shim.sock")),
            new_log
                .then(|| request.log.as_ref().map(|log| log.path.clone()))
                .flatten(),
        ],
        armed: true,
    };
    let log = request.log.clone().map(log::Log::open).transpose()?;
    let (container, io) = container::create(&mut request)?;
    let mut server = Server::new(Parts {
        request,
        container,
        io,
        log,
        signals,
        listener,
        socket_inode,
    });
    if let Err(failure) = record(&server) {
        server.stop_created(0);
        return Err(failure);
    }
    undo.disarm();
    sys::shim::release_memory();
    Ok(server)
}

/// Files to remove when the shim cannot be made.
struct Undo {
    paths: [Option<std::path::PathBuf>; 2],
    armed: bool,
}

impl Undo {
    fn disarm(mut self) {
        self.armed = false;
    }
}

impl Drop for Undo {
    fn drop(&mut self) {
        for path in self.paths.iter().flatten().filter(|_| self.armed) {
            let _ = rustix::fs::unlink(path);
        }
    }
}

/// Writes `shim.json` and removes the exit file of an earlier run.
fn record(server: &Server) -> Result<(), Failure> {
    let request = &server.request;
    let path = request.dir.join("shim.json");
    let word = json!({
        "pid": server.container.pid(),
        "startTime": server.container.start_time(),
        "shimPid": rustix::process::getpid().as_raw_nonzero().get(),
        "shimStartTime": own_start_time()?,
    });
    let temporary = request.dir.join("shim.json.tmp");
    std::fs::write(&temporary, format!("{word}\n"))
        .and_then(|()| std::fs::rename(&temporary, &path))
        .map_err(|error| io_failure("cannot write", &error, &path))?;
    match rustix::fs::unlink(&request.exit_file) {
        Ok(()) | Err(rustix::io::Errno::NOENT) => Ok(()),
        Err(errno) => {
            Err(Failure::errno("cannot remove the earlier exit file", errno).at(&request.exit_file))
        }
    }
}

fn own_start_time() -> Result<u64, Failure> {
    let path = Path::new("/proc/self/stat");
    let text = std::fs::read_to_string(path).map_err(|error| io_failure("cannot read", &error, path))?;
    // The name in parentheses may hold anything; field 22 is the 20th after it.
    text.rsplit_once(')')
        .and_then(|(_, fields)| fields.split_ascii_whitespace().nth(19))
        .and_then(|field| field.parse().ok())
        .ok_or_else(|| Failure::new(error::Kind::Internal, "no start time in").at(path))
}

/// Listens on `dir/shim.sock` (0600) and gives the socket file's inode. The name is bound from inside
/// the directory, because a socket's path may have 107 bytes only.
fn listen(dir: &Path) -> Result<(OwnedFd, u64), Failure> {
    let fail = |message: &'static str| move |errno| Failure::errno(message, errno).at(dir.join("shim.sock"));
    rustix::process::chdir(dir)
        .map_err(|errno| Failure::errno("cannot enter the shim's directory", errno).at(dir))?;
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)
        .map_err(fail("cannot make a socket"))?;
    match rustix::fs::unlink("shim.sock") {
        Ok(()) | Err(rustix::io::Errno::NOENT) => {}
        Err(errno) => return Err(fail("cannot remove the earlier socket")(errno)),
    }
    let address = SocketAddrUnix::new("shim.sock").map_err(fail("cannot name the socket"))?;
    let before = rustix::process::umask(Mode::from_raw_mode(0o177));
    let bound = rustix::net::bind(&socket, &address);
    rustix::process::umask(before);
    bound.map_err(fail("cannot bind the socket"))?;
    rustix::net::listen(&socket, BACKLOG).map_err(fail("cannot listen on the socket"))?;
    let inode = rustix::fs::lstat("shim.sock")
        .map_err(fail("cannot find the socket"))?
        .st_ino;
    rustix::process::chdir("/")
        .map_err(|errno| Failure::errno("cannot leave the shim's directory", errno))?;
    Ok((socket, inode))
}

fn read_all(fd: impl AsFd, limit: usize) -> Result<Vec<u8>, Failure> {
    read_until(fd, limit, None)
}

/// Reads to the end, or to data that ends in `last`.
fn read_until(fd: impl AsFd, limit: usize, last: Option<u8>) -> Result<Vec<u8>, Failure> {
    let mut text = Vec::new();
    let mut chunk = [0u8; 16 * 1024];
    loop {
        match rustix::io::read(&fd, &mut chunk) {
            Ok(0) => return Ok(text),
            Ok(count) => text.extend_from_slice(&chunk[..count]),
            Err(rustix::io::Errno::INTR) => {}
            Err(errno) => return Err(Failure::errno("cannot read the request", errno)),
        }
        if last.is_some() && text.last().copied() == last {
            return Ok(text);
        }
        if text.len() > limit {
            return Err(Failure::new(
                Kind::Invalid,
                format!("the request is larger than {limit} bytes"),
            ));
        }
    }
}

fn io_failure(message: &str, error: &std::io::Error, path: &Path) -> Failure {
    let errno = rustix::io::Errno::from_io_error(error).unwrap_or(rustix::io::Errno::IO);
    Failure::errno(message, errno).at(path)
}
