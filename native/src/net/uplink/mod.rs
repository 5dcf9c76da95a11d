//! The uplink: one process a network, which joins the containers' connections to ordinary sockets of
//! the host. It never touches the host's own network configuration.
//!
//! Theory of operation: the main thread stays in the host's network namespace with one poll loop
//! (`reactor`) and no capabilities. A thread in the engine's namespace (`inside`) sets the packet rules
//! (`firewall`) and makes the sockets there. New TCP connections are seen as frames (`frame`), judged
//! (`policy`), connected by the host first and then joined (`tcp`, `relay`); datagrams have flows (`udp`);
//! echo requests go through one socket (`icmp`), large ones in pieces (`fragments`); published ports come in as sockets (`ports`). Names are
//! served by a thread of their own (`net::dns`). `control` reads what the supervisor says.

mod confine;
mod connection;
mod context;
mod control;
mod firewall;
mod fragments;
mod frame;
mod icmp;
mod incoming;
mod inside;
mod netlink;
mod pending;
mod policy;
mod ports;
mod reactor;
mod relay;
mod tcp;
mod udp;

use super::channel::{Channel, Received};
use super::dns::{DnsSockets, Server, Table};
use crate::error::{Failure, Kind};
use context::Context;
use control::Order;
use fragments::Fragments;
use frame::Sighting;
use icmp::Pings;
use inside::Inside;
use ports::Ports;
use reactor::{Key, Reactor, Ready, Source};
use rustix::event::{PollFd, PollFlags};
use rustix::fd::{AsFd, OwnedFd};
use rustix::io::Errno;
use rustix::net::RecvFlags;
use serde_json::{Value, json};
use std::ffi::OsString;
use std::process::ExitCode;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};
use tcp::Connections;
use udp::Flows;

/// Events of one turn.
const EVENTS: usize = 256;
/// Frames of one socket in one turn.
const FRAMES: usize = 256;
/// Descriptors for everything but connections and flows.
const RESERVED: usize = 320;
/// Flows and connections at most, however many descriptors there may be.
const FLOWS: usize = 4096;
const CONNECTIONS: usize = 100_000;

/// Tries a network's packet rules in the calling thread's network namespace, which must be a throw-away
/// one; for `probe`.
pub fn try_rules(network: Value) -> Result<(), Failure> {
    let network: policy::Network = serde_json::from_value(network)
        .map_err(|error| Failure::new(Kind::Internal, format!("the network of the trial: {error}")))?;
    firewall::install(&network)?;
    firewall::route_marked()
}

/// `net uplink`: serves until its supervisor, on descriptor 3, is gone.
pub fn main(args: Vec<OsString>) -> Result<ExitCode, Failure> {
    if let Some(argument) = args.first() {
        let message = format!("net uplink takes no argument {}", argument.display());
        return Err(Failure::new(Kind::Invalid, message));
    }
    let channel = crate::sys::uplink::inherited(3)
        .and_then(|fd| rustix::io::ioctl_fionbio(&fd, true).map(|()| fd))
        .map_err(|errno| {
            Failure::errno(
                "net uplink is started by net, its channel being descriptor 3",
                errno,
            )
        })?;
    let channel = Channel::from_fd(channel);
    let limit = confine::descriptors();
    let Some((network, namespace)) = control::first(&channel)? else {
        return Ok(ExitCode::SUCCESS);
    };
    match Uplink::new(channel, network, namespace, limit) {
        Ok(mut uplink) => {
            uplink.answer(&json!({"ok": true}))?;
            uplink.serve()?;
            Ok(ExitCode::SUCCESS)
        }
        Err((channel, failure)) => {
            let _gone = channel.send(&failure.to_json(), &[]);
            Err(failure)
        }
    }
}

struct Uplink {
    channel: Channel,
    context: Context,
    connections: Connections,
    flows: Flows,
    pings: Pings,
    ports: Ports,
    table: Arc<RwLock<Table>>,
    frame: Vec<u8>,
    fragments: Fragments,
    _dns: Option<Server>,
}

impl Uplink {
    /// Serves from its return on. The channel comes back with a failure, so that it can be told.
    fn new(
        channel: Channel,
        network: policy::Network,
        namespace: OwnedFd,
        limit: usize,
    ) -> Result<Self, (Channel, Failure)> {
        let table = Arc::new(RwLock::new(Table::default()));
        match prepare(&channel, network, namespace, &table) {
            Ok((context, pings, dns)) => {
                let flows = (limit / 8).clamp(16, FLOWS);
                let connections = limit.saturating_sub(RESERVED + 2 * flows) / 2;
                Ok(Self {
                    channel,
                    context,
                    connections: Connections::new(connections.clamp(16, CONNECTIONS)),
                    flows: Flows::new(flows),
                    pings,
                    ports: Ports::default(),
                    table,
                    frame: vec![0; 65_536 + 64],
                    fragments: Fragments::default(),
                    _dns: dns,
                })
            }
            Err(failure) => Err((channel, failure)),
        }
    }

    /// The poll loop. Ends when the supervisor is gone.
    fn serve(&mut self) -> Result<(), Failure> {
        let mut events = Vec::with_capacity(EVENTS);
        let mut next_sweep: Option<Instant> = None;
        loop {
            let timeout = if self.connections.is_busy() {
                Some(Duration::ZERO)
            } else {
                next_sweep.map(|at| at.saturating_duration_since(Instant::now()))
            };
            self.context
                .reactor
                .wait(&mut events, timeout)
                .map_err(|errno| Failure::errno("cannot wait for events", errno))?;
            self.context.now = Instant::now();
            for event in &events {
                if let Some((source, key, ready)) = reactor::read(event)
                    && !self.dispatch(source, key, ready)?
                {
                    return Ok(());
                }
            }
            self.connections.accept_returned(&self.context);
            self.connections.continue_busy();
            if next_sweep.is_some_and(|at| at <= self.context.now) {
                self.connections.sweep(self.context.now);
                self.flows.sweep(self.context.now);
                self.ports.sweep(&self.context);
                next_sweep = None;
            }
            next_sweep = self.plan_sweep(next_sweep);
        }
    }

    /// The earlier of what is planned and what is wanted: nothing is, when nothing can time out.
    fn plan_sweep(&self, planned: Option<Instant>) -> Option<Instant> {
        let wanted = [
            self.connections.next_sweep(),
            self.flows.next_sweep(),
            self.ports.next_sweep(),
        ];
        let soonest = wanted
            .into_iter()
            .flatten()
            .min()
            .map(|pause| self.context.now + pause);
        match (planned, soonest) {
            (Some(planned), Some(soonest)) => Some(planned.min(soonest)),
            (_, soonest) => soonest,
        }
    }

    /// Serves one event. False: the supervisor is gone.
    fn dispatch(&mut self, source: Source, key: Key, ready: Ready) -> Result<bool, Failure> {
        let context = &self.context;
        match source {
            Source::Control => return self.hear(),
            Source::Frames => self.look(key.index as usize),
            Source::Listener => self.connections.accept(context, key.index as usize),
            Source::Inner => self.connections.inner_ready(context, key, ready),
            Source::Outer => self.connections.outer_ready(context, key, ready),
            Source::Datagrams => self.flows.arrived(context, key.index as usize),
            Source::FlowInner => self.flows.inner_ready(context, key),
            Source::FlowOuter => self.flows.outer_ready(context, key),
            Source::Ping => self.pings.ready(context, key.index as usize),
            Source::PortTcp => self.ports.tcp_ready(context, key, &mut self.connections),
            Source::PortUdp => self.ports.udp_ready(context, key, &mut self.flows),
        }
        Ok(true)
    }

    /// Reads the frames that a packet socket has.
    fn look(&mut self, socket: usize) {
        let Some(socket) = self.context.inside.frames.get(socket) else {
            return;
        };
        for _ in 0..FRAMES {
            match rustix::net::recv(socket, &mut self.frame[..], RecvFlags::DONTWAIT) {
                Ok((length, _)) => {
                    let frame = self.frame.get(..length).unwrap_or_default();
                    match frame::parse(frame) {
                        Some(Sighting::Syn(flow)) => self.connections.open(&self.context, flow, frame),
                        Some(Sighting::Echo(echo)) => self.pings.request(&self.context, &echo, frame),
                        None => {
                            let now = self.context.now;
                            if let Some(whole) = self.fragments.take(frame, now)
                                && let Some(Sighting::Echo(echo)) = frame::parse(&whole)
                            {
                                self.pings.request(&self.context, &echo, &whole);
                            }
                        }
                    }
                }
                Err(Errno::AGAIN) => return,
                // The bridge was down for a moment.
                Err(_) => {}
            }
        }
    }

    /// Takes what the supervisor says. False: it is gone.
    fn hear(&mut self) -> Result<bool, Failure> {
        loop {
            match self.channel.receive()? {
                Received::Message(message, fds) => match self.obey(message, fds) {
                    Ok(Some(answer)) => self.answer(&answer)?,
                    Ok(None) => {}
                    Err(failure) => self.answer(&failure.to_json())?,
                },
                Received::Nothing => return Ok(true),
                Received::End => return Ok(false),
            }
        }
    }

    fn obey(&mut self, message: Value, fds: Vec<OwnedFd>) -> Result<Option<Value>, Failure> {
        match control::read(message, fds)? {
            Order::Configure(network) => {
                self.context.network.change(network)?;
                self.context
                    .network
                    .judge_resolvers(&mut self.table.write().unwrap_or_else(PoisonError::into_inner));
                return Ok(Some(json!({"ok": true})));
            }
            Order::Names(mut table) => {
                self.context.network.judge_resolvers(&mut table);
                *self.table.write().unwrap_or_else(PoisonError::into_inner) = table;
            }
            Order::Listen(listen, socket) => {
                self.ports.listen(&self.context, listen, socket)?;
            }
            Order::Unlisten(key) => {
                if let Some(port) = self.ports.unlisten(key) {
                    self.connections.forget_port(port);
                    self.flows.forget_port(port);
                }
            }
            Order::Forget(addresses) => {
                self.connections.forget(&addresses);
                self.flows.forget(&addresses);
            }
            Order::State => {
                let counts = (self.connections.len(), self.flows.len());
                return Ok(Some(json!({"connections": counts.0, "flows": counts.1})));
            }
        }
        Ok(None)
    }

    /// Answers the supervisor; waits a while for it to read, and gives up when it does not.
    fn answer(&self, message: &Value) -> Result<(), Failure> {
        let failed = |errno| Failure::errno("cannot answer the supervisor", errno);
        match self.channel.send(message, &[]) {
            Ok(()) => return Ok(()),
            Err(Errno::AGAIN) => {}
            Err(errno) => return Err(failed(errno)),
        }
        let limit = rustix::event::Timespec {
            tv_sec: 5,
            tv_nsec: 0,
        };
        let mut wait = [PollFd::from_borrowed_fd(self.channel.as_fd(), PollFlags::OUT)];
        rustix::event::poll(&mut wait, Some(&limit)).map_err(failed)?;
        self.channel.send(message, &[]).map_err(failed)
    }
}

/// Makes everything that serving needs, then gives up what only making needed.
fn prepare(
    channel: &Channel,
    network: policy::Network,
    namespace: OwnedFd,
    table: &Arc<RwLock<Table>>,
) -> Result<(Context, Pings, Option<Server>), Failure> {
    let failed = |errno| Failure::errno("cannot make the uplink's poll loop", errno);
    let reactor = Reactor::new().map_err(failed)?;
    let pings = Pings::open(&reactor)?;
    let mut inside = Inside::start(namespace, network.clone())?;
    confine::outside()?;
    reactor
        .watch(channel, Source::Control, Key::fixed(0))
        .map_err(failed)?;
    let watched = [
        (Source::Frames, &inside.frames),
        (Source::Listener, &inside.listeners),
        (Source::Datagrams, &inside.datagrams),
    ];
    for (source, sockets) in watched {
        for (index, socket) in (0u32..).zip(sockets) {
            reactor.watch(socket, source, Key::fixed(index)).map_err(failed)?;
        }
    }
    let sockets = DnsSockets {
        udp: std::mem::take(&mut inside.dns_udp),
        tcp: std::mem::take(&mut inside.dns_tcp),
    };
    let dns = if sockets.udp.is_empty() {
        None
    } else {
        Some(Server::start(sockets, Arc::clone(table), inside.neighbourhood())?)
    };
    let context = Context {
        reactor,
        inside,
        network,
        now: Instant::now(),
    };
    Ok((context, pings, dns))
}
