//! What the shim is asked: the request that makes it, and the one-line operations on its socket
//! (docs/native.md, "shim"). It only parses.

use super::log;
use crate::error::{Failure, Kind};
use crate::runtime::spec::{ConsoleSize, Process, Resources, Spec};
use serde::Deserialize;
use std::path::PathBuf;

/// A request line on the socket is at most this long.
pub const LINE_LIMIT: usize = 1 << 20;

/// The request on standard input.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Create {
    pub id: String,
    pub dir: PathBuf,
    pub config: Spec,
    #[serde(default)]
    pub tty: bool,
    #[serde(default)]
    pub open_stdin: bool,
    #[serde(default)]
    pub stdin_once: bool,
    #[serde(default)]
    pub size: Option<ConsoleSize>,
    #[serde(default)]
    pub log: Option<log::Settings>,
    pub exit_file: PathBuf,
}

impl Create {
    pub fn parse(text: &[u8]) -> Result<Self, Failure> {
        let request: Self = serde_json::from_slice(text).map_err(|error| {
            Failure::new(Kind::Invalid, format!("the shim's request is invalid: {error}"))
        })?;
        let paths = [
            Some(&request.dir),
            Some(&request.exit_file),
            request.log.as_ref().map(|log| &log.path),
        ];
        for path in paths.into_iter().flatten() {
            if !path.is_absolute() {
                return Err(Failure::new(Kind::Invalid, "the shim needs absolute paths").at(path));
            }
        }
        Ok(request)
    }
}

/// One operation.
#[derive(Deserialize)]
#[serde(tag = "op", rename_all = "kebab-case")]
pub enum Operation {
    Start,
    Attach(Streams),
    Exec(Box<Exec>),
    Wait(Of),
    Resize(Resize),
    Kill(Kill),
    Pause,
    Resume,
    Update(Box<Update>),
    State,
    Stats,
    StopCreated,
}

/// Which streams a client takes part in.
#[derive(Deserialize, Clone, Copy, Default)]
#[serde(default)]
pub struct Streams {
    pub stdin: bool,
    pub stdout: bool,
    pub stderr: bool,
}

#[derive(Deserialize)]
pub struct Exec {
    pub id: String,
    pub process: Process,
    /// A program of the host's that is run in place of one of the container's.
    #[serde(default)]
    pub program: Option<std::path::PathBuf>,
    #[serde(default)]
    pub tty: bool,
    #[serde(default)]
    pub detach: bool,
    #[serde(default)]
    pub size: Option<ConsoleSize>,
    #[serde(flatten)]
    pub streams: Streams,
}

/// The container (None) or one of its execs.
#[derive(Deserialize)]
pub struct Of {
    #[serde(default)]
    pub exec: Option<String>,
}

#[derive(Deserialize)]
pub struct Resize {
    #[serde(default)]
    pub exec: Option<String>,
    pub height: u16,
    pub width: u16,
}

#[derive(Deserialize)]
pub struct Kill {
    pub signal: i32,
    #[serde(default)]
    pub all: bool,
}

#[derive(Deserialize)]
pub struct Update {
    pub resources: Resources,
}

/// Parses one line (without its newline).
pub fn parse(line: &[u8]) -> Result<Operation, Failure> {
    serde_json::from_slice(line)
        .map_err(|error| Failure::new(Kind::Invalid, format!("not a request of the shim: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_operation_of_the_contract_parses() {
        for line in [
            r#"{"op":"start"}"#,
            r#"{"op":"attach","stdin":true,"stdout":true,"stderr":false}"#,
            r#"{"op":"exec","id":"e","process":{"args":["true"],"cwd":"/","user":{"username":"root"}},"tty":false,"stdin":true,"stdout":true,"stderr":true,"detach":false,"size":null}"#,
            r#"{"op":"wait","exec":null}"#,
            r#"{"op":"wait"}"#,
            r#"{"op":"resize","exec":"e","height":24,"width":80}"#,
            r#"{"op":"kill","signal":15}"#,
            r#"{"op":"pause"}"#,
            r#"{"op":"resume"}"#,
            r#"{"op":"update","resources":{"memory":{"limit":1000000}}}"#,
            r#"{"op":"state"}"#,
            r#"{"op":"stats"}"#,
            r#"{"op":"stop-created"}"#,
        ] {
            if let Err(failure) = parse(line.as_bytes()) {
                unreachable!("{line}: {failure}");
            }
        }
    }

    #[test]
    fn a_request_with_a_relative_path_is_refused() {
        let text = br#"{"id":"a","dir":"x","config":{},"exitFile":"/tmp/e"}"#;
        assert_eq!(
            Create::parse(text).err().map(|failure| failure.kind),
            Some(Kind::Invalid)
        );
    }

    proptest! {
        #[test]
        fn garbage_is_an_error_and_nothing_worse(line in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Err(failure) = parse(&line) {
                prop_assert_eq!(failure.kind, Kind::Invalid);
            }
        }
    }
}
