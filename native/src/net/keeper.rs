//! Keeps one network's uplink process: starts it, sends it what it must know, notices its end and says
//! when to start it again. What it must know is its owner's business.

use super::channel::{Channel, Received};
use crate::error::{Failure, Kind};
use crate::sys;
use rustix::fd::{AsFd, OwnedFd};
use rustix::io::Errno;
use serde_json::Value;
use std::collections::VecDeque;
use std::process::{Child, Command, Stdio};
use std::rc::Rc;
use std::time::{Duration, Instant};

/// An uplink that lived so long did not crash at its start.
const STABLE: Duration = Duration::from_secs(10);
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// An uplink that does not take its messages for so long is stuck.
const STUCK: Duration = Duration::from_secs(10);

/// A message with the descriptor that goes with it.
pub struct Parcel {
    pub message: Value,
    pub fd: Option<Rc<OwnedFd>>,
}

impl Parcel {
    pub fn plain(message: Value) -> Self {
        Self { message, fd: None }
    }

    pub fn with(message: Value, fd: &Rc<OwnedFd>) -> Self {
        Self {
            message,
            fd: Some(Rc::clone(fd)),
        }
    }
}

struct Running {
    channel: Channel,
    child: Child,
    since: Instant,
}

/// What an uplink said or did.
pub enum Event {
    Message(Value),
    Ended(String),
}

#[derive(Default)]
pub struct Keeper {
    running: Option<Running>,
    outbox: VecDeque<Parcel>,
    /// Since when nothing of the outbox was taken.
    stalled: Option<Instant>,
    failures: u32,
    /// When to start it again; set while it does not run.
    pub again: Option<Instant>,
}

impl Keeper {
    /// Starts the process; the parcels are the first that it gets.
    pub fn start(&mut self, first: Vec<Parcel>) -> Result<(), Failure> {
        self.again = None;
        self.outbox = first.into();
        self.stalled = None;
        match spawn() {
            Ok((channel, child)) => {
                self.running = Some(Running {
                    channel,
                    child,
                    since: Instant::now(),
                });
                self.flush();
                Ok(())
            }
            Err(failure) => {
                self.plan_restart();
                Err(failure)
            }
        }
    }

    pub fn pid(&self) -> Option<u32> {
        self.running.as_ref().map(|running| running.child.id())
    }

    pub fn channel(&self) -> Option<&Channel> {
        self.running.as_ref().map(|running| &running.channel)
    }

    pub fn has_mail(&self) -> bool {
        self.running.is_some() && !self.outbox.is_empty()
    }

    /// When a process that takes no messages is to be given up.
    pub fn stuck_at(&self) -> Option<Instant> {
        self.stalled.map(|since| since + STUCK)
    }

    /// Sends as soon as possible; nothing is kept for a process that does not run: it is told everything
    /// when it starts.
    pub fn post(&mut self, parcel: Parcel) {
        if self.running.is_some() {
            self.outbox.push_back(parcel);
            self.flush();
        }
    }

    /// Writes what the channel takes.
    pub fn flush(&mut self) {
        let Some(running) = &self.running else { return };
        while let Some(parcel) = self.outbox.front() {
            let fd = parcel.fd.as_ref().map(|fd| fd.as_fd());
            match running.channel.send(&parcel.message, fd.as_slice()) {
                Ok(()) => {
                    self.outbox.pop_front();
                    self.stalled = None;
                }
                // TOOMANYREFS: descriptors on their way count against the user's limit.
                Err(Errno::AGAIN | Errno::TOOMANYREFS | Errno::NOMEM | Errno::NOBUFS) => {
                    self.stalled.get_or_insert_with(Instant::now);
                    return;
                }
                // It is gone, which reading tells.
                Err(_) => {
                    self.outbox.clear();
                    return;
                }
            }
        }
    }

    /// What there is to read. After an end the process is reaped and its restart planned.
    pub fn receive(&mut self) -> Vec<Event> {
        let mut events = Vec::new();
        while let Some(running) = &self.running {
            match running.channel.receive() {
                Ok(Received::Message(message, _)) => events.push(Event::Message(message)),
                Ok(Received::Nothing) => break,
                Ok(Received::End) => events.push(Event::Ended(self.end())),
                Err(failure) => {
                    let how = self.end();
                    events.push(Event::Ended(format!("{failure}; {how}")));
                }
            }
        }
        events
    }

    /// Kills and reaps it, and plans its restart. Says how it ended.
    pub fn end(&mut self) -> String {
        let how = self.kill();
        self.plan_restart();
        how
    }

    /// Kills and reaps it for good.
    pub fn kill(&mut self) -> String {
        self.outbox.clear();
        self.stalled = None;
        self.again = None;
        let Some(mut running) = self.running.take() else {
            return "it does not run".to_owned();
        };
        if running.since.elapsed() >= STABLE {
            self.failures = 0;
        }
        // It may be ending by itself; then this changes nothing.
        let ended = running.child.try_wait().ok().flatten();
        let _ = running.child.kill();
        match ended.or_else(|| running.child.wait().ok()) {
            Some(status) => status.to_string(),
            None => "its end was not seen".to_owned(),
        }
    }

    /// At once after the first failure, then ever later.
    fn plan_restart(&mut self) {
        let pause = match self.failures {
            0 => Duration::ZERO,
            count => FIRST_PAUSE
                .saturating_mul(1 << count.saturating_sub(1).min(16))
                .min(LONGEST_PAUSE),
        };
        self.failures = self.failures.saturating_add(1);
        self.again = Some(Instant::now() + pause);
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.kill();
    }
}

fn spawn() -> Result<(Channel, Child), Failure> {
    let (channel, theirs) = Channel::pair()?;
    let mut command = Command::new("/proc/self/exe");
    command
        .args(["net", "uplink"])
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    sys::runtime::with_default_signals(&mut command);
    sys::net::with_descriptor_three(&mut command, theirs);
    let child = command.spawn().map_err(|error| {
        let mut failure = Failure::new(Kind::Unavailable, "cannot start an uplink");
        failure.errno = Errno::from_io_error(&error);
        failure
    })?;
    Ok((channel, child))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn restarts_are_immediate_at_first_and_never_later_than_the_longest_pause() {
        let mut keeper = Keeper::default();
        keeper.plan_restart();
        assert!(keeper.again.is_some_and(|at| at <= Instant::now()));
        for _ in 0..100 {
            keeper.plan_restart();
        }
        let at = keeper.again.expect("a plan");
        assert!(at > Instant::now() + LONGEST_PAUSE / 2 && at <= Instant::now() + LONGEST_PAUSE);
    }
}
