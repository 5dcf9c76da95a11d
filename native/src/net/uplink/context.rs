//! What every part of the uplink needs to act: the poll loop, the engine's namespace, the network's rules,
//! the time of this turn; and how failures are told to containers.

use super::fragments::split;
use super::frame::{self, Flow, Unreachable};
use super::inside::Inside;
use super::policy::Network;
use super::reactor::Reactor;
use rustix::io::Errno;
use std::net::IpAddr;
use std::time::Instant;

pub struct Context {
    pub reactor: Reactor,
    pub inside: Inside,
    pub network: Network,
    /// When this turn of the loop began.
    pub now: Instant,
}

/// What a failure to connect or send is to the container. None: it learns by waiting.
pub const fn unreachable_by(errno: Errno) -> Option<Unreachable> {
    match errno {
        Errno::NETUNREACH | Errno::AFNOSUPPORT | Errno::NETDOWN => Some(Unreachable::Network),
        Errno::HOSTUNREACH | Errno::HOSTDOWN => Some(Unreachable::Host),
        Errno::ACCESS | Errno::PERM => Some(Unreachable::Prohibited),
        Errno::CONNREFUSED => Some(Unreachable::Port),
        _ => None,
    }
}

impl Context {
    /// Answers a first segment as if nothing listened.
    pub fn refuse(&self, flow: Flow, segment: &[u8]) {
        self.inside.send_packet(frame::reset(segment), flow.client.ip());
    }

    /// Answers a frame with an error of the gateway.
    pub fn unreachable(&self, client: IpAddr, why: Unreachable, packet: &[u8]) {
        if let Some(router) = self.router(client) {
            self.inside
                .send_packet(frame::unreachable_frame(router, why, packet), client);
        }
    }

    /// Answers a first segment with the reason for which the host could not connect.
    pub fn report(&self, flow: Flow, errno: Errno, segment: &[u8]) {
        match (errno, unreachable_by(errno)) {
            (Errno::TIMEDOUT, _) => {}
            (Errno::CONNREFUSED, _) | (_, None) => self.refuse(flow, segment),
            (_, Some(why)) => self.unreachable(flow.client.ip(), why, segment),
        }
    }

    /// Answers a datagram with an error: of its destination when a port is closed, else of the gateway.
    pub fn report_datagram(&self, flow: Flow, why: Unreachable) {
        let client = flow.client.ip();
        let router = if why == Unreachable::Port {
            Some(flow.server.ip())
        } else {
            self.router(client)
        };
        if let Some(router) = router {
            self.inside
                .send_packet(frame::unreachable_datagram(router, why, flow), client);
        }
    }

    /// Passes an error for an echo request on. No router: the gateway itself.
    pub fn echo_error(
        &self,
        router: Option<IpAddr>,
        ends: (IpAddr, IpAddr),
        marks: (u16, u16),
        reason: (u8, u8),
    ) {
        let own = || self.router(ends.0);
        if let Some(router) = router.filter(|router| !router.is_loopback()).or_else(own) {
            self.inside
                .send_packet(frame::echo_error(router, ends, marks, reason), ends.0);
        }
    }

    /// Sends an IP packet to a container, in pieces where it is larger than the network's MTU.
    pub fn send_large(&self, packet: Option<Vec<u8>>, client: IpAddr, id: u16) {
        for piece in packet
            .into_iter()
            .flat_map(|packet| split(packet, self.network.mtu, id))
        {
            self.inside.send_packet(Some(piece), client);
        }
    }

    fn router(&self, client: IpAddr) -> Option<IpAddr> {
        self.network
            .gateways()
            .find(|gateway| gateway.is_ipv4() == client.is_ipv4())
    }
}
