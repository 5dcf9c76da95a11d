//! `probe`: what this machine allows, each finding tried for real in a child that leaves nothing behind.
//! It changes nothing and runs in the caller's name spaces.

use super::cgroup::{self, Cgroups};
use super::subid::{self, Range};
use super::{Mode, cause, trial, userns};
use crate::error::{Failure, Kind};
use crate::sys;
use rustix::fs::{Access, FileType, Mode as FileMode, OFlags};
use serde::Serialize;
use serde_json::json;
use std::ffi::{CString, OsString};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(Serialize)]
struct Finding {
    id: &'static str,
    level: &'static str,
    message: String,
    remedy: Option<String>,
}

#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn ok(&mut self, id: &'static str, message: impl Into<String>) {
        self.push(id, "ok", message.into(), None);
    }

    fn warn(&mut self, id: &'static str, message: impl Into<String>, remedy: Option<&str>) {
        self.push(id, "warn", message.into(), remedy);
    }

    fn push(&mut self, id: &'static str, level: &'static str, message: String, remedy: Option<&str>) {
        let remedy = remedy.map(str::to_owned);
        self.0.push(Finding {
            id,
            level,
            message,
            remedy,
        });
    }
}

pub fn main(args: Vec<OsString>) -> Result<ExitCode, Failure> {
    if !args.is_empty() {
        return Err(Failure::new(Kind::Invalid, "probe takes no arguments"));
    }
    let mut findings = Findings::default();
    let names = rustix::system::uname();
    let uid = rustix::process::getuid().as_raw();
    let users = subid::names(uid);
    let subuid = subid::ranges(Path::new("/etc/subuid"), uid, &users);
    let userns = trial::run(userns::enter_single);
    let mode = find_mode(&mut findings, &userns);
    let network = mode.map(begin_network);
    let overlay = find_overlay(&mut findings, mode);
    let seccomp = find_seccomp(&mut findings);
    let cgroup = cgroup::find();
    report_cgroup(&mut findings, &cgroup);
    let tun = find_tun(&mut findings);
    let network = report_network(&mut findings, network);
    let answer = json!({
        "kernel": names.release().to_string_lossy(),
        "arch": names.machine().to_string_lossy(),
        "uid": uid,
        "mode": mode.map_or("none", Mode::name),
        "findings": findings.0,
        "userns": userns.is_ok(),
        "subuid": subuid as Vec<Range>,
        "newuidmap": userns::program("newuidmap"),
        "newgidmap": userns::program("newgidmap"),
        "overlay": overlay,
        "seccomp": seccomp,
        "cgroup": cgroup,
        "tun": tun,
        "network": network,
        "apparmorRestrictsUserns": cause::apparmor_restricts(),
    });
    println!("{answer}");
    Ok(ExitCode::SUCCESS)
}

/// The mode that `enter --mode auto` would choose; None: no containers here.
fn find_mode(findings: &mut Findings, userns: &Result<(), String>) -> Option<Mode> {
    if rustix::process::geteuid().is_root() && trial::run(userns::enter_system).is_ok() {
        findings.ok("mode", "root may make name spaces: system mode");
        return Some(Mode::System);
    }
    if let Err(message) = userns {
        let found = cause::find(rustix::io::Errno::PERM);
        findings.push("userns", "fail", message.clone(), found.remedy.as_deref());
        return None;
    }
    findings.ok("userns", "user name spaces work");
    let missing = match userns::Whole::find() {
        Err(missing) => missing,
        Ok(whole) => match trial::run(|| userns::enter_whole(&whole)) {
            Ok(()) => {
                findings.ok("subid", "newuidmap maps a whole range of ids: rootless mode");
                return Some(Mode::Rootless);
            }
            Err(message) => message,
        },
    };
    let remedy = "sudo apt-get install uidmap && sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 $USER";
    findings.warn(
        "subid",
        format!("only one id can be used in containers (single-id mode): {missing}"),
        Some(remedy),
    );
    Some(Mode::SingleId)
}

fn find_overlay(findings: &mut Findings, mode: Option<Mode>) -> bool {
    let Some(mode) = mode else { return false };
    let result = trial::run(|| {
        match mode {
            Mode::System => userns::enter_system()?,
            _ => userns::enter_single()?,
        }
        try_overlay()
    });
    match result {
        Ok(()) => findings.ok("overlay", "overlayfs works with userxattr"),
        Err(ref message) => findings.warn(
            "overlay",
            format!("overlayfs is refused, layers are copied instead: {message}"),
            Some("use Linux 5.13 or later with the overlay module"),
        ),
    }
    result.is_ok()
}

/// In private name spaces: an overlay on a tmpfs, and a deletion that must leave a whiteout.
fn try_overlay() -> Result<(), Failure> {
    use rustix::mount::{MountFlags, mount};
    let base = ["/tmp", "/var/tmp", "/run", "/mnt", "/"]
        .into_iter()
        .find(|path| Path::new(path).is_dir())
        .unwrap_or("/");
    let step = |what: &'static str| move |errno| Failure::errno(what, errno);
    mount("pinnace", base, "tmpfs", MountFlags::empty(), None).map_err(step("mount tmpfs"))?;
    let base = PathBuf::from(base);
    for name in ["lower", "upper", "work", "merged"] {
        rustix::fs::mkdir(base.join(name), FileMode::RWXU).map_err(step("mkdir"))?;
    }
    let create = OFlags::CREATE | OFlags::WRONLY | OFlags::CLOEXEC;
    rustix::fs::open(base.join("lower/file"), create, FileMode::RWXU).map_err(step("create"))?;
    let name = |part: &str| base.join(part).display().to_string();
    let options = format!(
        "lowerdir={},upperdir={},workdir={},userxattr",
        name("lower"),
        name("upper"),
        name("work")
    );
    let options = CString::new(options).map_err(|_| Failure::new(Kind::Internal, "a NUL in a path"))?;
    mount(
        "pinnace",
        base.join("merged"),
        "overlay",
        MountFlags::empty(),
        Some(options.as_c_str()),
    )
    .map_err(step("mount overlay"))?;
    rustix::fs::unlink(base.join("merged/file")).map_err(step("unlink in the overlay"))?;
    let whiteout = rustix::fs::lstat(base.join("upper/file")).map_err(step("no whiteout"))?;
    if FileType::from_raw_mode(whiteout.st_mode) != FileType::CharacterDevice || whiteout.st_rdev != 0 {
        return Err(Failure::new(
            Kind::NotImplemented,
            "a deletion left no whiteout device",
        ));
    }
    Ok(())
}

fn find_seccomp(findings: &mut Findings) -> bool {
    let result = trial::run(|| {
        sys::shim::seccomp_takes_effect().map_err(|errno| Failure::errno("seccomp filter", errno))
    });
    match &result {
        Ok(()) => findings.ok("seccomp", "seccomp filters work"),
        Err(message) => findings.warn(
            "seccomp",
            format!("containers run without a seccomp filter: {message}"),
            Some("use a kernel with CONFIG_SECCOMP_FILTER"),
        ),
    }
    result.is_ok()
}

fn report_cgroup(findings: &mut Findings, cgroup: &Cgroups) {
    let wanted = ["cpu", "memory", "pids"];
    let missing: Vec<&str> = wanted
        .into_iter()
        .filter(|name| !cgroup.controllers.iter().any(|have| have == name))
        .collect();
    if missing.is_empty() {
        findings.ok(
            "cgroup",
            format!("limits are enforced with cgroup v{}", cgroup.version),
        );
        return;
    }
    let remedy = if cgroup.version == 2 {
        "start the engine in a delegated scope: systemd-run --user --scope -p Delegate=yes pinnace engine start"
    } else {
        "use cgroup v2 (systemd.unified_cgroup_hierarchy=1), or let root delegate directories of these controllers"
    };
    findings.warn(
        "cgroup",
        format!(
            "these limits are not enforced: {} (cgroup v{})",
            missing.join(", "),
            cgroup.version
        ),
        Some(remedy),
    );
}

/// Starts the trial of a network; its namespaces take the kernel some milliseconds.
fn begin_network(mode: Mode) -> Result<trial::Pending, String> {
    trial::begin(move || {
        match mode {
            Mode::System => userns::enter_system()?,
            _ => userns::enter_single()?,
        }
        crate::net::trial::attempt()
    })
}

/// None: no mode is possible here, which another finding says.
fn report_network(findings: &mut Findings, pending: Option<Result<trial::Pending, String>>) -> bool {
    let Some(pending) = pending else { return false };
    let result = pending.and_then(trial::Pending::finish);
    match &result {
        Ok(()) => findings.ok("network", "containers can have networks of their own"),
        Err(message) => findings.warn(
            "network",
            format!("containers have no network but their own loopback: {message}"),
            Some("sudo modprobe -a bridge veth nf_tables nft_tproxy, or use a kernel that has these (4.19 or later)"),
        ),
    }
    result.is_ok()
}

fn find_tun(findings: &mut Findings) -> bool {
    let path = "/dev/net/tun";
    let opened = rustix::fs::access(path, Access::READ_OK | Access::WRITE_OK).is_ok()
        && rustix::fs::open(path, OFlags::RDWR | OFlags::CLOEXEC, FileMode::empty()).is_ok();
    if opened {
        findings.ok("tun", "/dev/net/tun can be opened");
    } else {
        findings.warn(
            "tun",
            "/dev/net/tun cannot be opened: networks use another way",
            Some("sudo modprobe tun"),
        );
    }
    opened
}
