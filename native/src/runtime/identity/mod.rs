//! What a process may do: its id maps, its user and groups, its capabilities and limits, and its
//! filter of system calls.

mod bpf;
pub(super) mod idmap;
pub(super) mod privileges;
pub(super) mod seccomp;
pub(super) mod users;
