//! The other way into a container: a client of a published port, and the connection made for it in the
//! engine's namespace. What happens to a connection afterwards is decided in `tcp.rs`.

use super::connection::{Connection, Incoming};
use super::context::Context;
use super::inside::Pooled;
use super::pending::PENDING;
use super::reactor::{Key, Source};
use super::relay::{Stream, reset_on_close};
use super::tcp::{CONNECTING, Connections};
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use rustix::net::sockopt;
use std::net::SocketAddr;

impl Connections {
    /// A client of a published port, whose connection goes on to `target`.
    pub fn publish(&mut self, context: &Context, client: OwnedFd, (port, target): (Key, SocketAddr)) {
        if self.slots.len() >= self.limit || self.pending.total() >= 2 * PENDING {
            return reset_on_close(&client);
        }
        let inner = context.inside.take(Pooled::Tcp, target.ip());
        let inner = inner.and_then(|inner| match rustix::net::connect(&inner, &target) {
            Ok(()) | Err(Errno::INPROGRESS) => Ok(inner),
            Err(errno) => Err(errno),
        });
        let Ok(inner) = inner else {
            return reset_on_close(&client);
        };
        let _latency_only = sockopt::set_tcp_nodelay(&client, true);
        let key = self.slots.insert(Connection::Incoming(Incoming {
            address: target.ip(),
            port,
            inner: Stream::new(inner),
            outer: Stream::new(client),
            deadline: context.now + CONNECTING,
        }));
        self.pending.begin(target.ip());
        let Some(Connection::Incoming(incoming)) = self.slots.get_mut(key) else {
            return;
        };
        let watched = context
            .reactor
            .watch_stream(incoming.inner.fd(), Source::Inner, key)
            .and_then(|()| {
                context
                    .reactor
                    .watch_stream(incoming.outer.fd(), Source::Outer, key)
            });
        if watched.is_err() {
            self.abort(key);
        }
    }

    pub(super) fn join_incoming(&mut self, context: &Context, key: Key) {
        self.end_pending(key);
        self.slots.update(key, |connection| connection.joined(None));
        self.note_young(context.now, key);
    }
}
