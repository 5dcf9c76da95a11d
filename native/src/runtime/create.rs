//! The parent's side of `create`.
use super::{Container, CreateOptions};
use crate::error::{Failure, Kind};

/// Makes the container up to "created". On an error nothing is left (no process, cgroup, mount).
pub fn create(_options: CreateOptions) -> Result<Container, Failure> {
    Err(Failure::new(Kind::NotImplemented, "not built yet"))
}

impl Container {
    /// Unblocks init; returns when execve succeeded, or its error (errno, path; message starts with
    /// "exec"). Poststart hooks run here.
    pub fn start(&mut self) -> Result<(), Failure> {
        Err(Failure::new(Kind::NotImplemented, "not built yet"))
    }

    /// After init's end (or to give up a created one): kills what is left, removes the cgroup, runs
    /// the poststop hooks. Does not reap init.
    pub fn destroy(&mut self) -> Result<(), Failure> {
        Err(Failure::new(Kind::NotImplemented, "not built yet"))
    }
}
