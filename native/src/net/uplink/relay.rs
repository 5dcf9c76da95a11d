//! Two connected streams joined: bytes, half-closes and resets go from one to the other, with the kernel's
//! own back-pressure. It never reads what it cannot pass on at once, but for one bounded rest a direction.
//!
//! Small messages are copied through one shared buffer (fewest system calls, so least latency). A stream
//! that fills the buffer is spliced through a pipe instead, so its bytes never enter this process. A pipe
//! is borrowed from a pool and given back when it is empty; how much one may hold falls as all hold more.

use super::reactor::Ready;
use rustix::fd::{AsFd, OwnedFd};
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, Shutdown, sockopt};
use rustix::pipe::{PipeFlags, SpliceFlags};
use std::time::Duration;

/// The shared buffer: what fits is copied.
const COPIED: usize = 64 * 1024;
/// The size asked for a pipe, and so of a spliced piece.
const PIECE: usize = 512 * 1024;
/// Idle pipes kept.
const IDLE_PIPES: usize = 8;
/// Pipes at work at most; further streams are copied.
const PIPES: usize = 48;
/// What all streams together may hold before each gets less.
const PLENTY: usize = 4 << 20;
/// Bytes of one direction in one turn, so that a fast stream does not starve the others.
const TURN: usize = 1 << 20;

/// One end and what is known of it.
pub struct Stream {
    fd: OwnedFd,
    readable: bool,
    writable: bool,
    hung: bool,
    failed: bool,
    ended: bool,
}

impl Stream {
    pub const fn new(fd: OwnedFd) -> Self {
        Self {
            fd,
            readable: false,
            writable: false,
            hung: false,
            failed: false,
            ended: false,
        }
    }

    pub const fn fd(&self) -> &OwnedFd {
        &self.fd
    }

    pub const fn tell(&mut self, ready: Ready) {
        self.readable |= ready.readable;
        self.writable |= ready.writable;
        self.hung |= ready.hung;
        self.failed |= ready.failed;
    }

    /// Reads on after a short read: the end or an error is there too.
    const fn read_some(&mut self, got: usize, asked: usize) {
        if got < asked && !self.hung {
            self.readable = false;
        }
    }
}

/// What a direction has read and not yet written.
enum Rest {
    None,
    Bytes(Vec<u8>),
    Piped(Pipe, usize),
}

/// One direction.
struct Lane {
    rest: Rest,
    bulk: bool,
    closed: bool,
}

const fn lane() -> Lane {
    Lane {
        rest: Rest::None,
        bulk: false,
        closed: false,
    }
}

/// A pair of streams: the container's and the host's.
pub struct Relay {
    streams: [Stream; 2],
    lanes: [Lane; 2],
}

/// How a turn ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Waits for an event.
    Waits,
    /// Has more to do at once.
    Again,
    /// Both directions have ended.
    Done,
    /// One end was reset or timed out.
    Broken,
}

struct Pipe {
    reader: OwnedFd,
    writer: OwnedFd,
}

/// What all relays share.
pub struct Pool {
    buffer: Vec<u8>,
    pipes: Vec<Pipe>,
    working: usize,
    held: usize,
}

impl Pool {
    pub fn new() -> Self {
        Self {
            buffer: vec![0; COPIED],
            pipes: Vec::new(),
            working: 0,
            held: 0,
        }
    }

    /// How much one read may take: less, the more is held already.
    const fn piece(&self) -> usize {
        if self.held < PLENTY {
            PIECE
        } else if self.held < 2 * PLENTY {
            32 * 1024
        } else {
            2 * 1024
        }
    }

    fn borrow(&mut self) -> Option<Pipe> {
        if self.working >= PIPES {
            return None;
        }
        let pipe = match self.pipes.pop() {
            Some(pipe) => pipe,
            None => {
                let (reader, writer) =
                    rustix::pipe::pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK).ok()?;
                let _default_size = rustix::pipe::fcntl_setpipe_size(&writer, PIECE);
                Pipe { reader, writer }
            }
        };
        self.working += 1;
        Some(pipe)
    }

    fn give_back(&mut self, pipe: Pipe) {
        self.working = self.working.saturating_sub(1);
        if self.pipes.len() < IDLE_PIPES {
            self.pipes.push(pipe);
        }
    }

    /// A relay is gone: what it held is free.
    pub fn forget(&mut self, relay: Relay) {
        for lane in relay.lanes {
            match lane.rest {
                Rest::None => {}
                Rest::Bytes(bytes) => self.held = self.held.saturating_sub(bytes.len()),
                // A pipe with a rest cannot be used again.
                Rest::Piped(_, length) => {
                    self.held = self.held.saturating_sub(length);
                    self.working = self.working.saturating_sub(1);
                }
            }
        }
    }
}

const fn again(errno: Errno) -> bool {
    matches!(errno, Errno::AGAIN | Errno::INTR)
}

impl Relay {
    pub const fn new(inner: Stream, outer: Stream) -> Self {
        Self {
            streams: [inner, outer],
            lanes: [lane(), lane()],
        }
    }

    /// Notes what an event said of the container's stream.
    pub const fn tell_inner(&mut self, ready: Ready) {
        self.streams[0].tell(ready);
    }

    pub const fn tell_outer(&mut self, ready: Ready) {
        self.streams[1].tell(ready);
    }

    /// Moves what can be moved, in both directions.
    pub fn turn(&mut self, pool: &mut Pool) -> Turn {
        let [inner, outer] = &mut self.streams;
        let [out, back] = &mut self.lanes;
        let turns = [out.turn(inner, outer, pool), back.turn(outer, inner, pool)];
        if turns.contains(&Turn::Broken) {
            return Turn::Broken;
        }
        if turns == [Turn::Done, Turn::Done] {
            return Turn::Done;
        }
        if turns.contains(&Turn::Again) {
            return Turn::Again;
        }
        // An error that no read has met yet, because the other end takes nothing.
        if self
            .streams
            .iter()
            .any(|stream| stream.failed && sockopt::socket_error(&stream.fd) != Ok(Ok(())))
        {
            return Turn::Broken;
        }
        Turn::Waits
    }

    /// Both ends will be reset when they are dropped.
    pub fn reset(&self) {
        for stream in &self.streams {
            reset_on_close(&stream.fd);
        }
    }

    /// Finds dead peers of connections that live long (tcp(7)).
    pub fn keep_alive(&self) {
        for stream in &self.streams {
            let fd = &stream.fd;
            // A connection that has just ended needs none.
            let _ended = sockopt::set_tcp_keepidle(fd, Duration::from_secs(60))
                .and_then(|()| sockopt::set_tcp_keepintvl(fd, Duration::from_secs(15)))
                .and_then(|()| sockopt::set_tcp_keepcnt(fd, 8))
                .and_then(|()| sockopt::set_socket_keepalive(fd, true));
        }
    }
}

/// Closing this stream sends a reset.
pub fn reset_on_close(fd: impl AsFd) {
    let _already_gone = sockopt::set_socket_linger(fd, Some(Duration::ZERO));
}

impl Lane {
    fn turn(&mut self, from: &mut Stream, to: &mut Stream, pool: &mut Pool) -> Turn {
        if self.closed {
            return Turn::Done;
        }
        let mut moved = 0;
        while moved < TURN {
            if !matches!(self.rest, Rest::None) {
                match self.write_rest(to, pool) {
                    Ok(true) => {}
                    Ok(false) => return Turn::Waits,
                    Err(_) => return Turn::Broken,
                }
            } else if from.ended {
                self.closed = true;
                // The other end may be gone already; its own reads say so.
                let _gone = rustix::net::shutdown(&to.fd, Shutdown::Write);
                return Turn::Done;
            } else if !from.readable || !to.writable {
                return Turn::Waits;
            } else {
                match self.read(from, to, pool) {
                    Ok(0) => from.ended = true,
                    Ok(count) => moved += count,
                    Err(errno) if again(errno) => from.readable = false,
                    Err(_) => return Turn::Broken,
                }
            }
        }
        Turn::Again
    }

    /// Writes the rest. True when nothing is left of it.
    fn write_rest(&mut self, to: &mut Stream, pool: &mut Pool) -> Result<bool, Errno> {
        while to.writable {
            let wrote = match &self.rest {
                Rest::None => return Ok(true),
                Rest::Bytes(bytes) => rustix::net::send(&to.fd, bytes, SendFlags::NOSIGNAL),
                Rest::Piped(pipe, length) => {
                    rustix::pipe::splice(&pipe.reader, None, &to.fd, None, *length, SpliceFlags::NONBLOCK)
                }
            };
            match wrote {
                Ok(count) => self.wrote(count, pool),
                Err(errno) if again(errno) => to.writable = false,
                Err(errno) => return Err(errno),
            }
        }
        Ok(matches!(self.rest, Rest::None))
    }

    fn wrote(&mut self, count: usize, pool: &mut Pool) {
        pool.held = pool.held.saturating_sub(count);
        self.rest = match std::mem::replace(&mut self.rest, Rest::None) {
            Rest::Bytes(bytes) if count < bytes.len() => Rest::Bytes(bytes[count..].to_vec()),
            Rest::Piped(pipe, length) if count < length => Rest::Piped(pipe, length - count),
            Rest::Piped(pipe, _) => {
                pool.give_back(pipe);
                Rest::None
            }
            Rest::Bytes(_) | Rest::None => Rest::None,
        };
    }

    /// Reads a piece and writes what can be written at once; the rest stays with the lane.
    fn read(&mut self, from: &mut Stream, to: &mut Stream, pool: &mut Pool) -> Result<usize, Errno> {
        let piece = pool.piece();
        if self.bulk
            && piece > 2 * 1024
            && let Some(pipe) = pool.borrow()
        {
            return self.splice(from, pipe, piece, pool);
        }
        let asked = piece.min(COPIED);
        let buffer = pool.buffer.get_mut(..asked).ok_or(Errno::INVAL)?;
        let (count, _) = rustix::net::recv(&from.fd, &mut *buffer, RecvFlags::DONTWAIT)?;
        if count == 0 {
            return Ok(0);
        }
        from.read_some(count, asked);
        self.bulk = count == COPIED;
        let data = buffer.get(..count).unwrap_or_default();
        let wrote = match rustix::net::send(&to.fd, data, SendFlags::NOSIGNAL) {
            Ok(wrote) => wrote,
            Err(errno) if again(errno) => 0,
            Err(errno) => return Err(errno),
        };
        if wrote < count {
            to.writable = false;
            pool.held += count - wrote;
            self.rest = Rest::Bytes(data.get(wrote..).unwrap_or_default().to_vec());
        }
        Ok(count)
    }

    /// Fills a pipe; the next step of the turn empties it.
    fn splice(
        &mut self,
        from: &mut Stream,
        pipe: Pipe,
        piece: usize,
        pool: &mut Pool,
    ) -> Result<usize, Errno> {
        match rustix::pipe::splice(&from.fd, None, &pipe.writer, None, piece, SpliceFlags::NONBLOCK) {
            Ok(0) => {
                pool.give_back(pipe);
                Ok(0)
            }
            Ok(count) => {
                self.bulk = count > COPIED / 4;
                pool.held += count;
                self.rest = Rest::Piped(pipe, count);
                Ok(count)
            }
            Err(errno) => {
                pool.give_back(pipe);
                self.bulk = false;
                Err(errno)
            }
        }
    }
}

#[cfg(test)]
#[path = "relay_tests.rs"]
mod tests;
