//! Reads a tar stream entry by entry: v7, ustar, GNU and pax. Never trusts a length: extended headers
//! are bounded, and a stream that ends early is an error.

use crate::error::{Failure, Kind as ErrorKind};
use crate::layer::tar::pax::{Extended, decimal, header_number, header_size, id};
use crate::layer::tar::sparse::{Map, bad};
use crate::layer::tar::{BLOCK, Head, Kind};
use std::io::{BufRead, ErrorKind as IoKind};

/// The largest extended header or long name, as in Go's archive/tar.
const MAX_EXTENDED: u64 = 1 << 20;

pub struct Reader<R> {
    input: R,
    /// Data of the current entry not yet read, and its padding.
    left: u64,
    padding: u64,
    ended: bool,
}

/// A failed read: what the stream says is wrong, or that it stops.
pub fn broken(error: &std::io::Error) -> Failure {
    match error.kind() {
        IoKind::UnexpectedEof => Failure::new(ErrorKind::Invalid, "the archive is truncated"),
        IoKind::InvalidData | IoKind::InvalidInput | IoKind::Other => {
            Failure::new(ErrorKind::Invalid, format!("the archive is refused: {error}"))
        }
        _ => match error.raw_os_error() {
            Some(code) => Failure::errno(
                "cannot read the archive",
                rustix::io::Errno::from_raw_os_error(code),
            ),
            None => Failure::new(ErrorKind::Invalid, format!("cannot read the archive: {error}")),
        },
    }
}

fn truncated() -> Failure {
    Failure::new(ErrorKind::Invalid, "the archive is truncated")
}

impl<R: BufRead> Reader<R> {
    pub fn new(input: R) -> Self {
        Self {
            input,
            left: 0,
            padding: 0,
            ended: false,
        }
    }

    /// The stream, after the last entry.
    pub fn into_inner(self) -> R {
        self.input
    }

    /// Whether the two zero blocks of the end were seen.
    pub fn saw_end(&self) -> bool {
        self.ended
    }

    /// The next piece of the current entry's data, at most `limit` bytes, through `take`; false at the end.
    pub fn data(
        &mut self,
        limit: u64,
        take: &mut dyn FnMut(&[u8]) -> Result<(), Failure>,
    ) -> Result<bool, Failure> {
        let want = self.left.min(limit);
        if want == 0 {
            return Ok(false);
        }
        let chunk = self.input.fill_buf().map_err(|error| broken(&error))?;
        if chunk.is_empty() {
            return Err(truncated());
        }
        let length = usize::try_from(want).map_or(chunk.len(), |want| want.min(chunk.len()));
        take(&chunk[..length])?;
        self.input.consume(length);
        self.left -= length as u64;
        Ok(true)
    }

    fn skip(&mut self, mut count: u64) -> Result<(), Failure> {
        while count > 0 {
            let length = self.input.fill_buf().map_err(|error| broken(&error))?.len();
            if length == 0 {
                return Err(truncated());
            }
            let step = usize::try_from(count).map_or(length, |count| count.min(length));
            self.input.consume(step);
            count -= step as u64;
        }
        Ok(())
    }

    /// One block; false when the stream ends exactly here.
    fn block(&mut self, block: &mut [u8; BLOCK]) -> Result<bool, Failure> {
        let mut filled = 0;
        while filled < BLOCK {
            let chunk = self.input.fill_buf().map_err(|error| broken(&error))?;
            if chunk.is_empty() {
                return if filled == 0 { Ok(false) } else { Err(truncated()) };
            }
            let length = chunk.len().min(BLOCK - filled);
            block[filled..filled + length].copy_from_slice(&chunk[..length]);
            self.input.consume(length);
            filled += length;
        }
        Ok(true)
    }

    fn extended(&mut self, size: u64) -> Result<Vec<u8>, Failure> {
        if size > MAX_EXTENDED {
            return Err(bad("an extended header of more than 1 MiB"));
        }
        let mut data = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
        self.left = size;
        while self.data(u64::MAX, &mut |chunk| {
            data.extend_from_slice(chunk);
            Ok(())
        })? {}
        self.skip(padding(size))?;
        Ok(data)
    }

    /// Reads the next entry into `head`; false at the end of the archive.
    pub fn next(&mut self, head: &mut Head) -> Result<bool, Failure> {
        self.skip(self.left + self.padding)?;
        self.left = 0;
        self.padding = 0;
        let mut extended = Extended::default();
        let mut long_path = None;
        let mut long_link = None;
        let mut block = [0_u8; BLOCK];
        loop {
            if self.ended || !self.block(&mut block)? {
                return Ok(false);
            }
            if block.iter().all(|byte| *byte == 0) {
                let more = self.block(&mut block)?;
                if more && block.iter().any(|byte| *byte != 0) {
                    return Err(bad("data after a zero block"));
                }
                self.ended = true;
                return Ok(false);
            }
            check_sum(&block)?;
            let size = header_size(&block[124..136])?;
            match block[156] {
                b'x' => extended = Extended::parse(&self.extended(size)?)?,
                b'g' => drop(self.extended(size)?),
                b'L' => long_path = Some(until_nul(&self.extended(size)?).to_vec()),
                b'K' => long_link = Some(until_nul(&self.extended(size)?).to_vec()),
                b'V' => self.skip(size + padding(size))?,
                _ => break,
            }
        }
        head.clear();
        parse_header(&block, head)?;
        if let Some(path) = long_path {
            head.path = path;
        }
        if let Some(link) = long_link {
            head.link = link;
        }
        let sparse = extended.sparse.clone();
        extended.apply(head);
        self.begin(&block, head, &sparse)?;
        Ok(true)
    }

    /// Settles kind and size, and reads what stands between the header and the data.
    fn begin(
        &mut self,
        block: &[u8; BLOCK],
        head: &mut Head,
        sparse: &crate::layer::tar::pax::SparseKeys,
    ) -> Result<(), Failure> {
        head.kind = match block[156] {
            b'0' | 0 | b'7' if head.path.ends_with(b"/") => Kind::Dir,
            b'0' | 0 | b'7' | b'S' => Kind::File,
            b'1' => Kind::HardLink,
            b'2' => Kind::Symlink,
            b'3' => Kind::Char,
            b'4' => Kind::Block,
            b'5' => Kind::Dir,
            b'6' => Kind::Fifo,
            other => {
                let kind = char::from(other).escape_default().to_string();
                return Err(bad(&format!("an entry of unknown type '{kind}'")));
            }
        };
        if head.kind != Kind::File {
            head.size = 0;
        }
        self.left = head.size;
        self.padding = padding(head.size);
        if block[156] == b'S' {
            head.sparse = Some(self.old_gnu_map(block)?);
        } else if let Some(map) = sparse.map().filter(|_| head.kind == Kind::File) {
            head.sparse = Some(map);
            if sparse.major == 1 {
                self.leading_map(head)?;
            }
        }
        if let Some(map) = &head.sparse {
            map.check(head.size)?;
        }
        Ok(())
    }

    fn old_gnu_map(&mut self, block: &[u8; BLOCK]) -> Result<Map, Failure> {
        let mut map = Map {
            size: header_size(&block[483..495])?,
            segments: Vec::new(),
        };
        take_segments(&mut map, &block[386..482])?;
        let mut more = block[482] != 0;
        let mut extra = [0_u8; BLOCK];
        while more {
            if !self.block(&mut extra)? {
                return Err(truncated());
            }
            take_segments(&mut map, &extra[..504])?;
            more = extra[504] != 0;
        }
        Ok(map)
    }

    /// Form 1.0: decimal numbers, one a line, padded to a block, before the data.
    fn leading_map(&mut self, head: &mut Head) -> Result<(), Failure> {
        let mut block = [0_u8; BLOCK];
        let mut line: Vec<u8> = Vec::new();
        let mut numbers: Vec<u64> = Vec::new();
        let mut wanted = None;
        while wanted.is_none_or(|wanted| numbers.len() < wanted) {
            if self.left < BLOCK as u64 || !self.block(&mut block)? {
                return Err(bad("a sparse map that is cut short"));
            }
            self.left -= BLOCK as u64;
            for byte in block {
                match byte {
                    b'\n' if wanted.is_none() => {
                        let count = usize::try_from(decimal(&line)?).unwrap_or(usize::MAX);
                        if count > super::sparse::MAX_SEGMENTS {
                            return Err(bad("a sparse file with too many segments"));
                        }
                        wanted = Some(count * 2);
                        line.clear();
                    }
                    b'\n' => {
                        numbers.push(decimal(&line)?);
                        line.clear();
                    }
                    _ => line.push(byte),
                }
                if wanted.is_some_and(|wanted| numbers.len() >= wanted) {
                    break;
                }
                if line.len() > 20 {
                    return Err(bad("a malformed sparse map"));
                }
            }
        }
        head.size = self.left;
        if let Some(map) = head.sparse.as_mut() {
            for pair in numbers.chunks_exact(2) {
                map.push(pair[0], pair[1])?;
            }
        }
        Ok(())
    }
}

pub fn padding(size: u64) -> u64 {
    (BLOCK as u64 - size % BLOCK as u64) % BLOCK as u64
}

pub fn until_nul(field: &[u8]) -> &[u8] {
    field
        .iter()
        .position(|byte| *byte == 0)
        .map_or(field, |at| &field[..at])
}

/// The header's own sum, taken over unsigned or (old tars) signed bytes.
pub fn check_sum(block: &[u8; BLOCK]) -> Result<(), Failure> {
    let stated = header_number(&block[148..156])?;
    let mut unsigned = 8 * 32_i64;
    let mut signed = 8 * 32_i64;
    for (at, byte) in block.iter().enumerate() {
        if !(148..156).contains(&at) {
            unsigned += i64::from(*byte);
            signed += i64::from(byte.cast_signed());
        }
    }
    if stated == unsigned || stated == signed {
        Ok(())
    } else {
        Err(bad("a header whose check sum is wrong"))
    }
}

fn take_segments(map: &mut Map, fields: &[u8]) -> Result<(), Failure> {
    for field in fields.chunks_exact(24) {
        if field[0] == 0 {
            break;
        }
        map.push(header_size(&field[..12])?, header_size(&field[12..])?)?;
    }
    Ok(())
}

fn parse_header(block: &[u8; BLOCK], head: &mut Head) -> Result<(), Failure> {
    if &block[257..263] == b"ustar\0" {
        let prefix = until_nul(&block[345..500]);
        if !prefix.is_empty() {
            head.path.extend_from_slice(prefix);
            head.path.push(b'/');
        }
    }
    head.path.extend_from_slice(until_nul(&block[..100]));
    head.link.extend_from_slice(until_nul(&block[157..257]));
    head.mode = u32::try_from(header_number(&block[100..108])? & 0o7777).unwrap_or(0);
    head.uid = id(header_size(&block[108..116])?)?;
    head.gid = id(header_size(&block[116..124])?)?;
    head.size = header_size(&block[124..136])?;
    head.mtime = (header_number(&block[136..148])?, 0);
    if matches!(block[156], b'3' | b'4') {
        head.major = id(header_size(&block[329..337])?)?;
        head.minor = id(header_size(&block[337..345])?)?;
    }
    Ok(())
}
