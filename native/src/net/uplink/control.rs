//! What the supervisor says to an uplink, read and checked (docs/native.md, "Supervisor and uplink"). It
//! does nothing itself.

use super::policy::Network;
use super::ports::Listen;
use crate::error::{Failure, Kind};
use crate::net::channel::{Channel, Received};
use crate::net::dns::Table;
use rustix::event::{PollFd, PollFlags};
use rustix::fd::{AsFd, OwnedFd};
use rustix::io::Errno;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::net::IpAddr;

/// One message.
pub enum Order {
    Configure(Network),
    Names(Table),
    Listen(Listen, OwnedFd),
    Unlisten(u64),
    Forget(Vec<IpAddr>),
    State,
}

#[derive(Deserialize)]
struct Configure {
    network: Network,
}

#[derive(Deserialize)]
struct Unlisten {
    key: u64,
}

#[derive(Deserialize)]
struct EndpointGone {
    addresses: Vec<IpAddr>,
}

fn from<T: DeserializeOwned>(message: Value) -> Result<T, Failure> {
    serde_json::from_value(message).map_err(|error| {
        Failure::new(
            Kind::Invalid,
            format!("a message to the uplink is wrong: {error}"),
        )
    })
}

/// Reads a message.
pub fn read(message: Value, mut fds: Vec<OwnedFd>) -> Result<Order, Failure> {
    let op = message
        .get("op")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    Ok(match op.as_str() {
        "configure" => Order::Configure(from::<Configure>(message)?.network),
        "names" => Order::Names(from(message)?),
        "listen" => {
            let listen = from(message)?;
            let missing = || Failure::new(Kind::Invalid, "listen came without its socket");
            Order::Listen(listen, fds.pop().ok_or_else(missing)?)
        }
        "unlisten" => Order::Unlisten(from::<Unlisten>(message)?.key),
        "endpoint-gone" => Order::Forget(from::<EndpointGone>(message)?.addresses),
        "state" => Order::State,
        other => {
            return Err(Failure::new(
                Kind::Invalid,
                format!("an uplink does not know {other:?}"),
            ));
        }
    })
}

/// Waits for the first message: the network and the engine's namespace. None: the supervisor is gone.
pub fn first(channel: &Channel) -> Result<Option<(Network, OwnedFd)>, Failure> {
    loop {
        let mut wait = [PollFd::from_borrowed_fd(channel.as_fd(), PollFlags::IN)];
        match rustix::event::poll(&mut wait, None) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(errno) => return Err(Failure::errno("cannot wait for the supervisor", errno)),
        }
        match channel.receive()? {
            Received::Nothing => {}
            Received::End => return Ok(None),
            Received::Message(message, mut fds) => {
                if message.get("op").and_then(Value::as_str) != Some("configure") {
                    return Err(Failure::new(Kind::Invalid, "an uplink is configured first"));
                }
                let network = from::<Configure>(message)?.network;
                let missing = || Failure::new(Kind::Invalid, "configure came without the namespace");
                return Ok(Some((network, fds.pop().ok_or_else(missing)?)));
            }
        }
    }
}
