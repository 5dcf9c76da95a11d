//! One connection of the control socket: lines in, answers out. A request is taken only when the answer
//! before it is written, so a client that does not read holds up nobody but itself.

use crate::error::{Failure, Kind};
use rustix::event::PollFlags;
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// The longest request line: the name table of a very large network.
const LINE: usize = 16 << 20;
/// A begun line must be complete after this.
const PATIENCE: Duration = Duration::from_secs(10);

pub struct Client {
    pub fd: OwnedFd,
    input: Vec<u8>,
    /// Bytes of the input that were searched for a line's end.
    searched: usize,
    output: Vec<u8>,
    written: usize,
    /// Its request is being carried out.
    pub waiting: bool,
    /// Its sending half is at its end.
    ended: bool,
    closing: bool,
    /// It has hung up whole; polling it says nothing more.
    gone: bool,
    deadline: Option<Instant>,
}

impl Client {
    pub fn new(fd: OwnedFd) -> Self {
        Self {
            fd,
            input: Vec::new(),
            searched: 0,
            output: Vec::new(),
            written: 0,
            waiting: false,
            ended: false,
            closing: false,
            gone: false,
            deadline: None,
        }
    }

    /// What to poll for.
    pub fn interest(&self) -> PollFlags {
        let mut flags = PollFlags::empty();
        flags.set(PollFlags::OUT, self.has_output());
        flags.set(PollFlags::IN, self.may_read());
        flags
    }

    pub const fn is_gone(&self) -> bool {
        self.gone
    }

    pub const fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    const fn has_output(&self) -> bool {
        self.written < self.output.len()
    }

    const fn may_read(&self) -> bool {
        !self.ended && !self.closing && !self.waiting && !self.has_output()
    }

    /// Reads once.
    pub fn read(&mut self, chunk: &mut [u8]) {
        if !self.may_read() {
            return;
        }
        match rustix::io::read(&self.fd, &mut *chunk) {
            Ok(0) => self.ended = true,
            Ok(count) => self.input.extend_from_slice(&chunk[..count]),
            Err(Errno::AGAIN | Errno::INTR) => {}
            Err(_) => self.hang_up(),
        }
    }

    /// The next request line, if it may be served now.
    pub fn next_line(&mut self) -> Option<Vec<u8>> {
        if self.waiting || self.closing || self.has_output() {
            return None;
        }
        let end = self.input[self.searched..].iter().position(|byte| *byte == b'\n');
        let Some(end) = end.map(|end| end + self.searched) else {
            self.searched = self.input.len();
            self.judge_rest();
            return None;
        };
        let rest = self.input.split_off(end + 1);
        let mut line = std::mem::replace(&mut self.input, rest);
        line.pop();
        self.searched = 0;
        self.deadline = None;
        if line.len() > LINE {
            self.fail_and_close("a request line is longer than 16 MiB");
            return None;
        }
        Some(line)
    }

    /// An incomplete line: too long, late, or never to be completed.
    fn judge_rest(&mut self) {
        if self.input.len() > LINE {
            self.fail_and_close("a request line is longer than 16 MiB");
        } else if self.ended && !self.input.is_empty() {
            self.fail_and_close("the request ends before its line does");
        } else if self.input.is_empty() {
            self.deadline = None;
            self.input = Vec::new();
        } else if self.deadline.is_none() {
            self.deadline = Some(Instant::now() + PATIENCE);
        }
    }

    /// Cuts it off when its line is late.
    pub fn check_deadline(&mut self, now: Instant) {
        if self.deadline.is_some_and(|deadline| now >= deadline) {
            self.fail_and_close("the request line was not complete within 10 s");
        }
    }

    fn fail_and_close(&mut self, message: &str) {
        self.deadline = None;
        self.input = Vec::new();
        self.searched = 0;
        self.answer(Err(Failure::new(Kind::Invalid, message)));
        self.closing = true;
    }

    /// Ends the connection after what is still to be written.
    pub fn close_after(&mut self) {
        self.closing = true;
    }

    /// Queues the answer of its request.
    pub fn answer(&mut self, result: Result<Value, Failure>) {
        self.waiting = false;
        let value = match result {
            Ok(Value::Object(mut fields)) => {
                fields.insert("ok".to_owned(), Value::Bool(true));
                Value::Object(fields)
            }
            Ok(_) => json!({"ok": true}),
            Err(failure) => failure.to_json(),
        };
        if !self.gone {
            self.output.extend_from_slice(format!("{value}\n").as_bytes());
            self.flush();
        }
    }

    /// Writes what it takes.
    pub fn flush(&mut self) {
        while self.has_output() {
            match rustix::io::write(&self.fd, &self.output[self.written..]) {
                Ok(count) => self.written += count,
                Err(Errno::AGAIN) => return,
                Err(Errno::INTR) => {}
                Err(_) => return self.hang_up(),
            }
        }
        self.output = Vec::new();
        self.written = 0;
    }

    /// It is gone: nothing is written or read any more.
    pub fn hang_up(&mut self) {
        self.gone = true;
        self.ended = true;
        self.closing = true;
        self.output = Vec::new();
        self.written = 0;
        self.input = Vec::new();
        self.searched = 0;
        self.deadline = None;
    }

    /// True when nothing is left to do for it.
    pub const fn is_finished(&self) -> bool {
        let idle = !self.has_output() && !self.waiting;
        idle && (self.closing || (self.ended && self.input.is_empty()))
    }

    /// Gives up the connection for a stream: the socket and what came after the request.
    pub fn into_stream(self) -> (OwnedFd, Vec<u8>) {
        (self.fd, self.input)
    }

    /// Ends it in peace: what is still coming is taken, so that closing does not reset the connection.
    pub fn close(self) {
        let _ = rustix::net::shutdown(&self.fd, rustix::net::Shutdown::Write);
        let mut sink = [0u8; 4096];
        for _ in 0..64 {
            match rustix::io::read(&self.fd, &mut sink) {
                Ok(count) if count > 0 => {}
                Err(Errno::INTR) => {}
                _ => break,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::os::unix::net::UnixStream;

    fn client() -> (UnixStream, Client) {
        let (ours, theirs) = UnixStream::pair().expect("pair");
        theirs.set_nonblocking(true).expect("mode");
        (ours, Client::new(theirs.into()))
    }

    #[test]
    fn lines_are_taken_one_by_one_after_their_answers() {
        let (mut peer, mut client) = client();
        peer.write_all(b"one\ntwo\nthr").expect("write");
        client.read(&mut [0u8; 64]);
        assert_eq!(client.next_line().as_deref(), Some(&b"one"[..]));
        client.waiting = true;
        assert_eq!(client.next_line(), None);
        client.answer(Ok(json!({"a": 1})));
        assert_eq!(client.next_line().as_deref(), Some(&b"two"[..]));
        assert_eq!(client.next_line(), None);
        assert!(client.deadline().is_some());
        peer.write_all(b"ee\n").expect("write");
        client.read(&mut [0u8; 64]);
        assert_eq!(client.next_line().as_deref(), Some(&b"three"[..]));
        let mut text = [0u8; 64];
        let count = peer.read(&mut text).expect("read");
        assert_eq!(&text[..count], b"{\"a\":1,\"ok\":true}\n");
    }

    #[test]
    fn a_line_cut_off_by_the_end_is_an_error() {
        let (peer, mut client) = client();
        (&peer).write_all(b"{\"op\"").expect("write");
        peer.shutdown(std::net::Shutdown::Write).expect("shutdown");
        client.read(&mut [0u8; 64]);
        assert_eq!(client.next_line(), None);
        client.read(&mut [0u8; 64]);
        assert_eq!(client.next_line(), None);
        assert!(client.is_finished());
    }
}
