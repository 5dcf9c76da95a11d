//! `exec`: a further process in a running container.
use super::spec::{ConsoleSize, Process};
use super::{Cgroup, Stdio, seccomp};
use crate::error::{Failure, Kind};
use std::os::fd::OwnedFd;

/// A running container to enter.
pub struct Target<'a> {
    pub init_pid: i32,
    pub pidfd: &'a OwnedFd,
    pub cgroup: &'a Cgroup,
    pub seccomp: Option<&'a seccomp::Program>,
    pub single_id: bool,
}

/// The new process, a child of the caller, already exec'd.
pub struct Execed {
    pub pid: i32,
    pub pidfd: OwnedFd,
    pub pty_master: Option<OwnedFd>,
}

/// Runs `process` in the container; returns after its execve. `size` wins over consoleSize.
/// Errors: the exec error (errno, path), a user that does not exist (invalid), a stopped container (conflict).
pub fn exec(
    _target: &Target<'_>,
    _process: &Process,
    _stdio: Stdio,
    _size: Option<ConsoleSize>,
    _preserve_fds: u32,
) -> Result<Execed, Failure> {
    Err(Failure::new(Kind::NotImplemented, "not built yet"))
}
