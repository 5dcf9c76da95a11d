//! Descriptors handed over by number, and the private mount namespace that old kernels need for an
//! overlay. Nothing here knows of layers.

use rustix::fd::{BorrowedFd, OwnedFd};
use rustix::io::Result;
use rustix::thread::UnshareFlags;

/// A copy of descriptor `number`, which the caller of the process was to provide.
pub fn inherited(number: i32) -> Result<OwnedFd> {
    // SAFETY: the borrow lasts for one fcntl(F_DUPFD_CLOEXEC), which answers EBADF when nothing is open there.
    let borrowed = unsafe { BorrowedFd::borrow_raw(number) };
    rustix::io::fcntl_dupfd_cloexec(borrowed, 10)
}

/// Puts the process in a mount namespace of its own. Only called before any thread is made.
pub fn private_mounts() -> Result<()> {
    // SAFETY: CLONE_NEWNS touches neither memory nor the descriptor table.
    unsafe { rustix::thread::unshare_unsafe(UnshareFlags::NEWNS) }
}
