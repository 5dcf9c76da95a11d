//! The `layer` verbs: unpack, diff, hash, copy and the smaller ones. They run in the name spaces of the
//! engine, as its root; every path of an image is resolved beneath a descriptor.

mod changes;
mod copy;
mod diff;
pub mod emit;
pub mod extract;
mod hash;
pub mod ids;
mod keep;
mod pattern;
pub mod policy;
pub mod stream;
pub mod tar;
#[cfg(test)]
mod tests;
pub mod tree;
mod unpack;
pub mod user;

use crate::error::{Failure, Kind};
use crate::sys::layer as sys;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::ffi::OsString;
use std::fs::File;
use std::io::{Read, Write};
use std::process::ExitCode;

/// A longer request is refused.
const MAX_REQUEST: u64 = 64 << 20;

/// The command line after the verb: options only.
pub struct Arguments {
    pub request: Option<String>,
    pub to_stdout: bool,
}

pub fn main(mut args: Vec<OsString>) -> Result<ExitCode, Failure> {
    let verb = take_verb(
        &mut args,
        "layer unpack|diff|hash|copy|mkdir|remove|usage|changes|sync",
    )?;
    let args = arguments(args)?;
    prepare();
    let answer = match verb.as_str() {
        "unpack" => unpack::run(&inline(&args)?, standard_input()?)?,
        "diff" => {
            let answer_to = args.to_stdout.then(answer_descriptor).transpose()?;
            let answer = diff::run(&piped(&args)?, args.to_stdout)?;
            return reply(&answer, answer_to);
        }
        "hash" => hash::run(&piped(&args)?)?,
        "copy" => copy::run(&piped(&args)?)?,
        "mkdir" => tree::mkdir::run(&piped(&args)?)?,
        "remove" => tree::remove::remove(&piped(&args)?)?,
        "usage" => tree::remove::usage(&piped(&args)?)?,
        "sync" => tree::remove::sync(&piped(&args)?)?,
        "changes" => changes::run(&piped(&args)?)?,
        other => return Err(Failure::new(Kind::Invalid, format!("no verb \"layer {other}\""))),
    };
    reply(&answer, None)
}

/// What every verb needs: exact modes and many descriptors.
pub fn prepare() {
    rustix::process::umask(rustix::fs::Mode::empty());
    tree::walk::raise_descriptor_limit();
}

pub fn take_verb(args: &mut Vec<OsString>, usage: &str) -> Result<String, Failure> {
    if args.is_empty() {
        return Err(Failure::new(
            Kind::Invalid,
            format!("usage: pinnace-native {usage}"),
        ));
    }
    args.remove(0)
        .into_string()
        .map_err(|_| Failure::new(Kind::Invalid, "the verb is not UTF-8"))
}

pub fn arguments(args: Vec<OsString>) -> Result<Arguments, Failure> {
    let mut found = Arguments {
        request: None,
        to_stdout: false,
    };
    let mut args = args.into_iter();
    while let Some(arg) = args.next() {
        if arg == "--to-stdout" {
            found.to_stdout = true;
        } else if arg == "--request" {
            let value = args.next().and_then(|value| value.into_string().ok());
            found.request = Some(value.ok_or_else(|| Failure::new(Kind::Invalid, "--request needs JSON"))?);
        } else {
            return Err(Failure::new(
                Kind::Invalid,
                format!("unknown option {}", arg.display()),
            ));
        }
    }
    Ok(found)
}

fn parse<T: DeserializeOwned>(text: &str) -> Result<T, Failure> {
    serde_json::from_str(text)
        .map_err(|error| Failure::new(Kind::Invalid, format!("malformed request: {error}")))
}

/// The request of the command line.
pub fn inline<T: DeserializeOwned>(args: &Arguments) -> Result<T, Failure> {
    match &args.request {
        Some(text) => parse(text),
        None => Err(Failure::new(Kind::Invalid, "--request is missing")),
    }
}

/// The request of standard input, unless the command line has one.
pub fn piped<T: DeserializeOwned>(args: &Arguments) -> Result<T, Failure> {
    if args.request.is_some() {
        return inline(args);
    }
    let mut text = String::new();
    std::io::stdin()
        .lock()
        .take(MAX_REQUEST)
        .read_to_string(&mut text)
        .map_err(|error| Failure::new(Kind::Invalid, format!("cannot read the request: {error}")))?;
    parse(&text)
}

/// Standard input without the standard library's buffer.
pub fn standard_input() -> Result<File, Failure> {
    rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdin(), 3)
        .map(File::from)
        .map_err(|errno| Failure::errno("standard input is closed", errno))
}

/// Descriptor 3, where the answer goes when standard output carries data.
pub fn answer_descriptor() -> Result<File, Failure> {
    sys::inherited(3)
        .map(File::from)
        .map_err(|errno| Failure::errno("descriptor 3 must be open for the answer", errno))
}

pub fn reply(answer: &Value, to: Option<File>) -> Result<ExitCode, Failure> {
    let line = format!("{answer}\n");
    let result = match to {
        Some(mut file) => file.write_all(line.as_bytes()),
        None => std::io::stdout().write_all(line.as_bytes()),
    };
    result.map_err(|error| Failure::new(Kind::Internal, format!("cannot write the answer: {error}")))?;
    Ok(ExitCode::SUCCESS)
}
