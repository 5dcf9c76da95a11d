//! Writes the id maps of a new user name space: directly where the kernel allows it, else with the
//! set-uid helpers newuidmap and newgidmap (shadow's uidmap). Runs in the caller's name spaces.

use crate::error::{Failure, Kind};
use crate::runtime::files::{from_io, write_kernel};
use crate::runtime::spec::{IdMap, Linux};
use crate::sys::runtime as sys;
use std::path::{Path, PathBuf};
use std::process::Command;

pub fn write(pid: i32, linux: &Linux) -> Result<(), Failure> {
    let directory = PathBuf::from(format!("/proc/{pid}"));
    let single = linux.gid_mappings.len() == 1 && linux.gid_mappings.iter().all(|map| map.size == 1);
    let privileged = rustix::process::geteuid().is_root();
    if single && !privileged {
        // user_namespaces(7): an unprivileged process must give setgroups up before it maps a gid.
        let path = directory.join("setgroups");
        write_kernel(&path, b"deny")
            .map_err(|errno| Failure::errno("cannot deny setgroups", errno).at(path))?;
    }
    one(pid, &directory.join("uid_map"), &linux.uid_mappings, "newuidmap")?;
    one(pid, &directory.join("gid_map"), &linux.gid_mappings, "newgidmap")
}

fn one(pid: i32, path: &Path, maps: &[IdMap], helper: &str) -> Result<(), Failure> {
    let lines: Vec<String> = maps
        .iter()
        .map(|map| format!("{} {} {}\n", map.container_id, map.host_id, map.size))
        .collect();
    let Err(errno) = write_kernel(path, lines.concat().as_bytes()) else {
        return Ok(());
    };
    if rustix::process::geteuid().is_root() {
        return Err(Failure::errno("cannot write the id map", errno).at(path));
    }
    let mut command = Command::new(helper);
    command.arg(pid.to_string());
    for map in maps {
        command.args([map.container_id, map.host_id, map.size].map(|number| number.to_string()));
    }
    let output = sys::with_default_signals(&mut command)
        .output()
        .map_err(|err| from_io(&format!("cannot run {helper} (install the uidmap package)"), &err))?;
    if output.status.success() {
        return Ok(());
    }
    let reason = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(Failure::new(
        Kind::Forbidden,
        format!("{helper} refuses the id map: {reason} (see /etc/subuid and /etc/subgid)"),
    ))
}
