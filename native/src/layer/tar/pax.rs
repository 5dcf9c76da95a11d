//! Pax extended headers (POSIX.1-2001 pax, "pax Extended Header") and the numbers of ustar headers.

use crate::error::Failure;
use crate::layer::tar::Head;
use crate::layer::tar::sparse::{Map, bad};

/// What an extended header says about the entry that follows.
#[derive(Debug, Default, Clone)]
pub struct Extended {
    pub path: Option<Vec<u8>>,
    pub link: Option<Vec<u8>>,
    pub size: Option<u64>,
    uid: Option<u32>,
    gid: Option<u32>,
    mtime: Option<(i64, u32)>,
    xattrs: Vec<(Vec<u8>, Vec<u8>)>,
    pub sparse: SparseKeys,
}

/// GNU.sparse.* as found.
#[derive(Debug, Default, Clone)]
pub struct SparseKeys {
    pub major: u64,
    present: bool,
    pub name: Option<Vec<u8>>,
    real_size: Option<u64>,
    map: Map,
    pending: Option<u64>,
}

impl Extended {
    /// Reads `LEN KEY=VALUE\n` records.
    pub fn parse(mut data: &[u8]) -> Result<Self, Failure> {
        let mut found = Self::default();
        while !data.is_empty() {
            if data.iter().all(|byte| *byte == 0) {
                break;
            }
            let space = data
                .iter()
                .take(20)
                .position(|byte| *byte == b' ')
                .ok_or_else(malformed)?;
            let length = usize::try_from(decimal(&data[..space])?).map_err(|_| malformed())?;
            if length <= space + 1 || length > data.len() || data[length - 1] != b'\n' {
                return Err(malformed());
            }
            let record = &data[space + 1..length - 1];
            let equals = record
                .iter()
                .position(|byte| *byte == b'=')
                .ok_or_else(malformed)?;
            found.take(&record[..equals], &record[equals + 1..])?;
            data = &data[length..];
        }
        Ok(found)
    }

    fn take(&mut self, key: &[u8], value: &[u8]) -> Result<(), Failure> {
        match key {
            b"path" => self.path = Some(value.to_vec()),
            b"linkpath" => self.link = Some(value.to_vec()),
            b"size" => self.size = Some(decimal(value)?),
            b"uid" => self.uid = Some(id(decimal(value)?)?),
            b"gid" => self.gid = Some(id(decimal(value)?)?),
            b"mtime" => self.mtime = Some(seconds(value)?),
            _ => {
                if let Some(name) = key.strip_prefix(b"SCHILY.xattr.") {
                    self.xattrs.push((name.to_vec(), value.to_vec()));
                } else if let Some(name) = key.strip_prefix(b"GNU.sparse.") {
                    self.sparse.take(name, value)?;
                }
            }
        }
        Ok(())
    }

    /// Lays the extended values over those of the ustar header.
    pub fn apply(self, head: &mut Head) {
        if let Some(path) = self.path {
            head.path = path;
        }
        if let Some(link) = self.link {
            head.link = link;
        }
        if let Some(size) = self.size {
            head.size = size;
        }
        if let Some(uid) = self.uid {
            head.uid = uid;
        }
        if let Some(gid) = self.gid {
            head.gid = gid;
        }
        if let Some(mtime) = self.mtime {
            head.mtime = mtime;
        }
        head.xattrs.extend(self.xattrs);
        if let Some(name) = self.sparse.name {
            head.path = name;
        }
    }
}

impl SparseKeys {
    fn take(&mut self, key: &[u8], value: &[u8]) -> Result<(), Failure> {
        self.present = true;
        match key {
            b"major" => self.major = decimal(value)?,
            b"name" => self.name = Some(value.to_vec()),
            b"realsize" | b"size" => self.real_size = Some(decimal(value)?),
            b"offset" => self.pending = Some(decimal(value)?),
            b"numbytes" => {
                let offset = self.pending.take().ok_or_else(malformed)?;
                self.map.push(offset, decimal(value)?)?;
            }
            b"map" if !value.is_empty() => {
                let mut numbers = value.split(|byte| *byte == b',');
                while let Some(offset) = numbers.next() {
                    let length = numbers.next().ok_or_else(malformed)?;
                    self.map.push(decimal(offset)?, decimal(length)?)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// The map of a sparse entry; of form 1.0 only the size, since its segments stand before the data.
    pub fn map(&self) -> Option<Map> {
        self.present.then(|| Map {
            size: self.real_size.unwrap_or(0),
            segments: self.map.segments.clone(),
        })
    }
}

fn malformed() -> Failure {
    bad("a malformed extended header")
}

pub fn decimal(text: &[u8]) -> Result<u64, Failure> {
    if text.is_empty() || text.len() > 20 || !text.iter().all(u8::is_ascii_digit) {
        return Err(bad("a malformed number"));
    }
    text.iter()
        .try_fold(0_u64, |sum, digit| {
            sum.checked_mul(10)?.checked_add(u64::from(digit - b'0'))
        })
        .ok_or_else(|| bad("a number out of range"))
}

pub fn id(value: u64) -> Result<u32, Failure> {
    u32::try_from(value)
        .ok()
        .filter(|id| *id != u32::MAX)
        .ok_or_else(|| bad("an owner id out of range"))
}

/// `[-]SECONDS[.FRACTION]`, to whole nanoseconds.
fn seconds(text: &[u8]) -> Result<(i64, u32), Failure> {
    let (negative, text) = text.strip_prefix(b"-").map_or((false, text), |rest| (true, rest));
    let (whole, fraction) = match text.iter().position(|byte| *byte == b'.') {
        Some(at) => (&text[..at], &text[at + 1..]),
        None => (text, &[][..]),
    };
    let whole =
        i64::try_from(decimal(if whole.is_empty() { b"0" } else { whole })?).map_err(|_| malformed())?;
    let mut nanos = 0_u32;
    for at in 0..9 {
        let digit = fraction.get(at).copied().unwrap_or(b'0');
        if !digit.is_ascii_digit() {
            return Err(malformed());
        }
        nanos = nanos * 10 + u32::from(digit - b'0');
    }
    Ok(match (negative, nanos) {
        (false, _) => (whole, nanos),
        (true, 0) => (-whole, 0),
        (true, _) => (-whole - 1, 1_000_000_000 - nanos),
    })
}

/// A number of a ustar header: octal, or base 256 when the top bit is set.
pub fn header_number(field: &[u8]) -> Result<i64, Failure> {
    if field[0] & 0x80 != 0 {
        let negative = field[0] & 0x40 != 0;
        let mut value: i64 = if negative { -1 } else { 0 };
        for (at, byte) in field.iter().enumerate() {
            let byte = if at == 0 && !negative { byte & 0x7f } else { *byte };
            value = value
                .checked_mul(256)
                .map(|shifted| shifted | i64::from(byte))
                .ok_or_else(|| bad("a number out of range"))?;
        }
        return Ok(value);
    }
    let digits = field
        .split(|byte| *byte == 0 || *byte == b' ')
        .find(|part| !part.is_empty())
        .unwrap_or(&[]);
    digits.iter().try_fold(0_i64, |sum, digit| match digit {
        b'0'..=b'7' => sum
            .checked_mul(8)
            .map(|shifted| shifted + i64::from(digit - b'0'))
            .ok_or_else(|| bad("a number out of range")),
        _ => Err(bad("a malformed number in a header")),
    })
}

pub fn header_size(field: &[u8]) -> Result<u64, Failure> {
    u64::try_from(header_number(field)?).map_err(|_| bad("a negative size"))
}
