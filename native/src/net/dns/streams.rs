//! Clients that ask by TCP (RFC 7766): many questions on a connection, answered in any order, with
//! bounds on clients, questions and time. It does not know what the messages say.

use super::message::QUESTION_LIMIT;
use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::fd::OwnedFd;
use std::collections::HashMap;
use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// Connections at a time; the one that has been idle longest gives way.
const CLIENTS: usize = 256;
/// Questions of one client that wait for an answer; it is not read from while there are as many.
const WAITING: usize = 64;
/// Bytes that a client has not taken yet; it is not read from while there are as many.
const UNTAKEN: usize = 256 << 10;
/// A client that neither asks nor takes for so long is closed.
const IDLE: Duration = Duration::from_secs(15);

/// Every connection.
pub struct Streams {
    /// Epoll data of a client is this plus its number.
    tag: u64,
    clients: HashMap<u64, Client>,
    next: u64,
}

struct Client {
    stream: TcpStream,
    address: IpAddr,
    input: Vec<u8>,
    out: Vec<u8>,
    waiting: usize,
    ended: bool,
    until: Instant,
    interest: EventFlags,
}

/// A message with its length in front.
pub fn framed(message: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(message.len() + 2);
    out.extend_from_slice(&u16::try_from(message.len()).unwrap_or(0).to_be_bytes());
    out.extend_from_slice(message);
    out
}

impl Streams {
    pub fn new(tag: u64) -> Self {
        Self {
            tag,
            clients: HashMap::new(),
            next: 0,
        }
    }

    /// When `tick` is due.
    pub fn wake(&self) -> Option<Instant> {
        self.clients.values().map(|client| client.until).min()
    }

    pub fn add(&mut self, epoll: &OwnedFd, stream: TcpStream, peer: SocketAddr, now: Instant) {
        if self.clients.len() >= CLIENTS
            && let Some(oldest) = self.clients.iter().min_by_key(|(_, client)| client.until)
        {
            let id = *oldest.0;
            self.clients.remove(&id);
        }
        self.next += 1;
        let data = EventData::new_u64(self.tag + self.next);
        let ready = stream.set_nonblocking(true).is_ok()
            && stream.set_nodelay(true).is_ok()
            && epoll::add(epoll, &stream, data, EventFlags::IN).is_ok();
        if !ready {
            return;
        }
        let client = Client {
            stream,
            address: peer.ip(),
            input: Vec::new(),
            out: Vec::new(),
            waiting: 0,
            ended: false,
            until: now + IDLE,
            interest: EventFlags::IN,
        };
        self.clients.insert(self.next, client);
    }

    /// Reads and writes what one client can; returns the whole messages that it sent.
    pub fn ready(&mut self, epoll: &OwnedFd, number: u64, now: Instant) -> Option<(IpAddr, Vec<Vec<u8>>)> {
        let client = self.clients.get_mut(&number)?;
        let address = client.address;
        let messages = if client.flush(now) { client.take(now) } else { None };
        let Some(messages) = messages else {
            self.clients.remove(&number);
            return None;
        };
        client.waiting += messages.len();
        self.settle(epoll, number);
        Some((address, messages))
    }

    /// Hands an answer (None: there is none) to a client, which may be gone.
    pub fn answer(&mut self, epoll: &OwnedFd, number: u64, answer: Option<&[u8]>, now: Instant) {
        let Some(client) = self.clients.get_mut(&number) else {
            return;
        };
        client.waiting = client.waiting.saturating_sub(1);
        if let Some(answer) = answer {
            client.out.extend_from_slice(&framed(answer));
        }
        if !client.flush(now) {
            self.clients.remove(&number);
            return;
        }
        self.settle(epoll, number);
    }

    /// Closes who has been idle for too long.
    pub fn tick(&mut self, now: Instant) {
        self.clients.retain(|_, client| client.until > now);
    }

    /// Listens for what the client's state allows; closes it when it is done.
    fn settle(&mut self, epoll: &OwnedFd, number: u64) {
        let Some(client) = self.clients.get_mut(&number) else {
            return;
        };
        let mut wanted = EventFlags::empty();
        if !client.ended && client.waiting < WAITING && client.out.len() < UNTAKEN {
            wanted |= EventFlags::IN;
        }
        if !client.out.is_empty() {
            wanted |= EventFlags::OUT;
        }
        let done = client.ended && client.waiting == 0 && client.out.is_empty();
        let data = EventData::new_u64(self.tag + number);
        if done || (wanted != client.interest && epoll::modify(epoll, &client.stream, data, wanted).is_err())
        {
            self.clients.remove(&number);
        } else {
            client.interest = wanted;
        }
    }
}

impl Client {
    /// Writes what the client takes. False: it is gone.
    fn flush(&mut self, now: Instant) -> bool {
        while !self.out.is_empty() {
            match self.stream.write(&self.out) {
                Ok(count) => {
                    self.out.drain(..count);
                    self.until = now + IDLE;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return true,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return false,
            }
        }
        true
    }

    /// Reads once, and takes the whole messages. None: the client is gone or sends nonsense.
    fn take(&mut self, now: Instant) -> Option<Vec<Vec<u8>>> {
        let mut buffer = [0; QUESTION_LIMIT + 2];
        let room = self.input.len() <= QUESTION_LIMIT;
        if room && !self.ended && self.waiting < WAITING && self.out.len() < UNTAKEN {
            match self.stream.read(&mut buffer) {
                Ok(0) => self.ended = true,
                Ok(count) => self.input.extend_from_slice(&buffer[..count]),
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
                Err(_) => return None,
            }
        }
        let mut messages = Vec::new();
        while let Some((length, rest)) = self.input.split_first_chunk::<2>() {
            let length = usize::from(u16::from_be_bytes(*length));
            if length == 0 || length > QUESTION_LIMIT {
                return None;
            }
            let Some(message) = rest.get(..length) else { break };
            messages.push(message.to_vec());
            self.input.drain(..length + 2);
            self.until = now + IDLE;
        }
        Some(messages)
    }
}
