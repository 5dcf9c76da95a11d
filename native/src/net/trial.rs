//! Whether this kernel can have the engine's networks, tried for real in a network namespace that ends
//! with the process. For `probe` only.

use super::link::{self, End};
use super::netlink::Netlink;
use super::uplink;
use crate::error::{Failure, Kind};
use crate::sys;
use rustix::thread::UnshareFlags;
use serde_json::json;

/// The loopback is the first link of every namespace.
const LOOPBACK: u32 = 1;

/// Makes a bridge, a veth pair and a network's packet rules. The calling process, which has the rights to
/// it, is to end afterwards.
pub fn attempt() -> Result<(), Failure> {
    sys::shim::unshare(UnshareFlags::NEWNET)
        .map_err(|errno| Failure::errno("a network namespace cannot be made", errno))?;
    let refused = |what: &str, errno| Failure::errno(format!("the kernel refuses {what}"), errno);
    let mut netlink = Netlink::open().map_err(|errno| refused("a netlink socket", errno))?;
    link::up(&mut netlink, LOOPBACK).map_err(|errno| refused("the loopback", errno))?;
    link::add_bridge(&mut netlink, "br0", [2, 0, 0, 0, 0, 1], 1500)
        .map_err(|errno| refused("a bridge", errno))?;
    let [ours, theirs] = ["pr0a", "pr0b"].map(|name| End {
        name,
        ..End::default()
    });
    link::add_veth(&mut netlink, ours, theirs, 1500).map_err(|errno| refused("a veth pair", errno))?;
    uplink::try_rules(json!({
        "index": 0,
        "bridge": "br0",
        "reinject": ["pr0a", "pr0b"],
        "subnets": [{"cidr": "172.17.0.0/16", "gateway": "172.17.0.1"}],
    }))
    .map_err(|failure| {
        let message = format!("the kernel refuses transparent proxying in nftables: {failure}");
        Failure::new(Kind::NotImplemented, message)
    })
}
