//! The engine's network (docs/native.md, "net"). The supervisor runs in the engine's user namespace and
//! the host's network namespace; the uplinks are its children. Nothing of the host's network changes.
//!
//! Theory of operation: `start` makes one supervisor for a directory, with a network namespace of its own
//! (`namespace`). `server` polls, `supervisor` decides, `uplinks` speaks with the children. A `network` is
//! a bridge and an uplink process, which its `keeper` starts again when it dies; an `endpoint` is a veth
//! pair into a container; host ports (`publish`) are bound here, where they outlive an uplink, and `dial`
//! carries streams into containers.

mod address;
mod channel;
mod client;
mod dial;
mod dns;
mod endpoint;
mod janitor;
mod keeper;
mod link;
mod namespace;
mod netlink;
mod network;
mod publish;
mod request;
mod server;
mod start;
mod supervisor;
pub mod trial;
mod uplink;
mod uplinks;

use crate::error::{Failure, Kind};
use std::ffi::OsString;
use std::process::ExitCode;

/// `net`: the supervisor. `net uplink`: one network's traffic, started by the supervisor only.
pub fn main(mut args: Vec<OsString>) -> Result<ExitCode, Failure> {
    match args.first().and_then(|first| first.to_str()) {
        None => start::main(),
        Some("uplink") => {
            args.remove(0);
            uplink::main(args)
        }
        Some(other) => Err(Failure::new(Kind::Invalid, format!("net has no verb {other}"))),
    }
}
