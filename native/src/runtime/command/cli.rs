//! The command line of the OCI runtime verbs, as runc's: global options, one table of verbs, errors
//! to the log and to standard error. The verbs themselves are in `verbs`, `running` and `report`.

use super::store::{Store, timestamp};
use super::{report, running, verbs};
use crate::error::{Failure, Kind};
use lexopt::prelude::*;
use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

/// A verb takes the rest of the command line.
type Verb = fn(&Store, lexopt::Parser) -> Result<ExitCode, Failure>;

const VERBS: &[(&str, Verb)] = &[
    ("create", running::create),
    ("start", verbs::start),
    ("run", running::run),
    ("exec", running::exec),
    ("state", report::state),
    ("kill", verbs::kill),
    ("delete", verbs::delete),
    ("pause", verbs::pause),
    ("resume", verbs::resume),
    ("update", verbs::update),
    ("ps", report::ps),
    ("list", report::list),
    ("features", report::features),
];

#[derive(Default)]
struct Globals {
    root: Option<PathBuf>,
    log: Option<PathBuf>,
    json: bool,
}

pub fn main(args: Vec<OsString>) -> ExitCode {
    let mut globals = Globals::default();
    match dispatch(args, &mut globals) {
        Ok(code) => code,
        Err(failure) => {
            log(&globals, &failure);
            eprintln!("{failure}");
            ExitCode::from(1)
        }
    }
}

fn dispatch(args: Vec<OsString>, globals: &mut Globals) -> Result<ExitCode, Failure> {
    let mut parser = lexopt::Parser::from_args(args);
    while let Some(arg) = parser.next().map_err(usage)? {
        match arg {
            Long("root") => globals.root = Some(value(&mut parser)?.into()),
            Long("log") => globals.log = Some(value(&mut parser)?.into()),
            Long("log-format") => globals.json = value(&mut parser)? == "json",
            Long("debug") => {}
            Long("rootless" | "criu" | "cgroup-manager" | "log-level") => drop(value(&mut parser)?),
            Long("systemd-cgroup") => {
                return Err(Failure::new(
                    Kind::NotImplemented,
                    "--systemd-cgroup is not supported; use the cgroupfs manager",
                ));
            }
            Long("version") | Short('v') => return Ok(report::version()),
            Long("help") | Short('h') => return Ok(help()),
            Value(name) => {
                let verb = VERBS
                    .iter()
                    .find(|(known, _)| name == *known)
                    .map(|(_, verb)| *verb)
                    .ok_or_else(|| {
                        Failure::new(Kind::Invalid, format!("{name:?} is not a command; see --help"))
                    })?;
                return verb(&Store::new(globals.root.take()), parser);
            }
            other => return Err(usage(other.unexpected())),
        }
    }
    Ok(help())
}

/// The next value of an option.
pub fn value(parser: &mut lexopt::Parser) -> Result<OsString, Failure> {
    parser.value().map_err(usage)
}

/// The same as text.
pub fn text(parser: &mut lexopt::Parser) -> Result<String, Failure> {
    let bad = |value: OsString| Failure::new(Kind::Invalid, format!("{value:?} is not UTF-8"));
    value(parser)?.into_string().map_err(bad)
}

/// The same as a number.
pub fn count(parser: &mut lexopt::Parser) -> Result<u32, Failure> {
    let text = text(parser)?;
    text.parse()
        .map_err(|_| Failure::new(Kind::Invalid, format!("{text:?} is not a number")))
}

pub fn usage(err: lexopt::Error) -> Failure {
    Failure::new(Kind::Invalid, err.to_string())
}

/// The positional arguments of a verb that takes an id and these many more at most.
pub fn only(mut values: Vec<String>, most: usize) -> Result<(String, Vec<String>), Failure> {
    if values.is_empty() {
        return Err(Failure::new(Kind::Invalid, "a container id is missing"));
    }
    let rest = values.split_off(1);
    if rest.len() > most {
        return Err(Failure::new(
            Kind::Invalid,
            format!("unexpected argument {:?}", rest[most]),
        ));
    }
    Ok((values.remove(0), rest))
}

/// An option-less verb's positional arguments.
pub fn positionals(mut parser: lexopt::Parser, most: usize) -> Result<(String, Vec<String>), Failure> {
    let mut values = Vec::new();
    while let Some(arg) = parser.next().map_err(usage)? {
        match arg {
            Value(value) => values.push(value.to_string_lossy().into_owned()),
            other => return Err(usage(other.unexpected())),
        }
    }
    only(values, most)
}

fn help() -> ExitCode {
    let verbs: Vec<&str> = VERBS.iter().map(|(name, _)| *name).collect();
    println!(
        "pinnace-native [--root DIR] [--log FILE] [--log-format text|json] COMMAND …\nOCI commands: {}",
        verbs.join(" ")
    );
    ExitCode::SUCCESS
}

/// One line in the caller's log, as runc's logrus writes it. A log that cannot be written is no
/// further failure: the error goes to standard error anyhow.
fn log(globals: &Globals, failure: &Failure) {
    let Some(path) = &globals.log else { return };
    let line = if globals.json {
        serde_json::json!({"level": "error", "msg": failure.to_string(), "time": timestamp()}).to_string()
    } else {
        format!(
            "time=\"{}\" level=error msg={:?}",
            timestamp(),
            failure.to_string()
        )
    };
    if let Ok(mut file) = std::fs::OpenOptions::new().append(true).create(true).open(path) {
        writeln!(file, "{line}").ok();
    }
}
