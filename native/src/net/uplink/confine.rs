//! What the uplink gives up once it serves: capabilities it no longer needs, and more descriptors asked
//! for. It serves traffic of containers, so it keeps as little power as it can.

use crate::error::Failure;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::thread::{CapabilitySet, CapabilitySets};

fn keep(capabilities: CapabilitySet) -> Result<(), Failure> {
    let sets = CapabilitySets {
        effective: capabilities,
        permitted: capabilities,
        inheritable: CapabilitySet::empty(),
    };
    rustix::thread::set_capabilities(None, sets)
        .map_err(|errno| Failure::errno("cannot give up capabilities", errno))
}

/// The thread in the engine's namespace goes on making transparent sockets.
pub fn inside() -> Result<(), Failure> {
    keep(CapabilitySet::NET_ADMIN)
}

/// The poll loop, which has every socket that needs a capability, gives up all.
pub fn outside() -> Result<(), Failure> {
    rustix::thread::set_no_new_privs(true)
        .map_err(|errno| Failure::errno("cannot forbid new privileges", errno))?;
    keep(CapabilitySet::empty())
}

/// Raises the limit of open descriptors as far as allowed and returns it.
pub fn descriptors() -> usize {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    let _kept = setrlimit(Resource::Nofile, raised);
    let current = getrlimit(Resource::Nofile).current.unwrap_or(1 << 20);
    usize::try_from(current).unwrap_or(1024).min(1 << 20)
}
