//! `layer diff`: the deterministic tar of an overlay's upper directory. One thread reads the tree, the
//! other hashes, compresses and writes; without an output only the digests are made, the same ones.

use crate::error::{Failure, Kind};
use crate::layer::emit::{Emitter, Options};
use crate::layer::ids::{self, Ids};
use crate::layer::keep::{HashedFile, PendingFile};
use crate::layer::stream::hex;
use crate::layer::tree::root::open_dir;
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::io::{Result as IoResult, Write};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

const CHUNK: usize = 256 * 1024;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    dir: PathBuf,
    out: Option<PathBuf>,
    #[serde(default)]
    compress: Compress,
    source_date_epoch: Option<i64>,
    /// Owners as a container of this map sees them.
    ids: Option<Ids>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Compress {
    #[default]
    None,
    Gzip,
    Zstd,
}

/// The gathering end of the pipe between the two threads.
struct Chunks {
    send: SyncSender<Vec<u8>>,
    chunk: Vec<u8>,
}

impl Chunks {
    fn pass_on(&mut self) -> IoResult<()> {
        let full = std::mem::replace(&mut self.chunk, Vec::with_capacity(CHUNK));
        self.send
            .send(full)
            .map_err(|_| std::io::Error::other("the writing thread has stopped"))
    }
}

impl Write for Chunks {
    fn write(&mut self, data: &[u8]) -> IoResult<usize> {
        self.chunk.extend_from_slice(data);
        if self.chunk.len() >= CHUNK {
            self.pass_on()?;
        }
        Ok(data.len())
    }

    fn flush(&mut self) -> IoResult<()> {
        self.pass_on()
    }
}

/// Where the blob goes besides its hash.
enum Output {
    Hash(HashedFile),
    Stdout(HashedFile, std::io::Stdout),
}

impl Write for Output {
    fn write(&mut self, data: &[u8]) -> IoResult<usize> {
        match self {
            Self::Hash(file) => file.write(data),
            Self::Stdout(file, out) => {
                out.write_all(data)?;
                file.write(data)
            }
        }
    }

    fn flush(&mut self) -> IoResult<()> {
        Ok(())
    }
}

enum Encoder {
    None(Output),
    Gzip(flate2::write::GzEncoder<Output>),
    Zstd(zstd::stream::write::Encoder<'static, Output>),
}

struct Made {
    diff_id: String,
    diff_size: u64,
    output: Output,
}

fn encode(receive: &Receiver<Vec<u8>>, output: Output, compress: Compress) -> IoResult<Made> {
    let mut hash = Sha256::new();
    let mut diff_size = 0;
    let mut encoder = match compress {
        Compress::None => Encoder::None(output),
        Compress::Gzip => Encoder::Gzip(flate2::write::GzEncoder::new(output, flate2::Compression::new(6))),
        Compress::Zstd => Encoder::Zstd(zstd::stream::write::Encoder::new(output, 3)?),
    };
    for chunk in receive {
        hash.update(&chunk);
        diff_size += chunk.len() as u64;
        match &mut encoder {
            Encoder::None(output) => output.write_all(&chunk)?,
            Encoder::Gzip(encoder) => encoder.write_all(&chunk)?,
            Encoder::Zstd(encoder) => encoder.write_all(&chunk)?,
        }
    }
    let output = match encoder {
        Encoder::None(output) => output,
        Encoder::Gzip(encoder) => encoder.finish()?,
        Encoder::Zstd(encoder) => encoder.finish()?,
    };
    Ok(Made {
        diff_id: hex(&hash.finalize()),
        diff_size,
        output,
    })
}

pub fn run(request: &Request, to_stdout: bool) -> Result<Value, Failure> {
    let unwritable = |error: std::io::Error| match error.raw_os_error() {
        Some(code) => Failure::errno(
            "cannot write the layer",
            rustix::io::Errno::from_raw_os_error(code),
        ),
        None => Failure::new(Kind::Internal, format!("cannot write the layer: {error}")),
    };
    if let Some(ids) = request.ids {
        ids::enter(ids)?;
    }
    let dir = open_dir(&request.dir)?;
    let file = HashedFile::new(request.out.as_deref().map(PendingFile::create).transpose()?);
    let output = if to_stdout {
        Output::Stdout(file, std::io::stdout())
    } else {
        Output::Hash(file)
    };
    let (send, receive) = sync_channel(4);
    let compress = request.compress;
    let writer = std::thread::spawn(move || encode(&receive, output, compress));
    let mut emitter = Emitter::new(
        Chunks {
            send,
            chunk: Vec::with_capacity(CHUNK),
        },
        Options {
            layer: true,
            latest: request.source_date_epoch,
            one_file_system: false,
        },
    );
    let read = emitter.contents(&dir, b"");
    let usage = emitter.usage;
    let read = match read {
        Ok(()) => emitter
            .finish()
            .and_then(|mut chunks| chunks.flush().map_err(unwritable)),
        // Dropping the emitter ends the other thread; the unfinished file has no name.
        Err(failure) => {
            drop(emitter);
            Err(failure)
        }
    };
    let made = writer
        .join()
        .map_err(|_| Failure::new(Kind::Internal, "the writing thread failed"))?
        .map_err(unwritable)?;
    read?;
    let file = match made.output {
        Output::Hash(file) => file,
        Output::Stdout(file, mut out) => {
            out.flush().map_err(unwritable)?;
            file
        }
    };
    let (digest, size) = file.finish().map_err(unwritable)?;
    Ok(json!({
        "diffId": made.diff_id,
        "diffSize": made.diff_size,
        "digest": digest,
        "size": size,
        "usage": usage,
    }))
}
