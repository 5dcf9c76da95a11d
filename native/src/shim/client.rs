//! One connection of the shim's socket: what it still has to say, what it is there for, and what of it
//! the poll loop has to watch.

use super::buffer::{Buffer, CLIENT_LIMIT};
use super::request::Streams;
use crate::error::Failure;
use rustix::event::PollFlags;
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// A connection must have sent its request after this.
const PATIENCE: Duration = Duration::from_secs(10);

/// A process of the shim: the container's init or an exec, by its serial number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Target {
    Main,
    Exec(u64),
}

/// What the connection is there for.
pub enum Role {
    /// Its request line is not complete.
    Request(Vec<u8>),
    /// Is answered when the process ends.
    Waiter(Target),
    /// Carries a process's streams.
    Stream(Target, Streams),
    /// Is closed when everything is written.
    Closing,
}

pub struct Client {
    pub fd: OwnedFd,
    pub role: Role,
    pub out: Buffer,
    pub deadline: Option<Instant>,
    /// Its sending half is at its end.
    pub input_done: bool,
    /// It does not read any more.
    pub deaf: bool,
    pub hung_up: bool,
}

impl Client {
    pub fn new(fd: OwnedFd) -> Self {
        Self {
            fd,
            role: Role::Request(Vec::new()),
            out: Buffer::default(),
            deadline: Some(Instant::now() + PATIENCE),
            input_done: false,
            deaf: false,
            hung_up: false,
        }
    }

    /// The one answer line of most operations.
    pub fn answer(&mut self, result: Result<Value, Failure>) {
        self.say(result);
        self.role = Role::Closing;
    }

    /// An answer line after which the connection goes on.
    pub fn say(&mut self, result: Result<Value, Failure>) {
        let value = match result {
            Ok(Value::Object(mut fields)) => {
                fields.insert("ok".to_owned(), Value::Bool(true));
                Value::Object(fields)
            }
            Ok(_) => json!({"ok": true}),
            Err(failure) => failure.to_json(),
        };
        self.deadline = None;
        self.out.push(format!("{value}\n").as_bytes());
    }

    /// True when this client takes that stream of that process.
    pub fn takes(&self, target: Target, stream: u8) -> bool {
        match &self.role {
            Role::Stream(of, streams) if *of == target && !self.deaf => {
                if stream == 2 {
                    streams.stderr
                } else {
                    streams.stdout
                }
            }
            _ => false,
        }
    }

    /// True when its unread output holds the process back.
    pub fn is_full(&self) -> bool {
        self.out.len() >= CLIENT_LIMIT
    }

    /// True when bytes from it are wanted, given that the process's stdin has room.
    pub fn wants_input(&self, room: bool) -> bool {
        match &self.role {
            Role::Request(_) => true,
            Role::Stream(_, streams) => streams.stdin && !self.input_done && room,
            Role::Waiter(_) | Role::Closing => false,
        }
    }

    /// What to poll for; None: nothing, not even its hanging up, which is known.
    pub fn interest(&self, room: bool) -> Option<PollFlags> {
        let mut flags = PollFlags::empty();
        if self.wants_input(room) {
            flags |= PollFlags::IN;
        }
        if !self.out.is_empty() && !self.deaf {
            flags |= PollFlags::OUT;
        }
        (!self.hung_up || !flags.is_empty()).then_some(flags)
    }

    /// Writes what it takes. A client that is gone is deaf from then on.
    pub fn flush(&mut self) {
        if !self.deaf && self.out.flush(&self.fd).is_err() {
            self.deafen();
        }
    }

    pub fn deafen(&mut self) {
        self.deaf = true;
        self.out.clear();
    }

    /// True when nothing is left to do for it.
    pub fn is_finished(&self) -> bool {
        match &self.role {
            Role::Closing => self.deaf || self.out.is_empty(),
            Role::Stream(_, streams) => self.deaf && (!streams.stdin || self.input_done),
            Role::Request(_) | Role::Waiter(_) => self.deaf,
        }
    }

    /// Ends the stream and takes what is still coming, so that closing does not reset the connection.
    pub fn close(self) {
        let _ = rustix::net::shutdown(&self.fd, rustix::net::Shutdown::Write);
        let mut sink = [0u8; 4096];
        for _ in 0..512 {
            match rustix::io::read(&self.fd, &mut sink) {
                Ok(0) => break,
                Ok(_) | Err(Errno::INTR) => {}
                Err(_) => break,
            }
        }
    }
}
