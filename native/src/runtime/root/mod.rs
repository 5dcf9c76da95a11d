//! The container's file system: its root or overlay, the mounts and devices in it, and what covers
//! parts of it. Everything in it is reached beneath a descriptor of the root, never by a host path.

pub(super) mod beneath;
pub(super) mod cgroup_mount;
mod copy_up;
pub(super) mod devices;
pub mod idmapped;
pub(super) mod masks;
pub(super) mod mount;
mod options;
pub(super) mod rootfs;
