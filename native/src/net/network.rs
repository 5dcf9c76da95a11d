//! One network: its bridge, its pair for reinjection and its uplink's configuration. What its endpoints
//! are is the supervisor's business.

use super::address::{Cidr, mac_of};
use super::keeper::{Keeper, Parcel};
use super::link::{self, End};
use super::namespace::Space;
use super::netlink::Netlink;
use super::request::{Names, Wanted};
use crate::error::{Failure, Kind};
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use serde_json::{Value, json};
use std::net::{IpAddr, Ipv4Addr};
use std::rc::Rc;
use std::time::Instant;

/// The reinjection pair carries whole segments, whatever the network's MTU.
const PAIR_MTU: u32 = 65535;

pub struct Network {
    pub wanted: Wanted,
    /// Small and unique among the living: names its pair, and its place in the uplink's tables.
    pub index: u32,
    /// The bridge's interface index.
    pub bridge: u32,
    pub keeper: Keeper,
    pub names: Option<Names>,
    /// Clients whose answer is the uplink's, and how long they wait.
    pub waiting: Vec<(u64, Instant)>,
    /// True when the uplink once served this network.
    pub served: bool,
    /// Answers of `state` that are still to come.
    pub asked: u32,
    pub counts: (u64, u64),
}

impl Network {
    /// Makes the links; nothing is left when it fails. The uplink is not started.
    pub fn create(space: &mut Space, wanted: Wanted, index: u32) -> Result<Self, Failure> {
        let pair = pair_names(index);
        let result = make_links(&mut space.netlink, &wanted, &pair);
        if result.is_err() {
            // Only what this call made: a bridge of that name may be another's.
            if !matches!(&result, Err(Problem::BridgeExists(_))) {
                let _ = link::remove(&mut space.netlink, &wanted.bridge);
            }
            let _ = link::remove(&mut space.netlink, &pair[0]);
        }
        let bridge = result.map_err(Problem::into_failure)?;
        Ok(Self {
            wanted,
            index,
            bridge,
            keeper: Keeper::default(),
            names: None,
            waiting: Vec::new(),
            served: false,
            asked: 0,
            counts: (0, 0),
        })
    }

    /// Changes the bridge to what is wanted now. The name stays.
    pub fn change(&mut self, space: &mut Space, wanted: Wanted) -> Result<(), Failure> {
        if wanted.bridge != self.wanted.bridge {
            return Err(Failure::new(
                Kind::Conflict,
                format!(
                    "network {} has the bridge {}: it cannot be renamed",
                    wanted.id, self.wanted.bridge
                ),
            ));
        }
        let netlink = &mut space.netlink;
        let fail = |what: &str, errno| {
            Failure::errno(
                format!("cannot change {} of bridge {}", what, wanted.bridge),
                errno,
            )
        };
        let (before, after) = (self.wanted.gateways(), wanted.gateways());
        for cidr in before.iter().filter(|cidr| !after.contains(cidr)) {
            match link::remove_address(netlink, self.bridge, *cidr) {
                Ok(()) | Err(Errno::ADDRNOTAVAIL) => {}
                Err(errno) => return Err(fail("an address", errno)),
            }
        }
        for cidr in after.iter().filter(|cidr| !before.contains(cidr)) {
            match link::add_address(netlink, self.bridge, *cidr) {
                Ok(()) | Err(Errno::EXIST) => {}
                Err(errno) => return Err(fail("an address", errno)),
            }
        }
        if wanted.mtu != self.wanted.mtu {
            link::set_mtu(netlink, self.bridge, wanted.mtu).map_err(|errno| fail("the MTU", errno))?;
        }
        self.wanted = wanted;
        Ok(())
    }

    /// Ends the uplink and names the links that are to be removed.
    pub fn destroy(mut self) -> Vec<String> {
        self.keeper.kill();
        let [pair, _] = pair_names(self.index);
        vec![self.wanted.bridge, pair]
    }

    /// The message that configures the uplink.
    pub fn configuration(&self, space: &Rc<OwnedFd>, others: &[Cidr]) -> Parcel {
        let subnet =
            |(cidr, gateway): &(Cidr, Option<IpAddr>)| json!({"cidr": cidr.to_string(), "gateway": gateway});
        let wanted = &self.wanted;
        let message = json!({"op": "configure", "network": {
            "id": wanted.id,
            "index": self.index,
            "bridge": wanted.bridge,
            "reinject": pair_names(self.index),
            "subnets": wanted.subnets.iter().map(subnet).collect::<Vec<_>>(),
            "internal": wanted.internal,
            "mtu": wanted.mtu,
            "hostLoopback": wanted.host_loopback,
            "others": others.iter().map(ToString::to_string).collect::<Vec<_>>(),
        }});
        Parcel::with(message, space)
    }

    /// The message with its names, if it has any.
    pub fn names_parcel(&self) -> Option<Parcel> {
        self.names.as_ref().and_then(names_message).map(Parcel::plain)
    }
}

fn names_message(names: &Names) -> Option<Value> {
    let mut message = serde_json::to_value(names).ok()?;
    message.as_object_mut()?.insert("op".to_owned(), json!("names"));
    Some(message)
}

/// The reinjection pair's ends.
pub fn pair_names(index: u32) -> [String; 2] {
    [format!("pr{index}a"), format!("pr{index}b")]
}

enum Problem {
    BridgeExists(Failure),
    Other(Failure),
}

impl Problem {
    fn into_failure(self) -> Failure {
        match self {
            Self::BridgeExists(failure) | Self::Other(failure) => failure,
        }
    }
}

fn make_links(netlink: &mut Netlink, wanted: &Wanted, pair: &[String; 2]) -> Result<u32, Problem> {
    let fail = |what: &str, errno| {
        Problem::Other(Failure::errno(
            format!("cannot make {what} for bridge {}", wanted.bridge),
            errno,
        ))
    };
    let first = wanted.gateways().first().map(|cidr| cidr.address);
    let own = first.unwrap_or(IpAddr::V4(Ipv4Addr::new(169, 254, 0, 1)));
    match link::add_bridge(netlink, &wanted.bridge, mac_of(own), wanted.mtu) {
        Ok(()) => {}
        Err(Errno::EXIST) => {
            return Err(Problem::BridgeExists(Failure::errno(
                format!("another network has the bridge {}", wanted.bridge),
                Errno::EXIST,
            )));
        }
        Err(errno) => return Err(fail("the bridge", errno)),
    }
    let bridge = netlink
        .index_of(&wanted.bridge)
        .map_err(|errno| fail("the bridge", errno))?;
    for cidr in wanted.gateways() {
        link::add_address(netlink, bridge, cidr)
            .map_err(|errno| fail(&format!("the address {cidr}"), errno))?;
    }
    let end = |name, up| End {
        name,
        up,
        ..End::default()
    };
    let second = &pair[1];
    link::add_veth(netlink, end(&pair[0], true), end(second, false), PAIR_MTU)
        .and_then(|()| netlink.index_of(second))
        .and_then(|index| link::up(netlink, index))
        .map_err(|errno| fail("a veth pair", errno))?;
    Ok(bridge)
}
