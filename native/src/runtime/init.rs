//! `init -- CMD…`: a tiny pid 1 for --init. It passes every signal on to its child's process group,
//! reaps whatever ends, and exits with the child's status. It runs inside the container, with the
//! container's rights, and keeps nothing open.

use crate::error::{Failure, Kind};
use crate::sys::runtime as sys;
use rustix::process::{Pid, WaitOptions, WaitStatus};
use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

pub fn main(args: Vec<OsString>) -> Result<ExitCode, Failure> {
    let mut args = args.into_iter().peekable();
    args.next_if(|first| first == "--");
    let program = args
        .next()
        .ok_or_else(|| Failure::new(Kind::Invalid, "init: a command is missing after --"))?;
    sys::block_signals();
    let mut command = Command::new(&program);
    command.args(args).process_group(0);
    let child = sys::with_default_signals(&mut command).spawn().map_err(|err| {
        let mut failure = super::files::from_io("init: cannot run the command", &err).at(&program);
        failure.message = format!("exec: {program:?}: {err}");
        failure
    })?;
    let pid = i32::try_from(child.id()).map_err(|_| Failure::new(Kind::Internal, "init: no pid"))?;
    // A terminal's foreground is the child's; without one this is refused, and that is fine.
    if let Some(group) = Pid::from_raw(pid) {
        rustix::termios::tcsetpgrp(rustix::stdio::stdin(), group).ok();
    }
    loop {
        match sys::wait_signal() {
            Ok(libc::SIGCHLD) => {
                if let Some(code) = reap(pid) {
                    return Ok(ExitCode::from(code));
                }
            }
            // Stopping is the job control's of the terminal, not this process's.
            Ok(libc::SIGTTIN | libc::SIGTTOU) => {}
            Ok(signal) => drop(sys::kill(-pid, signal).or_else(|_| sys::kill(pid, signal))),
            Err(rustix::io::Errno::INTR) => {}
            Err(errno) => return Err(Failure::errno("init: cannot wait for signals", errno)),
        }
    }
}

/// Reaps all that has ended; the code of `main`, when it is among them.
fn reap(main: i32) -> Option<u8> {
    let mut code = None;
    while let Ok(Some((pid, status))) = rustix::process::wait(WaitOptions::NOHANG) {
        if Pid::as_raw(Some(pid)) == main {
            code = Some(exit_code(status));
        }
    }
    code
}

fn exit_code(status: WaitStatus) -> u8 {
    let code = status
        .exit_status()
        .or_else(|| status.terminating_signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(u8::MAX)
}
