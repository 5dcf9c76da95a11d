//! Echo requests. One socket of the host's for each family carries all of them, told apart by their
//! sequence numbers; the answers are written as the container expects them.

use super::context::{Context, unreachable_by};
use super::frame::{self, Echo, Unreachable};
use super::policy::Verdict;
use super::reactor::{Key, Reactor, Source};
use crate::error::Failure;
use crate::sys::uplink as sys;
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use rustix::net::{AddressFamily, SendFlags, SocketFlags, SocketType, ipproto, sockopt};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

/// Requests that may be on their way. A later one takes the place of the oldest.
const OPEN: usize = 2048;
/// An answer that comes later is dropped.
const LATE: Duration = Duration::from_secs(60);
const TURN: usize = 64;
/// ICMP_FILTER (raw(7)): everything but echo replies is kept away from a raw socket.
const ONLY_REPLIES: i32 = !1;

struct Request {
    client: IpAddr,
    server: IpAddr,
    marks: (u16, u16),
    sequence: u16,
    at: Instant,
}

/// A socket that sends echo requests.
struct Socket {
    fd: OwnedFd,
    /// As raw sockets are not told apart by the kernel, they have an identifier of ours.
    raw: bool,
    id: u16,
    next: u16,
    open: Vec<Option<Request>>,
}

/// The sockets of both families, where the host allows them.
pub struct Pings {
    sockets: [Option<Socket>; 2],
    buffer: Vec<u8>,
}

const fn place(v4: bool) -> u32 {
    if v4 { 0 } else { 1 }
}

impl Pings {
    /// Opens the sockets; needs the process's capabilities where the host forbids ping sockets.
    pub fn open(reactor: &Reactor) -> Result<Self, Failure> {
        let sockets = [Socket::open(true), Socket::open(false)];
        for (socket, v4) in sockets.iter().zip([true, false]) {
            if let Some(socket) = socket {
                reactor
                    .watch(&socket.fd, Source::Ping, Key::fixed(place(v4)))
                    .map_err(|errno| Failure::errno("cannot watch the socket for echo requests", errno))?;
            }
        }
        Ok(Self {
            sockets,
            buffer: vec![0; 65_536],
        })
    }

    /// A container's echo request.
    pub fn request(&mut self, context: &Context, echo: &Echo<'_>, packet: &[u8]) {
        // Any port makes an address; there are none here.
        let server = SocketAddr::new(echo.server, 1);
        let gateway = context.network.is_gateway(echo.server);
        let verdict = context.network.judge(echo.client, server);
        let to = match verdict {
            Verdict::Ignore => return,
            // The kernel answers for the gateway itself.
            _ if gateway => return,
            Verdict::Forward(to) => to,
            Verdict::Refuse | Verdict::Prohibit => {
                return context.unreachable(echo.client, Unreachable::Prohibited, packet);
            }
        };
        let socket = self
            .sockets
            .get_mut(place(to.is_ipv4()) as usize)
            .and_then(Option::as_mut);
        let Some(socket) = socket else {
            return context.unreachable(echo.client, Unreachable::Prohibited, packet);
        };
        if echo.hops <= 1 {
            let marks = (echo.id, echo.sequence);
            let expired = if to.is_ipv4() { (11, 0) } else { (3, 0) };
            return context.echo_error(None, (echo.client, echo.server), marks, expired);
        }
        if let Err(errno) = socket.send(context.now, echo, to)
            && let Some(why) = unreachable_by(errno)
        {
            context.unreachable(echo.client, why, packet);
        }
    }

    /// The host's socket has answers or errors.
    pub fn ready(&mut self, context: &Context, index: usize) {
        let v4 = index == 0;
        self.errors(context, index);
        let Some(socket) = self.sockets.get_mut(index).and_then(Option::as_mut) else {
            return;
        };
        for _ in 0..TURN {
            let datagram = match sys::receive(&socket.fd, &mut self.buffer) {
                Ok(datagram) => datagram,
                Err(Errno::AGAIN) => return,
                Err(_) => continue,
            };
            let message = self.buffer.get(..datagram.length).unwrap_or_default();
            let Some((id, sequence, payload)) = frame::read_reply(v4, socket.raw, message) else {
                continue;
            };
            if socket.raw && id != socket.id {
                continue;
            }
            if let Some(request) = socket.take(context.now, sequence, datagram.from.ip()) {
                let reply = frame::echo_reply(request.server, request.client, request.marks, payload);
                // No other packet of ours to this container is in pieces at the same time with this number.
                context.send_large(reply, request.client, request.sequence | 1 << 15);
            }
        }
    }
}

impl Pings {
    /// Passes on what routers, or the host itself, said of requests.
    fn errors(&mut self, context: &Context, index: usize) {
        let Some(socket) = self.sockets.get_mut(index).and_then(Option::as_mut) else {
            return;
        };
        for _ in 0..TURN {
            let Ok(error) = sys::receive_error(&socket.fd, &mut self.buffer) else {
                return;
            };
            let message = self.buffer.get(..error.length).unwrap_or_default();
            let Some((id, sequence)) = frame::read_request(index == 0, message) else {
                continue;
            };
            if socket.raw && id != socket.id {
                continue;
            }
            if let Some(request) = socket.take_failed(context.now, sequence) {
                let ends = (request.client, request.server);
                context.echo_error(error.router, ends, request.marks, error.reason);
            }
        }
    }
}

impl Socket {
    fn open(v4: bool) -> Option<Self> {
        let (family, protocol) = if v4 {
            (AddressFamily::INET, ipproto::ICMP)
        } else {
            (AddressFamily::INET6, ipproto::ICMPV6)
        };
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        let open = |kind| rustix::net::socket_with(family, kind, flags, Some(protocol));
        let (fd, raw) = match open(SocketType::DGRAM) {
            Ok(fd) => (fd, false),
            Err(_) => (open(SocketType::RAW).ok()?, true),
        };
        if raw && v4 {
            sys::set_option(&fd, libc::SOL_RAW, 1, ONLY_REPLIES).ok()?;
        } else if raw {
            sys::only_echo_replies(&fd).ok()?;
        }
        if v4 {
            sys::set_option(&fd, libc::SOL_IP, libc::IP_RECVERR, 1).ok()?;
        } else {
            sys::set_option(&fd, libc::SOL_IPV6, libc::IPV6_RECVERR, 1).ok()?;
        }
        let process = rustix::process::getpid().as_raw_nonzero().get().to_le_bytes();
        Some(Self {
            fd,
            raw,
            id: u16::from_le_bytes([process[0], process[1]]),
            next: 0,
            open: Vec::new(),
        })
    }

    fn send(&mut self, now: Instant, echo: &Echo<'_>, to: SocketAddr) -> Result<(), Errno> {
        let sequence = self.next;
        self.next = self.next.wrapping_add(1);
        // A hop is taken here, as by any router.
        let hops = u32::from(echo.hops.saturating_sub(1));
        if to.is_ipv4() {
            sockopt::set_ip_ttl(&self.fd, hops)?;
        } else {
            sockopt::set_ipv6_unicast_hops(&self.fd, echo.hops.checked_sub(1))?;
        }
        let message = frame::echo_request(to.is_ipv4(), self.id, sequence, echo.payload);
        rustix::net::sendto(
            &self.fd,
            &message,
            SendFlags::DONTWAIT,
            &SocketAddr::new(to.ip(), 0),
        )?;
        let slot = usize::from(sequence) % OPEN;
        if self.open.len() <= slot {
            self.open.resize_with(slot + 1, || None);
        }
        if let Some(place) = self.open.get_mut(slot) {
            *place = Some(Request {
                client: echo.client,
                server: echo.server,
                marks: (echo.id, echo.sequence),
                sequence,
                at: now,
            });
        }
        Ok(())
    }

    /// The request that an answer belongs to, once.
    fn take(&mut self, now: Instant, sequence: u16, from: IpAddr) -> Option<Request> {
        self.take_if(now, sequence, |request| request.server == from)
    }

    /// The request that an error belongs to, once. Its sender may be any router.
    fn take_failed(&mut self, now: Instant, sequence: u16) -> Option<Request> {
        self.take_if(now, sequence, |_| true)
    }

    fn take_if(&mut self, now: Instant, sequence: u16, fits: impl Fn(&Request) -> bool) -> Option<Request> {
        let place = self.open.get_mut(usize::from(sequence) % OPEN)?;
        place.take_if(|request| {
            request.sequence == sequence && now.duration_since(request.at) < LATE && fits(request)
        })
    }
}
