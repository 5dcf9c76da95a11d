//! The engine's network (docs/native.md, "net"). The supervisor runs in the engine's user namespace and
//! the host's network namespace; the uplinks are its children. Nothing of the host's network changes.

mod channel;
mod dns;
mod uplink;

use crate::error::{Failure, Kind};
use std::ffi::OsString;
use std::process::ExitCode;

pub use channel::Channel;

/// `net`: the supervisor. `net uplink`: one network's traffic, started by the supervisor only.
pub fn main(mut args: Vec<OsString>) -> Result<ExitCode, Failure> {
    match args.first().and_then(|first| first.to_str()) {
        None => Err(Failure::new(Kind::NotImplemented, "this build has no network")),
        Some("uplink") => {
            args.remove(0);
            uplink::main(args)
        }
        Some(other) => Err(Failure::new(Kind::Invalid, format!("net has no verb {other}"))),
    }
}
