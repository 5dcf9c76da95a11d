//! `init -- CMD…`: a tiny pid 1.
use crate::error::{Failure, Kind};
use std::ffi::OsString;
use std::process::ExitCode;

pub fn main(_args: Vec<OsString>) -> Result<ExitCode, Failure> {
    Err(Failure::new(Kind::NotImplemented, "not built yet"))
}
