//! An OCI seccomp profile as a BPF program.

/// A compiled filter, ready to load.
#[derive(Debug, Clone)]
pub struct Program {
    pub(crate) instructions: Vec<u64>,
    pub(crate) flags: u32,
}
