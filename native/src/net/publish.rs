//! Host ports: sockets bound in the host's network namespace, kept here so that they outlive an uplink.
//! A request's ports are bound all or none.

use super::request::{Port, Protocol};
use crate::error::{Failure, Kind};
use rustix::fd::{AsFd, OwnedFd};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, sockopt};
use serde_json::json;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::time::Duration;

use super::keeper::Parcel;

/// Connections waiting to be accepted; the host's net.core.somaxconn may make it less.
const BACKLOG: i32 = 4096;
/// How often another free port is tried when its siblings' is taken.
const TRIES: u32 = 32;
/// An uplink may hold a closed UDP port a moment longer.
const LINGER: [Duration; 3] = [
    Duration::from_millis(2),
    Duration::from_millis(10),
    Duration::from_millis(40),
];

/// One bound host port.
pub struct Published {
    pub port: Port,
    pub key: u64,
    pub socket: Rc<OwnedFd>,
}

impl Published {
    /// The message that hands it to the uplink.
    pub fn listen(&self) -> Parcel {
        let message = json!({
            "op": "listen",
            "key": self.key,
            "protocol": self.port.protocol,
            "address": self.port.address,
            "port": self.port.port,
        });
        Parcel::with(message, &self.socket)
    }

    /// Frees the port at once, although the uplink has the socket too, and gives the message that tells it.
    pub fn close(self) -> Parcel {
        let _ = rustix::net::shutdown(&*self.socket, rustix::net::Shutdown::Both);
        Parcel::plain(json!({"op": "unlisten", "key": self.key}))
    }
}

/// Binds every port. Those with host port 0 that lead to the same container port get the same host port.
pub fn bind_all(wanted: &[Port], next_key: &mut u64) -> Result<Vec<Published>, Failure> {
    let mut bound: Vec<Published> = Vec::new();
    let mut left: Vec<&Port> = wanted.iter().collect();
    while !left.is_empty() {
        let first = left.remove(0);
        let sibling = |port: &&Port| {
            first.host_port == 0
                && port.host_port == 0
                && port.protocol == first.protocol
                && port.port == first.port
                && port.host_address != first.host_address
        };
        let group: Vec<&Port> = std::iter::once(first)
            .chain(left.extract_if(.., |port| sibling(port)))
            .collect();
        for (port, socket) in bind_group(&group)? {
            *next_key += 1;
            bound.push(Published {
                port,
                key: *next_key,
                socket: Rc::new(socket),
            });
        }
    }
    Ok(bound)
}

fn bind_group(group: &[&Port]) -> Result<Vec<(Port, OwnedFd)>, Failure> {
    let mut last = None;
    for _ in 0..TRIES {
        match try_group(group) {
            Ok(bound) => return Ok(bound),
            Err((port, Errno::ADDRINUSE)) if group.len() > 1 => last = Some((port, Errno::ADDRINUSE)),
            Err((port, errno)) => return Err(explain(&port, errno)),
        }
    }
    match last {
        Some((port, errno)) => Err(explain(&port, errno)),
        None => Err(Failure::new(Kind::Internal, "no port was tried")),
    }
}

fn try_group(group: &[&Port]) -> Result<Vec<(Port, OwnedFd)>, (Port, Errno)> {
    let mut bound: Vec<(Port, OwnedFd)> = Vec::new();
    for port in group {
        let mut port = (*port).clone();
        if let (0, Some((first, _))) = (port.host_port, bound.first()) {
            port.host_port = first.host_port;
        }
        match bind(&port) {
            Ok((socket, chosen)) => {
                port.host_port = chosen;
                bound.push((port, socket));
            }
            Err(errno) => return Err((port, errno)),
        }
    }
    Ok(bound)
}

/// Binds (and for TCP listens) in the calling thread's network namespace; gives the port it got.
fn bind(port: &Port) -> Result<(OwnedFd, u16), Errno> {
    let address = SocketAddr::new(port.host_address, port.host_port);
    let family = match port.host_address {
        IpAddr::V4(_) => AddressFamily::INET,
        IpAddr::V6(_) => AddressFamily::INET6,
    };
    let kind = match port.protocol {
        Protocol::Tcp => SocketType::STREAM,
        Protocol::Udp => SocketType::DGRAM,
    };
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = rustix::net::socket_with(family, kind, flags, None)?;
    if family == AddressFamily::INET6 {
        sockopt::set_ipv6_v6only(&socket, true)?;
    }
    match port.protocol {
        Protocol::Tcp => {
            sockopt::set_socket_reuseaddr(&socket, true)?;
            rustix::net::bind(&socket, &address)?;
            rustix::net::listen(&socket, BACKLOG)?;
        }
        Protocol::Udp => bind_patiently(&socket, &address)?,
    }
    let name = SocketAddr::try_from(rustix::net::getsockname(&socket)?).map_err(|_| Errno::IO)?;
    Ok((socket, name.port()))
}

fn bind_patiently(socket: &OwnedFd, address: &SocketAddr) -> Result<(), Errno> {
    for pause in LINGER {
        match rustix::net::bind(socket.as_fd(), address) {
            Err(Errno::ADDRINUSE) if address.port() != 0 => std::thread::sleep(pause),
            result => return result,
        }
    }
    rustix::net::bind(socket.as_fd(), address)
}

fn explain(port: &Port, errno: Errno) -> Failure {
    let what = format!(
        "host port {}/{}",
        SocketAddr::new(port.host_address, port.host_port),
        port.protocol.name()
    );
    let message = match errno {
        Errno::ADDRINUSE => format!("{what} is in use already"),
        Errno::ADDRNOTAVAIL => format!("{what}: the host has no such address"),
        Errno::ACCESS => format!(
            "{what} may not be bound by this user: allow it with \"sysctl -w net.ipv4.ip_unprivileged_port_start={}\" or take a port from 1024 on",
            port.host_port
        ),
        Errno::AFNOSUPPORT => format!("{what}: the host has no IPv6"),
        _ => format!("{what} cannot be bound"),
    };
    Failure::errno(message, errno)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port(protocol: Protocol, host: &str, host_port: u16, inner: u16) -> Port {
        Port {
            protocol,
            host_address: host.parse().expect("address"),
            host_port,
            address: "172.18.0.2".parse().expect("address"),
            port: inner,
        }
    }

    #[test]
    fn both_families_of_one_port_get_the_same_number() {
        let mut key = 0;
        let wanted = [
            port(Protocol::Tcp, "127.0.0.1", 0, 80),
            port(Protocol::Udp, "127.0.0.1", 0, 80),
            port(Protocol::Tcp, "::1", 0, 80),
            port(Protocol::Tcp, "127.0.0.1", 0, 81),
        ];
        let bound = bind_all(&wanted, &mut key).expect("bound");
        let of = |host: &str, inner: u16| {
            let found = bound.iter().find(|published| {
                published.port.protocol == Protocol::Tcp
                    && published.port.port == inner
                    && published.port.host_address.to_string() == host
            });
            found.map_or(0, |published| published.port.host_port)
        };
        assert_ne!(of("127.0.0.1", 80), 0);
        assert_eq!(of("127.0.0.1", 80), of("::1", 80));
        assert_ne!(of("127.0.0.1", 81), of("127.0.0.1", 80));
        assert_eq!(key, 4);
    }

    #[test]
    fn a_taken_port_is_a_conflict_and_frees_the_others() {
        let mut key = 0;
        let first = bind_all(&[port(Protocol::Tcp, "127.0.0.1", 0, 80)], &mut key).expect("bound");
        let free = bind_all(&[port(Protocol::Tcp, "127.0.0.1", 0, 80)], &mut key).expect("bound");
        let (taken, free_port) = (first[0].port.host_port, free[0].port.host_port);
        drop(free);
        let both = [
            port(Protocol::Tcp, "127.0.0.1", free_port, 80),
            port(Protocol::Tcp, "127.0.0.1", taken, 81),
        ];
        let failure = bind_all(&both, &mut key).err().expect("a failure");
        assert_eq!(
            (failure.kind, failure.errno),
            (Kind::Conflict, Some(Errno::ADDRINUSE))
        );
        assert!(failure.message.contains(&taken.to_string()));
        assert!(bind_all(&both[..1], &mut key).is_ok());
    }
}
