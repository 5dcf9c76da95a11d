//! UDP. A flow is a container's address and a destination: one socket of the host's, connected to the
//! destination, and one in the engine's namespace that bears the destination's address, connected to the
//! container. Published ports have flows too, whose host's side is the port's own socket.

use super::connection::plain;
use super::context::{Context, unreachable_by};
use super::frame::{Flow, Unreachable};
use super::inside::Pooled;
use super::policy::Verdict;
use super::reactor::{Key, Slots, Source};
use crate::sys::uplink as sys;
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, sockopt};
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::time::{Duration, Instant};

/// A flow that nothing answered.
const ONE_WAY: Duration = Duration::from_secs(30);
/// A question and its answer at port 53.
const ANSWERED: Duration = Duration::from_secs(5);
/// A flow with traffic both ways.
const CONVERSATION: Duration = Duration::from_secs(180);
/// Datagrams of one socket in one turn.
const TURN: usize = 64;
/// The largest datagram.
const LARGEST: usize = 65_536;
const BUFFER: usize = 1 << 20;

/// The host's side of a flow.
enum Outer {
    Own(OwnedFd),
    /// A client of a published port, and the address of the host at which it called.
    Port {
        socket: Rc<OwnedFd>,
        port: Key,
        client: SocketAddr,
        local: Option<IpAddr>,
    },
}

struct Entry {
    /// The container's address and the destination; for a published port the container is the server.
    flow: Flow,
    inner: OwnedFd,
    outer: Outer,
    sent: u32,
    received: u32,
    used: Instant,
}

impl Entry {
    fn life(&self) -> Duration {
        match (self.sent, self.received) {
            (0, _) | (_, 0) => ONE_WAY,
            (1, 1) if self.flow.server.port() == 53 => ANSWERED,
            _ => CONVERSATION,
        }
    }

    /// The container that takes part.
    const fn container(&self) -> IpAddr {
        match self.outer {
            Outer::Own(_) => self.flow.client.ip(),
            Outer::Port { .. } => self.flow.server.ip(),
        }
    }
}

/// All flows of the network.
pub struct Flows {
    slots: Slots<Entry>,
    own: HashMap<Flow, Key>,
    published: HashMap<(Key, SocketAddr), Key>,
    buffer: Vec<u8>,
    limit: usize,
}

/// A published UDP port.
pub struct Port<'a> {
    pub socket: &'a Rc<OwnedFd>,
    pub key: Key,
    pub target: SocketAddr,
}

impl Flows {
    /// `limit`: how many there may be, each with two descriptors.
    pub fn new(limit: usize) -> Self {
        Self {
            slots: Slots::new(),
            own: HashMap::new(),
            published: HashMap::new(),
            buffer: vec![0; LARGEST],
            limit,
        }
    }

    pub fn len(&self) -> usize {
        self.slots.len()
    }

    pub fn next_sweep(&self) -> Option<Duration> {
        if self.slots.len() > 0 {
            Some(Duration::from_secs(2))
        } else {
            None
        }
    }

    /// Datagrams of flows that have no sockets of their own yet.
    pub fn arrived(&mut self, context: &Context, socket: usize) {
        let mut buffer = std::mem::take(&mut self.buffer);
        for _ in 0..TURN {
            let Some(socket) = context.inside.datagrams.get(socket) else {
                break;
            };
            match sys::receive(socket, &mut buffer) {
                Ok(datagram) => {
                    let Some(server) = datagram.destination else {
                        continue;
                    };
                    let flow = Flow {
                        client: plain(datagram.from),
                        server: plain(server),
                    };
                    if let Some(key) = self.find(context, flow) {
                        self.send_out(context, key, buffer.get(..datagram.length).unwrap_or_default());
                    }
                }
                Err(Errno::INTR) => {}
                Err(_) => break,
            }
        }
        self.buffer = buffer;
    }

    /// The flow, made when it is new. None: it may not be, and the container has been told.
    fn find(&mut self, context: &Context, flow: Flow) -> Option<Key> {
        if let Some(key) = self.own.get(&flow) {
            return Some(*key);
        }
        let why = match context.network.judge(flow.client.ip(), flow.server) {
            Verdict::Forward(server) => match self.begin(context, flow, server) {
                Ok(key) => return Some(key),
                Err(errno) => unreachable_by(errno)?,
            },
            Verdict::Refuse => Unreachable::Port,
            Verdict::Prohibit => Unreachable::Prohibited,
            Verdict::Ignore => return None,
        };
        context.report_datagram(flow, why);
        None
    }

    fn begin(&mut self, context: &Context, flow: Flow, server: SocketAddr) -> Result<Key, Errno> {
        self.make_room();
        let family = if server.is_ipv4() {
            AddressFamily::INET
        } else {
            AddressFamily::INET6
        };
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        let outer = rustix::net::socket_with(family, SocketType::DGRAM, flags, None)?;
        enlarge(&outer);
        rustix::net::connect(&outer, &server)?;
        let inner = context.inside.take(Pooled::Udp, flow.client.ip())?;
        enlarge(&inner);
        rustix::net::bind(&inner, &flow.server)?;
        rustix::net::connect(&inner, &flow.client)?;
        let key = self.insert(context, flow, inner, Outer::Own(outer))?;
        self.own.insert(flow, key);
        Ok(key)
    }

    fn insert(&mut self, context: &Context, flow: Flow, inner: OwnedFd, outer: Outer) -> Result<Key, Errno> {
        let key = self.slots.insert(Entry {
            flow,
            inner,
            outer,
            sent: 0,
            received: 0,
            used: context.now,
        });
        let Some(entry) = self.slots.get_mut(key) else {
            return Err(Errno::NOMEM);
        };
        let mut watched = context.reactor.watch(&entry.inner, Source::FlowInner, key);
        if let Outer::Own(outer) = &entry.outer {
            watched = watched.and_then(|()| context.reactor.watch(outer, Source::FlowOuter, key));
        }
        if let Err(errno) = watched {
            self.slots.remove(key);
            return Err(errno);
        }
        Ok(key)
    }

    /// Beyond the limit the flow that was idle longest ends.
    fn make_room(&mut self) {
        if self.slots.len() < self.limit {
            return;
        }
        let idlest = self
            .slots
            .iter()
            .min_by_key(|(_, entry)| entry.used)
            .map(|(key, _)| key);
        if let Some(key) = idlest {
            self.close(key);
        }
    }

    /// From the container to the host's side.
    fn send_out(&mut self, context: &Context, key: Key, data: &[u8]) {
        let Some(entry) = self.slots.get_mut(key) else {
            return;
        };
        entry.used = context.now;
        let sent = match &entry.outer {
            Outer::Own(outer) => {
                entry.sent = entry.sent.saturating_add(1);
                match rustix::net::send(outer, data, SendFlags::NOSIGNAL) {
                    // The error of an earlier datagram; this one has not been sent.
                    Err(Errno::CONNREFUSED) => {
                        context.report_datagram(entry.flow, Unreachable::Port);
                        rustix::net::send(outer, data, SendFlags::NOSIGNAL).map(drop)
                    }
                    other => other.map(drop),
                }
            }
            Outer::Port {
                socket,
                client,
                local,
                ..
            } => {
                entry.received = entry.received.saturating_add(1);
                sys::send_from(socket.as_ref(), data, *client, *local)
            }
        };
        if let (Err(errno), Outer::Own(_)) = (sent, &entry.outer)
            && let Some(why) = unreachable_by(errno)
        {
            context.report_datagram(entry.flow, why);
        }
    }

    /// The container sent to a flow's own socket.
    pub fn inner_ready(&mut self, context: &Context, key: Key) {
        let mut buffer = std::mem::take(&mut self.buffer);
        for _ in 0..TURN {
            let Some(entry) = self.slots.get_mut(key) else {
                break;
            };
            match rustix::net::recv(&entry.inner, &mut buffer[..], RecvFlags::DONTWAIT) {
                Ok((length, _)) => self.send_out(context, key, buffer.get(..length).unwrap_or_default()),
                // The container has closed its port; it may open it again.
                Err(Errno::INTR | Errno::CONNREFUSED) => {}
                Err(Errno::AGAIN) => break,
                Err(_) => {
                    self.close(key);
                    break;
                }
            }
        }
        self.buffer = buffer;
    }

    /// The destination answered.
    pub fn outer_ready(&mut self, context: &Context, key: Key) {
        for _ in 0..TURN {
            let Some(entry) = self.slots.get_mut(key) else {
                return;
            };
            let Outer::Own(outer) = &entry.outer else { return };
            match rustix::net::recv(outer, &mut self.buffer[..], RecvFlags::DONTWAIT) {
                Ok((length, _)) => {
                    entry.used = context.now;
                    entry.received = entry.received.saturating_add(1);
                    let data = self.buffer.get(..length).unwrap_or_default();
                    let _lost_as_on_a_wire = rustix::net::send(&entry.inner, data, SendFlags::NOSIGNAL);
                }
                Err(Errno::AGAIN) => return,
                Err(Errno::INTR) => {}
                Err(errno) => match unreachable_by(errno) {
                    Some(why) => context.report_datagram(entry.flow, why),
                    None => return self.close(key),
                },
            }
        }
    }

    /// Clients sent to a published port.
    pub fn port_ready(&mut self, context: &Context, port: &Port<'_>) {
        let mut buffer = std::mem::take(&mut self.buffer);
        for _ in 0..TURN {
            match sys::receive(port.socket.as_ref(), &mut buffer) {
                Ok(datagram) => {
                    let data = buffer.get(..datagram.length).unwrap_or_default();
                    self.pass_in(context, port, &datagram, data);
                }
                Err(Errno::AGAIN) => break,
                // Errors of earlier answers, one each.
                Err(_) => {}
            }
        }
        self.buffer = buffer;
    }

    fn pass_in(&mut self, context: &Context, port: &Port<'_>, datagram: &sys::Datagram, data: &[u8]) {
        let known = self.published.get(&(port.key, datagram.from)).copied();
        let Some(key) = known.or_else(|| self.begin_published(context, port, datagram)) else {
            return;
        };
        if let Some(entry) = self.slots.get_mut(key) {
            entry.used = context.now;
            entry.sent = entry.sent.saturating_add(1);
            // A refusal of an earlier datagram must not cost this one.
            if rustix::net::send(&entry.inner, data, SendFlags::NOSIGNAL) == Err(Errno::CONNREFUSED) {
                let _lost_as_on_a_wire = rustix::net::send(&entry.inner, data, SendFlags::NOSIGNAL);
            }
        }
    }

    fn begin_published(
        &mut self,
        context: &Context,
        port: &Port<'_>,
        datagram: &sys::Datagram,
    ) -> Option<Key> {
        self.make_room();
        let inner = context.inside.take(Pooled::Udp, port.target.ip()).ok()?;
        enlarge(&inner);
        // With it the kernel may choose another flow's port, and answers would go to the wrong client.
        sockopt::set_socket_reuseaddr(&inner, false).ok()?;
        rustix::net::connect(&inner, &port.target).ok()?;
        let flow = Flow {
            client: datagram.from,
            server: port.target,
        };
        let outer = Outer::Port {
            socket: Rc::clone(port.socket),
            port: port.key,
            client: datagram.from,
            local: datagram.local,
        };
        let key = self.insert(context, flow, inner, outer).ok()?;
        self.published.insert((port.key, datagram.from), key);
        Some(key)
    }

    fn close(&mut self, key: Key) {
        if let Some(entry) = self.slots.remove(key) {
            match entry.outer {
                Outer::Own(_) => self.own.remove(&entry.flow),
                Outer::Port { port, client, .. } => self.published.remove(&(port, client)),
            };
        }
    }

    fn close_those(&mut self, which: impl Fn(&Entry) -> bool) {
        let keys: Vec<Key> = self
            .slots
            .iter()
            .filter(|(_, one)| which(one))
            .map(|(key, _)| key)
            .collect();
        for key in keys {
            self.close(key);
        }
    }

    /// Ends idle flows.
    pub fn sweep(&mut self, now: Instant) {
        self.close_those(|entry| now.duration_since(entry.used) >= entry.life());
    }

    /// Containers are gone: so are their flows.
    pub fn forget(&mut self, addresses: &[IpAddr]) {
        self.close_those(|entry| addresses.contains(&entry.container()));
    }

    /// A published port is gone: so are its flows.
    pub fn forget_port(&mut self, gone: Key) {
        self.close_those(|entry| matches!(entry.outer, Outer::Port { port, .. } if port == gone));
    }
}

/// Room for several of the largest datagrams.
fn enlarge(fd: &OwnedFd) {
    let _default = sockopt::set_socket_recv_buffer_size(fd, BUFFER);
    let _default = sockopt::set_socket_send_buffer_size(fd, BUFFER);
}
