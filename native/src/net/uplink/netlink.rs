//! Netlink requests by hand, for what no maintained crate covers: nested attributes (netlink(7)), batches
//! of nfnetlink, and the answers. It knows no subsystem.

use crate::error::{Failure, Kind};
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use rustix::net::{AddressFamily, Protocol, RecvFlags, SendFlags, SocketFlags, SocketType, sockopt};
use std::time::Duration;

const HEADER: usize = 16;
const NESTED: u16 = 0x8000;
const REQUEST: u16 = 1;
const ACK: u16 = 4;
const ERROR: u16 = 2;

/// Several messages, one after the other.
#[derive(Default)]
pub struct Messages {
    data: Vec<u8>,
    /// Sequence numbers of those that are answered.
    asked: Vec<u32>,
    next: u32,
}

/// Whether a message wants an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    Wanted,
    None,
}

impl Messages {
    /// Adds a message: its type, further flags, its fixed header, and its attributes.
    pub fn add(&mut self, kind: u16, flags: (u16, Answer), fixed: &[u8], fill: impl FnOnce(&mut Attributes)) {
        let sequence = self.next;
        self.next += 1;
        let answer = if flags.1 == Answer::Wanted { ACK } else { 0 };
        if flags.1 == Answer::Wanted {
            self.asked.push(sequence);
        }
        let mut body = Attributes(fixed.to_vec());
        fill(&mut body);
        let length = u32::try_from(HEADER + body.0.len()).unwrap_or(u32::MAX);
        self.data.extend_from_slice(&length.to_ne_bytes());
        self.data.extend_from_slice(&kind.to_ne_bytes());
        self.data
            .extend_from_slice(&(REQUEST | answer | flags.0).to_ne_bytes());
        self.data.extend_from_slice(&sequence.to_ne_bytes());
        self.data.extend_from_slice(&[0; 4]);
        self.data.append(&mut body.0);
    }
}

/// The attributes of a message.
pub struct Attributes(Vec<u8>);

impl Attributes {
    pub fn put(&mut self, kind: u16, value: &[u8]) {
        let length = u16::try_from(4 + value.len()).unwrap_or(u16::MAX);
        self.0.extend_from_slice(&length.to_ne_bytes());
        self.0.extend_from_slice(&kind.to_ne_bytes());
        self.0.extend_from_slice(value);
        self.0.resize(self.0.len().next_multiple_of(4), 0);
    }

    /// A string with its final zero.
    pub fn text(&mut self, kind: u16, value: &str) {
        self.put(kind, &[value.as_bytes(), &[0]].concat());
    }

    /// A number in network order, as nfnetlink has them.
    pub fn number(&mut self, kind: u16, value: u32) {
        self.put(kind, &value.to_be_bytes());
    }

    pub fn nest(&mut self, kind: u16, fill: impl FnOnce(&mut Self)) {
        let start = self.0.len();
        self.put(kind | NESTED, &[]);
        fill(self);
        let length = u16::try_from(self.0.len() - start).unwrap_or(u16::MAX);
        self.0[start..start + 2].copy_from_slice(&length.to_ne_bytes());
    }
}

/// A netlink socket in the network namespace of the calling thread.
pub struct Netlink {
    fd: OwnedFd,
}

impl Netlink {
    pub fn open(protocol: Option<Protocol>) -> Result<Self, Failure> {
        let failed = |errno| Failure::errno("cannot open a netlink socket", errno);
        let fd = rustix::net::socket_with(
            AddressFamily::NETLINK,
            SocketType::RAW,
            SocketFlags::CLOEXEC,
            protocol,
        )
        .map_err(failed)?;
        let limit = Some(Duration::from_secs(5));
        sockopt::set_socket_timeout(&fd, sockopt::Timeout::Recv, limit).map_err(failed)?;
        Ok(Self { fd })
    }

    /// Sends the messages and waits for all their answers; `allowed` is not an error.
    pub fn request(&self, messages: &Messages, what: &str, allowed: Option<Errno>) -> Result<(), Failure> {
        let failed = |errno| Failure::errno(format!("cannot {what}"), errno);
        let sent = rustix::net::send(&self.fd, &messages.data, SendFlags::empty()).map_err(failed)?;
        if sent != messages.data.len() {
            return Err(Failure::new(
                Kind::Internal,
                format!("cannot {what}: the request is too long"),
            ));
        }
        let mut open = messages.asked.clone();
        let mut buffer = vec![0u8; 64 * 1024];
        while !open.is_empty() {
            let (_, length) =
                rustix::io::retry_on_intr(|| rustix::net::recv(&self.fd, &mut buffer[..], RecvFlags::TRUNC))
                    .map_err(failed)?;
            let mut rest = buffer.get(..length.min(buffer.len())).unwrap_or_default();
            while let Some((sequence, errno, after)) = answer(rest) {
                rest = after;
                match errno {
                    Some(errno) if errno != 0 && allowed != Some(Errno::from_raw_os_error(errno)) => {
                        return Err(failed(Errno::from_raw_os_error(errno)));
                    }
                    Some(_) => open.retain(|one| *one != sequence),
                    None => {}
                }
            }
        }
        Ok(())
    }
}

/// The first message: its sequence number, its errno when it is an answer, and what follows it.
fn answer(data: &[u8]) -> Option<(u32, Option<i32>, &[u8])> {
    let word = |at: usize| Some(u32::from_ne_bytes(data.get(at..at + 4)?.try_into().ok()?));
    let length = usize::try_from(word(0)?).ok()?;
    let kind = u16::from_ne_bytes(data.get(4..6)?.try_into().ok()?);
    if length < HEADER || length > data.len() {
        return None;
    }
    let sequence = word(8)?;
    let errno = if kind == ERROR {
        Some(i32::from_ne_bytes(data.get(HEADER..HEADER + 4)?.try_into().ok()?).saturating_neg())
    } else {
        None
    };
    Some((
        sequence,
        errno,
        data.get(length.next_multiple_of(4)..).unwrap_or_default(),
    ))
}
