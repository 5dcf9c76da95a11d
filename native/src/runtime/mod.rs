//! The OCI runtime as a library: from a config.json to a created, started, exec'd-into container.
//! It is single-threaded, forks with clone3 and never blocks on the container's own program; the
//! caller (the shim, or `command`) is the parent of init and reaps it.
//!
//! Life of a container: [`create`] clones init with its name spaces, places it in its cgroup, lets
//! it build its root and waits for "ready"; init then blocks. [`Container::start`] unblocks it and
//! returns when execve succeeded. After init's end the caller calls [`Container::destroy`].

mod build;
pub mod cgroup;
mod child;
pub mod command;
pub mod create;
pub mod exec;
mod files;
mod hooks;
mod identity;
pub mod init;
mod process;
mod root;
pub mod seal;
pub mod spec;
mod terminal;
mod validate;
mod wire;

use std::os::fd::OwnedFd;
use std::path::PathBuf;

pub use cgroup::Cgroup;
pub use create::create;
pub use exec::{Execed, Target, exec};

/// What the process's standard descriptors are.
pub enum Stdio {
    /// Installed as 0, 1 and 2; chowned to the container's user where that is possible.
    Descriptors {
        stdin: OwnedFd,
        stdout: OwnedFd,
        stderr: OwnedFd,
    },
    /// A pty of the container's own devpts; its master comes back in `pty_master`.
    Pty,
}

/// Everything [`create`] needs.
pub struct CreateOptions {
    /// `[A-Za-z0-9_+.-]+`, at most 1024 bytes.
    pub id: String,
    /// Base of relative `root.path`; None: `root` must be absolute or an overlay.
    pub bundle: Option<PathBuf>,
    pub spec: spec::Spec,
    pub stdio: Stdio,
    /// Window of the pty; wins over `process.consoleSize`.
    pub size: Option<spec::ConsoleSize>,
    /// Number of descriptors from 3 on that the program keeps.
    pub preserve_fds: u32,
    /// Init is killed when its parent (the caller) dies.
    pub pdeathsig: bool,
    /// chroot instead of pivot_root (initramfs only).
    pub no_pivot: bool,
    /// A listening unix socket that init accepts the start request on instead of the handle in
    /// [`Container`]; for `create` and `start` in two processes.
    pub start_listener: Option<OwnedFd>,
}

/// A container whose init exists. Dropping it changes nothing in the kernel.
pub struct Container {
    pub id: String,
    pub init_pid: i32,
    pub pidfd: OwnedFd,
    /// Field 22 of /proc/PID/stat, clock ticks since boot.
    pub start_time: u64,
    pub pty_master: Option<OwnedFd>,
    pub cgroup: Cgroup,
    /// The compiled filter, for [`Target`].
    pub seccomp: Option<identity::seccomp::Program>,
    pub single_id: bool,
    pub(crate) sync: Option<OwnedFd>,
    pub(crate) after: hooks::Later,
}

impl Container {
    /// What [`exec`] needs to enter this container.
    pub fn target(&self) -> Target<'_> {
        Target {
            init_pid: self.init_pid,
            pidfd: &self.pidfd,
            cgroup: &self.cgroup,
            seccomp: self.seccomp.as_ref(),
            single_id: self.single_id,
            program: None,
        }
    }
}
