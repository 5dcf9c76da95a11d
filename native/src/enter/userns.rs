//! Making the engine's user and mount name spaces. It runs in the caller's name spaces first and in the
//! new ones when it returns; the only programs it runs are the set-uid newuidmap and newgidmap.
//!
//! A user name space begins without ids. A map of more than the user's own id may be written only with
//! privilege in the parent name space, which newuidmap has: so a child is forked first, stays behind,
//! and maps its parent once that has unshared (user_namespaces(7), newuidmap(1)).

use super::cause;
use super::subid::{self, Range};
use crate::error::{Failure, Kind};
use crate::sys::shim::{Fork, fork};
use crate::{shim, sys};
use rustix::fd::OwnedFd;
use rustix::process::{Pid, WaitOptions};
use rustix::thread::UnshareFlags;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where the set-uid programs may be; PATH is the user's and not asked.
const PLACES: [&str; 3] = ["/usr/bin", "/bin", "/usr/sbin"];

/// What the whole-range mode needs.
pub struct Whole {
    pub newuidmap: PathBuf,
    pub newgidmap: PathBuf,
    pub uids: Vec<Range>,
    pub gids: Vec<Range>,
}

impl Whole {
    /// Looks for it. Err says what is missing.
    pub fn find() -> Result<Self, String> {
        let uid = rustix::process::getuid().as_raw();
        let names = subid::names(uid);
        let who = names.first().cloned().unwrap_or_else(|| uid.to_string());
        let program = |name: &str| {
            program(name)
                .ok_or_else(|| format!("{name} is not installed (Debian and Ubuntu: package uidmap)"))
        };
        let ranges = |file: &str| {
            let found = subid::ranges(Path::new(file), uid, &names);
            if found.is_empty() {
                Err(format!("{file} has no range for {who}"))
            } else {
                Ok(found)
            }
        };
        Ok(Self {
            newuidmap: program("newuidmap")?,
            newgidmap: program("newgidmap")?,
            uids: ranges("/etc/subuid")?,
            gids: ranges("/etc/subgid")?,
        })
    }
}

/// The set-uid helper of that name.
pub fn program(name: &str) -> Option<PathBuf> {
    PLACES
        .iter()
        .map(|place| Path::new(place).join(name))
        .find(|path| rustix::fs::access(path, rustix::fs::Access::EXEC_OK).is_ok())
}

/// New mount name space only; the caller is root.
pub fn enter_system() -> Result<(), Failure> {
    sys::shim::unshare(UnshareFlags::NEWNS)
        .map_err(|errno| Failure::errno("cannot make a mount name space", errno))?;
    detach_mounts()
}

/// User and mount name space with the user's own id as 0, alone.
pub fn enter_single() -> Result<(), Failure> {
    let uid = rustix::process::getuid().as_raw();
    let gid = rustix::process::getgid().as_raw();
    unshare_user()?;
    let maps = [
        ("/proc/self/setgroups", "deny".to_owned()),
        ("/proc/self/uid_map", format!("0 {uid} 1")),
        ("/proc/self/gid_map", format!("0 {gid} 1")),
    ];
    for (path, text) in maps {
        std::fs::write(path, text).map_err(|error| {
            let errno = rustix::io::Errno::from_io_error(&error).unwrap_or(rustix::io::Errno::IO);
            cause::explain("cannot map the user's id", errno).at(path)
        })?;
    }
    become_root()?;
    detach_mounts()
}

/// User and mount name space with the user's own id as 0 and every subordinate id after it.
pub fn enter_whole(whole: &Whole) -> Result<(), Failure> {
    let (go_reader, go_writer) = shim::pipe()?;
    let (done_reader, done_writer) = shim::pipe()?;
    let target = rustix::process::getpid();
    let child = match fork().map_err(|errno| Failure::errno("cannot fork", errno))? {
        Fork::Parent(child) => child,
        Fork::Child => {
            drop((go_writer, done_reader));
            map_parent(whole, target, &go_reader, &done_writer);
            sys::shim::exit_now(0);
        }
    };
    drop((go_reader, done_writer));
    let unshared = unshare_user();
    if unshared.is_ok() {
        let _ = rustix::io::write(&go_writer, b"g");
    }
    drop(go_writer);
    let word = read_word(&done_reader);
    let _ = rustix::process::waitpid(Some(child), WaitOptions::empty());
    unshared?;
    if word != "+" {
        let message = if word.is_empty() {
            "the mapping child ended early".to_owned()
        } else {
            word
        };
        return Err(Failure::new(Kind::Forbidden, message));
    }
    become_root()?;
    detach_mounts()
}

fn unshare_user() -> Result<(), Failure> {
    sys::shim::unshare(UnshareFlags::NEWUSER | UnshareFlags::NEWNS)
        .map_err(|errno| cause::explain("cannot make a user name space", errno))
}

/// The child that stays behind: says "+" or what went wrong.
fn map_parent(whole: &Whole, target: Pid, go: &OwnedFd, done: &OwnedFd) {
    let mut byte = [0u8; 1];
    if !matches!(rustix::io::read(go, &mut byte), Ok(1)) {
        return;
    }
    let uid = rustix::process::getuid().as_raw();
    let gid = rustix::process::getgid().as_raw();
    let word = run_map(&whole.newuidmap, target, uid, &whole.uids)
        .and_then(|()| run_map(&whole.newgidmap, target, gid, &whole.gids))
        .map_or_else(|message| message, |()| "+".to_owned());
    let _ = rustix::io::write(done, word.as_bytes());
}

fn run_map(program: &Path, target: Pid, own: u32, ranges: &[Range]) -> Result<(), String> {
    let mut arguments = vec![target.as_raw_nonzero().get().to_string()];
    let mut inside = 1u32;
    arguments.extend(["0".to_owned(), own.to_string(), "1".to_owned()]);
    for range in ranges {
        let Some(next) = inside.checked_add(range.count) else {
            break;
        };
        arguments.extend([
            inside.to_string(),
            range.start.to_string(),
            range.count.to_string(),
        ]);
        inside = next;
    }
    let output = Command::new(program)
        .args(&arguments)
        .env_clear()
        .output()
        .map_err(|error| format!("cannot run {}: {error}", program.display()))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let said = said.trim().chars().take(500).collect::<String>();
    Err(format!("{} refused the map: {said}", program.display()))
}

fn read_word(fd: &OwnedFd) -> String {
    let mut word = Vec::new();
    let mut chunk = [0u8; 1024];
    loop {
        match rustix::io::read(fd, &mut chunk) {
            Ok(count) if count > 0 => word.extend_from_slice(&chunk[..count]),
            Err(rustix::io::Errno::INTR) => {}
            _ => return String::from_utf8_lossy(&word).into_owned(),
        }
    }
}

fn become_root() -> Result<(), Failure> {
    let (uid, gid) = (rustix::fs::Uid::ROOT, rustix::fs::Gid::ROOT);
    rustix::thread::set_thread_res_gid(gid, gid, gid)
        .and_then(|()| rustix::thread::set_thread_res_uid(uid, uid, uid))
        .map_err(|errno| cause::explain("cannot become root of the user name space", errno))
}

/// Nothing that is mounted from here on reaches the host; what the host mounts still arrives.
fn detach_mounts() -> Result<(), Failure> {
    use rustix::mount::{MountPropagationFlags, mount_change};
    mount_change(
        "/",
        MountPropagationFlags::REC | MountPropagationFlags::DOWNSTREAM,
    )
    .map_err(|errno| cause::explain("cannot make the mounts private", errno).at("/"))
}
