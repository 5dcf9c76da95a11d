//! One TCP connection's states, from the first segment or client to the relay. What happens when is decided
//! in `tcp.rs`.

use super::frame::Flow;
use super::reactor::Key;
use super::relay::{Relay, Stream, reset_on_close};
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, sockopt};
use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

/// A connection in one of its three states.
pub enum Connection {
    /// The host's side connects, or is connected and waits for the container's.
    Outgoing(Outgoing),
    /// The container's side connects; the client of a published port waits.
    Incoming(Incoming),
    Joined(Joined),
}

pub struct Incoming {
    /// The container's.
    pub address: IpAddr,
    pub port: Key,
    pub inner: Stream,
    pub outer: Stream,
    pub deadline: Instant,
}

pub struct Joined {
    /// The container's.
    pub address: IpAddr,
    /// The published port through which it came.
    pub port: Option<Key>,
    pub relay: Relay,
    /// Waits for another turn.
    pub queued: bool,
}

pub struct Outgoing {
    pub flow: Flow,
    pub outer: Stream,
    /// The container's latest first segment, as a frame.
    pub frame: Vec<u8>,
    pub connected: bool,
    pub deadline: Instant,
}

impl Connection {
    /// Both sides stand; `inner` is the container's where the connection has none yet.
    pub fn joined(self, inner: Option<OwnedFd>) -> Self {
        let (address, port, inner, outer) = match (self, inner) {
            (Self::Outgoing(one), Some(inner)) => (one.flow.client.ip(), None, Stream::new(inner), one.outer),
            (Self::Incoming(one), None) => (one.address, Some(one.port), one.inner, one.outer),
            (other, _) => return other,
        };
        Self::Joined(Joined {
            address,
            port,
            relay: Relay::new(inner, outer),
            queued: false,
        })
    }

    /// The container that takes part.
    pub const fn container(&self) -> IpAddr {
        match self {
            Self::Outgoing(outgoing) => outgoing.flow.client.ip(),
            Self::Incoming(incoming) => incoming.address,
            Self::Joined(joined) => joined.address,
        }
    }

    /// Whether it came through this published port.
    pub fn came_by(&self, port: Key) -> bool {
        match self {
            Self::Outgoing(_) => false,
            Self::Incoming(incoming) => incoming.port == port,
            Self::Joined(joined) => joined.port == Some(port),
        }
    }

    /// Whether it has waited too long.
    pub fn is_late(&self, now: Instant) -> bool {
        match self {
            Self::Outgoing(outgoing) => outgoing.deadline <= now,
            Self::Incoming(incoming) => incoming.deadline <= now,
            Self::Joined(_) => false,
        }
    }

    /// Closing it will reset both ends.
    pub fn reset(&self) {
        match self {
            Self::Outgoing(outgoing) => reset_on_close(outgoing.outer.fd()),
            Self::Incoming(incoming) => {
                reset_on_close(incoming.outer.fd());
                reset_on_close(incoming.inner.fd());
            }
            Self::Joined(joined) => joined.relay.reset(),
        }
    }
}

/// A connection of the host's, begun.
pub fn connect(server: SocketAddr) -> Result<OwnedFd, Errno> {
    let family = if server.is_ipv4() {
        AddressFamily::INET
    } else {
        AddressFamily::INET6
    };
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let fd = rustix::net::socket_with(family, SocketType::STREAM, flags, None)?;
    sockopt::set_tcp_nodelay(&fd, true)?;
    match rustix::net::connect(&fd, &server) {
        Ok(()) | Err(Errno::INPROGRESS) => Ok(fd),
        Err(errno) => Err(errno),
    }
}

/// Whether a socket connected to `port` has met itself (a simultaneous open, RFC 9293, 3.5).
pub fn is_own_peer(fd: &OwnedFd, port: u16) -> bool {
    let Ok(own) = rustix::net::getsockname(fd) else {
        return false;
    };
    SocketAddr::try_from(own.clone()).is_ok_and(|own| own.port() == port)
        && rustix::net::getpeername(fd).is_ok_and(|peer| peer.is_some_and(|peer| peer == own))
}

/// Without flow label and scope, which a packet's own address does not have.
pub const fn plain(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip(), address.port())
}
