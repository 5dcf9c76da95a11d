//! The `files` verbs: single files of a container's, image's or volume's tree, for people who browse and
//! edit. The other side may be a running, hostile container: every path is resolved beneath a descriptor
//! of its root, nothing of it is run, and what is written appears whole. They run in the name spaces of
//! the engine, or in those that the root asks for.

mod change;
mod look;
mod write;

use crate::error::{Failure, Kind};
use crate::layer;
use crate::layer::tree::beneath::{open_in_root, shown};
use crate::layer::tree::root::Root;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::OFlags;
use rustix::io::Errno;
use serde::Deserialize;
use std::ffi::OsString;
use std::process::ExitCode;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    root: Root,
    path: String,
    /// list: where the page begins, and how long it is.
    after: Option<String>,
    limit: Option<usize>,
    /// read: the part of the file.
    #[serde(default)]
    offset: u64,
    length: Option<u64>,
    /// rename: the new path.
    to: Option<String>,
    /// write, rename: an existing file may be replaced.
    #[serde(default)]
    overwrite: bool,
    /// write: a missing file is made.
    #[serde(default)]
    create: bool,
    /// delete: a directory that is not empty.
    #[serde(default)]
    recursive: bool,
    /// delete: the folder that held it keeps its time.
    #[serde(default)]
    keep_time: bool,
    /// mkdir: parents are made and an existing directory is no error.
    #[serde(default)]
    parents: bool,
}

pub fn main(mut args: Vec<OsString>) -> Result<ExitCode, Failure> {
    let verb = layer::take_verb(
        &mut args,
        "files list|stat|read|write|mkdir|rename|delete --request JSON",
    )?;
    let args = layer::arguments(args)?;
    // write has its data on standard input.
    let request: Request = if verb == "write" {
        layer::inline(&args)?
    } else {
        layer::piped(&args)?
    };
    layer::prepare();
    let answer = match verb.as_str() {
        "list" => look::list(&request)?,
        "stat" => look::stat(&request)?,
        "read" => {
            let answer_to = layer::answer_descriptor()?;
            return layer::reply(&look::read(&request)?, Some(answer_to));
        }
        "write" => write::write(&request)?,
        "mkdir" => change::mkdir(&request)?,
        "rename" => change::rename(&request)?,
        "delete" => change::delete(&request)?,
        other => return Err(Failure::new(Kind::Invalid, format!("no verb \"files {other}\""))),
    };
    layer::reply(&answer, None)
}

/// The failure of a call on a path of the tree.
fn failed(what: &'static str, path: &[u8]) -> impl Fn(Errno) -> Failure {
    let at = shown(path);
    move |errno| {
        let failure = match errno {
            Errno::ISDIR => Failure::new(Kind::Invalid, format!("{what}: it is a folder")),
            Errno::NOTDIR => Failure::new(Kind::Invalid, format!("{what}: it is no folder")),
            Errno::NOTEMPTY => Failure::new(Kind::Conflict, format!("{what}: the folder is not empty")),
            errno => Failure::errno(what, errno),
        };
        failure.at(&at)
    }
}

/// An O_PATH descriptor of the last component itself, its parents' links followed within the root.
fn open_entry(root: BorrowedFd<'_>, path: &[u8]) -> Result<OwnedFd, Errno> {
    let nofollow = if path.is_empty() {
        OFlags::empty()
    } else {
        OFlags::NOFOLLOW
    };
    open_in_root(root, path, OFlags::PATH | nofollow)
}

/// The directory that holds the last component of a clean path.
fn open_parent(root: impl AsFd, path: &[u8]) -> Result<OwnedFd, Failure> {
    use crate::layer::tree::beneath::{open_dir_in_root, parent};
    if path.is_empty() {
        return Err(Failure::new(
            Kind::Invalid,
            "the root of the tree itself cannot be changed",
        ));
    }
    open_dir_in_root(root.as_fd(), parent(path)).map_err(failed("cannot open the folder", parent(path)))
}
