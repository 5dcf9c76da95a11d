//! The OCI verbs that only tell: state, list, ps, features, and --version.

use super::cli::{only, positionals, text, usage};
use super::store::{Entry, Status, Store};
use crate::error::{Failure, Kind};
use crate::runtime::files::read_kernel_at;
use crate::runtime::hooks::State;
use crate::runtime::identity::{privileges, seccomp};
use lexopt::prelude::*;
use rustix::fs::CWD;
use serde::Serialize;
use serde_json::json;
use std::process::ExitCode;

/// The specification that is followed.
const OCI_VERSION: &str = "1.2.0";

/// The specification's state plus what runc and crun add.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    #[serde(flatten)]
    state: State,
    rootfs: String,
    created: String,
    owner: String,
}

fn report(entry: &Entry) -> Result<Report, Failure> {
    let saved = entry.saved()?;
    let status = entry.status();
    let mut state = saved.state.clone();
    status.name().clone_into(&mut state.status);
    if status == Status::Stopped {
        state.pid = 0;
    }
    Ok(Report {
        state,
        rootfs: saved.rootfs.display().to_string(),
        created: saved.created.clone(),
        owner: String::new(),
    })
}

pub fn state(store: &Store, parser: lexopt::Parser) -> Result<ExitCode, Failure> {
    let (id, _) = positionals(parser, 0)?;
    print(&report(&store.load(&id)?)?)
}

fn print(value: &impl Serialize) -> Result<ExitCode, Failure> {
    let text =
        serde_json::to_string_pretty(value).map_err(|err| Failure::new(Kind::Internal, err.to_string()))?;
    println!("{text}");
    Ok(ExitCode::SUCCESS)
}

/// An option `--format json|table` and `--quiet`, then positional arguments.
fn listing(mut parser: lexopt::Parser) -> Result<(bool, bool, Vec<String>), Failure> {
    let (mut json, mut quiet, mut values) = (false, false, Vec::new());
    while let Some(arg) = parser.next().map_err(usage)? {
        match arg {
            Long("format") | Short('f') => json = text(&mut parser)? == "json",
            Long("quiet") | Short('q') => quiet = true,
            Value(value) => values.push(value.to_string_lossy().into_owned()),
            other => return Err(usage(other.unexpected())),
        }
    }
    Ok((json, quiet, values))
}

pub fn list(store: &Store, parser: lexopt::Parser) -> Result<ExitCode, Failure> {
    let (json, quiet, _) = listing(parser)?;
    let ids = store.ids();
    if quiet {
        ids.iter().for_each(|id| println!("{id}"));
        return Ok(ExitCode::SUCCESS);
    }
    // One that vanishes while it is listed, or is being made, is not listed.
    let reports: Vec<Report> = ids
        .iter()
        .filter_map(|id| report(&store.load(id).ok()?).ok())
        .collect();
    if json {
        return print(&reports);
    }
    println!(
        "{:<20} {:<10} {:<10} {:<30} CREATED",
        "ID", "PID", "STATUS", "BUNDLE"
    );
    for Report { state, created, .. } in &reports {
        let bundle = state.bundle.display().to_string();
        println!(
            "{:<20} {:<10} {:<10} {:<30} {created}",
            state.id, state.pid, state.status, bundle
        );
    }
    Ok(ExitCode::SUCCESS)
}

pub fn ps(store: &Store, parser: lexopt::Parser) -> Result<ExitCode, Failure> {
    let (json, _, values) = listing(parser)?;
    let (id, _) = only(values, usize::MAX)?;
    let entry = store.load(&id)?;
    let saved = entry.saved()?;
    let mut procs = saved.cgroup.procs()?;
    if procs.is_empty() && entry.status() != Status::Stopped {
        procs.push(saved.state.pid);
    }
    if json {
        return print(&procs);
    }
    println!("{:<10} CMD", "PID");
    for pid in procs {
        let command = read_kernel_at(CWD, format!("/proc/{pid}/cmdline")).unwrap_or_default();
        println!("{pid:<10} {}", command.trim_end_matches('\0').replace('\0', " "));
    }
    Ok(ExitCode::SUCCESS)
}

pub fn version() -> ExitCode {
    println!(
        "pinnace-native version {}\nspec: {OCI_VERSION}",
        env!("CARGO_PKG_VERSION")
    );
    ExitCode::SUCCESS
}

/// runtime-spec, features.md.
pub fn features(_store: &Store, _parser: lexopt::Parser) -> Result<ExitCode, Failure> {
    let mount_options = [
        "async",
        "atime",
        "bind",
        "defaults",
        "dev",
        "diratime",
        "exec",
        "noatime",
        "nodev",
        "nodiratime",
        "noexec",
        "nosuid",
        "nosymfollow",
        "private",
        "rbind",
        "relatime",
        "ro",
        "rprivate",
        "rro",
        "rrw",
        "rshared",
        "rslave",
        "runbindable",
        "rw",
        "shared",
        "slave",
        "strictatime",
        "suid",
        "symfollow",
        "tmpcopyup",
        "unbindable",
    ];
    print(&json!({
        "ociVersionMin": "1.0.0",
        "ociVersionMax": OCI_VERSION,
        "hooks": ["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"],
        "mountOptions": mount_options,
        "linux": {
            "namespaces": ["cgroup", "ipc", "mount", "network", "pid", "time", "user", "uts"],
            "capabilities": privileges::names().collect::<Vec<_>>(),
            "cgroup": {"v1": true, "v2": true, "systemd": false, "systemdUser": false, "rdma": false},
            "seccomp": {
                "enabled": true,
                "actions": ["SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO", "SCMP_ACT_KILL", "SCMP_ACT_KILL_PROCESS",
                    "SCMP_ACT_KILL_THREAD", "SCMP_ACT_LOG", "SCMP_ACT_TRACE", "SCMP_ACT_TRAP"],
                "operators": ["SCMP_CMP_EQ", "SCMP_CMP_GE", "SCMP_CMP_GT", "SCMP_CMP_LE", "SCMP_CMP_LT",
                    "SCMP_CMP_MASKED_EQ", "SCMP_CMP_NE"],
                "archs": seccomp::architectures(),
                "knownFlags": ["SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW", "SECCOMP_FILTER_FLAG_TSYNC"],
                "supportedFlags": ["SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW", "SECCOMP_FILTER_FLAG_TSYNC"],
            },
            "apparmor": {"enabled": false},
            "selinux": {"enabled": false},
            "intelRdt": {"enabled": false},
            "mountExtensions": {"idmap": {"enabled": true}},
        },
        "annotations": {"org.pinnace.version": env!("CARGO_PKG_VERSION")},
        "potentiallyUnsafeConfigAnnotations": [],
    }))
}
