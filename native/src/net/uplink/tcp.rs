//! Connections. A container's first segment becomes a connection of the host's; when that succeeds the
//! segment goes in again, the kernel completes the container's side, and the two are joined. A client of a
//! published port goes the other way. It moves no bytes itself.

use super::connection::{Connection, Outgoing, connect, is_own_peer, plain};
use super::context::Context;
use super::frame::{Flow, Unreachable};
use super::pending::{PENDING, Pending};
use super::policy::Verdict;
use super::reactor::{Key, Ready, Slots, Source};
use super::relay::{Pool, Stream, Turn, reset_on_close};
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use rustix::net::{SocketFlags, sockopt};
use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

/// As long as a container's own connect() tries (tcp_syn_retries of 6).
pub const CONNECTING: Duration = Duration::from_secs(130);
/// For the container to take a connection that stands on the host's side.
const ACCEPTING: Duration = Duration::from_secs(10);
/// After this a connection is looked after with keep-alive.
const YOUNG: Duration = Duration::from_secs(20);
/// Keys that may lie in a queue without need.
const QUEUED: usize = 4096;
/// Connections taken from a listener in one turn.
const TURN: usize = 128;

/// All connections of the network.
pub struct Connections {
    pub(super) slots: Slots<Connection>,
    outgoing: HashMap<Flow, Key>,
    order: VecDeque<Key>,
    ready: VecDeque<Key>,
    young: VecDeque<(Instant, Key)>,
    pool: Pool,
    pub(super) limit: usize,
    pub(super) pending: Pending,
    /// Segments were put back in this turn.
    returned: bool,
}

impl Connections {
    /// `limit`: how many there may be, each with two descriptors.
    pub fn new(limit: usize) -> Self {
        Self {
            slots: Slots::new(),
            outgoing: HashMap::new(),
            order: VecDeque::new(),
            ready: VecDeque::new(),
            young: VecDeque::new(),
            pool: Pool::new(),
            limit,
            pending: Pending::default(),
            returned: false,
        }
    }

    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether a relay has more to do than its last turn allowed.
    pub fn is_busy(&self) -> bool {
        !self.ready.is_empty()
    }

    /// When `sweep` has something to look at again.
    pub fn next_sweep(&self) -> Option<Duration> {
        if self.pending.total() > 0 || !self.young.is_empty() {
            Some(Duration::from_secs(1))
        } else {
            None
        }
    }

    /// A container's first segment.
    pub fn open(&mut self, context: &Context, flow: Flow, frame: &[u8]) {
        // The gateway's own service.
        if context.network.is_gateway(flow.server.ip()) && flow.server.port() == 53 {
            return;
        }
        let server = match context.network.judge(flow.client.ip(), flow.server) {
            Verdict::Forward(server) => server,
            Verdict::Ignore => return,
            Verdict::Refuse => return context.refuse(flow, frame),
            Verdict::Prohibit => {
                return context.unreachable(flow.client.ip(), Unreachable::Prohibited, frame);
            }
        };
        if let Some(key) = self.outgoing.get(&flow).copied() {
            return self.repeat(context, key, frame);
        }
        if !self.pending.allows(flow.client.ip()) {
            return;
        }
        if self.pending.total() >= PENDING {
            self.drop_oldest();
        }
        if self.slots.len() >= self.limit {
            return context.refuse(flow, frame);
        }
        match connect(server) {
            Ok(outer) => self.begin(context, (flow, server), outer, frame),
            Err(errno) => context.report(flow, errno, frame),
        }
    }

    fn begin(&mut self, context: &Context, (flow, server): (Flow, SocketAddr), outer: OwnedFd, frame: &[u8]) {
        let key = self.slots.insert(Connection::Outgoing(Outgoing {
            flow,
            outer: Stream::new(outer),
            frame: frame.to_vec(),
            connected: false,
            deadline: context.now + CONNECTING,
        }));
        self.pending.begin(flow.client.ip());
        self.outgoing.insert(flow, key);
        self.order.push_back(key);
        let Some(Connection::Outgoing(outgoing)) = self.slots.get_mut(key) else {
            return;
        };
        let outer = outgoing.outer.fd();
        if context.reactor.watch_stream(outer, Source::Outer, key).is_err() {
            self.close(key);
            return context.refuse(flow, frame);
        }
        // A destination on this host has answered by now.
        match rustix::net::connect(outer, &server) {
            Err(Errno::ALREADY) => {}
            outcome => self.connected(context, key, outcome),
        }
    }

    /// The host's side stands, or could not be made.
    fn connected(&mut self, context: &Context, key: Key, outcome: Result<(), Errno>) {
        let Some(Connection::Outgoing(outgoing)) = self.slots.get_mut(key) else {
            return;
        };
        let met_itself = || is_own_peer(outgoing.outer.fd(), outgoing.flow.server.port());
        let outcome = match outcome {
            // Nothing listened, and the kernel gave this end the very port that it called.
            Ok(()) if met_itself() => Err(Errno::CONNREFUSED),
            outcome => outcome,
        };
        if let Err(errno) = outcome {
            let (flow, frame) = (outgoing.flow, std::mem::take(&mut outgoing.frame));
            self.abort(key);
            return context.report(flow, errno, &frame);
        }
        outgoing.connected = true;
        outgoing.deadline = context.now + ACCEPTING;
        let _repeated_by_the_container = context.inside.put_back(&outgoing.frame);
        self.returned = true;
    }

    /// Segments were put back: their connections may be complete already.
    pub fn accept_returned(&mut self, context: &Context) {
        if std::mem::take(&mut self.returned) {
            for listener in 0..context.inside.listeners.len() {
                self.accept(context, listener);
            }
        }
    }

    /// The container repeats its first segment, or tries anew with the same port.
    fn repeat(&mut self, context: &Context, key: Key, frame: &[u8]) {
        if let Some(Connection::Outgoing(outgoing)) = self.slots.get_mut(key) {
            outgoing.frame.clear();
            outgoing.frame.extend_from_slice(frame);
            if outgoing.connected {
                let _repeated_again = context.inside.put_back(frame);
            }
        }
    }

    /// Queues the key for `sweep`. Keys of the dead leave the queues before these outgrow the living.
    pub(super) fn note_young(&mut self, now: Instant, key: Key) {
        let slots = &mut self.slots;
        if self.young.len() > QUEUED + 2 * slots.len() {
            self.young.retain(|(_, key)| slots.get_mut(*key).is_some());
        }
        if self.order.len() > QUEUED + 2 * self.pending.total() {
            self.order
                .retain(|key| matches!(slots.get_mut(*key), Some(Connection::Outgoing(_))));
        }
        self.young.push_back((now + YOUNG, key));
    }

    /// It is about to be joined.
    pub(super) fn end_pending(&mut self, key: Key) {
        if let Some(connection) = self.slots.get_mut(key) {
            self.pending.end(connection.container());
        }
    }

    fn drop_oldest(&mut self) {
        while let Some(key) = self.order.pop_front() {
            if let Some(Connection::Outgoing(_)) = self.slots.get_mut(key) {
                self.close(key);
                return;
            }
        }
    }

    /// The kernel has completed containers' sides.
    pub fn accept(&mut self, context: &Context, listener: usize) {
        let Some(listener) = context.inside.listeners.get(listener) else {
            return;
        };
        for _ in 0..TURN {
            let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
            let (inner, client) = match rustix::net::acceptfrom_with(listener, flags) {
                Ok(accepted) => accepted,
                Err(Errno::AGAIN) => return,
                // No descriptor is left: one host's side makes room, so that the client can be reset.
                Err(Errno::MFILE | Errno::NFILE | Errno::NOMEM | Errno::NOBUFS) => {
                    self.drop_oldest();
                    continue;
                }
                Err(_) => continue,
            };
            let server = rustix::net::getsockname(&inner)
                .ok()
                .and_then(|name| SocketAddr::try_from(name).ok());
            let client = client.and_then(|name| SocketAddr::try_from(name).ok());
            let key = match (client, server) {
                (Some(client), Some(server)) => self.outgoing.remove(&Flow {
                    client: plain(client),
                    server: plain(server),
                }),
                _ => None,
            };
            match key {
                Some(key) => self.join_outgoing(context, key, inner),
                // Its host's side is gone in the meantime.
                None => reset_on_close(&inner),
            }
        }
    }

    fn join_outgoing(&mut self, context: &Context, key: Key, inner: OwnedFd) {
        if context.reactor.watch_stream(&inner, Source::Inner, key).is_err() {
            reset_on_close(&inner);
            return self.close(key);
        }
        self.end_pending(key);
        self.slots
            .update(key, |connection| connection.joined(Some(inner)));
        self.note_young(context.now, key);
    }

    /// Something happened to the container's side.
    pub fn inner_ready(&mut self, context: &Context, key: Key, ready: Ready) {
        match self.slots.get_mut(key) {
            Some(Connection::Incoming(incoming)) => {
                incoming.inner.tell(ready);
                if ready.failed || sockopt::socket_error(incoming.inner.fd()) != Ok(Ok(())) {
                    return self.abort(key);
                }
                if ready.writable {
                    self.join_incoming(context, key);
                    self.turn(key);
                }
            }
            Some(Connection::Joined(joined)) => {
                joined.relay.tell_inner(ready);
                self.turn(key);
            }
            Some(Connection::Outgoing(_)) | None => {}
        }
    }

    /// Something happened to the host's side.
    pub fn outer_ready(&mut self, context: &Context, key: Key, ready: Ready) {
        match self.slots.get_mut(key) {
            Some(Connection::Outgoing(outgoing)) => {
                outgoing.outer.tell(ready);
                if outgoing.connected || !ready.writable {
                    return;
                }
                let outcome = sockopt::socket_error(outgoing.outer.fd()).flatten();
                self.connected(context, key, outcome);
            }
            Some(Connection::Incoming(incoming)) => {
                incoming.outer.tell(ready);
                if ready.failed {
                    self.abort(key);
                }
            }
            Some(Connection::Joined(joined)) => {
                joined.relay.tell_outer(ready);
                self.turn(key);
            }
            None => {}
        }
    }

    fn turn(&mut self, key: Key) {
        let Some(Connection::Joined(joined)) = self.slots.get_mut(key) else {
            return;
        };
        match joined.relay.turn(&mut self.pool) {
            Turn::Waits => {}
            Turn::Again => {
                if !joined.queued {
                    joined.queued = true;
                    self.ready.push_back(key);
                }
            }
            Turn::Done => self.close(key),
            Turn::Broken => self.abort(key),
        }
    }

    /// Another turn for those that were not finished.
    pub fn continue_busy(&mut self) {
        for _ in 0..self.ready.len() {
            let Some(key) = self.ready.pop_front() else { return };
            if let Some(Connection::Joined(joined)) = self.slots.get_mut(key) {
                joined.queued = false;
                self.turn(key);
            }
        }
    }

    fn close(&mut self, key: Key) {
        match self.slots.remove(key) {
            Some(Connection::Outgoing(outgoing)) => {
                self.outgoing.remove(&outgoing.flow);
                self.pending.end(outgoing.flow.client.ip());
            }
            Some(Connection::Incoming(incoming)) => self.pending.end(incoming.address),
            Some(Connection::Joined(joined)) => self.pool.forget(joined.relay),
            None => {}
        }
    }

    /// Ends it with resets to both sides.
    pub(super) fn abort(&mut self, key: Key) {
        if let Some(connection) = self.slots.get_mut(key) {
            connection.reset();
        }
        self.close(key);
    }

    /// Ends what waited too long, and looks after what has lived for a while.
    pub fn sweep(&mut self, now: Instant) {
        if self.pending.total() > 0 {
            self.abort_those(|connection| connection.is_late(now));
        }
        while let Some((due, key)) = self.young.front().copied()
            && due <= now
        {
            self.young.pop_front();
            if let Some(Connection::Joined(joined)) = self.slots.get_mut(key) {
                joined.relay.keep_alive();
            }
        }
    }

    fn abort_those(&mut self, which: impl Fn(&Connection) -> bool) {
        let keys: Vec<Key> = self
            .slots
            .iter()
            .filter(|(_, one)| which(one))
            .map(|(key, _)| key)
            .collect();
        for key in keys {
            self.abort(key);
        }
    }

    /// Containers are gone: so are their connections.
    pub fn forget(&mut self, addresses: &[IpAddr]) {
        self.abort_those(|connection| addresses.contains(&connection.container()));
    }

    /// A published port is gone: so are its connections.
    pub fn forget_port(&mut self, gone: Key) {
        self.abort_those(|connection| connection.came_by(gone));
    }
}
