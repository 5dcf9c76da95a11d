//! From a compressed stream to tar bytes: one thread reads, hashes, keeps and decompresses, the other
//! (the caller) hashes the tar and uses it, a few large buffers apart.

use crate::error::{Failure, Kind};
use crate::layer::keep::{HashedFile, KeptFile};
use sha2::{Digest, Sha256};
use std::io::{BufRead, BufReader, Read, Write};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::JoinHandle;

const CHUNK: usize = 256 * 1024;
const CHUNKS_AHEAD: usize = 8;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    None,
    Gzip,
    Zstd,
}

/// What the first bytes of a stream say.
pub enum Magic {
    Known(Compression),
    /// A form that is recognised but not built in: its name.
    Other(&'static str),
}

pub fn magic(start: &[u8]) -> Magic {
    match start {
        [0x1f, 0x8b, ..] => Magic::Known(Compression::Gzip),
        [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Magic::Known(Compression::Zstd),
        [b'B', b'Z', b'h', ..] => Magic::Other("bzip2"),
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Magic::Other("xz"),
        _ => Magic::Known(Compression::None),
    }
}

pub fn hex(digest: &[u8]) -> String {
    let mut text = String::with_capacity(7 + digest.len() * 2);
    text.push_str("sha256:");
    for byte in digest {
        for nibble in [byte >> 4, byte & 15] {
            text.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
        }
    }
    text
}

/// The blob as it came.
pub struct Blob {
    pub digest: Option<String>,
    pub size: u64,
    pub compression: Compression,
    /// The stored blob, complete but without its name yet.
    pub kept: Option<HashedFile>,
}

/// The reading half: passes bytes on, counts, hashes and keeps them.
struct Tee<R> {
    input: R,
    hash: Option<Sha256>,
    size: u64,
    keep: Option<KeptFile>,
}

impl<R: Read> Read for Tee<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let length = self.input.read(buffer)?;
        let data = &buffer[..length];
        self.size += length as u64;
        if let Some(hash) = &mut self.hash {
            hash.update(data);
        }
        if let Some(keep) = &mut self.keep {
            keep.write_all(data)?;
        }
        Ok(length)
    }
}

type Chunk = std::io::Result<Vec<u8>>;

/// The tar bytes of a stream, for the one who unpacks them.
pub struct TarStream {
    chunks: Receiver<Chunk>,
    spare: Sender<Vec<u8>>,
    chunk: Vec<u8>,
    at: usize,
    hash: Sha256,
    pub size: u64,
    limit: u64,
    reader: JoinHandle<std::io::Result<Blob>>,
}

impl TarStream {
    /// Starts the reading thread. More than `limit` tar bytes are an error. `keep` gets the blob.
    pub fn start<R: Read + Send + 'static>(input: R, limit: u64, keep: Option<KeptFile>) -> Self {
        let (send, chunks) = sync_channel(CHUNKS_AHEAD);
        let (spare, reuse) = channel();
        let reader = std::thread::spawn(move || read_blob(input, keep, &send, &reuse));
        Self {
            chunks,
            spare,
            chunk: Vec::new(),
            at: 0,
            hash: Sha256::new(),
            size: 0,
            limit,
            reader,
        }
    }

    fn receive(&mut self) -> std::io::Result<()> {
        // The reader may be gone already.
        let _unsent = self.spare.send(std::mem::take(&mut self.chunk));
        self.at = 0;
        match self.chunks.recv() {
            Ok(chunk) => {
                self.chunk = chunk?;
                self.hash.update(&self.chunk);
                self.size += self.chunk.len() as u64;
                if self.size > self.limit {
                    let message = format!("it is larger than the limit of {} bytes", self.limit);
                    return Err(std::io::Error::new(std::io::ErrorKind::InvalidData, message));
                }
                Ok(())
            }
            Err(_) => Ok(()),
        }
    }

    /// Reads to the end and gives the tar's digest and the blob.
    pub fn finish(mut self) -> Result<(String, u64, Blob), Failure> {
        loop {
            let length = self
                .fill_buf()
                .map_err(|error| crate::layer::tar::read::broken(&error))?
                .len();
            if length == 0 {
                break;
            }
            self.consume(length);
        }
        let blob = self
            .reader
            .join()
            .map_err(|_| Failure::new(Kind::Internal, "the reading thread failed"))?
            .map_err(|error| crate::layer::tar::read::broken(&error))?;
        Ok((hex(&self.hash.finalize()), self.size, blob))
    }
}

impl BufRead for TarStream {
    fn fill_buf(&mut self) -> std::io::Result<&[u8]> {
        if self.at >= self.chunk.len() {
            self.receive()?;
        }
        Ok(&self.chunk[self.at..])
    }

    fn consume(&mut self, amount: usize) {
        self.at = (self.at + amount).min(self.chunk.len());
    }
}

impl Read for TarStream {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let chunk = self.fill_buf()?;
        let length = chunk.len().min(buffer.len());
        buffer[..length].copy_from_slice(&chunk[..length]);
        self.consume(length);
        Ok(length)
    }
}

/// A reader of what a stream holds, decompressed. Refuses forms that are not built in.
pub fn decompressor<'a, R: BufRead + 'a>(mut input: R) -> std::io::Result<(Box<dyn Read + 'a>, Compression)> {
    match magic(input.fill_buf()?) {
        Magic::Known(Compression::None) => Ok((Box::new(input), Compression::None)),
        Magic::Known(Compression::Gzip) => Ok((
            Box::new(flate2::bufread::MultiGzDecoder::new(input)),
            Compression::Gzip,
        )),
        Magic::Known(Compression::Zstd) => Ok((
            Box::new(zstd::stream::read::Decoder::with_buffer(input)?),
            Compression::Zstd,
        )),
        Magic::Other(name) => Err(std::io::Error::new(
            std::io::ErrorKind::InvalidData,
            format!("it is compressed with {name}, which is not supported: use gzip or zstd"),
        )),
    }
}

fn read_blob<R: Read>(
    input: R,
    keep: Option<KeptFile>,
    send: &SyncSender<Chunk>,
    reuse: &Receiver<Vec<u8>>,
) -> std::io::Result<Blob> {
    let tee = Tee {
        input,
        hash: None,
        size: 0,
        keep: None,
    };
    let mut input = BufReader::with_capacity(CHUNK, tee);
    let start = match input.fill_buf() {
        Ok(start) => magic(start),
        Err(error) => return forward(send, error),
    };
    let Magic::Known(compression) = start else {
        let error = decompressor(input)
            .err()
            .unwrap_or_else(|| std::io::Error::other("unknown compression"));
        return forward(send, error);
    };
    let start = input.buffer().to_vec();
    let mut keep = keep;
    let tee = input.get_mut();
    if compression == Compression::None {
        keep = keep.map(KeptFile::compressed).transpose()?;
    } else {
        tee.hash = Some(Sha256::new_with_prefix(&start));
    }
    if let Some(keep) = keep.as_mut() {
        keep.write_all(&start)?;
    }
    tee.keep = keep;
    if let Err(error) = pump(&mut input, send, reuse) {
        return forward(send, error);
    }
    // What follows the compressed data still belongs to the blob.
    std::io::copy(&mut input, &mut std::io::sink())?;
    let tee = input.into_inner();
    Ok(Blob {
        digest: tee.hash.map(|hash| hex(&hash.finalize())),
        size: tee.size,
        compression,
        kept: tee.keep.map(KeptFile::seal).transpose()?,
    })
}

/// Tells the consumer of an error and ends the thread with an empty result, which nobody sees.
fn forward(send: &SyncSender<Chunk>, error: std::io::Error) -> std::io::Result<Blob> {
    let copy = std::io::Error::new(error.kind(), error.to_string());
    // A consumer that is gone has an error of its own.
    let _unsent = send.send(Err(error));
    Err(copy)
}

fn pump<R: BufRead>(
    input: &mut R,
    send: &SyncSender<Chunk>,
    reuse: &Receiver<Vec<u8>>,
) -> std::io::Result<()> {
    let (mut tar, _) = decompressor(input)?;
    loop {
        let mut chunk = reuse.try_recv().unwrap_or_default();
        chunk.resize(CHUNK, 0);
        let mut filled = 0;
        while filled < CHUNK {
            match tar.read(&mut chunk[filled..]) {
                Ok(0) => break,
                Ok(length) => filled += length,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        chunk.truncate(filled);
        if filled == 0 {
            return Ok(());
        }
        let full = filled == CHUNK;
        if send.send(Ok(chunk)).is_err() {
            return Err(std::io::Error::other("the archive is no longer wanted"));
        }
        if !full {
            return Ok(());
        }
    }
}
