//! The glue between the shim and the runtime library: the only file of the shim that makes, starts,
//! enters or signals a container.

use super::request::{Create, Exec};
use super::stdio::Io;
use crate::error::{Failure, Kind};
use crate::runtime::spec::Resources;
use crate::runtime::{self, Container, CreateOptions, Execed, Stdio};
use crate::sys;
use serde_json::{Value, json};

/// A container of ours. Its init is our child and is reaped by the server.
pub struct Made {
    inner: Container,
    /// Set while its processes are frozen by us.
    pub paused: bool,
}

/// Creates the container and the shim's side of its stdio. On an error nothing is left.
pub fn create(request: &mut Create) -> Result<(Made, Io), Failure> {
    let mut spec = std::mem::take(&mut request.config);
    if let Some(process) = &mut spec.process {
        process.terminal = request.tty;
    }
    let (io, stdio) = if request.tty {
        (Io::default(), Stdio::Pty)
    } else {
        Io::pipes(super::request::Streams {
            stdin: request.open_stdin,
            stdout: true,
            stderr: true,
        })?
    };
    let mut inner = runtime::create(CreateOptions {
        id: request.id.clone(),
        bundle: Some(request.dir.clone()),
        spec,
        stdio,
        size: request.size,
        preserve_fds: 0,
        pdeathsig: true,
        no_pivot: false,
        start_listener: None,
    })?;
    let io = match inner.pty_master.take() {
        Some(master) => Io::pty(master, request.open_stdin)?,
        None => io,
    };
    Ok((Made { inner, paused: false }, io))
}

impl Made {
    pub const fn pid(&self) -> i32 {
        self.inner.init_pid
    }

    pub const fn start_time(&self) -> u64 {
        self.inner.start_time
    }

    /// Returns when the user's program has been exec'd.
    pub fn start(&mut self) -> Result<(), Failure> {
        self.inner.start()
    }

    /// Runs a further process; it is our child.
    pub fn exec(&self, request: &mut Exec) -> Result<(Execed, Io), Failure> {
        self.must_not_be_paused()?;
        request.process.terminal = request.tty;
        let (io, stdio) = if request.tty {
            (Io::default(), Stdio::Pty)
        } else {
            Io::pipes(if request.detach {
                Default::default()
            } else {
                request.streams
            })?
        };
        let program = request
            .program
            .as_deref()
            .map(runtime::seal::program)
            .transpose()?;
        let mut target = self.inner.target();
        target.program = program.as_ref();
        let mut execed = runtime::exec(&target, &request.process, stdio, request.size, 0)?;
        let io = match execed.pty_master.take() {
            Some(master) => Io::pty(master, request.streams.stdin && !request.detach)?,
            None => io,
        };
        Ok((execed, io))
    }

    /// Signals init, or every process. A frozen container is thawed when it is killed.
    pub fn kill(&mut self, signal: i32, all: bool) -> Result<(), Failure> {
        if !(1..=64).contains(&signal) {
            return Err(Failure::new(
                Kind::Invalid,
                format!("there is no signal {signal} (1 to 64)"),
            ));
        }
        let sent = sys::shim::signal_pidfd(&self.inner.pidfd, signal)
            .map_err(|errno| Failure::errno(format!("cannot send signal {signal} to the container"), errno));
        if self.paused && signal == libc::SIGKILL {
            self.resume()?;
        }
        if all {
            self.inner.cgroup.kill_all(signal)?;
        }
        sent
    }

    pub fn pause(&mut self) -> Result<(), Failure> {
        self.must_not_be_paused()?;
        self.inner.cgroup.freeze()?;
        self.paused = true;
        Ok(())
    }

    pub fn resume(&mut self) -> Result<(), Failure> {
        if !self.paused {
            return Err(Failure::new(Kind::Conflict, "the container is not paused"));
        }
        self.inner.cgroup.thaw()?;
        self.paused = false;
        Ok(())
    }

    pub fn update(&self, resources: &Resources) -> Result<(), Failure> {
        self.inner.cgroup.update(resources)
    }

    pub fn stats(&self) -> Result<Value, Failure> {
        let stats = self.inner.cgroup.stats()?;
        Ok(serde_json::to_value(stats).unwrap_or_else(|_| json!({})))
    }

    /// Kills whatever outlived init.
    pub fn kill_rest(&mut self) -> Result<(), Failure> {
        if std::mem::take(&mut self.paused) {
            self.inner.cgroup.thaw()?;
        }
        self.inner.cgroup.kill_all(libc::SIGKILL)
    }

    pub fn oom_killed(&self) -> bool {
        self.inner.cgroup.oom_kill_count() > 0
    }

    /// Removes the cgroup and runs the poststop hooks; init has been reaped or is about to be.
    pub fn destroy(&mut self) -> Result<(), Failure> {
        self.inner.destroy()
    }

    fn must_not_be_paused(&self) -> Result<(), Failure> {
        if self.paused {
            return Err(Failure::new(
                Kind::Conflict,
                "the container is paused: resume it first",
            ));
        }
        Ok(())
    }
}
