//! The hooks of a container (runtime-spec, "POSIX-platform Hooks"): programs of the host that get
//! the container's state on standard input. They run in the name spaces of whoever calls this.

use super::spec::Hook;
use crate::error::{Failure, Kind};
use crate::sys::runtime as sys;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The state of the specification, also what `state` prints.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct State {
    pub oci_version: String,
    pub id: String,
    pub status: String,
    pub pid: i32,
    pub bundle: PathBuf,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// What runs after create, with the state that it gets.
#[derive(Debug, Clone, Default)]
pub(crate) struct Later {
    pub(crate) state: State,
    pub(crate) poststart: Vec<Hook>,
    pub(crate) poststop: Vec<Hook>,
}

/// Runs hooks in their order, stopping at the first that fails.
pub fn run(stage: &str, hooks: &[Hook], state: &State, status: &str) -> Result<(), Failure> {
    if hooks.is_empty() {
        return Ok(());
    }
    let state = State {
        status: status.to_owned(),
        ..state.clone()
    };
    let text = serde_json::to_vec(&state).map_err(|err| Failure::new(Kind::Internal, err.to_string()))?;
    hooks.iter().try_for_each(|hook| {
        run_one(hook, &text).map_err(|mut failure| {
            failure.message = format!("{stage} hook: {}", failure.message);
            failure.at(&hook.path)
        })
    })
}

fn run_one(hook: &Hook, state: &[u8]) -> Result<(), Failure> {
    if !hook.path.is_absolute() {
        return Err(Failure::new(Kind::Invalid, "a hook's path must be absolute"));
    }
    let mut command = Command::new(&hook.path);
    if let Some((name, args)) = hook.args.split_first() {
        command.arg0(name).args(args);
    }
    let env = hook.env.iter().filter_map(|entry| entry.split_once('='));
    command
        .env_clear()
        .envs(env)
        .stdin(Stdio::piped())
        .stdout(Stdio::null());
    let mut child = sys::with_default_signals(&mut command)
        .spawn()
        .map_err(|err| super::files::from_io("cannot run", &err))?;
    if let Some(mut stdin) = child.stdin.take() {
        // A hook that does not read its input is no error.
        stdin.write_all(state).ok();
    }
    wait(&mut child, hook.timeout.map(Duration::from_secs))
}

fn wait(child: &mut Child, timeout: Option<Duration>) -> Result<(), Failure> {
    let failed = |err: std::io::Error| super::files::from_io("cannot wait", &err);
    let status = match timeout {
        None => child.wait().map_err(failed)?,
        Some(timeout) => {
            let deadline = Instant::now() + timeout;
            loop {
                if let Some(status) = child.try_wait().map_err(failed)? {
                    break status;
                }
                if Instant::now() > deadline {
                    child.kill().map_err(failed)?;
                    child.wait().map_err(failed)?;
                    return Err(Failure::new(
                        Kind::Unavailable,
                        format!("no end within {} s", timeout.as_secs()),
                    ));
                }
                std::thread::sleep(Duration::from_millis(2));
            }
        }
    };
    if status.success() {
        Ok(())
    } else {
        Err(Failure::new(Kind::Internal, format!("ended with {status}")))
    }
}
