//! Sparse files in tar: the old GNU form and the three pax forms of GNU tar (info tar, "Storing Sparse
//! Files"). A map is checked before anything is written by it.

use crate::error::{Failure, Kind};

/// More segments than this are taken for an attack.
pub const MAX_SEGMENTS: usize = 1 << 20;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Map {
    /// The size of the whole file.
    pub size: u64,
    /// Offset and length of each piece of data, ascending.
    pub segments: Vec<(u64, u64)>,
}

pub fn bad(message: &str) -> Failure {
    Failure::new(Kind::Invalid, format!("not a valid tar archive: {message}"))
}

impl Map {
    pub fn push(&mut self, offset: u64, length: u64) -> Result<(), Failure> {
        if self.segments.len() >= MAX_SEGMENTS {
            return Err(bad("a sparse file with too many segments"));
        }
        self.segments.push((offset, length));
        Ok(())
    }

    /// Ascending, inside the file, and as much data as the archive holds.
    pub fn check(&self, data: u64) -> Result<(), Failure> {
        let mut end = 0_u64;
        let mut total = 0_u64;
        for (offset, length) in &self.segments {
            let next = offset.checked_add(*length);
            match next {
                Some(next) if *offset >= end && next <= self.size => end = next,
                _ => return Err(bad("a sparse map out of order or out of bounds")),
            }
            total += length;
        }
        if total == data && i64::try_from(self.size).is_ok() {
            Ok(())
        } else {
            Err(bad("a sparse map that does not fit its data"))
        }
    }
}
