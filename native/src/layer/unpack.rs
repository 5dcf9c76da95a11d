//! `layer unpack`: one pass over a stream that unpacks, hashes blob and tar and may keep the blob. When
//! it fails the directory is empty again and no file has appeared.

use crate::error::{Failure, Kind};
use crate::layer::extract::Extractor;
use crate::layer::keep::KeptFile;
use crate::layer::policy::{IdMap, Limits, Policy};
use crate::layer::stream::{Compression, TarStream};
use crate::layer::tar::read::Reader;
use crate::layer::tree::remove::empty;
use crate::layer::tree::root::open_dir;
use crate::layer::tree::walk::Listing;
use rustix::fd::{AsFd, OwnedFd};
use serde::Deserialize;
use serde_json::{Value, json};
use std::io::Read;
use std::path::PathBuf;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    dir: PathBuf,
    form: Form,
    keep: Option<PathBuf>,
    expect_digest: Option<String>,
    expect_diff_id: Option<String>,
    limits: Option<Limits>,
    id_map: Option<IdMap>,
    /// Sync the file system of the directory before the answer.
    #[serde(default)]
    sync: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Form {
    Overlay,
    Plain,
}

pub fn run<R: Read + Send + 'static>(request: &Request, input: R) -> Result<Value, Failure> {
    let dir = open_dir(&request.dir)?;
    let filled = !Listing::read(&dir)
        .map_err(|errno| Failure::errno("cannot read the directory", errno).at(&request.dir))?
        .is_empty();
    if filled && request.form == Form::Overlay {
        return Err(
            Failure::new(Kind::Conflict, "a layer is only unpacked into an empty directory").at(&request.dir),
        );
    }
    let result = unpack(request, &dir, input);
    if result.is_err() && !filled {
        empty(&dir)
            .map_err(|errno| Failure::errno("cannot empty the directory again", errno).at(&request.dir))?;
    }
    result
}

fn unpack<R: Read + Send + 'static>(request: &Request, dir: &OwnedFd, input: R) -> Result<Value, Failure> {
    let keep = request.keep.as_deref().map(KeptFile::create).transpose()?;
    let policy = Policy {
        overlay: request.form == Form::Overlay,
        lenient_owners: request.form == Form::Plain,
        id_map: request.id_map.clone(),
        limits: request.limits.unwrap_or_default(),
        ..Policy::default()
    };
    let mut reader = Reader::new(TarStream::start(input, policy.limits.bytes, keep));
    let mut extractor = Extractor::new(dir.as_fd(), b"", policy);
    extractor.run(&mut reader)?;
    let whole = reader.saw_end() || request.expect_digest.is_some() || request.expect_diff_id.is_some();
    let (diff_id, diff_size, blob) = reader.into_inner().finish()?;
    if diff_size == 0 || (!whole && request.form == Form::Overlay) {
        return Err(Failure::new(
            Kind::Invalid,
            "the archive is truncated: its end mark is missing",
        ));
    }
    let digest = blob.digest.unwrap_or_else(|| diff_id.clone());
    check("blob", request.expect_digest.as_deref(), &digest)?;
    check("diff id", request.expect_diff_id.as_deref(), &diff_id)?;
    let written = |error: std::io::Error| {
        let failure = Failure::new(Kind::Unavailable, format!("cannot keep the blob: {error}"));
        match &request.keep {
            Some(path) => failure.at(path),
            None => failure,
        }
    };
    if request.sync {
        rustix::fs::syncfs(dir).map_err(|errno| Failure::errno("cannot sync", errno).at(&request.dir))?;
    }
    let kept = match blob.kept {
        None => Value::Null,
        Some(file) => {
            let (digest, size) = file.finish().map_err(written)?;
            let media_type = match blob.compression {
                Compression::Gzip => "application/vnd.oci.image.layer.v1.tar+gzip",
                Compression::Zstd | Compression::None => "application/vnd.oci.image.layer.v1.tar+zstd",
            };
            json!({ "digest": digest, "size": size, "mediaType": media_type })
        }
    };
    Ok(json!({
        "digest": digest,
        "size": blob.size,
        "diffId": diff_id,
        "diffSize": diff_size,
        "entries": extractor.tally.entries,
        "usage": extractor.tally.bytes,
        "skippedDevices": extractor.tally.skipped_devices,
        "kept": kept,
    }))
}

fn check(what: &str, expected: Option<&str>, found: &str) -> Result<(), Failure> {
    match expected {
        Some(expected) if expected != found => Err(Failure::new(
            Kind::Invalid,
            format!("the {what} has the wrong digest: expected {expected}, found {found}"),
        )),
        _ => Ok(()),
    }
}
