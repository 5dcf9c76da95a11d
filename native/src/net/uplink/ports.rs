//! Published ports: the host's listening sockets, which the supervisor opened and owns, and where each
//! leads. It opens no port itself.

use super::context::Context;
use super::reactor::{Key, Paused, Slots, Source};
use super::tcp::Connections;
use super::udp::{self, Flows};
use crate::error::{Failure, Kind};
use crate::sys::uplink as sys;
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use rustix::net::SocketFlags;
use serde::Deserialize;
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::time::Duration;

/// Clients taken from a port in one turn.
const TURN: usize = 64;
/// How long a port rests when the system has no descriptors or memory for a client.
const REST: Duration = Duration::from_millis(100);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Protocol {
    Tcp,
    Udp,
}

/// The message `listen`.
#[derive(Debug, Deserialize)]
pub struct Listen {
    key: u64,
    protocol: Protocol,
    address: IpAddr,
    port: u16,
}

struct Port {
    protocol: Protocol,
    target: SocketAddr,
    socket: Rc<OwnedFd>,
}

#[derive(Default)]
pub struct Ports {
    slots: Slots<Port>,
    names: HashMap<u64, Key>,
    resting: Vec<Key>,
}

impl Ports {
    /// Serves a port. The same key again replaces what it was.
    pub fn listen(&mut self, context: &Context, listen: Listen, socket: OwnedFd) -> Result<(), Failure> {
        self.unlisten(listen.key);
        let failed = |errno| Failure::errno(format!("cannot serve the port {}", listen.key), errno);
        let target = SocketAddr::new(listen.address, listen.port);
        if !context.network.is_client(listen.address) || listen.port == 0 {
            return Err(Failure::new(
                Kind::Invalid,
                format!("{target} is not of this network"),
            ));
        }
        rustix::io::ioctl_fionbio(&socket, true).map_err(failed)?;
        let source = match listen.protocol {
            Protocol::Tcp => Source::PortTcp,
            Protocol::Udp => {
                // Answers leave from the address that was called. The socket is of one family.
                let v4 = sys::set_option(&socket, libc::SOL_IP, libc::IP_PKTINFO, 1);
                let v6 = sys::set_option(&socket, libc::SOL_IPV6, libc::IPV6_RECVPKTINFO, 1);
                v4.or(v6).map_err(failed)?;
                Source::PortUdp
            }
        };
        let key = self.slots.insert(Port {
            protocol: listen.protocol,
            target,
            socket: Rc::new(socket),
        });
        if let Some(port) = self.slots.get_mut(key)
            && let Err(errno) = context.reactor.watch(port.socket.as_ref(), source, key)
        {
            self.slots.remove(key);
            return Err(failed(errno));
        }
        self.names.insert(listen.key, key);
        Ok(())
    }

    /// Serves a port no more. Gives the key by which its connections and flows know it.
    pub fn unlisten(&mut self, name: u64) -> Option<Key> {
        let key = self.names.remove(&name)?;
        self.slots.remove(key).map(|_| key)
    }

    /// Clients are waiting.
    pub fn tcp_ready(&mut self, context: &Context, key: Key, connections: &mut Connections) {
        let Some(port) = self.slots.get_mut(key) else {
            return;
        };
        for _ in 0..TURN {
            match rustix::net::accept_with(port.socket.as_ref(), SocketFlags::NONBLOCK | SocketFlags::CLOEXEC)
            {
                Ok(client) => connections.publish(context, client, (key, port.target)),
                Err(Errno::AGAIN) => return,
                Err(Errno::MFILE | Errno::NFILE | Errno::NOMEM | Errno::NOBUFS) => {
                    let _rests =
                        context
                            .reactor
                            .pause(port.socket.as_ref(), (Source::PortTcp, key), Paused::Yes);
                    self.resting.push(key);
                    return;
                }
                // The supervisor has closed it and is about to say so.
                Err(Errno::INVAL) => return,
                // The client was gone before it was taken.
                Err(_) => {}
            }
        }
    }

    pub fn udp_ready(&mut self, context: &Context, key: Key, flows: &mut Flows) {
        if let Some(port) = self.slots.get_mut(key)
            && port.protocol == Protocol::Udp
        {
            let port = udp::Port {
                socket: &port.socket,
                key,
                target: port.target,
            };
            flows.port_ready(context, &port);
        }
    }

    pub fn next_sweep(&self) -> Option<Duration> {
        if self.resting.is_empty() { None } else { Some(REST) }
    }

    /// Ports that rested serve again.
    pub fn sweep(&mut self, context: &Context) {
        for key in std::mem::take(&mut self.resting) {
            if let Some(port) = self.slots.get_mut(key) {
                let token = (Source::PortTcp, key);
                let _gone_with_its_process = context.reactor.pause(port.socket.as_ref(), token, Paused::No);
            }
        }
    }
}
