//! The OCI runtime: from a config.json to a running process.
pub mod cli;
