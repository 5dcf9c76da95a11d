//! Owner, mode, extended attributes and times of what is written, with the fewest system calls: a new
//! file belongs to this process and has the mode it was opened with, so most need nothing but times.

use crate::error::{Failure, Kind};
use crate::layer::tree::beneath::shown;
use crate::layer::tree::walk::Xattr;
use rustix::fd::{AsFd, AsRawFd};
use rustix::fs::{
    AtFlags, Gid, Mode, Timespec, Timestamps, UTIME_OMIT, Uid, XattrFlags, chownat, fchmod, fchown,
    fsetxattr, futimens, utimensat,
};
use rustix::io::Errno;

/// Seconds and nanoseconds.
pub type Time = (i64, u32);

/// What this process may do with ids.
#[derive(Debug, Clone, Copy)]
pub struct Identity {
    /// Owners that the user namespace does not hold are left out: it holds one id only, or they do not matter.
    pub lenient: bool,
    /// Not the initial user namespace: no device nodes.
    pub confined: bool,
    uid: u32,
    gid: u32,
}

impl Identity {
    pub fn of_process() -> Self {
        let map = std::fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
        let total: u64 = map
            .lines()
            .filter_map(|line| line.split_whitespace().nth(2)?.parse::<u64>().ok())
            .sum();
        Self {
            lenient: total == 1,
            confined: total < u64::from(u32::MAX),
            uid: rustix::process::geteuid().as_raw(),
            gid: rustix::process::getegid().as_raw(),
        }
    }

    pub fn or_lenient(self, lenient: bool) -> Self {
        Self {
            lenient: self.lenient || lenient,
            ..self
        }
    }

    fn owns(&self, owner: (u32, u32)) -> bool {
        owner == (self.uid, self.gid)
    }
}

/// Sets the owner of an open file, or of `name` in the directory `fd`.
pub fn set_owner<Fd: AsFd>(
    identity: &Identity,
    fd: Fd,
    name: Option<&[u8]>,
    (uid, gid): (u32, u32),
) -> Result<(), Failure> {
    if uid == u32::MAX || gid == u32::MAX {
        return Err(Failure::new(Kind::Invalid, "4294967295 is no id"));
    }
    let owner = (Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)));
    let result = match name {
        None => fchown(fd, owner.0, owner.1),
        Some(name) => chownat(fd, name, owner.0, owner.1, AtFlags::SYMLINK_NOFOLLOW),
    };
    match result {
        Err(Errno::INVAL | Errno::PERM) if identity.lenient => Ok(()),
        Err(Errno::INVAL) if identity.confined => Err(Failure::errno(
            format!(
                "owner {uid}:{gid} has no place in this user namespace (enlarge the range in /etc/subuid and /etc/subgid)"
            ),
            Errno::INVAL,
        )),
        Err(errno) => Err(Failure::errno(format!("cannot set the owner {uid}:{gid}"), errno)),
        Ok(()) => Ok(()),
    }
}

/// Sets the attributes of a file or directory that was just made with `mode & 0o777` by this process.
/// The order matters: a change of owner clears set-id bits and capabilities.
pub struct Fresh<'a> {
    pub identity: &'a Identity,
    pub owner: (u32, u32),
    pub mode: u32,
    pub xattrs: &'a [Xattr],
    /// The entry may have been given another group or mode by its directory, or is not new.
    pub inherited: bool,
}

impl Fresh<'_> {
    pub fn apply<Fd: AsFd>(&self, fd: Fd, path: &[u8]) -> Result<(), Failure> {
        let fd = fd.as_fd();
        let chown = self.inherited || !self.identity.owns(self.owner);
        if chown {
            set_owner(self.identity, fd, None, self.owner).map_err(|failure| failure.at(shown(path)))?;
        }
        if chown || self.mode & 0o7000 != 0 {
            fchmod(fd, Mode::from_raw_mode(self.mode & 0o7777))
                .map_err(|errno| Failure::errno("cannot set the mode", errno).at(shown(path)))?;
        }
        for (name, value) in self.xattrs {
            set_xattr(fd, name, value).map_err(|failure| failure.at(shown(path)))?;
        }
        Ok(())
    }
}

/// Sets one extended attribute. What the file system or the user namespace refuses is left out, as the
/// other engines do; running out of space is an error.
pub fn set_xattr<Fd: AsFd>(fd: Fd, name: &[u8], value: &[u8]) -> Result<(), Failure> {
    tolerate(fsetxattr(fd, name, value, XattrFlags::empty()), name)
}

/// The same for `name` of a directory, which may be a link or a device.
pub fn set_xattr_at<Fd: AsFd>(dir: Fd, entry: &[u8], name: &[u8], value: &[u8]) -> Result<(), Failure> {
    let mut path = format!("/proc/self/fd/{}/", dir.as_fd().as_raw_fd()).into_bytes();
    path.extend_from_slice(entry);
    tolerate(
        rustix::fs::lsetxattr(&path, name, value, XattrFlags::empty()),
        name,
    )
}

fn tolerate(result: Result<(), Errno>, name: &[u8]) -> Result<(), Failure> {
    match result {
        Ok(()) | Err(Errno::OPNOTSUPP | Errno::PERM) => Ok(()),
        Err(errno) => Err(Failure::errno(
            format!(
                "cannot set the extended attribute {}",
                String::from_utf8_lossy(name)
            ),
            errno,
        )),
    }
}

fn stamps((seconds, nanos): Time) -> Timestamps {
    Timestamps {
        last_access: Timespec {
            tv_sec: 0,
            tv_nsec: UTIME_OMIT,
        },
        last_modification: Timespec {
            tv_sec: seconds,
            tv_nsec: i64::from(nanos),
        },
    }
}

pub fn set_time<Fd: AsFd>(fd: Fd, time: Time) -> Result<(), Errno> {
    futimens(fd, &stamps(time))
}

pub fn set_time_at<Fd: AsFd>(dir: Fd, name: &[u8], time: Time) -> Result<(), Errno> {
    utimensat(dir, name, &stamps(time), AtFlags::SYMLINK_NOFOLLOW)
}
