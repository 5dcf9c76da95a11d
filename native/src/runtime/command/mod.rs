//! The runtime as a command: its arguments, its verbs and the state it keeps between two of them.
//! Built on the library in the folder above, which knows nothing of it.

pub mod cli;
mod report;
mod running;
mod store;
mod verbs;
