//! The only module with unsafe code: system calls that rustix does not wrap, each with its SAFETY.
#![allow(unsafe_code)]
