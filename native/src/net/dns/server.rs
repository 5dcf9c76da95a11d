//! The loop of the name server: takes questions from datagrams and streams, answers what the table
//! knows, and hands the rest to the forwarder. It decides; the wire format and the waiting are others'.

use super::forward::{Forwarder, Origin, Waiter};
use super::message::{self, Question, Record, Refusal};
use super::resolvers::Resolvers;
use super::streams::Streams;
use super::table::{Found, Table};
use super::{DnsSockets, Neighbourhood};
use rustix::buffer::spare_capacity;
use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use std::io::ErrorKind;
use std::net::{IpAddr, TcpListener, UdpSocket};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

const STOP: u64 = 0;
const DATAGRAMS: u64 = 1 << 56;
const LISTENERS: u64 = 2 << 56;
const STREAMS: u64 = 3 << 56;
const ATTEMPTS: u64 = 4 << 56;
const KIND: u64 = 0xff << 56;
/// Datagrams taken from one socket before the others have their turn.
const BATCH: usize = 64;
/// How long no connection is accepted when the process has no descriptor left.
const PAUSE: Duration = Duration::from_millis(100);

/// Everything of one running server.
pub struct Serving {
    epoll: OwnedFd,
    datagrams: Vec<UdpSocket>,
    listeners: Vec<TcpListener>,
    table: Arc<RwLock<Table>>,
    forwarder: Forwarder,
    streams: Streams,
    /// Which of several answers comes first; counts up.
    turn: usize,
}

/// What a question comes to.
enum Reply {
    Now(Vec<u8>),
    /// The forwarder has it.
    Later,
    Never,
}

impl Serving {
    pub fn new(
        sockets: DnsSockets,
        table: Arc<RwLock<Table>>,
        ways: (Resolvers, Neighbourhood),
        stop: &OwnedFd,
    ) -> Result<Self, Errno> {
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        epoll::add(&epoll, stop, EventData::new_u64(STOP), EventFlags::IN)?;
        let mut tag = DATAGRAMS;
        for socket in &sockets.udp {
            rustix::io::ioctl_fionbio(socket, true)?;
            epoll::add(&epoll, socket, EventData::new_u64(tag), EventFlags::IN)?;
            tag += 1;
        }
        tag = LISTENERS;
        for socket in &sockets.tcp {
            rustix::io::ioctl_fionbio(socket, true)?;
            epoll::add(&epoll, socket, EventData::new_u64(tag), EventFlags::IN)?;
            tag += 1;
        }
        Ok(Self {
            epoll,
            datagrams: sockets.udp.into_iter().map(UdpSocket::from).collect(),
            listeners: sockets.tcp.into_iter().map(TcpListener::from).collect(),
            table,
            forwarder: Forwarder::new(ways.0, ways.1, ATTEMPTS),
            streams: Streams::new(STREAMS),
            turn: 0,
        })
    }

    /// Serves until the stop descriptor is readable.
    pub fn run(&mut self) {
        let mut events: Vec<Event> = Vec::with_capacity(128);
        loop {
            let wake = self.forwarder.wake().into_iter().chain(self.streams.wake()).min();
            events.clear();
            match epoll::wait(&self.epoll, spare_capacity(&mut events), until(wake).as_ref()) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(_) => return,
            }
            let now = Instant::now();
            for event in &events {
                let data = event.data.u64();
                let number = data & !KIND;
                let index = usize::try_from(number).unwrap_or(usize::MAX);
                match data & KIND {
                    DATAGRAMS => self.take_datagrams(index, now),
                    LISTENERS => self.accept(index, now),
                    STREAMS => self.take_stream(number, now),
                    ATTEMPTS => self.forwarder.ready(&self.epoll, number, now),
                    _ => return,
                }
            }
            self.forwarder.tick(&self.epoll, now);
            self.streams.tick(now);
            self.hand_out(now);
        }
    }

    fn take_datagrams(&mut self, index: usize, now: Instant) {
        // One byte more than a question may have, so that a longer one shows.
        let mut buffer = [0; message::QUESTION_LIMIT + 1];
        for _ in 0..BATCH {
            let Some(socket) = self.datagrams.get(index) else {
                return;
            };
            let (length, peer) = match socket.recv_from(&mut buffer) {
                Ok(received) => received,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                // An error that an earlier answer met (an unreachable client) is read off here.
                Err(_) => continue,
            };
            // Port 0 cannot be answered.
            if peer.port() == 0 {
                continue;
            }
            let origin = Origin::Datagram(index, peer);
            if let Reply::Now(answer) = self.reply(&buffer[..length], peer.ip(), origin, now) {
                self.send(index, &answer, peer);
            }
        }
    }

    fn take_stream(&mut self, number: u64, now: Instant) {
        let Some((address, messages)) = self.streams.ready(&self.epoll, number, now) else {
            return;
        };
        for text in messages {
            match self.reply(&text, address, Origin::Stream(number), now) {
                Reply::Now(answer) => self.streams.answer(&self.epoll, number, Some(&answer), now),
                Reply::Never => self.streams.answer(&self.epoll, number, None, now),
                Reply::Later => {}
            }
        }
    }

    fn accept(&mut self, index: usize, now: Instant) {
        for _ in 0..BATCH {
            let Some(listener) = self.listeners.get(index) else {
                return;
            };
            match listener.accept() {
                Ok((stream, peer)) => self.streams.add(&self.epoll, stream, peer, now),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) => {
                    let errno = Errno::from_io_error(&error);
                    if matches!(
                        errno,
                        Some(Errno::MFILE | Errno::NFILE | Errno::NOMEM | Errno::NOBUFS)
                    ) {
                        std::thread::sleep(PAUSE);
                        return;
                    }
                }
            }
        }
    }

    /// Decides about one message of a client.
    fn reply(&mut self, text: &[u8], client: IpAddr, origin: Origin, now: Instant) -> Reply {
        let question = match message::read(text) {
            Ok(question) => question,
            Err(Refusal::Silence) => return Reply::Never,
            Err(Refusal::Code(code)) => return Reply::Now(message::refuse(text, code)),
        };
        if question.is_of_unknown_version() {
            return Reply::Now(question.bad_version());
        }
        if !question.is_internet() {
            return Reply::Now(question.failure(message::REFUSED));
        }
        let limit = match origin {
            Origin::Datagram(..) => question.limit(),
            Origin::Stream(_) => usize::from(u16::MAX),
        };
        let (found, forward, own) = {
            let table = self.table.read().unwrap_or_else(PoisonError::into_inner);
            let found = table.find(client, question.name);
            let own = matches!(found, Found::Unknown).then(|| table.resolvers_of(client));
            (found, table.forward, own.flatten())
        };
        match found {
            Found::Addresses(addresses) => Reply::Now(self.answer_addresses(&question, &addresses, limit)),
            Found::Names(names) => {
                let wanted = matches!(question.kind, message::PTR | message::ANY);
                let names = if wanted { names } else { Vec::new() };
                let records: Vec<Record<'_>> = names.iter().map(|name| Record::Name(name)).collect();
                Reply::Now(question.answer(&records, limit))
            }
            Found::Unknown if forward && own.as_ref().is_none_or(|servers| !servers.is_empty()) => {
                let id = question.id;
                self.forwarder
                    .ask(&self.epoll, (text, own), Waiter { origin, id }, now);
                Reply::Later
            }
            // What Docker's resolver says on an internal network, or without a server that may be asked.
            Found::Unknown => Reply::Now(question.failure(message::SERVER_FAILURE)),
        }
    }

    /// The addresses of the wanted family, each time with another one first.
    fn answer_addresses(&mut self, question: &Question<'_>, addresses: &[IpAddr], limit: usize) -> Vec<u8> {
        let mut wanted: Vec<IpAddr> = addresses
            .iter()
            .filter(|address| match question.kind {
                message::A => address.is_ipv4(),
                message::AAAA => address.is_ipv6(),
                kind => kind == message::ANY,
            })
            .copied()
            .collect();
        if wanted.len() > 1 {
            self.turn = self.turn.wrapping_add(1);
            let first = self.turn % wanted.len();
            wanted.rotate_left(first);
        }
        let records: Vec<Record<'_>> = wanted.iter().map(|address| Record::Address(*address)).collect();
        question.answer(&records, limit)
    }

    fn hand_out(&mut self, now: Instant) {
        while let Some((waiter, answer)) = self.forwarder.landed.pop() {
            match (waiter.origin, answer) {
                (Origin::Datagram(index, peer), Some(answer)) => self.send(index, &answer, peer),
                (Origin::Datagram(..), None) => {}
                (Origin::Stream(number), answer) => {
                    self.streams.answer(&self.epoll, number, answer.as_deref(), now);
                }
            }
        }
    }

    fn send(&self, index: usize, answer: &[u8], peer: std::net::SocketAddr) {
        if let Some(socket) = self.datagrams.get(index) {
            // A datagram that cannot be sent is lost, as datagrams may be: the client asks again.
            drop(socket.send_to(answer, peer));
        }
    }
}

fn until(wake: Option<Instant>) -> Option<Timespec> {
    let left = wake?.saturating_duration_since(Instant::now()) + Duration::from_micros(500);
    Some(crate::time::timespec(left))
}
