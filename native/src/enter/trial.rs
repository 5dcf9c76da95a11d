//! Tries something in a forked child and says how it went, so that the caller stays as it was.

use crate::error::Failure;
use crate::shim;
use crate::sys::shim::{Fork, exit_now, fork};
use rustix::fd::OwnedFd;
use rustix::process::{Pid, WaitOptions};

/// An attempt that is under way.
pub struct Pending {
    reader: OwnedFd,
    child: Pid,
}

/// Runs `attempt` in a child that then ends. Err is what the child said.
pub fn run(attempt: impl FnOnce() -> Result<(), Failure>) -> Result<(), String> {
    begin(attempt)?.finish()
}

/// Starts `attempt` in a child, to go on meanwhile.
pub fn begin(attempt: impl FnOnce() -> Result<(), Failure>) -> Result<Pending, String> {
    let (reader, writer) = shim::pipe().map_err(|failure| failure.to_string())?;
    match fork().map_err(|errno| errno.to_string())? {
        Fork::Parent(child) => Ok(Pending { reader, child }),
        Fork::Child => {
            drop(reader);
            let word = match attempt() {
                Ok(()) => "+".to_owned(),
                Err(failure) => failure.to_string(),
            };
            let _ = rustix::io::write(&writer, word.as_bytes());
            exit_now(0);
        }
    }
}

impl Pending {
    /// Waits for the child's end. Err is what it said.
    pub fn finish(self) -> Result<(), String> {
        let mut word = vec![0u8; 4096];
        let count = loop {
            match rustix::io::read(&self.reader, &mut word) {
                Err(rustix::io::Errno::INTR) => {}
                other => break other.unwrap_or(0),
            }
        };
        let _ = rustix::process::waitpid(Some(self.child), WaitOptions::empty());
        match &word[..count] {
            b"+" => Ok(()),
            b"" => Err("the trial ended without a word".to_owned()),
            said => Err(String::from_utf8_lossy(said).into_owned()),
        }
    }
}
