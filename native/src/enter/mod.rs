//! `enter`: sets up the engine's user and mount name spaces and becomes the engine's command. It runs in
//! the caller's name spaces and execs in the new ones, as the same process, with every descriptor of the
//! caller untouched. Nothing it does reaches the host's mounts.

mod cause;
mod cgroup;
pub mod probe;
mod subid;
mod trial;
mod userns;

use crate::error::{Failure, Kind};
use lexopt::{Arg, Parser, ValueExt};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags};
use rustix::thread::ThreadNameSpaceType;
use std::ffi::OsString;
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// How the engine's ids are laid out; docs/native.md, "enter and probe".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Auto,
    System,
    Rootless,
    SingleId,
}

impl Mode {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::System => "system",
            Self::Rootless => "rootless",
            Self::SingleId => "single-id",
        }
    }

    fn parse(text: &str) -> Result<Self, Failure> {
        [Self::Auto, Self::System, Self::Rootless, Self::SingleId]
            .into_iter()
            .find(|mode| mode.name() == text)
            .ok_or_else(|| {
                invalid(format!(
                    "--mode {text} is not known: use auto, system, rootless or single-id"
                ))
            })
    }
}

#[derive(Debug)]
struct Options {
    data_root: Option<PathBuf>,
    run_root: Option<PathBuf>,
    mode: Mode,
    join: Option<i32>,
    command: Vec<OsString>,
}

pub fn main(args: Vec<OsString>) -> Result<ExitCode, Failure> {
    let options = parse(args)?;
    let mut command = Command::new(&options.command[0]);
    command.args(&options.command[1..]);
    let roots = [
        ("PINNACE_DATA_ROOT", &options.data_root),
        ("PINNACE_RUN_ROOT", &options.run_root),
    ];
    for (name, root) in roots {
        if let Some(root) = root {
            command.env(name, make_root(root)?);
        }
    }
    let mode = match options.join {
        Some(pid) => join(pid)?,
        None => {
            let (mode, note) = set_up(options.mode)?;
            if let Some(note) = note {
                command.env("PINNACE_MODE_NOTE", note);
            }
            mode
        }
    };
    command.env("PINNACE_MODE", mode.name());
    let error = command.exec();
    let errno = Errno::from_io_error(&error).unwrap_or(Errno::IO);
    Err(Failure::errno("cannot run the command", errno).at(&options.command[0]))
}

fn parse(args: Vec<OsString>) -> Result<Options, Failure> {
    let mut options = Options {
        data_root: None,
        run_root: None,
        mode: Mode::Auto,
        join: None,
        command: Vec::new(),
    };
    let mut parser = Parser::from_args(args);
    let wrong = |error: lexopt::Error| invalid(format!("enter: {error}"));
    while let Some(argument) = parser.next().map_err(wrong)? {
        match argument {
            Arg::Long("data-root") => options.data_root = Some(parser.value().map_err(wrong)?.into()),
            Arg::Long("run-root") => options.run_root = Some(parser.value().map_err(wrong)?.into()),
            Arg::Long("mode") => {
                let text = parser.value().and_then(ValueExt::string).map_err(wrong)?;
                options.mode = Mode::parse(&text)?;
            }
            Arg::Long("join") => {
                let pid: i32 = parser.value().and_then(|value| value.parse()).map_err(wrong)?;
                options.join = Some(pid);
            }
            Arg::Value(first) => {
                options.command.push(first);
                options.command.extend(parser.raw_args().map_err(wrong)?);
                break;
            }
            other => return Err(wrong(other.unexpected())),
        }
    }
    if options.command.is_empty() {
        return Err(invalid("enter needs a command after --".to_owned()));
    }
    if options.join.is_none() && (options.data_root.is_none() || options.run_root.is_none()) {
        return Err(invalid("enter needs --data-root and --run-root".to_owned()));
    }
    Ok(options)
}

fn invalid(message: String) -> Failure {
    Failure::new(Kind::Invalid, message)
}

/// Makes a root (0700) with its parents where it is missing, and gives its absolute path.
fn make_root(path: &Path) -> Result<PathBuf, Failure> {
    let fail = |message: &str, error: &std::io::Error| {
        Failure::errno(message, Errno::from_io_error(error).unwrap_or(Errno::IO)).at(path)
    };
    let path = std::path::absolute(path).map_err(|error| fail("cannot name the directory", &error))?;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&path)
        .map_err(|error| fail("cannot make the directory", &error))?;
    Ok(path)
}

/// Enters new name spaces. The note says why auto chose less than the whole range.
fn set_up(mode: Mode) -> Result<(Mode, Option<String>), Failure> {
    match mode {
        Mode::System => userns::enter_system().map(|()| (mode, None)),
        Mode::SingleId => userns::enter_single().map(|()| (mode, None)),
        Mode::Rootless => {
            let whole = userns::Whole::find().map_err(|missing| {
                invalid(format!(
                    "rootless mode is not possible: {missing}; use --mode single-id"
                ))
            })?;
            userns::enter_whole(&whole).map(|()| (mode, None))
        }
        Mode::Auto => set_up_best(),
    }
}

fn set_up_best() -> Result<(Mode, Option<String>), Failure> {
    if rustix::process::geteuid().is_root() {
        match userns::enter_system() {
            // Root of a container without CAP_SYS_ADMIN is a user like any other.
            Err(failure) if failure.errno == Some(Errno::PERM) => {}
            result => return result.map(|()| (Mode::System, None)),
        }
    }
    let missing = match userns::Whole::find() {
        Err(missing) => missing,
        // newuidmap refuses under no_new_privs and in some sandboxes: tried where it harms nothing.
        Ok(whole) => match trial::run(|| userns::enter_whole(&whole)) {
            Ok(()) => return userns::enter_whole(&whole).map(|()| (Mode::Rootless, None)),
            Err(message) => message,
        },
    };
    userns::enter_single()?;
    Ok((Mode::SingleId, Some(missing)))
}

/// Enters the user and mount name spaces of a running process of this user.
fn join(pid: i32) -> Result<Mode, Failure> {
    let gone = |errno: Errno| {
        if errno == Errno::SRCH {
            return Failure::new(Kind::NotFound, format!("there is no process {pid} to join"));
        }
        Failure::errno(format!("cannot join the name spaces of process {pid}"), errno)
    };
    let target = Pid::from_raw(pid.max(0))
        .filter(|_| pid > 0)
        .ok_or_else(|| gone(Errno::SRCH))?;
    let pidfd = rustix::process::pidfd_open(target, PidfdFlags::empty()).map_err(gone)?;
    let mut spaces = ThreadNameSpaceType::empty();
    for (name, flag) in [
        ("user", ThreadNameSpaceType::USER),
        ("mnt", ThreadNameSpaceType::MOUNT),
    ] {
        if space(&format!("/proc/{pid}/ns/{name}"))? != space(&format!("/proc/self/ns/{name}"))? {
            spaces |= flag;
        }
    }
    let directory = std::env::current_dir();
    if !spaces.is_empty() {
        rustix::thread::move_into_thread_name_spaces(std::os::fd::AsFd::as_fd(&pidfd), spaces)
            .map_err(gone)?;
        // Joining a mount name space moves to its root; a directory that is not there stays left.
        if let Ok(directory) = directory {
            let _ = rustix::process::chdir(&directory);
        }
    }
    Ok(own_mode())
}

fn space(path: &str) -> Result<(u64, u64), Failure> {
    let meta = std::fs::metadata(path).map_err(|error| {
        let errno = Errno::from_io_error(&error).unwrap_or(Errno::IO);
        Failure::errno("cannot look at the name space", errno).at(path)
    })?;
    Ok((meta.dev(), meta.ino()))
}

/// The mode of the user name space that this process is in, by its map.
fn own_mode() -> Mode {
    let map = std::fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
    let counts = map
        .lines()
        .filter_map(|line| line.split_ascii_whitespace().nth(2)?.parse::<u64>().ok());
    match counts.sum::<u64>() {
        1 => Mode::SingleId,
        0xffff_ffff => Mode::System,
        _ => Mode::Rootless,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(text: &str) -> Vec<OsString> {
        text.split(' ').map(OsString::from).collect()
    }

    #[test]
    fn the_command_keeps_its_own_options() {
        let options = parse(args(
            "--data-root /d --run-root=/r --mode rootless -- sh -c --mode",
        ))
        .expect("options");
        assert_eq!(options.mode, Mode::Rootless);
        assert_eq!(options.command, args("sh -c --mode"));
        assert_eq!(options.data_root.as_deref(), Some(Path::new("/d")));
    }

    #[test]
    fn wrong_command_lines_are_refused() {
        for text in [
            "--data-root /d --run-root /r",
            "-- sh",
            "--mode odd -- sh",
            "--join x -- sh",
            "--what -- sh",
        ] {
            assert_eq!(
                parse(args(text)).err().map(|failure| failure.kind),
                Some(Kind::Invalid),
                "{text}"
            );
        }
    }
}
