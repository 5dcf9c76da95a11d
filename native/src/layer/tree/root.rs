//! A root names a tree: a directory, an overlay, or the root of a running process. It becomes one
//! descriptor, below which every path is resolved. An overlay is a detached mount: nobody else sees it
//! and it vanishes with its last descriptor. Runs in the name spaces of the caller.

use crate::error::{Failure, Kind};
use crate::layer::ids::{self, Ids};
use crate::sys::layer as sys;
use rustix::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, CWD, Mode, OFlags, open, openat, unlinkat};
use rustix::io::Errno;
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, MountFlags, MountPropagationFlags, fsconfig_create,
    fsconfig_set_flag, fsconfig_set_string, fsmount, fsopen, mount, mount_change,
};
use serde::Deserialize;
use std::path::PathBuf;

/// A root as requests write it (docs/native.md).
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum Root {
    Pid {
        pid: u32,
        /// Owners as the process sees them, whose user name space is not the caller's.
        #[serde(default)]
        joined: bool,
    },
    Dir {
        dir: PathBuf,
    },
    Overlay {
        lowers: Vec<PathBuf>,
        upper: Option<PathBuf>,
        work: Option<PathBuf>,
        /// Owners as a container of this map sees them.
        ids: Option<Ids>,
    },
}

/// What an overlay is mounted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Its upper directory is one more lower one: no work directory, no sync, and a second mount does no harm.
    Read,
    /// The kernel syncs the upper file system when the mount goes.
    Write,
    /// Written without a sync: the caller throws the upper directory away when the verb fails.
    Volatile,
}

/// An open root.
pub struct Tree {
    fd: OwnedFd,
    /// Whether the ids of its files mean anything (not so in a build context).
    pub owned: bool,
    /// Whether whiteouts may be met, because a single layer is read directly.
    pub raw_layer: bool,
    volatile_work: Option<PathBuf>,
}

impl Tree {
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    /// Lets go of the mount. A volatile overlay's mark is taken away, so that it can be mounted again.
    pub fn close(self) -> Result<(), Failure> {
        let Self {
            fd, volatile_work, ..
        } = self;
        drop(fd);
        let Some(work) = volatile_work else { return Ok(()) };
        let work = open_dir(&work)?;
        for (path, flags) in [
            ("work/incompat/volatile/dirty", AtFlags::empty()),
            ("work/incompat/volatile", AtFlags::REMOVEDIR),
            ("work/incompat", AtFlags::REMOVEDIR),
        ] {
            match unlinkat(&work, path, flags) {
                Ok(()) | Err(Errno::NOENT) => {}
                Err(errno) => {
                    return Err(Failure::errno("cannot clear the overlay's work directory", errno).at(path));
                }
            }
        }
        Ok(())
    }
}

/// Opens a root. `access` matters to an overlay only.
pub fn open_root(root: &Root, access: Access) -> Result<Tree, Failure> {
    let plain = |fd, owned, raw_layer| Tree {
        fd,
        owned,
        raw_layer,
        volatile_work: None,
    };
    match root {
        Root::Dir { dir } => Ok(plain(open_dir(dir)?, false, false)),
        Root::Pid { pid, joined } => {
            if *joined {
                ids::join(*pid)?;
            }
            let path = format!("/proc/{pid}/root");
            let fd = open(
                &path,
                OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC,
                Mode::empty(),
            )
            .map_err(|errno| Failure::errno("the process is gone or out of reach", errno).at(&path))?;
            Ok(plain(fd, true, false))
        }
        Root::Overlay {
            lowers,
            upper,
            work,
            ids,
        } => {
            if let Some(ids) = ids {
                ids::enter(*ids)?;
            }
            let mut lowers = lowers.clone();
            let writable = match (access, upper) {
                (Access::Read, Some(upper)) => {
                    lowers.insert(0, upper.clone());
                    None
                }
                (Access::Read, None) => None,
                _ => upper.as_ref().zip(work.as_ref()),
            };
            match (lowers.as_slice(), writable) {
                ([], Some((upper, _))) => Ok(plain(open_dir(upper)?, true, true)),
                ([], None) => Err(Failure::new(Kind::Invalid, "an overlay root needs a directory")),
                ([only], None) => Ok(plain(open_dir(only)?, true, true)),
                (lowers, writable) => overlay(lowers, writable, access),
            }
        }
    }
}

/// Opens an engine's own directory: these paths are trusted and absolute.
pub fn open_dir(path: &PathBuf) -> Result<OwnedFd, Failure> {
    openat(
        CWD,
        path,
        OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC,
        Mode::empty(),
    )
    .map_err(|errno| Failure::errno("cannot open the directory", errno).at(path))
}

fn overlay(
    lowers: &[PathBuf],
    writable: Option<(&PathBuf, &PathBuf)>,
    access: Access,
) -> Result<Tree, Failure> {
    let lower_fds = lowers.iter().map(open_dir).collect::<Result<Vec<_>, _>>()?;
    let upper_fds = match writable {
        Some((upper, work)) => Some((open_dir(upper)?, open_dir(work)?)),
        None => None,
    };
    let volatile = access == Access::Volatile && upper_fds.is_some();
    let layers = Layers {
        lowers: &lower_fds,
        upper: upper_fds.as_ref(),
        volatile,
    };
    let fd = match layers.mount_detached() {
        Err(Errno::INVAL | Errno::NOSYS) => layers.mount_private()?,
        result => result.map_err(|errno| Failure::errno("cannot mount the overlay", errno).at(&lowers[0]))?,
    };
    Ok(Tree {
        fd,
        owned: true,
        raw_layer: false,
        volatile_work: writable.filter(|_| volatile).map(|(_, work)| work.clone()),
    })
}

struct Layers<'a> {
    lowers: &'a [OwnedFd],
    upper: Option<&'a (OwnedFd, OwnedFd)>,
    volatile: bool,
}

impl Layers<'_> {
    /// fsopen(2) and friends, kernel 6.5 or newer. Strings are at most 255 bytes, so paths go by descriptor.
    fn mount_detached(&self) -> rustix::io::Result<OwnedFd> {
        let context = fsopen("overlay", FsOpenFlags::FSOPEN_CLOEXEC)?;
        for lower in self.lowers {
            fsconfig_set_string(context.as_fd(), "lowerdir+", by_fd(lower))?;
        }
        if let Some((upper, work)) = self.upper {
            fsconfig_set_string(context.as_fd(), "upperdir", by_fd(upper))?;
            fsconfig_set_string(context.as_fd(), "workdir", by_fd(work))?;
        }
        fsconfig_set_flag(context.as_fd(), "userxattr")?;
        if self.volatile {
            fsconfig_set_flag(context.as_fd(), "volatile")?;
        }
        fsconfig_create(context.as_fd())?;
        fsmount(
            context.as_fd(),
            FsMountFlags::FSMOUNT_CLOEXEC,
            MountAttrFlags::MOUNT_ATTR_NOSUID | MountAttrFlags::MOUNT_ATTR_NODEV,
        )
    }

    /// mount(2) over the top lower directory in a private mount namespace, for older kernels.
    fn mount_private(&self) -> Result<OwnedFd, Failure> {
        let fail = |errno| Failure::errno("cannot mount the overlay", errno);
        let lowers: Vec<String> = self.lowers.iter().map(by_fd).collect();
        let mut options = format!("userxattr,lowerdir={}", lowers.join(":"));
        if let Some((upper, work)) = self.upper {
            options.push_str(&format!(",upperdir={},workdir={}", by_fd(upper), by_fd(work)));
        }
        if self.volatile {
            options.push_str(",volatile");
        }
        if options.len() > 4000 {
            return Err(Failure::new(
                Kind::Unavailable,
                format!("{} layers need Linux 6.5 or newer", self.lowers.len()),
            ));
        }
        sys::private_mounts().map_err(fail)?;
        mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC).map_err(fail)?;
        let target = std::fs::read_link(by_fd(&self.lowers[0]))
            .map_err(|_| Failure::new(Kind::Internal, "cannot name the lower directory"))?;
        let options = std::ffi::CString::new(options)
            .map_err(|_| Failure::new(Kind::Internal, "a NUL in the mount options"))?;
        mount(
            "overlay",
            &target,
            "overlay",
            MountFlags::NOSUID | MountFlags::NODEV,
            options.as_c_str(),
        )
        .map_err(fail)?;
        open_dir(&target)
    }
}

fn by_fd(fd: &OwnedFd) -> String {
    format!("/proc/self/fd/{}", fd.as_raw_fd())
}
