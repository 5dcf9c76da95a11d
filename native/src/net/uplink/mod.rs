//! The uplink: one process a network, which joins the containers' connections to ordinary sockets of
//! the host. It never touches the host's own network configuration.

use crate::error::{Failure, Kind};
use std::ffi::OsString;
use std::process::ExitCode;

/// `net uplink`: serves until its supervisor, on descriptor 3, is gone.
pub fn main(args: Vec<OsString>) -> Result<ExitCode, Failure> {
    drop(args);
    Err(Failure::new(Kind::NotImplemented, "this build has no uplink"))
}
