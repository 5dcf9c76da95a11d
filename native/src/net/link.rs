//! Links, addresses and routes, as requests over a [`Netlink`] socket of the namespace they are in. It
//! decides nothing: names and addresses are its callers'.

use super::address::Cidr;
use super::netlink::Netlink;
use netlink_packet_core::{NLM_F_CREATE, NLM_F_EXCL};
use netlink_packet_route::address::{
    AddressAttribute, AddressFlags, AddressHeader, AddressMessage, AddressScope,
};
use netlink_packet_route::link::{
    BridgeStpState, InfoBridge, InfoBridgePort, InfoData, InfoKind, InfoPortData, InfoPortKind, InfoVeth,
    LinkAttribute, LinkFlags, LinkInfo, LinkMessage,
};
use netlink_packet_route::route::{
    RouteAddress, RouteAttribute, RouteHeader, RouteMessage, RouteProtocol, RouteScope, RouteType,
};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use rustix::fd::{AsRawFd, BorrowedFd};
use rustix::io::Errno;
use std::net::{IpAddr, Ipv4Addr};

/// Default routes of one family that a namespace may have.
const ROUTES: usize = 64;

/// An end of a veth pair.
#[derive(Default, Clone, Copy)]
pub struct End<'a> {
    pub name: &'a str,
    pub mac: Option<[u8; 6]>,
    /// The bridge that it is a port of.
    pub bridge: Option<u32>,
    /// The namespace to make it in, if not the socket's own.
    pub namespace: Option<BorrowedFd<'a>>,
    pub up: bool,
}

/// Makes a bridge that forwards at once: no spanning tree, no learning of multicast groups.
pub fn add_bridge(netlink: &mut Netlink, name: &str, mac: [u8; 6], mtu: u32) -> Result<(), Errno> {
    let mut message = LinkMessage::default();
    message.attributes = vec![
        LinkAttribute::IfName(name.to_owned()),
        LinkAttribute::Address(mac.to_vec()),
        LinkAttribute::Mtu(mtu),
        LinkAttribute::LinkInfo(vec![
            LinkInfo::Kind(InfoKind::Bridge),
            LinkInfo::Data(InfoData::Bridge(vec![
                InfoBridge::StpState(BridgeStpState::Disabled),
                InfoBridge::ForwardDelay(0),
                InfoBridge::MulticastSnooping(false),
            ])),
        ]),
    ];
    set_up(&mut message);
    netlink.request(RouteNetlinkMessage::NewLink(message), NLM_F_CREATE | NLM_F_EXCL)
}

/// Makes a veth pair, both ends in one step. Theirs cannot be up from the beginning.
pub fn add_veth(netlink: &mut Netlink, ours: End<'_>, theirs: End<'_>, mtu: u32) -> Result<(), Errno> {
    let mut message = end_message(ours, mtu);
    let peer = end_message(theirs, mtu);
    message.attributes.push(LinkAttribute::LinkInfo(vec![
        LinkInfo::Kind(InfoKind::Veth),
        LinkInfo::Data(InfoData::Veth(InfoVeth::Peer(peer))),
    ]));
    netlink.request(RouteNetlinkMessage::NewLink(message), NLM_F_CREATE | NLM_F_EXCL)
}

fn end_message(end: End<'_>, mtu: u32) -> LinkMessage {
    let mut message = LinkMessage::default();
    message.attributes = vec![
        LinkAttribute::IfName(end.name.to_owned()),
        LinkAttribute::Mtu(mtu),
    ];
    if let Some(mac) = end.mac {
        message.attributes.push(LinkAttribute::Address(mac.to_vec()));
    }
    if let Some(bridge) = end.bridge {
        message.attributes.push(LinkAttribute::Controller(bridge));
    }
    if let Some(namespace) = end.namespace {
        message
            .attributes
            .push(LinkAttribute::NetNsFd(namespace.as_raw_fd()));
    }
    if end.up {
        set_up(&mut message);
    }
    message
}

fn set_up(message: &mut LinkMessage) {
    message.header.flags |= LinkFlags::Up;
    message.header.change_mask |= LinkFlags::Up;
}

/// Sets a link up.
pub fn up(netlink: &mut Netlink, index: u32) -> Result<(), Errno> {
    let mut message = LinkMessage::default();
    message.header.index = index;
    set_up(&mut message);
    netlink.request(RouteNetlinkMessage::SetLink(message), 0)
}

/// Lets a bridge's port exchange frames with the bridge only, or with its other ports too.
pub fn isolate(netlink: &mut Netlink, name: &str, isolated: bool) -> Result<(), Errno> {
    let mut message = LinkMessage::default();
    message.attributes = vec![
        LinkAttribute::IfName(name.to_owned()),
        LinkAttribute::LinkInfo(vec![
            LinkInfo::PortKind(InfoPortKind::Bridge),
            LinkInfo::PortData(InfoPortData::BridgePort(vec![InfoBridgePort::Isolated(isolated)])),
        ]),
    ];
    // Data of a port are read from "new link" messages only, which without CREATE change a link.
    netlink.request(RouteNetlinkMessage::NewLink(message), 0)
}

/// Changes a link's MTU.
pub fn set_mtu(netlink: &mut Netlink, index: u32, mtu: u32) -> Result<(), Errno> {
    let mut message = LinkMessage::default();
    message.header.index = index;
    message.attributes.push(LinkAttribute::Mtu(mtu));
    netlink.request(RouteNetlinkMessage::SetLink(message), 0)
}

/// Removes a link by name; true when there was one. A veth takes its peer with it.
pub fn remove(netlink: &mut Netlink, name: &str) -> Result<bool, Errno> {
    let mut message = LinkMessage::default();
    message.attributes.push(LinkAttribute::IfName(name.to_owned()));
    match netlink.request(RouteNetlinkMessage::DelLink(message), 0) {
        Ok(()) => Ok(true),
        Err(Errno::NODEV) => Ok(false),
        Err(errno) => Err(errno),
    }
}

/// Adds an address, usable at once (no duplicate detection: the engine gave it out).
pub fn add_address(netlink: &mut Netlink, index: u32, cidr: Cidr) -> Result<(), Errno> {
    let message = address_message(index, cidr);
    netlink.request(
        RouteNetlinkMessage::NewAddress(message),
        NLM_F_CREATE | NLM_F_EXCL,
    )
}

pub fn remove_address(netlink: &mut Netlink, index: u32, cidr: Cidr) -> Result<(), Errno> {
    netlink.request(RouteNetlinkMessage::DelAddress(address_message(index, cidr)), 0)
}

fn address_message(index: u32, cidr: Cidr) -> AddressMessage {
    let mut message = AddressMessage::default();
    message.header = AddressHeader {
        family: family(cidr.address),
        prefix_len: cidr.prefix,
        scope: AddressScope::Universe,
        index,
        ..AddressHeader::default()
    };
    message.attributes = vec![
        AddressAttribute::Local(cidr.address),
        AddressAttribute::Address(cidr.address),
    ];
    match cidr.address {
        IpAddr::V4(address) if cidr.prefix < 31 => {
            let host = u32::MAX.checked_shr(u32::from(cidr.prefix)).unwrap_or(0);
            let last = Ipv4Addr::from_bits(address.to_bits() | host);
            message.attributes.push(AddressAttribute::Broadcast(last));
        }
        IpAddr::V4(_) => {}
        IpAddr::V6(_) => message
            .attributes
            .push(AddressAttribute::Flags(AddressFlags::Nodad)),
    }
    message
}

/// Adds a default route over a gateway, which need not lie in a subnet of the link.
pub fn add_default_route(netlink: &mut Netlink, index: u32, gateway: IpAddr) -> Result<(), Errno> {
    let mut message = default_route(gateway);
    message.header.protocol = RouteProtocol::Boot;
    message.header.scope = RouteScope::Universe;
    message.header.kind = RouteType::Unicast;
    message.attributes = vec![
        RouteAttribute::Gateway(RouteAddress::from(gateway)),
        RouteAttribute::Oif(index),
    ];
    netlink.request(RouteNetlinkMessage::NewRoute(message), NLM_F_CREATE | NLM_F_EXCL)
}

/// Removes the default routes of that address family, over one link or over any.
pub fn remove_default_routes(netlink: &mut Netlink, index: Option<u32>, of: IpAddr) -> Result<(), Errno> {
    for _ in 0..ROUTES {
        let mut message = default_route(of);
        message.header.scope = RouteScope::NoWhere;
        message.attributes = index.map(RouteAttribute::Oif).into_iter().collect();
        match netlink.request(RouteNetlinkMessage::DelRoute(message), 0) {
            Ok(()) => {}
            Err(Errno::SRCH | Errno::NOENT) => return Ok(()),
            Err(errno) => return Err(errno),
        }
    }
    Err(Errno::BUSY)
}

fn default_route(of: IpAddr) -> RouteMessage {
    let mut message = RouteMessage::default();
    message.header.address_family = family(of);
    message.header.table = RouteHeader::RT_TABLE_MAIN;
    message
}

const fn family(address: IpAddr) -> AddressFamily {
    match address {
        IpAddr::V4(_) => AddressFamily::Inet,
        IpAddr::V6(_) => AddressFamily::Inet6,
    }
}
