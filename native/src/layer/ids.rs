//! Seeing owners as a container with a map of its own does: the verb's process goes into a user name
//! space with that map before it opens anything. In such a container (rootless, with an owner for its
//! workspace) the user's own id and root have changed places.

use crate::error::{Failure, Kind};
use crate::sys::shim::{Fork, exit_now, fork, unshare};
use rustix::fs::{Gid, Mode, OFlags, Uid};
use rustix::io::Errno;
use rustix::process::WaitOptions;
use rustix::thread::UnshareFlags;
use serde::Deserialize;
use std::io::Write;

/// The ids that change places with root's.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct Ids {
    pub uid: u32,
    pub gid: u32,
}

/// Enters a new user and mount name space in which root and `ids` have changed places. Before any thread.
pub fn enter(ids: Ids) -> Result<(), Failure> {
    let fail = |errno| Failure::errno("cannot take on the container's ids", errno);
    let uids = swapped("/proc/self/uid_map", ids.uid)?;
    let gids = swapped("/proc/self/gid_map", ids.gid)?;
    let target = rustix::process::getpid().as_raw_nonzero().get();
    let pipe = || rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).map_err(fail);
    let ((go_reader, go_writer), (done_reader, done_writer)) = (pipe()?, pipe()?);
    let child = match fork().map_err(fail)? {
        Fork::Parent(child) => child,
        Fork::Child => {
            drop((go_writer, done_reader));
            let mut byte = [0_u8; 1];
            if matches!(rustix::io::read(&go_reader, &mut byte), Ok(1)) {
                let write = |name: &str, text: &str| {
                    std::fs::OpenOptions::new()
                        .write(true)
                        .open(format!("/proc/{target}/{name}"))
                        .and_then(|mut file| file.write_all(text.as_bytes()))
                };
                if write("uid_map", &uids)
                    .and_then(|()| write("gid_map", &gids))
                    .is_ok()
                {
                    let _told = rustix::io::write(&done_writer, b"+");
                }
            }
            exit_now(0)
        }
    };
    drop((go_reader, done_writer));
    let unshared = unshare(UnshareFlags::NEWUSER | UnshareFlags::NEWNS);
    if unshared.is_ok() {
        let _told = rustix::io::write(&go_writer, b"g");
    }
    drop(go_writer);
    let mut byte = [0_u8; 1];
    let mapped = matches!(rustix::io::read(&done_reader, &mut byte), Ok(1));
    let _reaped = rustix::process::waitpid(Some(child), WaitOptions::empty());
    unshared.map_err(fail)?;
    if !mapped {
        return Err(Failure::new(
            Kind::Forbidden,
            "the kernel refuses the container's map of ids",
        ));
    }
    become_root()
}

/// Enters the user name space of a process, when it is another one.
pub fn join(pid: u32) -> Result<(), Failure> {
    let path = format!("/proc/{pid}/ns/user");
    let gone = |errno| Failure::errno("the process is gone or out of reach", errno).at(&path);
    let theirs = rustix::fs::stat(path.as_str()).map_err(gone)?;
    let ours = rustix::fs::stat("/proc/self/ns/user").map_err(gone)?;
    if theirs.st_ino == ours.st_ino {
        return Ok(());
    }
    let fd =
        rustix::fs::open(path.as_str(), OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).map_err(gone)?;
    rustix::thread::move_into_link_name_space(
        rustix::fd::AsFd::as_fd(&fd),
        Some(rustix::thread::LinkNameSpaceType::User),
    )
    .map_err(gone)?;
    become_root()
}

fn become_root() -> Result<(), Failure> {
    let fail = |errno| Failure::errno("cannot take on the container's ids", errno);
    let (uid, gid) = (Uid::ROOT, Gid::ROOT);
    rustix::thread::set_thread_res_gid(gid, gid, gid).map_err(fail)?;
    rustix::thread::set_thread_res_uid(uid, uid, uid).map_err(fail)
}

/// The map of as many ids as this name space has, in one piece from 0, with `id` and root exchanged.
fn swapped(map: &str, id: u32) -> Result<String, Failure> {
    let text = std::fs::read_to_string(map)
        .map_err(|_| Failure::errno("cannot read the map of ids", Errno::NOENT).at(map))?;
    let size: u64 = text
        .lines()
        .filter_map(|line| line.split_whitespace().nth(2)?.parse::<u64>().ok())
        .sum();
    let size = size.min(u64::from(u32::MAX));
    if u64::from(id) >= size {
        return Err(Failure::new(
            Kind::Invalid,
            format!("the id {id} is not in the user name space, which has {size}"),
        ));
    }
    let id = u64::from(id);
    let lines = [
        (0, id, 1),
        (1, 1, id.saturating_sub(1)),
        (id, 0, 1),
        (id + 1, id + 1, size - id - 1),
    ];
    let wanted = if id == 0 { &lines[2..] } else { &lines[..] };
    Ok(wanted
        .iter()
        .filter(|(_, _, count)| *count > 0)
        .map(|(inside, outside, count)| format!("{inside} {outside} {count}\n"))
        .collect())
}
