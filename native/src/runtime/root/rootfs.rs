//! The container's root: a directory bound onto itself or an overlay made with the new mount API,
//! then pivot_root. Runs in init, in the new mount name space.

use super::beneath::Tree;
use super::mount::{attach, clone_of, finish, host_directory};
use super::options::propagation;
use crate::error::{Failure, Kind};
use crate::runtime::spec::{Overlay, Root};
use crate::sys::runtime as sys;
use crate::sys::runtime::AttrChange;
use rustix::io::Errno;
use rustix::mount::{FsOpenFlags, MountFlags, OpenTreeFlags, UnmountFlags};
use rustix::process::{chroot, fchdir, pivot_root};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

/// fsconfig takes strings of at most 255 bytes.
const MAX_STRING: usize = 255;

/// Cuts the name space off from the host's and mounts the root; the tree is attached but not yet
/// the process's root.
pub fn prepare(
    root: &Root,
    bundle: Option<&Path>,
    rootfs_propagation: Option<&str>,
) -> Result<Tree, Failure> {
    let host = host_directory(Path::new("/")).map_err(|errno| Failure::errno("cannot open /", errno))?;
    // Nothing that is mounted here may reach the host; a shared root (as the spec may ask) still
    // gets what the host mounts.
    let slave = AttrChange {
        propagation: sys::MS_SLAVE,
        recursive: true,
        ..AttrChange::default()
    };
    sys::mount_setattr(&host, slave)
        .map_err(|errno| Failure::errno("cannot make the mount name space a slave of the host's", errno))?;
    let made = match &root.overlay {
        Some(overlay) => {
            let made = overlay_mount(overlay)?;
            attach(&made, &host)?;
            made
        }
        None => {
            let path = rooted(&root.path, bundle)?;
            let directory = host_directory(&path).map_err(|errno| {
                Failure::errno("cannot open the container's root file system", errno).at(&path)
            })?;
            let made = clone_of(&directory, OpenTreeFlags::AT_RECURSIVE).map_err(|errno| {
                Failure::errno("cannot bind the container's root file system", errno).at(&path)
            })?;
            attach(&made, &directory)?;
            made
        }
    };
    if let Some(word) = rootfs_propagation.filter(|word| !word.is_empty()) {
        let (value, recursive) = propagation(word).ok_or_else(|| {
            Failure::new(
                Kind::Invalid,
                format!("linux.rootfsPropagation {word:?} is not a propagation"),
            )
        })?;
        sys::mount_setattr(
            &made,
            AttrChange {
                propagation: value,
                recursive,
                ..AttrChange::default()
            },
        )
        .map_err(|errno| Failure::errno("cannot set the root's propagation", errno))?;
    }
    Ok(Tree::new(made))
}

/// `path` itself, or beneath the bundle.
pub fn rooted(path: &Path, bundle: Option<&Path>) -> Result<PathBuf, Failure> {
    if path.as_os_str().is_empty() {
        return Err(Failure::new(
            Kind::Invalid,
            "root.path is empty: the config.json names no root file system",
        ));
    }
    if path.is_absolute() {
        return Ok(path.to_owned());
    }
    let bundle = bundle
        .ok_or_else(|| Failure::new(Kind::Invalid, "root.path must be absolute without a bundle").at(path))?;
    Ok(bundle.join(path))
}

/// A detached overlay; with any number of lowers where the kernel has `lowerdir+` (6.7).
fn overlay_mount(overlay: &Overlay) -> Result<OwnedFd, Failure> {
    if overlay.lowers.is_empty() {
        return Err(Failure::new(
            Kind::Invalid,
            "root.overlay.lowers is empty: an overlay needs a lower directory",
        ));
    }
    let context = rustix::mount::fsopen("overlay", FsOpenFlags::FSOPEN_CLOEXEC)
        .map_err(|errno| Failure::errno("this kernel has no overlayfs", errno))?;
    for lower in &overlay.lowers {
        layer(&context, "lowerdir+", lower)
            .map_err(|errno| Failure::errno("cannot use the lower directory", errno).at(lower))?;
    }
    for (key, path) in [("upperdir", &overlay.upper), ("workdir", &overlay.work)] {
        if let Some(path) = path {
            layer(&context, key, path)
                .map_err(|errno| Failure::errno(format!("cannot use the {key}"), errno).at(path))?;
        }
    }
    let made = rustix::mount::fsconfig_set_string(&context, "source", "overlay")
        .and_then(|()| rustix::mount::fsconfig_set_flag(&context, "userxattr"))
        .and_then(|()| finish(&context));
    let failure = match made {
        Ok(made) => return Ok(made),
        Err(errno) => Failure::errno("cannot mount the root's overlay", errno),
    };
    // Older kernels take any option and refuse the whole only now.
    if failure.errno == Some(Errno::INVAL)
        && let Ok(made) = old_overlay(overlay)
    {
        return Ok(made);
    }
    Err(match &overlay.upper {
        Some(upper) => failure.at(upper),
        None => failure,
    })
}

fn layer(context: &OwnedFd, key: &str, path: &Path) -> Result<(), Errno> {
    if path.as_os_str().len() <= MAX_STRING {
        return rustix::mount::fsconfig_set_string(context, key, path);
    }
    rustix::mount::fsconfig_set_fd(context, key, host_directory(path)?)
}

/// Before Linux 6.7: one string in a page, by mount(2).
fn old_overlay(overlay: &Overlay) -> Result<OwnedFd, Failure> {
    let mut data = String::from("userxattr,lowerdir=");
    let text = |path: &Path| {
        let text = path.to_string_lossy();
        text.replace('\\', "\\\\").replace(':', "\\:").replace(',', "\\,")
    };
    data.push_str(
        &overlay
            .lowers
            .iter()
            .map(|path| text(path))
            .collect::<Vec<_>>()
            .join(":"),
    );
    for (key, path) in [("upperdir", &overlay.upper), ("workdir", &overlay.work)] {
        if let Some(path) = path {
            data.push_str(&format!(",{key}={}", text(path)));
        }
    }
    if data.len() >= 4096 {
        return Err(Failure::new(
            Kind::NotImplemented,
            "this kernel (older than 6.7) cannot mount so many layers; build the image with fewer layers",
        ));
    }
    let data = std::ffi::CString::new(data)
        .map_err(|_| Failure::new(Kind::Invalid, "a layer's path holds a NUL"))?;
    let refused = |errno| Failure::errno("cannot mount the root's overlay", errno);
    // Mounted for a moment where surely no layer lies.
    let point = "/proc";
    rustix::mount::mount(
        "overlay",
        point,
        "overlay",
        MountFlags::empty(),
        Some(data.as_c_str()),
    )
    .map_err(refused)?;
    let copy = host_directory(Path::new(point)).and_then(|made| clone_of(&made, OpenTreeFlags::empty()));
    rustix::mount::unmount(point, UnmountFlags::DETACH).map_err(refused)?;
    copy.map_err(refused)
}

/// Makes the tree the process's root and lets the host's root go.
pub fn enter(tree: &Tree, no_pivot: bool) -> Result<(), Failure> {
    let failed = |what: &'static str| move |errno| Failure::errno(what, errno);
    fchdir(tree.as_fd()).map_err(failed("cannot enter the root file system"))?;
    if no_pivot {
        let host = host_directory(Path::new("/")).map_err(failed("cannot open /"))?;
        attach(tree.as_fd(), &host)?;
        return chroot(".").map_err(failed("cannot chroot"));
    }
    let old = host_directory(Path::new("/")).map_err(failed("cannot open /"))?;
    // Both names are the new root: the old one is stacked on it and is let go (pivot_root(2)).
    pivot_root(".", ".").map_err(failed("pivot_root was refused"))?;
    fchdir(&old).map_err(failed("cannot return to the old root"))?;
    rustix::mount::unmount(".", UnmountFlags::DETACH).map_err(failed("cannot detach the host's root"))?;
    rustix::process::chdir("/").map_err(failed("cannot enter the root file system"))
}

/// Makes the root mount itself read-only; what is mounted beneath keeps its own attributes.
pub fn make_read_only(tree: &Tree) -> Result<(), Failure> {
    let change = AttrChange {
        set: sys::ATTR_RDONLY,
        ..AttrChange::default()
    };
    sys::mount_setattr(tree.as_fd(), change)
        .map_err(|errno| Failure::errno("cannot make the root read-only", errno))
}
