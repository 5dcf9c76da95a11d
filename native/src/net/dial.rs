//! A stream into a container's network namespace, without a published port. Each has a thread of its own,
//! which enters the namespace, connects and carries the bytes until either side has ended.

use super::namespace;
use super::request::Dial;
use crate::error::{Failure, Kind};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::OFlags;
use rustix::io::Errno;
use rustix::net::{AddressFamily, Shutdown, SocketFlags, SocketType, sockopt};
use serde_json::json;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Streams at once.
const LIMIT: usize = 2048;
const STACK: usize = 64 * 1024;
const BUFFER: usize = 64 * 1024;
/// How long one address may take to answer.
const PATIENCE: i64 = 5;

/// A client that asked for a stream: its socket and what it sent after the request.
pub struct Caller {
    pub fd: OwnedFd,
    pub early: Vec<u8>,
}

/// Counts the streams.
#[derive(Clone, Default)]
pub struct Streams(Arc<AtomicUsize>);

struct Slot(Arc<AtomicUsize>);

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Streams {
    pub fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    /// Starts the thread of a stream; it answers the caller itself. The caller comes back with an error.
    pub fn start(&self, caller: Caller, pidfd: OwnedFd, request: Dial) {
        let slot = Slot(Arc::clone(&self.0));
        if self.0.fetch_add(1, Ordering::Relaxed) >= LIMIT {
            let full = Failure::new(Kind::Unavailable, "there are too many streams at once");
            refuse(&caller, &full);
            return;
        }
        let spare = rustix::io::fcntl_dupfd_cloexec(&caller.fd, 3);
        let thread = std::thread::Builder::new().stack_size(STACK).spawn(move || {
            let slot = slot;
            serve(caller, &pidfd, &request);
            drop(slot);
        });
        if let (Err(error), Ok(fd)) = (thread, spare) {
            let mut failure = Failure::new(Kind::Unavailable, "cannot start a stream");
            failure.errno = Errno::from_io_error(&error);
            refuse(
                &Caller {
                    fd,
                    early: Vec::new(),
                },
                &failure,
            );
        }
    }
}

fn refuse(caller: &Caller, failure: &Failure) {
    let _ = rustix::io::write(&caller.fd, format!("{}\n", failure.to_json()).as_bytes());
    let _ = rustix::net::shutdown(&caller.fd, Shutdown::Write);
}

fn serve(caller: Caller, pidfd: &OwnedFd, request: &Dial) {
    match reach(pidfd, request) {
        Err(failure) => refuse(&caller, &failure),
        Ok(target) => {
            let word = format!("{}\n", json!({"ok": true}));
            if rustix::io::write(&caller.fd, word.as_bytes()) == Ok(word.len()) {
                relay(&caller.fd, &target, caller.early);
            }
        }
    }
}

fn reach(pidfd: &OwnedFd, request: &Dial) -> Result<OwnedFd, Failure> {
    if !namespace::is_own(request.pid)? {
        namespace::enter(pidfd.as_fd())?;
    }
    let mut last = Errno::ADDRNOTAVAIL;
    for address in &request.addresses {
        match connect(SocketAddr::new(*address, request.port)) {
            Ok(socket) => return Ok(socket),
            // "refused" says more than "no such family".
            Err(errno) if last != Errno::CONNREFUSED => last = errno,
            Err(_) => {}
        }
    }
    let mut failure = Failure::errno(
        format!("nothing in the container answers on port {}", request.port),
        last,
    );
    failure.kind = Kind::Unavailable;
    Err(failure)
}

fn connect(address: SocketAddr) -> Result<OwnedFd, Errno> {
    let family = match address.ip() {
        IpAddr::V4(_) => AddressFamily::INET,
        IpAddr::V6(_) => AddressFamily::INET6,
    };
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = rustix::net::socket_with(family, SocketType::STREAM, flags, None)?;
    match rustix::net::connect(&socket, &address) {
        Ok(()) => {}
        Err(Errno::INPROGRESS) => {
            let patience = Timespec {
                tv_sec: PATIENCE,
                tv_nsec: 0,
            };
            let mut fds = [PollFd::new(&socket, PollFlags::OUT)];
            if rustix::io::retry_on_intr(|| poll(&mut fds, Some(&patience)))? == 0 {
                return Err(Errno::TIMEDOUT);
            }
            sockopt::socket_error(&socket)??;
        }
        Err(errno) => return Err(errno),
    }
    sockopt::set_tcp_nodelay(&socket, true)?;
    Ok(socket)
}

/// Bytes on their way from one side to the other.
struct Direction {
    bytes: Vec<u8>,
    start: usize,
    end: usize,
    source_ended: bool,
    done: bool,
}

impl Direction {
    fn new(early: Vec<u8>) -> Self {
        let end = early.len();
        let mut bytes = early;
        bytes.resize(end.max(BUFFER), 0);
        Self {
            bytes,
            start: 0,
            end,
            source_ended: false,
            done: false,
        }
    }

    const fn is_pending(&self) -> bool {
        self.start < self.end
    }

    const fn wants_input(&self) -> bool {
        !self.done && !self.source_ended && !self.is_pending()
    }

    /// Moves what can be moved. Err: a side is gone.
    fn pump(&mut self, source: &OwnedFd, target: &OwnedFd) -> Result<(), Errno> {
        if self.wants_input() {
            match rustix::io::read(source, &mut self.bytes[..]) {
                Ok(0) => self.source_ended = true,
                Ok(count) => (self.start, self.end) = (0, count),
                Err(Errno::AGAIN | Errno::INTR) => {}
                Err(errno) => return Err(errno),
            }
        }
        while self.is_pending() {
            match rustix::io::write(target, &self.bytes[self.start..self.end]) {
                Ok(count) => self.start += count,
                Err(Errno::AGAIN) => return Ok(()),
                Err(Errno::INTR) => {}
                Err(errno) => return Err(errno),
            }
        }
        if self.source_ended && !self.done {
            self.done = true;
            let _ = rustix::net::shutdown(target, Shutdown::Write);
        }
        Ok(())
    }
}

fn relay(client: &OwnedFd, target: &OwnedFd, early: Vec<u8>) {
    for fd in [client, target] {
        let set = rustix::fs::fcntl_getfl(fd)
            .and_then(|flags| rustix::fs::fcntl_setfl(fd, flags | OFlags::NONBLOCK));
        if set.is_err() {
            return;
        }
    }
    let mut inward = Direction::new(early);
    let mut outward = Direction::new(Vec::new());
    // A client that hung up whole is not polled any more: what it left is read without waiting.
    let mut hung_up = false;
    loop {
        if inward.pump(client, target).is_err() || outward.pump(target, client).is_err() {
            return;
        }
        if inward.done && (outward.done || hung_up) {
            return;
        }
        if hung_up && inward.wants_input() {
            continue;
        }
        let target_over = inward.done && outward.source_ended;
        let mut fds = Vec::with_capacity(2);
        if !target_over {
            let flags = interest(outward.wants_input(), inward.is_pending());
            fds.push(PollFd::new(target, flags));
        }
        if !hung_up {
            let flags = interest(inward.wants_input(), outward.is_pending());
            fds.push(PollFd::new(client, flags));
        }
        match poll(&mut fds, None) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(_) => return,
        }
        let seen = |index: usize| fds.get(index).map_or(PollFlags::empty(), PollFd::revents);
        let of_client = seen(usize::from(!target_over));
        if !target_over && seen(0).contains(PollFlags::ERR) {
            // Reset: what it said before is lost, as on any reset.
            return;
        }
        if !hung_up && of_client.intersects(PollFlags::HUP | PollFlags::ERR) {
            hung_up = true;
        }
    }
}

fn interest(read: bool, write: bool) -> PollFlags {
    let mut flags = PollFlags::empty();
    flags.set(PollFlags::IN, read);
    flags.set(PollFlags::OUT, write);
    flags
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::os::unix::net::UnixStream;

    fn pair() -> (UnixStream, OwnedFd) {
        let (ours, theirs) = UnixStream::pair().expect("pair");
        (ours, theirs.into())
    }

    #[test]
    fn a_stream_is_carried_both_ways_with_half_close() {
        let (mut caller, client) = pair();
        let (mut server, target) = pair();
        let carrier = std::thread::spawn(move || relay(&client, &target, b"early ".to_vec()));
        caller.write_all(b"words").expect("write");
        caller.shutdown(std::net::Shutdown::Write).expect("shutdown");
        let mut text = String::new();
        server.read_to_string(&mut text).expect("read");
        assert_eq!(text, "early words");
        let big = vec![7u8; 3_000_000];
        let sender = std::thread::spawn(move || {
            server.write_all(&big).expect("write");
        });
        let mut bytes = Vec::new();
        caller.read_to_end(&mut bytes).expect("read");
        assert_eq!(bytes.len(), 3_000_000);
        sender.join().expect("sender");
        carrier.join().expect("carrier");
    }

    #[test]
    fn what_a_client_wrote_before_it_left_arrives() {
        let (mut caller, client) = pair();
        let (mut server, target) = pair();
        let carrier = std::thread::spawn(move || relay(&client, &target, Vec::new()));
        let sender = std::thread::spawn(move || caller.write_all(&vec![1u8; 1_000_000]).expect("write"));
        std::thread::sleep(std::time::Duration::from_millis(50));
        let mut bytes = Vec::new();
        server.read_to_end(&mut bytes).expect("read");
        assert_eq!(bytes.len(), 1_000_000);
        sender.join().expect("sender");
        carrier.join().expect("carrier");
    }

    #[test]
    fn the_end_of_the_container_ends_the_stream() {
        let (mut caller, client) = pair();
        let (server, target) = pair();
        let carrier = std::thread::spawn(move || relay(&client, &target, Vec::new()));
        drop(server);
        let mut bytes = Vec::new();
        caller.read_to_end(&mut bytes).expect("read");
        assert!(bytes.is_empty());
        drop(caller);
        carrier.join().expect("carrier");
    }
}
