//! The shim's side of one process's stdio: pipes or a pty, never blocking. It knows nothing of who reads.

use super::buffer::Buffer;
use super::request::Streams;
use crate::error::Failure;
use crate::runtime::Stdio;
use crate::runtime::spec::ConsoleSize;
use rustix::fd::OwnedFd;
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::pipe::PipeFlags;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// Standard input waiting for the process; beyond this the shim stops reading the clients.
const STDIN_LIMIT: usize = 64 * 1024;
/// A pty whose last user closed it may be opened again: ask once in a while.
const PTY_RETRY: Duration = Duration::from_millis(200);

/// Output of the process: stream 1 or 2 (a pty is stream 1).
pub struct Source {
    pub fd: Option<Rc<OwnedFd>>,
    pub stream: u8,
    pub retry_at: Option<Instant>,
}

/// What one read gave.
pub enum Read {
    Data(usize),
    Nothing,
    End,
}

impl Source {
    /// Reads once. `ended`: the process is gone, so a pty without users is at its end.
    pub fn read(&mut self, into: &mut [u8], ended: bool) -> Read {
        let Some(fd) = &self.fd else { return Read::End };
        self.retry_at = None;
        match rustix::io::read(&**fd, into) {
            Ok(count) if count > 0 => Read::Data(count),
            Err(Errno::AGAIN | Errno::INTR) => Read::Nothing,
            Err(Errno::IO) if !ended => {
                self.retry_at = Some(Instant::now() + PTY_RETRY);
                Read::Nothing
            }
            _ => {
                self.fd = None;
                Read::End
            }
        }
    }
}

/// The process's standard input.
#[derive(Default)]
pub struct Sink {
    pub fd: Option<Rc<OwnedFd>>,
    pub buffer: Buffer,
    ending: bool,
}

impl Sink {
    pub fn has_room(&self) -> bool {
        self.buffer.len() < STDIN_LIMIT
    }

    /// Queues and writes; input for a closed stdin is dropped.
    pub fn push(&mut self, data: &[u8]) {
        if self.fd.is_some() && !self.ending {
            self.buffer.push(data);
            self.flush();
        }
    }

    /// Closes once everything queued is written.
    pub fn end(&mut self) {
        self.ending = true;
        self.flush();
    }

    pub fn flush(&mut self) {
        let Some(fd) = &self.fd else { return };
        let gone = self.buffer.flush(&**fd).is_err();
        if gone {
            self.buffer.clear();
        }
        if gone || (self.ending && self.buffer.is_empty()) {
            self.fd = None;
        }
    }
}

/// One process's streams.
#[derive(Default)]
pub struct Io {
    pub tty: Option<Rc<OwnedFd>>,
    pub sources: Vec<Source>,
    pub sink: Sink,
}

impl Io {
    /// Makes the pipes of a process without a tty; what is not wanted is /dev/null.
    pub fn pipes(want: Streams) -> Result<(Self, Stdio), Failure> {
        let mut io = Self::default();
        let stdin = if want.stdin {
            let (reader, writer) = pipe()?;
            io.sink.fd = Some(non_blocking(writer)?);
            reader
        } else {
            null(OFlags::RDONLY)?
        };
        let mut output = |wanted: bool, stream: u8| -> Result<OwnedFd, Failure> {
            if !wanted {
                return null(OFlags::WRONLY);
            }
            let (reader, writer) = pipe()?;
            io.sources.push(Source {
                fd: Some(non_blocking(reader)?),
                stream,
                retry_at: None,
            });
            Ok(writer)
        };
        let stdout = output(want.stdout, 1)?;
        let stderr = output(want.stderr, 2)?;
        Ok((
            io,
            Stdio::Descriptors {
                stdin,
                stdout,
                stderr,
            },
        ))
    }

    /// Takes the master of a pty.
    pub fn pty(master: OwnedFd, stdin: bool) -> Result<Self, Failure> {
        let master = non_blocking(master)?;
        let sink = Sink {
            fd: stdin.then(|| Rc::clone(&master)),
            ..Sink::default()
        };
        let source = Source {
            fd: Some(Rc::clone(&master)),
            stream: 1,
            retry_at: None,
        };
        Ok(Self {
            tty: Some(master),
            sources: vec![source],
            sink,
        })
    }

    pub fn resize(&self, size: ConsoleSize) -> Result<(), Failure> {
        let Some(tty) = &self.tty else { return Ok(()) };
        let size = rustix::termios::Winsize {
            ws_row: size.height,
            ws_col: size.width,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        rustix::termios::tcsetwinsize(&**tty, size)
            .map_err(|errno| Failure::errno("cannot resize the tty", errno))
    }

    /// True when no more output can come.
    pub fn drained(&self) -> bool {
        self.sources.iter().all(|source| source.fd.is_none())
    }
}

/// A pipe, both ends close-on-exec.
pub fn pipe() -> Result<(OwnedFd, OwnedFd), Failure> {
    rustix::pipe::pipe_with(PipeFlags::CLOEXEC).map_err(|errno| Failure::errno("cannot make a pipe", errno))
}

/// /dev/null.
pub fn null(flags: OFlags) -> Result<OwnedFd, Failure> {
    rustix::fs::open("/dev/null", flags | OFlags::CLOEXEC, Mode::empty())
        .map_err(|errno| Failure::errno("cannot open", errno).at("/dev/null"))
}

fn non_blocking(fd: OwnedFd) -> Result<Rc<OwnedFd>, Failure> {
    rustix::fs::fcntl_getfl(&fd)
        .and_then(|flags| rustix::fs::fcntl_setfl(&fd, flags | OFlags::NONBLOCK))
        .map_err(|errno| Failure::errno("cannot make a stream non-blocking", errno))?;
    Ok(Rc::new(fd))
}
