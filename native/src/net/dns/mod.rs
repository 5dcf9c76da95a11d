//! Names at a network's gateway: the containers' own from a table, everything else from the host's
//! resolvers. One thread with one epoll loop, in the host's network namespace: the clients' sockets are
//! handed in, those to the resolvers are the host's. It knows nothing of links and never reads the
//! host's /etc/hosts.
//!
//! `server` reads questions and answers what the `table` knows; `forward` asks the `resolvers` for the
//! rest, by one `attempt` or several; `streams` holds the clients that came by TCP; `message` is the wire format. A question is
//! forwarded byte for byte but for its id, so what this code does not know passes unharmed. A client with
//! resolvers of its own is never answered by the host's.

mod attempt;
mod forward;
mod message;
mod resolvers;
mod server;
mod streams;
mod table;

#[cfg(test)]
mod server_tests;

use crate::error::Failure;
use resolvers::Resolvers;
use rustix::event::{EventfdFlags, eventfd};
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use rustix::net::SocketType;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, RwLock};
use std::thread::JoinHandle;

pub use resolvers::PORT;
pub use table::Table;

/// Sockets bound to the gateway's port 53 (datagrams) and listening there (streams), in whatever network
/// namespace the clients are in.
pub struct DnsSockets {
    pub udp: Vec<OwnedFd>,
    pub tcp: Vec<OwnedFd>,
}

/// A server that is asked, and from where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Upstream {
    /// From the host's network namespace.
    Outside(SocketAddr),
    /// From the clients' side: another container of their network.
    Inside(SocketAddr),
}

/// Makes sockets on the clients' side, non-blocking and not bound.
pub type Neighbourhood = Box<dyn Fn(SocketType, IpAddr) -> Result<OwnedFd, Errno> + Send>;

/// A running server; dropping it ends its thread and closes its sockets.
pub struct Server {
    stop: Arc<OwnedFd>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Serves `table` on `sockets`, in a thread with the caller's network namespace, which must be the
    /// host's. A change of the table counts from the next question on.
    pub fn start(
        sockets: DnsSockets,
        table: Arc<RwLock<Table>>,
        neighbourhood: Neighbourhood,
    ) -> Result<Self, Failure> {
        Self::start_with(sockets, table, (Resolvers::of_host(), neighbourhood))
    }

    fn start_with(
        sockets: DnsSockets,
        table: Arc<RwLock<Table>>,
        ways: (Resolvers, Neighbourhood),
    ) -> Result<Self, Failure> {
        let failed = |errno| Failure::errno("cannot start the name server", errno);
        let stop = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK).map_err(failed)?;
        let stop = Arc::new(stop);
        let mut serving = server::Serving::new(sockets, table, ways, &stop).map_err(failed)?;
        let thread = std::thread::Builder::new()
            .name("dns".into())
            .stack_size(256 << 10)
            .spawn(move || serving.run())
            .map_err(|error| {
                failed(rustix::io::Errno::from_io_error(&error).unwrap_or(rustix::io::Errno::AGAIN))
            })?;
        Ok(Self {
            stop,
            thread: Some(thread),
        })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let signalled = rustix::io::write(&*self.stop, &1u64.to_ne_bytes());
        if let (Ok(_), Some(thread)) = (signalled, self.thread.take()) {
            drop(thread.join());
        }
    }
}
