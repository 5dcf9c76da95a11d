//! The shim's one poll loop: it moves bytes between the container's streams, the log and the clients,
//! never blocking on any of them. Requests are carried out in `operation.rs`, ends in `ending.rs`.

use super::buffer::CLIENT_LIMIT;
use super::client::{Client, Role, Target};
use super::container::Made;
use super::exit::Exit;
use super::log::Log;
use super::request::Create;
use super::session::Sessions;
use super::stdio::{Io, Read};
use crate::error::{Failure, Kind};
use crate::sys;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fd::{AsFd, OwnedFd};
use rustix::io::Errno;
use rustix::net::SocketFlags;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Bytes moved in one read.
const CHUNK: usize = 64 * 1024;
/// Connections at once; more are turned away.
const CLIENTS: usize = 1024;
/// After so much quiet the buffers are given back.
const QUIET: Duration = Duration::from_secs(1);
/// A listener that could not accept (no descriptors) is left alone so long.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    Created,
    Running,
    Stopped,
}

#[derive(Clone, Copy)]
enum Tag {
    Signals,
    Listener,
    Client(u64),
    Source(Target, usize),
    Sink(Target),
}

pub struct Server {
    pub request: Create,
    pub container: Made,
    pub phase: Phase,
    pub io: Io,
    pub log: Option<Log>,
    pub sessions: Sessions,
    pub clients: BTreeMap<u64, Client>,
    pub exit: Option<Exit>,
    /// Why the user's program could not be started, and the exit code for that.
    pub start_failure: Option<(i32, String)>,
    /// When the shim ends at the latest; set once init has ended.
    pub ends_at: Option<Instant>,
    /// Identity of our socket file.
    pub socket_inode: u64,
    signals: OwnedFd,
    listener: OwnedFd,
    accept_again: Option<Instant>,
    next_client: u64,
    pub chunk: Vec<u8>,
    used: bool,
}

/// What [`Server::new`] needs, all opened before the container is made.
pub struct Parts {
    pub request: Create,
    pub container: Made,
    pub io: Io,
    pub log: Option<Log>,
    pub signals: OwnedFd,
    pub listener: OwnedFd,
    pub socket_inode: u64,
}

impl Server {
    pub fn new(parts: Parts) -> Self {
        Self {
            request: parts.request,
            container: parts.container,
            phase: Phase::Created,
            io: parts.io,
            log: parts.log,
            sessions: Sessions::default(),
            clients: BTreeMap::new(),
            exit: None,
            start_failure: None,
            ends_at: None,
            socket_inode: parts.socket_inode,
            signals: parts.signals,
            listener: parts.listener,
            accept_again: None,
            next_client: 0,
            chunk: Vec::new(),
            used: true,
        }
    }

    /// Serves until the container has ended and its readers have everything.
    pub fn run(&mut self) {
        // Init may have died before the signal descriptor was there.
        self.reap();
        while !self.is_over() {
            let ready = self.wait_for_events();
            for (tag, flags) in ready {
                self.handle(tag, flags);
            }
            self.settle();
        }
    }

    fn is_over(&self) -> bool {
        self.ends_at.is_some_and(|end| {
            let pending = self
                .clients
                .values()
                .any(|client| !client.out.is_empty() && !client.deaf);
            !pending || Instant::now() >= end
        })
    }

    pub fn io_of(&mut self, target: Target) -> Option<&mut Io> {
        match target {
            Target::Main => Some(&mut self.io),
            Target::Exec(serial) => self.sessions.get_mut(serial).map(|session| &mut session.io),
        }
    }

    fn processes(&self) -> impl Iterator<Item = (Target, &Io)> {
        let execs = self
            .sessions
            .live
            .iter()
            .map(|session| (Target::Exec(session.serial), &session.io));
        std::iter::once((Target::Main, &self.io)).chain(execs)
    }

    /// True when a client that takes this stream has not read for too long.
    fn held_back(&self, target: Target, stream: u8) -> bool {
        self.clients
            .values()
            .any(|client| client.is_full() && client.takes(target, stream))
    }

    fn wait_for_events(&mut self) -> Vec<(Tag, PollFlags)> {
        let now = Instant::now();
        let mut wake: Option<Instant> = self.ends_at;
        let mut sooner = |at: Instant| wake = Some(wake.map_or(at, |old| old.min(at)));
        let mut tags = vec![Tag::Signals];
        let mut fds = vec![PollFd::new(&self.signals, PollFlags::IN)];
        match self.accept_again {
            Some(at) if at > now => sooner(at),
            _ => {
                tags.push(Tag::Listener);
                fds.push(PollFd::new(&self.listener, PollFlags::IN));
            }
        }
        for (id, client) in &self.clients {
            client.deadline.into_iter().for_each(&mut sooner);
            let room = match client.role {
                Role::Stream(target, _) => self
                    .processes()
                    .find(|(of, _)| *of == target)
                    .is_none_or(|(_, io)| io.sink.has_room()),
                _ => true,
            };
            if let Some(flags) = client.interest(room) {
                tags.push(Tag::Client(*id));
                fds.push(PollFd::new(&client.fd, flags));
            }
        }
        for (target, io) in self.processes() {
            for (index, source) in io.sources.iter().enumerate() {
                let Some(fd) = &source.fd else { continue };
                match source.retry_at {
                    Some(at) if at > now => sooner(at),
                    _ if self.held_back(target, source.stream) => {}
                    _ => {
                        tags.push(Tag::Source(target, index));
                        fds.push(PollFd::from_borrowed_fd(fd.as_fd(), PollFlags::IN));
                    }
                }
            }
            if let Some(fd) = &io.sink.fd
                && !io.sink.buffer.is_empty()
            {
                tags.push(Tag::Sink(target));
                fds.push(PollFd::from_borrowed_fd(fd.as_fd(), PollFlags::OUT));
            }
        }
        if self.used {
            sooner(now + QUIET);
        }
        let count = poll_until(&mut fds, wake, now);
        let ready = if count == 0 {
            Vec::new()
        } else {
            tags.into_iter()
                .zip(fds.iter().map(PollFd::revents))
                .filter(|(_, flags)| !flags.is_empty())
                .collect()
        };
        if count > 0 {
            self.used = true;
        } else if self.used && now.elapsed() >= QUIET {
            self.used = false;
            self.chunk = Vec::new();
            sys::shim::release_memory();
        }
        ready
    }

    fn handle(&mut self, tag: Tag, flags: PollFlags) {
        match tag {
            Tag::Signals => {
                let mut scratch = [0u8; 1024];
                while rustix::io::read(&self.signals, &mut scratch).is_ok() {}
                self.reap();
            }
            Tag::Listener => self.accept(),
            Tag::Client(id) => self.handle_client(id, flags),
            Tag::Source(target, index) => {
                self.pump(target, index);
            }
            Tag::Sink(target) => {
                if let Some(io) = self.io_of(target) {
                    io.sink.flush();
                }
            }
        }
    }

    pub fn accept(&mut self) {
        self.accept_again = None;
        loop {
            match rustix::net::accept_with(&self.listener, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK) {
                Ok(fd) => {
                    let mut client = Client::new(fd);
                    if self.clients.len() >= CLIENTS {
                        let full = Failure::new(Kind::Unavailable, "the shim has too many connections");
                        client.answer(Err(full));
                    }
                    self.next_client += 1;
                    self.clients.insert(self.next_client, client);
                }
                Err(Errno::INTR | Errno::CONNABORTED) => {}
                Err(Errno::AGAIN) => return,
                Err(_) => {
                    self.accept_again = Some(Instant::now() + ACCEPT_PAUSE);
                    return;
                }
            }
        }
    }

    /// Reads one source once and hands its bytes on. True when there was something.
    pub fn pump(&mut self, target: Target, index: usize) -> bool {
        let ended = match target {
            Target::Main => self.phase == Phase::Stopped,
            Target::Exec(serial) => self.sessions.get_mut(serial).is_none_or(|session| session.ended),
        };
        let mut chunk = take_chunk(&mut self.chunk);
        let mut stream = 1;
        let mut framed = true;
        let mut count = 0;
        if let Some(io) = self.io_of(target) {
            framed = io.tty.is_none();
            if let Some(source) = io.sources.get_mut(index) {
                stream = source.stream;
                match source.read(&mut chunk, ended) {
                    Read::Data(read) => count = read,
                    Read::Nothing if ended && target != Target::Main => source.fd = None,
                    Read::Nothing | Read::End => {}
                }
            }
        }
        let data = &chunk[..count];
        if count > 0 {
            if let (Target::Main, Some(log)) = (target, &mut self.log) {
                log.write(stream, data);
            }
            for client in self
                .clients
                .values_mut()
                .filter(|client| client.takes(target, stream))
            {
                if framed {
                    client.out.push_frame(stream, data);
                } else {
                    client.out.push(data);
                }
            }
        }
        self.chunk = chunk;
        count > 0
    }

    /// After each round: ended execs, what clients take, clients that are done or late.
    fn settle(&mut self) {
        self.finish_sessions();
        let now = Instant::now();
        for client in self.clients.values_mut() {
            if client.deadline.is_some_and(|deadline| now >= deadline) {
                let late = Failure::new(Kind::Invalid, "no request line came within 10 s");
                client.answer(Err(late));
            }
            client.flush();
        }
        let finished: Vec<u64> = self
            .clients
            .iter()
            .filter(|(_, client)| client.is_finished())
            .map(|(id, _)| *id)
            .collect();
        for id in finished {
            if let Some(client) = self.clients.remove(&id) {
                client.close();
            }
        }
    }
}

/// The shared buffer, made when it is needed; the taker puts it back.
pub fn take_chunk(chunk: &mut Vec<u8>) -> Vec<u8> {
    let mut taken = std::mem::take(chunk);
    if taken.is_empty() {
        taken = vec![0; CHUNK];
    }
    taken
}

const _: () = assert!(CLIENT_LIMIT > CHUNK);

fn poll_until(fds: &mut [PollFd<'_>], wake: Option<Instant>, now: Instant) -> usize {
    let timeout =
        wake.map(|at| crate::time::timespec(at.saturating_duration_since(now) + Duration::from_millis(1)));
    poll(fds, timeout.as_ref()).unwrap_or(0)
}
