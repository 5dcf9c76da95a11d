//! The only place with unsafe code: system calls that rustix does not wrap, each block with its
//! SAFETY comment. One file for each user; nothing here decides anything.
#![allow(unsafe_code)]

pub mod bpf;
pub mod layer;
pub mod net;
pub mod packet;
pub mod runtime;
pub mod shim;
pub mod uplink;
