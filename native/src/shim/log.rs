//! The container's log in docker's json-file form: one JSON object a line, lines split at 16 KiB, files
//! rotated by size. A full disk loses lines, never the container, and never leaves half a line behind.

use crate::error::Failure;
use crate::time;
use rustix::fd::OwnedFd;
use rustix::fs::{self, Mode, OFlags};
use rustix::io::Errno;
use serde::Deserialize;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Docker splits a line here.
const PARTIAL: usize = 16 * 1024;

/// `log` of the shim's request: sizes in bytes; null or 0 is unlimited.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Settings {
    pub path: PathBuf,
    #[serde(default)]
    pub max_size: Option<i64>,
    #[serde(default)]
    pub max_files: Option<u32>,
}

/// A line that is not complete yet, with the time of its first byte once it has been split.
#[derive(Default)]
struct Pending {
    bytes: Vec<u8>,
    split: Option<String>,
}

/// The open log.
pub struct Log {
    settings: Settings,
    file: OwnedFd,
    size: u64,
    lines: Vec<u8>,
    pending: [Pending; 2],
    lost: u64,
}

impl Log {
    /// Opens the log for appending (0600).
    pub fn open(settings: Settings) -> Result<Self, Failure> {
        let file = open_file(&settings.path, OFlags::APPEND)
            .map_err(|errno| Failure::errno("cannot open the log", errno).at(&settings.path))?;
        let size = fs::fstat(&file).map_or(0, |stat| u64::try_from(stat.st_size).unwrap_or(0));
        Ok(Self {
            settings,
            file,
            size,
            lines: Vec::new(),
            pending: <[Pending; 2]>::default(),
            lost: 0,
        })
    }

    /// Takes output of stream 1 or 2; complete lines are in the file when this returns.
    pub fn write(&mut self, stream: u8, mut data: &[u8]) {
        let slot = usize::from(stream == 2);
        let now = time::now().to_string();
        while !data.is_empty() {
            let room = PARTIAL - self.pending[slot].bytes.len();
            let window = &data[..data.len().min(room)];
            match window.iter().position(|byte| *byte == b'\n') {
                Some(end) => {
                    self.pending[slot].bytes.extend_from_slice(&window[..end]);
                    data = &data[end + 1..];
                    self.emit(slot, &now, LineEnd::Newline);
                }
                None => {
                    self.pending[slot].bytes.extend_from_slice(window);
                    data = &data[window.len()..];
                    if self.pending[slot].bytes.len() == PARTIAL {
                        self.emit(slot, &now, LineEnd::Split);
                    }
                }
            }
        }
        let pending = &mut self.pending[slot];
        if pending.bytes.is_empty() {
            pending.bytes = Vec::new();
        }
        self.flush();
    }

    /// Writes out the lines without an end.
    pub fn finish(&mut self) {
        let now = time::now().to_string();
        for slot in 0..2 {
            if !self.pending[slot].bytes.is_empty() {
                self.emit(slot, &now, LineEnd::Split);
            }
        }
        self.flush();
    }

    /// How many lines the disk did not take.
    pub const fn lost(&self) -> u64 {
        self.lost
    }

    /// For a container that never ran: a log without a line is no log.
    pub fn remove_if_empty(&self) {
        if self.size == 0 && self.settings.path.is_file() {
            let _ = fs::unlink(&self.settings.path);
        }
    }

    fn emit(&mut self, slot: usize, now: &str, end: LineEnd) {
        let pending = &mut self.pending[slot];
        let split = pending.split.take();
        let stamp = split.as_deref().unwrap_or(now);
        let stream = if slot == 1 { 2 } else { 1 };
        let cut = match end {
            LineEnd::Newline => pending.bytes.len(),
            LineEnd::Split => character_boundary(&pending.bytes),
        };
        let start = self.lines.len();
        encode(&mut self.lines, stream, &pending.bytes[..cut], end, stamp);
        match end {
            LineEnd::Newline => pending.bytes.clear(),
            LineEnd::Split => {
                pending.bytes = pending.bytes[cut..].to_vec();
                pending.split = Some(stamp.to_owned());
            }
        }
        self.rotate_before(start);
    }

    /// Rotates when the file has reached its limit before the line that begins at `start` of `lines`.
    fn rotate_before(&mut self, start: usize) {
        let Some(limit) = self.settings.max_size.and_then(|size| u64::try_from(size).ok()) else {
            return;
        };
        let before = self.size + u64::try_from(start).unwrap_or(0);
        if limit == 0 || before < limit {
            return;
        }
        let line = self.lines.split_off(start);
        self.flush();
        self.rotate();
        self.lines = line;
    }

    /// `path` becomes `path.1`, and so on; with fewer than two files the only one is emptied.
    fn rotate(&mut self) {
        let keep = self.settings.max_files.unwrap_or(1);
        if keep < 2 {
            if fs::ftruncate(&self.file, 0).is_ok() {
                self.size = 0;
            }
            return;
        }
        let path = &self.settings.path;
        for index in (1..keep - 1).rev() {
            let from = numbered(path, index);
            if let Err(errno) = fs::rename(&from, numbered(path, index + 1))
                && errno != Errno::NOENT
            {
                return;
            }
        }
        if fs::rename(path, numbered(path, 1)).is_err() {
            return;
        }
        if let Ok(file) = open_file(path, OFlags::APPEND) {
            self.file = file;
            self.size = 0;
        }
    }

    fn flush(&mut self) {
        let lines = std::mem::take(&mut self.lines);
        let mut rest = lines.as_slice();
        let mut whole = true;
        while !rest.is_empty() {
            match rustix::io::write(&self.file, rest) {
                Ok(count) => rest = &rest[count..],
                Err(Errno::INTR) => {}
                Err(_) => {
                    whole = false;
                    break;
                }
            }
        }
        if whole {
            self.size += u64::try_from(lines.len()).unwrap_or(0);
        } else {
            self.keep_whole_lines(&lines, lines.len() - rest.len());
        }
    }

    /// After a short write: cuts the file back to the last whole line and counts the rest as lost.
    fn keep_whole_lines(&mut self, lines: &[u8], written: usize) {
        let kept = lines[..written]
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |end| end + 1);
        let lost = lines[kept..].iter().filter(|byte| **byte == b'\n').count();
        self.lost += u64::try_from(lost).unwrap_or(0);
        self.size += u64::try_from(kept).unwrap_or(0);
        if kept < written {
            // Shrinking needs no space; should it fail all the same, the reader skips the broken line.
            let _ = fs::ftruncate(&self.file, self.size);
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum LineEnd {
    Newline,
    Split,
}

fn open_file(path: &Path, flags: OFlags) -> Result<OwnedFd, Errno> {
    fs::open(
        path,
        OFlags::WRONLY | OFlags::CREATE | OFlags::CLOEXEC | OFlags::NOFOLLOW | flags,
        Mode::RUSR | Mode::WUSR,
    )
}

fn numbered(path: &Path, index: u32) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(format!(".{index}"));
    PathBuf::from(name)
}

/// How much of a split line to write, so that no UTF-8 sequence is torn apart.
fn character_boundary(bytes: &[u8]) -> usize {
    if bytes.len() < PARTIAL {
        return bytes.len();
    }
    let tail = bytes.iter().rev().take(3);
    for (back, byte) in tail.enumerate() {
        let needs = match byte {
            0xc2..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xf4 => 4,
            0x80..=0xbf => continue,
            _ => 1,
        };
        return if needs > back + 1 {
            bytes.len() - back - 1
        } else {
            bytes.len()
        };
    }
    bytes.len()
}

fn encode(out: &mut Vec<u8>, stream: u8, text: &[u8], end: LineEnd, stamp: &str) {
    out.reserve(text.len() + 96);
    out.extend_from_slice(b"{\"log\":\"");
    escape(out, text);
    if end == LineEnd::Newline {
        out.extend_from_slice(b"\\n");
    }
    let name = if stream == 2 { "stderr" } else { "stdout" };
    out.extend_from_slice(b"\",\"stream\":\"");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\",\"time\":\"");
    out.extend_from_slice(stamp.as_bytes());
    out.extend_from_slice(b"\"}\n");
}

/// Escapes as Go's encoding/json: also `<`, `>`, `&` and the line separators; each invalid byte becomes
/// U+FFFD.
pub fn escape(out: &mut Vec<u8>, text: &[u8]) {
    for chunk in text.utf8_chunks() {
        let valid = chunk.valid().as_bytes();
        let mut plain = 0;
        let mut index = 0;
        while index < valid.len() {
            let byte = valid[index];
            let separator =
                byte == 0xe2 && matches!(valid.get(index + 1..index + 3), Some([0x80, 0xa8 | 0xa9]));
            if separator {
                out.extend_from_slice(&valid[plain..index]);
                out.extend_from_slice(if valid[index + 2] == 0xa8 {
                    b"\\u2028"
                } else {
                    b"\\u2029"
                });
                index += 3;
                plain = index;
            } else if byte < 0x20 || matches!(byte, b'"' | b'\\' | b'<' | b'>' | b'&') {
                out.extend_from_slice(&valid[plain..index]);
                escape_byte(out, byte);
                index += 1;
                plain = index;
            } else {
                index += 1;
            }
        }
        out.extend_from_slice(&valid[plain..]);
        for _ in chunk.invalid() {
            out.extend_from_slice(b"\\ufffd");
        }
    }
}

fn escape_byte(out: &mut Vec<u8>, byte: u8) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let short = match byte {
        b'"' => b'"',
        b'\\' => b'\\',
        0x08 => b'b',
        0x0c => b'f',
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        _ => {
            out.extend_from_slice(b"\\u00");
            out.push(HEX[usize::from(byte >> 4)]);
            out.push(HEX[usize::from(byte & 15)]);
            return;
        }
    };
    out.push(b'\\');
    out.push(short);
}

#[cfg(test)]
#[path = "log_tests.rs"]
mod tests;
