//! How a process ended, and the durable record of it: written whole or not at all.

use crate::time::{self, Stamp};
use rustix::fs::{self, Mode, OFlags};
use rustix::io::Errno;
use rustix::process::WaitStatus;
use serde_json::{Value, json};
use std::ffi::OsString;
use std::path::Path;

/// The exit file's content.
#[derive(Debug, Clone)]
pub struct Exit {
    pub code: i32,
    pub signal: Option<i32>,
    pub oom_killed: bool,
    pub finished_at: Stamp,
    pub error: Option<String>,
}

impl Exit {
    /// From wait's status; a signal N gives the code 128+N, as docker's.
    pub fn of(status: WaitStatus) -> Self {
        let signal = status.terminating_signal();
        Self {
            code: signal.map_or_else(|| status.exit_status().unwrap_or(255), |number| 128 + number),
            signal,
            oom_killed: false,
            finished_at: time::now(),
            error: None,
        }
    }

    /// For a process whose end nobody saw: it was killed with its container.
    pub fn killed() -> Self {
        Self {
            code: 137,
            signal: Some(9),
            oom_killed: false,
            finished_at: time::now(),
            error: None,
        }
    }

    pub fn to_json(&self) -> Value {
        json!({
            "exitCode": self.code,
            "signal": self.signal,
            "oomKilled": self.oom_killed,
            "finishedAt": self.finished_at.to_string(),
            "error": self.error,
        })
    }
}

/// Writes `text` to `path`: temporary file, fsync, rename, fsync of the directory.
pub fn write_durably(path: &Path, text: &str) -> Result<(), Errno> {
    let mut temporary = OsString::from(path);
    temporary.push(".tmp");
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let file = fs::open(&temporary, flags, Mode::RUSR | Mode::WUSR)?;
    let written = write_all(&file, text.as_bytes())
        .and_then(|()| fs::fsync(&file))
        .and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        let _ = fs::unlink(&temporary);
        return written;
    }
    let parent = path.parent().unwrap_or(Path::new("/"));
    let directory = fs::open(
        parent,
        OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC,
        Mode::empty(),
    )?;
    fs::fsync(directory)
}

/// Writes all of a small text.
pub fn write_all(fd: impl rustix::fd::AsFd, mut bytes: &[u8]) -> Result<(), Errno> {
    while !bytes.is_empty() {
        match rustix::io::write(&fd, bytes) {
            Ok(count) => bytes = &bytes[count..],
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}
