//! Writes tar: ustar headers, with a pax header only where ustar cannot say it. The bytes follow from
//! the entry alone and are fixed for ever, because layer digests depend on them.

use crate::layer::tar::read::padding;
use crate::layer::tar::{BLOCK, Head, Kind};
use std::io::{Result, Write};

const ZEROS: [u8; BLOCK] = [0; BLOCK];

/// Writes the headers of an entry; `head.size` bytes of data and `pad` must follow.
pub fn write_head<W: Write>(out: &mut W, head: &Head) -> Result<()> {
    let mut records: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
    extend(head, &mut records);
    if !records.is_empty() {
        records.sort();
        let mut body = Vec::new();
        for (key, value) in &records {
            push_record(&mut body, key, value);
        }
        let mut name = b"PaxHeaders.0/".to_vec();
        let base = crate::layer::tree::beneath::base(head.path.strip_suffix(b"/").unwrap_or(&head.path));
        name.extend_from_slice(&base[..base.len().min(80)]);
        let about = Head {
            path: name,
            mode: 0o644,
            size: body.len() as u64,
            ..Head::default()
        };
        out.write_all(&header(&about, b'x'))?;
        out.write_all(&body)?;
        pad(out, body.len() as u64)?;
    }
    out.write_all(&header(head, type_flag(head.kind)))
}

pub fn pad<W: Write>(out: &mut W, size: u64) -> Result<()> {
    let length = usize::try_from(padding(size)).unwrap_or(0);
    out.write_all(&ZEROS[..length])
}

/// The two zero blocks.
pub fn finish<W: Write>(out: &mut W) -> Result<()> {
    out.write_all(&ZEROS)?;
    out.write_all(&ZEROS)
}

const fn type_flag(kind: Kind) -> u8 {
    match kind {
        Kind::File => b'0',
        Kind::HardLink => b'1',
        Kind::Symlink => b'2',
        Kind::Char => b'3',
        Kind::Block => b'4',
        Kind::Dir => b'5',
        Kind::Fifo => b'6',
    }
}

const MAX_ID: u32 = 0o7_777_777;
const MAX_SIZE: u64 = 0o77_777_777_777;

fn extend(head: &Head, records: &mut Vec<(Vec<u8>, Vec<u8>)>) {
    let mut add = |key: &[u8], value: Vec<u8>| records.push((key.to_vec(), value));
    if head.path.len() > 100 {
        add(b"path", head.path.clone());
    }
    if head.link.len() > 100 {
        add(b"linkpath", head.link.clone());
    }
    if head.uid > MAX_ID {
        add(b"uid", head.uid.to_string().into_bytes());
    }
    if head.gid > MAX_ID {
        add(b"gid", head.gid.to_string().into_bytes());
    }
    if head.size > MAX_SIZE {
        add(b"size", head.size.to_string().into_bytes());
    }
    let (seconds, nanos) = head.mtime;
    if nanos != 0 || !u64::try_from(seconds).is_ok_and(|seconds| seconds <= MAX_SIZE) {
        add(b"mtime", time_text(head.mtime).into_bytes());
    }
    for (name, value) in &head.xattrs {
        let mut key = b"SCHILY.xattr.".to_vec();
        key.extend_from_slice(name);
        add(&key, value.clone());
    }
}

/// Decimal seconds, without trailing zeros of the fraction.
fn time_text((seconds, nanos): (i64, u32)) -> String {
    let (sign, whole, fraction) = match (seconds < 0, nanos) {
        (false, nanos) => ("", seconds.unsigned_abs(), nanos),
        (true, 0) => ("-", seconds.unsigned_abs(), 0),
        (true, nanos) => ("-", (seconds + 1).unsigned_abs(), 1_000_000_000 - nanos),
    };
    if fraction == 0 {
        return format!("{sign}{whole}");
    }
    let digits = format!("{fraction:09}");
    format!("{sign}{whole}.{}", digits.trim_end_matches('0'))
}

/// `LEN KEY=VALUE\n`, where LEN counts itself.
fn push_record(out: &mut Vec<u8>, key: &[u8], value: &[u8]) {
    let rest = key.len() + value.len() + 3;
    let mut total = rest + decimal_digits(rest);
    if decimal_digits(total) != decimal_digits(rest) {
        total = rest + decimal_digits(total);
    }
    out.extend_from_slice(format!("{total} ").as_bytes());
    out.extend_from_slice(key);
    out.push(b'=');
    out.extend_from_slice(value);
    out.push(b'\n');
}

fn decimal_digits(mut value: usize) -> usize {
    let mut digits = 1;
    while value >= 10 {
        value /= 10;
        digits += 1;
    }
    digits
}

fn header(head: &Head, flag: u8) -> [u8; BLOCK] {
    let mut block = [0_u8; BLOCK];
    put(&mut block[..100], &head.path);
    octal(&mut block[100..108], u64::from(head.mode & 0o7777));
    octal(
        &mut block[108..116],
        if head.uid > MAX_ID { 0 } else { u64::from(head.uid) },
    );
    octal(
        &mut block[116..124],
        if head.gid > MAX_ID { 0 } else { u64::from(head.gid) },
    );
    octal(
        &mut block[124..136],
        if head.size > MAX_SIZE { 0 } else { head.size },
    );
    octal(
        &mut block[136..148],
        u64::try_from(head.mtime.0)
            .ok()
            .filter(|seconds| *seconds <= MAX_SIZE)
            .unwrap_or(0),
    );
    block[148..156].fill(b' ');
    block[156] = flag;
    put(&mut block[157..257], &head.link);
    block[257..265].copy_from_slice(b"ustar\x0000");
    octal(&mut block[329..337], u64::from(head.major.min(MAX_ID)));
    octal(&mut block[337..345], u64::from(head.minor.min(MAX_ID)));
    let sum: u64 = block.iter().map(|byte| u64::from(*byte)).sum();
    octal(&mut block[148..155], sum);
    block
}

fn put(field: &mut [u8], value: &[u8]) {
    let length = value.len().min(field.len());
    field[..length].copy_from_slice(&value[..length]);
}

/// Octal digits with leading zeros and a final NUL.
fn octal(field: &mut [u8], mut value: u64) {
    let last = field.len() - 1;
    field[last] = 0;
    for digit in field[..last].iter_mut().rev() {
        *digit = b'0' + u8::try_from(value & 7).unwrap_or(0);
        value >>= 3;
    }
}
