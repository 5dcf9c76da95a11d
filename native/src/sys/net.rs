//! System calls of the network supervisor that rustix does not wrap as safe.

use rustix::fd::{AsRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::Command;

/// Makes a command start with `fd` as its descriptor 3, and die with the thread that starts it.
pub fn with_descriptor_three(command: &mut Command, fd: OwnedFd) -> &mut Command {
    // SAFETY: the closure only makes async-signal-safe system calls and allocates nothing; `fd` is moved
    // into it and so is open when it runs.
    unsafe {
        command.pre_exec(move || {
            let raw = fd.as_raw_fd();
            let moved = if raw == 3 {
                libc::fcntl(raw, libc::F_SETFD, 0)
            } else {
                libc::dup2(raw, 3)
            };
            if moved < 0 || libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) < 0 {
                return Err(std::io::Error::last_os_error());
            }
            Ok(())
        })
    }
}
