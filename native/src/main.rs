//! The native helper: one static binary, one table of verbs. It parses nothing but the verb; each
//! verb's module says in which name spaces it runs.

mod archive;
mod enter;
mod error;
mod layer;
mod runtime;
mod shim;
mod sys;

use std::ffi::OsString;
use std::process::ExitCode;

/// A verb takes the arguments after its name and returns the exit status.
type Verb = fn(Vec<OsString>) -> Result<ExitCode, error::Failure>;

/// Every verb of the engine; what is not here is an OCI runtime command line.
const VERBS: &[(&str, Verb)] = &[
    ("shim", shim::main),
    ("init", runtime::init::main),
    ("enter", enter::main),
    ("probe", enter::probe::main),
    ("layer", layer::main),
    ("archive", archive::main),
];

fn main() -> ExitCode {
    let args: Vec<OsString> = std::env::args_os().skip(1).collect();
    for (name, verb) in VERBS {
        if args.first().is_some_and(|first| first == name) {
            return match verb(args.into_iter().skip(1).collect()) {
                Ok(code) => code,
                Err(failure) => failure.report(),
            };
        }
    }
    runtime::cli::main(args)
}
