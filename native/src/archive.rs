//! The `archive` verbs: docker cp and docker export. The other side may be a running, hostile container
//! that renames and links while we read: everything is resolved beneath a descriptor of its root, and
//! nothing of it is ever run. They run in the name spaces of the engine.

use crate::error::{Failure, Kind};
use crate::layer::emit::{Emitter, Options};
use crate::layer::extract::Extractor;
use crate::layer::policy::{Limits, Policy};
use crate::layer::stream::TarStream;
use crate::layer::tar::read::Reader;
use crate::layer::tree::beneath::{base, clean, open_in_root, parent, resolve, shown};
use crate::layer::tree::root::{Access, Root, Tree, open_root};
use crate::layer::tree::walk::{is_whiteout, kind_of, open_listed, stat_fd};
use crate::layer::{self, user};
use crate::time::Stamp;
use rustix::fd::OwnedFd;
use rustix::fs::{FileType, OFlags, Statx};
use serde::Deserialize;
use serde_json::{Value, json};
use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    root: Root,
    path: String,
    /// get: the whole tree as docker export writes it.
    #[serde(default)]
    export: bool,
    #[serde(default)]
    no_overwrite_dir_non_dir: bool,
    /// put: `user[:group]` that everything is given.
    owner: Option<String>,
    limits: Option<Limits>,
}

pub fn main(mut args: Vec<OsString>) -> Result<ExitCode, Failure> {
    let verb = layer::take_verb(&mut args, "archive stat|get|put --request JSON")?;
    let args = layer::arguments(args)?;
    // put has its data on standard input.
    let request: Request = if verb == "put" {
        layer::inline(&args)?
    } else {
        layer::piped(&args)?
    };
    layer::prepare();
    match verb.as_str() {
        "stat" => layer::reply(&stat(&request)?, None),
        "get" => {
            let answer_to = layer::answer_descriptor()?;
            layer::reply(&get(&request)?, Some(answer_to))
        }
        "put" => layer::reply(&put(&request)?, None),
        other => Err(Failure::new(
            Kind::Invalid,
            format!("no verb \"archive {other}\""),
        )),
    }
}

/// A path of a request, as docker reads it: the last component is a link itself, unless a slash or a
/// dot follows it.
struct Asked {
    clean: Vec<u8>,
    follow: bool,
    /// What docker calls the base name of the path.
    name: Vec<u8>,
}

fn asked(path: &str) -> Asked {
    let clean = clean(path.as_bytes());
    let dot = path.ends_with("/.") || path == ".";
    let name = match () {
        () if dot => b".".to_vec(),
        () if clean.is_empty() => b"/".to_vec(),
        () => base(&clean).to_vec(),
    };
    Asked {
        follow: clean.is_empty() || dot || path.ends_with('/'),
        clean,
        name,
    }
}

fn open(tree: &Tree, asked: &Asked) -> Result<(OwnedFd, Statx), Failure> {
    let nofollow = if asked.follow {
        OFlags::empty()
    } else {
        OFlags::NOFOLLOW
    };
    let missing =
        |errno| Failure::errno("no such file or directory in the container", errno).at(shown(&asked.clean));
    let fd = open_in_root(tree.fd(), &asked.clean, OFlags::PATH | nofollow).map_err(missing)?;
    let stat = stat_fd(&fd).map_err(missing)?;
    if tree.raw_layer && is_whiteout(&stat) {
        return Err(missing(rustix::io::Errno::NOENT));
    }
    Ok((fd, stat))
}

fn stat(request: &Request) -> Result<Value, Failure> {
    let tree = open_root(&request.root, Access::Read)?;
    let asked = asked(&request.path);
    let (_, stat) = open(&tree, &asked)?;
    let link = if kind_of(&stat) == FileType::Symlink {
        shown(&resolve(tree.fd(), &asked.clean)?)
            .to_string_lossy()
            .into_owned()
    } else {
        String::new()
    };
    Ok(json!({
        "name": String::from_utf8_lossy(&asked.name),
        "size": stat.stx_size,
        "mode": go_mode(&stat),
        "mtime": Stamp { seconds: stat.stx_mtime.tv_sec, nanos: stat.stx_mtime.tv_nsec }.to_string(),
        "linkTarget": link,
    }))
}

/// The bits of Go's os.FileMode.
fn go_mode(stat: &Statx) -> u32 {
    let mode = u32::from(stat.stx_mode);
    let kind = match kind_of(stat) {
        FileType::Directory => 1 << 31,
        FileType::Symlink => 1 << 27,
        FileType::BlockDevice => 1 << 26,
        FileType::CharacterDevice => 1 << 26 | 1 << 21,
        FileType::Fifo => 1 << 25,
        FileType::Socket => 1 << 24,
        _ => 0,
    };
    let special = [(0o4000, 1 << 23), (0o2000, 1 << 22), (0o1000, 1 << 20)]
        .iter()
        .filter(|(bit, _)| mode & bit != 0)
        .fold(0, |bits, (_, bit)| bits | bit);
    kind | special | (mode & 0o777)
}

fn get(request: &Request) -> Result<Value, Failure> {
    let tree = open_root(&request.root, Access::Read)?;
    let asked = asked(&request.path);
    let (fd, stat) = open(&tree, &asked)?;
    let out = std::io::BufWriter::with_capacity(256 * 1024, std::io::stdout().lock());
    let mut emitter = Emitter::new(
        out,
        Options {
            one_file_system: request.export,
            ..Options::default()
        },
    );
    let unreadable = |errno| Failure::errno("cannot read from the container", errno).at(shown(&asked.clean));
    if request.export {
        let dir = open_listed(&fd, b"").map_err(unreadable)?;
        emitter.contents(&dir, b"")?;
    } else if kind_of(&stat) == FileType::Directory {
        // The directory itself under its base name, then what it holds.
        let top: &[u8] = if asked.name == b"/" { b"." } else { &asked.name };
        emitter.entry_as(&fd, b".", top)?;
    } else {
        let dir = open_in_root(tree.fd(), parent(&asked.clean), OFlags::PATH | OFlags::DIRECTORY)
            .map_err(unreadable)?;
        emitter.entry_as(&dir, base(&asked.clean), &asked.name)?;
    }
    let usage = emitter.usage;
    emitter
        .finish()?
        .flush()
        .map_err(|error| Failure::new(Kind::Internal, format!("cannot write the archive: {error}")))?;
    Ok(json!({ "bytes": usage }))
}

fn put(request: &Request) -> Result<Value, Failure> {
    let tree = open_root(&request.root, Access::Write)?;
    let asked = asked(&request.path);
    let dir = resolve(tree.fd(), &asked.clean)?;
    let not_dir = |errno| {
        Failure::errno(
            "the destination must be an existing directory of the container",
            errno,
        )
        .at(shown(&asked.clean))
    };
    open_in_root(tree.fd(), &dir, OFlags::PATH | OFlags::DIRECTORY).map_err(not_dir)?;
    let owner = match &request.owner {
        Some(spec) => Some(user::resolve(tree.fd(), spec)?),
        None => None,
    };
    let policy = Policy {
        keep_types: request.no_overwrite_dir_non_dir,
        owner,
        limits: request.limits.unwrap_or_default(),
        ..Policy::default()
    };
    let mut reader = Reader::new(TarStream::start(
        layer::standard_input()?,
        policy.limits.bytes,
        None,
    ));
    let mut extractor = Extractor::new(tree.fd(), &dir, policy);
    extractor.run(&mut reader)?;
    reader.into_inner().finish()?;
    Ok(json!({
        "entries": extractor.tally.entries,
        "bytes": extractor.tally.bytes,
        "skippedDevices": extractor.tally.skipped_devices,
    }))
}
