//! The supervisor's one poll loop: control connections, uplinks, watched processes and signals. It decides
//! nothing; requests are carried out by the [`Supervisor`].

use super::client::Client;
use super::dial::{Caller, Streams};
use super::endpoint;
use super::request::{self, Dial, Request};
use super::supervisor::{Outcome, Supervisor};
use crate::error::{Failure, Kind};
use crate::sys;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fd::{AsFd, OwnedFd};
use rustix::io::Errno;
use rustix::net::SocketFlags;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Control connections at once; more are turned away.
const CLIENTS: usize = 1024;
const CHUNK: usize = 64 * 1024;
/// Without endpoints, connections and streams it ends after this; a first client gets longer.
const IDLE: Duration = Duration::from_secs(2);
const FIRST: Duration = Duration::from_secs(10);
/// A listener that could not accept (no descriptors) is left alone so long.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// After so much quiet memory is given back.
const QUIET: Duration = Duration::from_secs(1);

#[derive(Clone, Copy)]
enum Tag {
    Signals,
    Listener,
    Removals,
    Client(u64),
    Uplink(u32),
    Process(u32),
}

pub struct Server {
    pub supervisor: Supervisor,
    signals: OwnedFd,
    listener: OwnedFd,
    clients: BTreeMap<u64, Client>,
    next_client: u64,
    accept_again: Option<Instant>,
    /// When it ends for want of anything to do.
    idle_until: Option<Instant>,
    ending: bool,
    used: bool,
    chunk: Vec<u8>,
}

impl Server {
    pub fn new(supervisor: Supervisor, signals: OwnedFd, listener: OwnedFd) -> Self {
        Self {
            supervisor,
            signals,
            listener,
            clients: BTreeMap::new(),
            next_client: 0,
            accept_again: None,
            idle_until: Some(Instant::now() + FIRST),
            ending: false,
            used: true,
            chunk: Vec::new(),
        }
    }

    /// Serves until it is told to end or has nothing to do.
    pub fn run(&mut self) {
        while !self.ending {
            let ready = self.wait();
            for (tag, flags) in ready {
                self.handle(tag, flags);
            }
            self.supervisor.tick(Instant::now());
            self.settle();
        }
        self.supervisor.tear_down();
        for (_, client) in std::mem::take(&mut self.clients) {
            client.close();
        }
    }

    fn wait(&mut self) -> Vec<(Tag, PollFlags)> {
        let now = Instant::now();
        let mut wake = self.supervisor.next_tick();
        let mut sooner = |at: Instant| wake = Some(wake.map_or(at, |old| old.min(at)));
        self.idle_until.into_iter().for_each(&mut sooner);
        let mut tags = vec![Tag::Signals, Tag::Removals];
        let mut fds = vec![
            PollFd::new(&self.signals, PollFlags::IN),
            PollFd::new(&self.supervisor.janitor, PollFlags::IN),
        ];
        match self.accept_again {
            Some(at) if at > now => sooner(at),
            _ => {
                tags.push(Tag::Listener);
                fds.push(PollFd::new(&self.listener, PollFlags::IN));
            }
        }
        for (id, client) in self.clients.iter().filter(|(_, client)| !client.is_gone()) {
            client.deadline().into_iter().for_each(&mut sooner);
            tags.push(Tag::Client(*id));
            fds.push(PollFd::new(&client.fd, client.interest()));
        }
        for (index, network) in &self.supervisor.networks {
            if let Some(channel) = network.keeper.channel() {
                let mut flags = PollFlags::IN;
                flags.set(PollFlags::OUT, network.keeper.has_mail());
                tags.push(Tag::Uplink(*index));
                fds.push(PollFd::from_borrowed_fd(channel.as_fd(), flags));
            }
        }
        for (serial, endpoint) in &self.supervisor.endpoints {
            tags.push(Tag::Process(*serial));
            fds.push(PollFd::new(&endpoint.pidfd, PollFlags::IN));
        }
        if self.used {
            sooner(now + QUIET);
        }
        let timeout = wake
            .map(|at| crate::time::timespec(at.saturating_duration_since(now) + Duration::from_millis(1)));
        let count = poll(&mut fds, timeout.as_ref()).unwrap_or(0);
        let ready: Vec<_> = tags
            .into_iter()
            .zip(fds.iter().map(PollFd::revents))
            .filter(|(_, flags)| count > 0 && !flags.is_empty())
            .collect();
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
            // All that are watched ask it to end.
            Tag::Signals => self.ending = true,
            Tag::Listener => self.accept(),
            Tag::Removals => self.supervisor.take_removals(),
            Tag::Client(id) => self.handle_client(id, flags),
            Tag::Uplink(index) => {
                if let Some(network) = self.supervisor.networks.get_mut(&index)
                    && flags.contains(PollFlags::OUT)
                {
                    network.keeper.flush();
                }
                if flags.intersects(PollFlags::IN | PollFlags::HUP | PollFlags::ERR) {
                    self.supervisor.hear(index);
                }
            }
            Tag::Process(serial) => self.supervisor.detach(serial, None),
        }
    }

    fn accept(&mut self) {
        self.accept_again = None;
        loop {
            match rustix::net::accept_with(&self.listener, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK) {
                Ok(fd) => {
                    let mut client = Client::new(fd);
                    if self.clients.len() >= CLIENTS {
                        let full = "the network supervisor has too many connections";
                        client.answer(Err(Failure::new(Kind::Unavailable, full)));
                        client.close();
                        continue;
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

    fn handle_client(&mut self, id: u64, flags: PollFlags) {
        let Some(client) = self.clients.get_mut(&id) else {
            return;
        };
        if flags.contains(PollFlags::OUT) {
            client.flush();
        }
        if flags.contains(PollFlags::IN) {
            if self.chunk.is_empty() {
                self.chunk = vec![0; CHUNK];
            }
            client.read(&mut self.chunk);
        } else if flags.intersects(PollFlags::HUP | PollFlags::ERR) {
            // Nobody reads the answer; what was asked for is still carried out to its end.
            client.hang_up();
        }
    }

    /// Serves the lines that are there, delivers late answers, lets finished clients go.
    fn settle(&mut self) {
        let ids: Vec<u64> = self.clients.keys().copied().collect();
        for id in ids {
            self.serve_lines(id);
        }
        while !self.supervisor.completed.is_empty() {
            for (id, answer) in std::mem::take(&mut self.supervisor.completed) {
                if let Some(client) = self.clients.get_mut(&id) {
                    client.answer(answer);
                    self.serve_lines(id);
                }
            }
        }
        let now = Instant::now();
        let mut finished = Vec::new();
        for (id, client) in &mut self.clients {
            client.check_deadline(now);
            if client.is_finished() {
                finished.push(*id);
            }
        }
        for id in finished {
            if let Some(client) = self.clients.remove(&id) {
                client.close();
            }
        }
        self.judge_idleness(now);
    }

    fn judge_idleness(&mut self, now: Instant) {
        let idle = self.clients.is_empty()
            && self.supervisor.endpoints.is_empty()
            && self.supervisor.streams.count() == 0;
        match self.idle_until {
            _ if !idle => self.idle_until = None,
            None => self.idle_until = Some(now + IDLE),
            Some(at) => self.ending |= now >= at,
        }
    }

    fn serve_lines(&mut self, id: u64) {
        while let Some(line) = self.clients.get_mut(&id).and_then(Client::next_line) {
            let result = match request::parse(&line) {
                Ok(Request::Dial(dial)) => match watch_for(&dial) {
                    Ok(pidfd) => {
                        self.start_stream(id, pidfd, dial);
                        return;
                    }
                    Err(failure) => Err(failure),
                },
                Ok(request) => self.supervisor.handle(id, request),
                Err(failure) => Err(failure),
            };
            let Some(client) = self.clients.get_mut(&id) else {
                return;
            };
            match result {
                Ok(Outcome::Answer(value)) => client.answer(Ok(value)),
                Ok(Outcome::Later) => client.waiting = true,
                Ok(Outcome::End) => {
                    client.answer(Ok(serde_json::json!({})));
                    client.close_after();
                    self.ending = true;
                }
                Err(failure) => client.answer(Err(failure)),
            }
        }
    }

    fn start_stream(&mut self, id: u64, pidfd: OwnedFd, dial: Dial) {
        if let Some(client) = self.clients.remove(&id) {
            let (fd, early) = client.into_stream();
            let streams: &Streams = &self.supervisor.streams;
            streams.start(Caller { fd, early }, pidfd, dial);
        }
    }
}

fn watch_for(dial: &Dial) -> Result<OwnedFd, Failure> {
    if dial.port == 0 || dial.addresses.is_empty() {
        return Err(Failure::new(
            Kind::Invalid,
            "a stream needs a port and an address",
        ));
    }
    endpoint::watch(dial.pid, dial.start_time)
}
