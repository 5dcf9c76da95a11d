//! One question at one server: its socket, its id, and what has come back. It does not
//! know who asked or what happens next.

use super::message::{self, Question};
use super::{Neighbourhood, Upstream};
use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::fd::{AsFd, OwnedFd};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType};
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};

/// A question at one server.
pub struct Attempt {
    pub flight: u64,
    pub server: Upstream,
    id: u16,
    socket: Socket,
}

enum Socket {
    Datagram(UdpSocket),
    Stream(Box<Exchange>),
}

/// A question by TCP: what is still to be sent, what has come.
struct Exchange {
    stream: TcpStream,
    out: Vec<u8>,
    sent: usize,
    got: Vec<u8>,
}

/// What became of an attempt.
pub enum Outcome {
    Waiting,
    Failed,
    Answered(Vec<u8>),
}

/// How to ask.
#[derive(Clone, Copy)]
pub enum By {
    Datagram,
    Stream,
}

impl Attempt {
    /// Sends the question under another id, from a socket of its own.
    pub fn start(
        flight: u64,
        server: Upstream,
        ways: (By, &Neighbourhood),
        (id, question): ([u8; 2], &[u8]),
    ) -> Result<Self, Errno> {
        let mut message = question.to_vec();
        message[..2].copy_from_slice(&id);
        let kind = match ways.0 {
            By::Datagram => SocketType::DGRAM,
            By::Stream => SocketType::STREAM,
        };
        let (opened, address) = match server {
            Upstream::Outside(address) => (open(address, kind)?, address),
            Upstream::Inside(address) => (ways.1(kind, address.ip())?, address),
        };
        let socket = match ways.0 {
            By::Datagram => Socket::datagram(opened, address, &message)?,
            By::Stream => Socket::stream(opened, address, &message)?,
        };
        Ok(Self {
            flight,
            server,
            id: u16::from_be_bytes(id),
            socket,
        })
    }

    pub fn watch(&self, epoll: &OwnedFd, data: u64) -> Result<(), Errno> {
        let (fd, events) = match &self.socket {
            Socket::Datagram(socket) => (socket.as_fd(), EventFlags::IN),
            Socket::Stream(exchange) => (exchange.stream.as_fd(), EventFlags::OUT),
        };
        epoll::add(epoll, fd, EventData::new_u64(data), events)
    }

    pub fn is_stream(&self) -> bool {
        matches!(self.socket, Socket::Stream(_))
    }

    /// Does what the socket is ready for; `data` is what it is watched with.
    pub fn advance(&mut self, epoll: &OwnedFd, data: u64, question: &Question<'_>) -> Outcome {
        let id = self.id;
        match &mut self.socket {
            Socket::Datagram(socket) => {
                let mut buffer = vec![0; usize::from(u16::MAX)];
                // Forgeries do not end the wait, but neither may they hold the loop.
                for _ in 0..16 {
                    match socket.recv(&mut buffer) {
                        Ok(length) => {
                            if message::is_answer(&buffer[..length], id, question.section) {
                                return Outcome::Answered(buffer[..length].to_vec());
                            }
                        }
                        Err(error) => return waiting_or_failed(&error),
                    }
                }
                Outcome::Waiting
            }
            Socket::Stream(exchange) => match exchange.advance(epoll, data) {
                Outcome::Answered(answer) if !message::is_answer(&answer, id, question.section) => {
                    Outcome::Failed
                }
                outcome => outcome,
            },
        }
    }
}

impl Socket {
    fn datagram(socket: OwnedFd, server: SocketAddr, message: &[u8]) -> Result<Self, Errno> {
        let socket = UdpSocket::from(socket);
        rustix::net::connect(&socket, &server)?;
        socket.send(message).map_err(|error| errno_of(&error))?;
        Ok(Self::Datagram(socket))
    }

    fn stream(socket: OwnedFd, server: SocketAddr, message: &[u8]) -> Result<Self, Errno> {
        let stream = TcpStream::from(socket);
        match rustix::net::connect(&stream, &server) {
            Ok(()) | Err(Errno::INPROGRESS) => {}
            Err(errno) => return Err(errno),
        }
        Ok(Self::Stream(Box::new(Exchange {
            stream,
            out: super::streams::framed(message),
            sent: 0,
            got: Vec::new(),
        })))
    }
}

impl Exchange {
    fn advance(&mut self, epoll: &OwnedFd, data: u64) -> Outcome {
        while self.sent < self.out.len() {
            match self.stream.write(&self.out[self.sent..]) {
                Ok(count) => self.sent += count,
                Err(error) => return waiting_or_failed(&error),
            }
            if self.sent == self.out.len()
                && epoll::modify(epoll, &self.stream, EventData::new_u64(data), EventFlags::IN).is_err()
            {
                return Outcome::Failed;
            }
        }
        let mut buffer = [0; 8192];
        loop {
            if let Some((length, rest)) = self.got.split_first_chunk::<2>()
                && let Some(answer) = rest.get(..usize::from(u16::from_be_bytes(*length)))
            {
                return Outcome::Answered(answer.to_vec());
            }
            match self.stream.read(&mut buffer) {
                Ok(0) => return Outcome::Failed,
                Ok(count) => self.got.extend_from_slice(&buffer[..count]),
                Err(error) => return waiting_or_failed(&error),
            }
        }
    }
}

fn waiting_or_failed(error: &std::io::Error) -> Outcome {
    match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::Interrupted => Outcome::Waiting,
        _ => Outcome::Failed,
    }
}

fn open(server: SocketAddr, kind: SocketType) -> Result<OwnedFd, Errno> {
    let family = if server.is_ipv4() {
        AddressFamily::INET
    } else {
        AddressFamily::INET6
    };
    rustix::net::socket_with(family, kind, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK, None)
}

fn errno_of(error: &std::io::Error) -> Errno {
    Errno::from_io_error(error).unwrap_or(Errno::IO)
}
