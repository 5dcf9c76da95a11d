//! Small reads and writes of files that the runtime itself names: bounded, with errors that carry
//! the path. Never for paths inside a container's tree (see `beneath`).

use crate::error::{Failure, Kind};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::path::Path;

/// Reads a whole file of at most `limit` bytes. Errors: the open's errno, invalid when larger.
pub fn read_bounded(path: &Path, limit: u64) -> Result<Vec<u8>, Failure> {
    let file = File::open(path).map_err(|err| from_io("cannot open", &err).at(path))?;
    read_file(file, limit).map_err(|failure| failure.at(path))
}

/// The same for an open file.
pub fn read_file(file: File, limit: u64) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    file.take(limit + 1)
        .read_to_end(&mut bytes)
        .map_err(|err| from_io("cannot read", &err))?;
    if bytes.len() as u64 > limit {
        return Err(Failure::new(Kind::Invalid, format!("larger than {limit} bytes")));
    }
    Ok(bytes)
}

/// Writes `text` with one write(2), as kernel files want it.
pub fn write_kernel(path: &Path, text: &[u8]) -> Result<(), Errno> {
    write_kernel_at(rustix::fs::CWD, path, text)
}

/// The same, relative to a directory descriptor.
pub fn write_kernel_at(dir: impl AsFd, path: impl AsRef<Path>, text: &[u8]) -> Result<(), Errno> {
    let fd = rustix::fs::openat(
        dir,
        path.as_ref(),
        OFlags::WRONLY | OFlags::CLOEXEC,
        Mode::empty(),
    )?;
    rustix::io::write(fd, text).map(|_written| ())
}

/// Reads a kernel file (bounded to 1 MiB) as text without the final newline.
pub fn read_kernel_at(dir: impl AsFd, path: impl AsRef<Path>) -> Result<String, Errno> {
    let fd = rustix::fs::openat(
        dir,
        path.as_ref(),
        OFlags::RDONLY | OFlags::CLOEXEC,
        Mode::empty(),
    )?;
    let mut text = String::new();
    File::from(fd)
        .take(1 << 20)
        .read_to_string(&mut text)
        .map_err(|err| Errno::from_io_error(&err).unwrap_or(Errno::IO))?;
    text.truncate(text.trim_end_matches('\n').len());
    Ok(text)
}

/// Writes a file whole or not at all (temporary in the same directory, then rename).
pub fn replace(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(format!(".{}", rustix::process::getpid()));
    let result = File::create(&temporary)
        .and_then(|mut file| file.write_all(bytes))
        .and_then(|()| std::fs::rename(&temporary, path));
    result.map_err(|err| {
        std::fs::remove_file(&temporary).ok();
        from_io("cannot write", &err).at(path)
    })
}

/// A Failure of an std I/O error.
pub fn from_io(message: &str, err: &std::io::Error) -> Failure {
    match Errno::from_io_error(err) {
        Some(errno) => Failure::errno(message, errno),
        None => Failure::new(Kind::Internal, format!("{message}: {err}")),
    }
}
