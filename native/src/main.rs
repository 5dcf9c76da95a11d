//! The native helper: one static binary, one table of verbs. It parses nothing but the verb; each
//! verb's module says in which name spaces it runs.

mod archive;
mod enter;
mod error;
mod files;
mod layer;
mod net;
mod runtime;
mod shim;
mod sys;
mod time;

use std::ffi::OsString;
use std::process::ExitCode;

/// A verb takes the arguments after its name and returns the exit status.
type Verb = fn(Vec<OsString>) -> Result<ExitCode, error::Failure>;

/// Whether a verb makes processes that enter containers: then the program file is put out of their
/// reach first (see `runtime::seal`).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Image {
    Plain,
    Sealed,
}

/// Every verb of the engine; what is not here is an OCI runtime command line.
const VERBS: &[(&str, Image, Verb)] = &[
    ("shim", Image::Sealed, shim::main),
    ("init", Image::Plain, runtime::init::main),
    ("enter", Image::Plain, enter::main),
    ("probe", Image::Plain, enter::probe::main),
    ("layer", Image::Plain, layer::main),
    ("archive", Image::Plain, archive::main),
    ("files", Image::Plain, files::main),
    ("net", Image::Plain, net::main),
];

fn main() -> ExitCode {
    let args: Vec<OsString> = std::env::args_os().skip(1).collect();
    for (name, image, verb) in VERBS {
        if args.first().is_some_and(|first| first == name) {
            let sealed = if *image == Image::Sealed {
                runtime::seal::ensure()
            } else {
                Ok(())
            };
            return match sealed.and_then(|()| verb(args.into_iter().skip(1).collect())) {
                Ok(code) => code,
                Err(failure) => failure.report(),
            };
        }
    }
    runtime::command::cli::main(args)
}
