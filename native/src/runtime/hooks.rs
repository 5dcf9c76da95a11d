//! The hooks of a container, run with its state on standard input.
use super::spec::Hook;

/// What runs after create: poststart and poststop, with the state they get.
#[derive(Default)]
pub(crate) struct Later {
    pub(crate) poststart: Vec<Hook>,
    pub(crate) poststop: Vec<Hook>,
}
