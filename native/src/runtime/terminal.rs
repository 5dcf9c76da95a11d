//! The caller's side of a foreground process: waiting for its end with signals passed on, a pty
//! copied to and from the caller's own terminal, and a pty's master handed to a console socket.

use super::spec::ConsoleSize;
use crate::error::{Failure, Kind};
use crate::sys::runtime as sys;
use rustix::event::{PollFd, PollFlags};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketAddrUnix, SocketFlags,
    SocketType,
};
use rustix::process::{WaitId, WaitIdOptions, WaitIdStatus};
use rustix::termios::{OptionalActions, Termios};
use std::io::IoSlice;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

/// The window of the caller's terminal, if it has one.
pub fn size() -> Option<ConsoleSize> {
    let window = rustix::termios::tcgetwinsize(rustix::stdio::stdin()).ok()?;
    Some(ConsoleSize {
        height: window.ws_row,
        width: window.ws_col,
    })
}

/// Sends the master to whoever listens on `path` (runc's --console-socket).
pub fn hand_over(path: &Path, master: BorrowedFd<'_>) -> Result<(), Failure> {
    let failed = |errno| Failure::errno("cannot hand the pty to the console socket", errno).at(path);
    let socket = rustix::net::socket_with(
        AddressFamily::UNIX,
        SocketType::STREAM,
        SocketFlags::CLOEXEC,
        None,
    )
    .map_err(failed)?;
    rustix::net::connect(&socket, &SocketAddrUnix::new(path).map_err(failed)?).map_err(failed)?;
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    let fds = [master];
    control.push(SendAncillaryMessage::ScmRights(&fds));
    let name = [IoSlice::new(b"/dev/ptmx")];
    rustix::net::sendmsg(&socket, &name, &mut control, SendFlags::NOSIGNAL)
        .map(drop)
        .map_err(failed)
}

/// Waits for a child's end, passing on every signal; all signals must be blocked. Gives the exit
/// status as a shell has it (128 + signal).
pub fn accompany(pidfd: BorrowedFd<'_>, pid: i32, master: Option<OwnedFd>) -> Result<u8, Failure> {
    let signals = sys::signal_fd().map_err(|errno| Failure::errno("cannot take signals", errno))?;
    let raw = master.as_ref().and_then(|_| Raw::enter());
    let mut stdin_open = master.is_some();
    loop {
        let mut fds = vec![
            PollFd::new(&pidfd, PollFlags::IN),
            PollFd::new(&signals, PollFlags::IN),
        ];
        if let Some(master) = &master {
            fds.push(PollFd::new(master, PollFlags::IN));
        }
        let stdin = rustix::stdio::stdin();
        if stdin_open {
            fds.push(PollFd::new(&stdin, PollFlags::IN));
        }
        match rustix::event::poll(&mut fds, None) {
            Err(Errno::INTR) => continue,
            other => other.map(drop).map_err(|errno| Failure::errno("poll", errno))?,
        }
        let ready: Vec<bool> = fds.iter().map(|fd| !fd.revents().is_empty()).collect();
        drop(fds);
        if ready.get(1) == Some(&true) {
            forward(&signals, pidfd, master.as_ref());
        }
        if let Some(master) = &master {
            if ready.get(2) == Some(&true) {
                copy(master.as_fd(), rustix::stdio::stdout());
            }
            if ready.get(3) == Some(&true) {
                stdin_open = copy(stdin, master.as_fd());
            }
        }
        if ready.first() == Some(&true) {
            if let Some(master) = &master {
                while copy(master.as_fd(), rustix::stdio::stdout()) {}
            }
            drop(raw);
            return status(pidfd, pid);
        }
    }
}

fn forward(signals: &OwnedFd, pidfd: BorrowedFd<'_>, master: Option<&OwnedFd>) {
    let Some(signal) = sys::take_signal(signals) else {
        return;
    };
    match signal {
        libc::SIGCHLD | libc::SIGURG => {}
        libc::SIGWINCH => {
            if let (Some(master), Some(size)) = (master, size()) {
                let size = rustix::termios::Winsize {
                    ws_row: size.height,
                    ws_col: size.width,
                    ws_xpixel: 0,
                    ws_ypixel: 0,
                };
                rustix::termios::tcsetwinsize(master, size).ok();
            }
        }
        // The process may be gone already: then its end is read next.
        other => drop(sys::pidfd_kill(pidfd, other)),
    }
}

/// One piece; false at the end or when nobody takes it.
fn copy(from: BorrowedFd<'_>, to: BorrowedFd<'_>) -> bool {
    let mut buffer = [0; 8192];
    let Ok(count) = rustix::io::read(from, &mut buffer) else {
        return false;
    };
    let mut rest = &buffer[..count];
    while !rest.is_empty() {
        match rustix::io::write(to, rest) {
            Ok(written) => rest = &rest[written..],
            Err(Errno::INTR) => {}
            Err(_) => return false,
        }
    }
    count > 0
}

fn status(pidfd: BorrowedFd<'_>, pid: i32) -> Result<u8, Failure> {
    let status: Option<WaitIdStatus> =
        rustix::process::waitid(WaitId::PidFd(pidfd), WaitIdOptions::EXITED)
            .map_err(|errno| Failure::errno(format!("cannot wait for process {pid}"), errno))?;
    let code = status.and_then(|status| {
        status
            .exit_status()
            .or_else(|| status.terminating_signal().map(|signal| 128 + signal))
    });
    code.and_then(|code| u8::try_from(code).ok())
        .ok_or_else(|| Failure::new(Kind::Internal, "no exit status"))
}

/// The caller's terminal in raw mode, given back at the end.
struct Raw {
    before: Termios,
}

impl Raw {
    fn enter() -> Option<Self> {
        let before = rustix::termios::tcgetattr(rustix::stdio::stdin()).ok()?;
        let mut raw = before.clone();
        raw.make_raw();
        rustix::termios::tcsetattr(rustix::stdio::stdin().as_fd(), OptionalActions::Now, &raw).ok()?;
        Some(Self { before })
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        rustix::termios::tcsetattr(rustix::stdio::stdin(), OptionalActions::Now, &self.before).ok();
    }
}
