//! One network's rules in the engine's own network namespace: the nftables chain that hands its packets
//! to the uplink's transparent sockets, and the policy route that makes foreign addresses local. Never
//! used in the host's namespace.
//!
//! A packet of a bridge is looked at once, before routing. What containers say to each other and to the
//! gateway's own services passes; a first segment is dropped, because the packet socket has seen it and
//! the uplink puts it back on the other pair when the destination has answered; all other TCP and UDP goes
//! to the transparent sockets (tproxy finds an established one by its addresses first); the rest is dropped.

use super::netlink::{Answer, Attributes, Messages, Netlink};
use super::policy::{Network, Range};
use crate::error::Failure;
use rustix::io::Errno;
use rustix::net::netlink;
use std::net::IpAddr;

const TABLE: &str = "pinnace";
/// The mark that the policy route looks for. Packets from a network's own addresses have the other mark
/// before they get it.
const MARK: u32 = 1;
const KNOWN: u32 = 2;
const ROUTES: u8 = 100;

const FAMILY_INET: u8 = 1;
const IPV4: u8 = 2;
const IPV6: u8 = 10;
const TCP: u8 = 6;
const UDP: u8 = 17;
const ICMP: u8 = 1;
const ICMPV6: u8 = 58;

const BATCH_BEGIN: u16 = 0x10;
const BATCH_END: u16 = 0x11;
const NFTABLES: u16 = 10 << 8;
const CREATE: u16 = 0x400;
const APPEND: u16 = 0x800;

/// The port of the transparent sockets.
pub const fn port(index: u16) -> u16 {
    20_000 + index % 40_000
}

/// One expression of a rule.
enum Step<'a> {
    From(&'a str),
    NotFrom(&'a str),
    Protocol(u8),
    /// The source or destination address is in the range, or is not.
    Source(Range),
    Target(Range),
    NotTarget(IpAddr),
    TargetPort(u16),
    /// The segment opens a connection, or does not.
    Opens,
    Continues,
    NotKnown,
    Mark(u32),
    Proxy(u16),
    Accept,
    Drop,
}

/// The rules of a network, in order.
fn rules(network: &Network) -> Vec<Vec<Step<'_>>> {
    let [entry, exit] = [network.reinject[0].as_str(), network.reinject[1].as_str()];
    let proxy = port(network.index);
    let mut rules = vec![
        vec![
            Step::From(exit),
            Step::Protocol(TCP),
            Step::Opens,
            Step::Proxy(proxy),
            Step::Mark(MARK),
            Step::Accept,
        ],
        vec![Step::From(exit), Step::Drop],
        vec![Step::From(entry), Step::Drop],
        vec![Step::NotFrom(&network.bridge), Step::Accept],
    ];
    for target in ["ff00::/8", "fe80::/10"].into_iter().filter_map(range) {
        rules.push(vec![Step::Protocol(ICMPV6), Step::Target(target), Step::Accept]);
    }
    // A neighbour that is asked for again is asked from the link's own address (RFC 4861, 7.3.3).
    for gateway in network.gateways().filter(IpAddr::is_ipv6) {
        let only = Range {
            address: gateway,
            length: 128,
        };
        if let Some(link) = range("fe80::/10") {
            rules.push(vec![
                Step::Protocol(ICMPV6),
                Step::Source(link),
                Step::Target(only),
                Step::Accept,
            ]);
        }
    }
    for subnet in &network.subnets {
        rules.push(vec![Step::Source(subnet.cidr), Step::Mark(KNOWN)]);
    }
    rules.push(vec![Step::NotKnown, Step::Drop]);
    for subnet in &network.subnets {
        let Some(gateway) = subnet.gateway else {
            rules.push(vec![Step::Target(subnet.cidr), Step::Accept]);
            continue;
        };
        let only = Range {
            address: gateway,
            length: if gateway.is_ipv4() { 32 } else { 128 },
        };
        for protocol in [TCP, UDP] {
            rules.push(vec![
                Step::Target(only),
                Step::Protocol(protocol),
                Step::TargetPort(53),
                Step::Accept,
            ]);
        }
        let control = if gateway.is_ipv4() { ICMP } else { ICMPV6 };
        rules.push(vec![Step::Target(only), Step::Protocol(control), Step::Accept]);
        rules.push(vec![
            Step::Target(only),
            Step::Protocol(TCP),
            Step::Continues,
            Step::Accept,
        ]);
        rules.push(vec![
            Step::Target(subnet.cidr),
            Step::NotTarget(gateway),
            Step::Accept,
        ]);
    }
    for target in ["224.0.0.0/4", "255.255.255.255/32", "ff00::/8"]
        .into_iter()
        .filter_map(range)
    {
        rules.push(vec![Step::Target(target), Step::Accept]);
    }
    rules.push(vec![Step::Protocol(TCP), Step::Opens, Step::Drop]);
    for protocol in [TCP, UDP] {
        rules.push(vec![
            Step::Protocol(protocol),
            Step::Proxy(proxy),
            Step::Mark(MARK),
            Step::Accept,
        ]);
    }
    rules.push(vec![Step::Drop]);
    rules
}

fn range(text: &str) -> Option<Range> {
    Range::try_from(text.to_owned()).ok()
}

/// Puts the network's chain in force, in one transaction, in place of an older one of the same number.
/// Runs in the engine's network namespace.
pub fn install(network: &Network) -> Result<(), Failure> {
    let chain = format!("net{}", network.index);
    let inet = [FAMILY_INET, 0, 0, 0];
    let subsystem = [0, 0, 0, 10];
    let mut batch = Messages::default();
    batch.add(BATCH_BEGIN, (0, Answer::None), &subsystem, |_| ());
    batch.add(NFTABLES, (CREATE, Answer::Wanted), &inet, |table| {
        table.text(1, TABLE)
    });
    batch.add(NFTABLES | 3, (CREATE, Answer::Wanted), &inet, |message| {
        message.text(1, TABLE);
        message.text(3, &chain);
        // Before routing, where conntrack's mangling would be (priority -150).
        message.nest(4, |hook| {
            hook.number(1, 0);
            hook.put(2, &(-150i32).to_be_bytes());
        });
        message.number(5, 1);
        message.text(7, "filter");
    });
    batch.add(NFTABLES | 8, (0, Answer::Wanted), &inet, |message| {
        message.text(1, TABLE);
        message.text(2, &chain);
    });
    for rule in rules(network) {
        batch.add(
            NFTABLES | 6,
            (CREATE | APPEND, Answer::Wanted),
            &inet,
            |message| {
                message.text(1, TABLE);
                message.text(2, &chain);
                message.nest(4, |list| rule.iter().for_each(|step| put_step(list, step)));
            },
        );
    }
    batch.add(BATCH_END, (0, Answer::None), &subsystem, |_| ());
    Netlink::open(Some(netlink::NETFILTER))?.request(
        &batch,
        "set the network's packet rules (nf_tables with tproxy)",
        None,
    )
}

fn expression(list: &mut Attributes, name: &str, fill: impl FnOnce(&mut Attributes)) {
    list.nest(1, |element| {
        element.text(1, name);
        element.nest(2, fill);
    });
}

/// The register that every expression uses.
const REGISTER: u32 = 1;
const EQUAL: u32 = 0;
const UNEQUAL: u32 = 1;

fn load_meta(list: &mut Attributes, key: u32) {
    expression(list, "meta", |data| {
        data.number(2, key);
        data.number(1, REGISTER);
    });
}

fn compare(list: &mut Attributes, operation: u32, value: &[u8]) {
    expression(list, "cmp", |data| {
        data.number(1, REGISTER);
        data.number(2, operation);
        data.nest(3, |inner| inner.put(1, value));
    });
}

/// Loads bytes of the network (1) or transport (2) header.
fn load(list: &mut Attributes, base: u32, offset: u32, length: usize) {
    expression(list, "payload", |data| {
        data.number(1, REGISTER);
        data.number(2, base);
        data.number(3, offset);
        data.number(4, u32::try_from(length).unwrap_or(0));
    });
}

fn mask(list: &mut Attributes, mask: &[u8]) {
    expression(list, "bitwise", |data| {
        data.number(1, REGISTER);
        data.number(2, REGISTER);
        data.number(3, u32::try_from(mask.len()).unwrap_or(0));
        data.nest(4, |inner| inner.put(1, mask));
        data.nest(5, |inner| inner.put(1, &vec![0; mask.len()]));
    });
}

fn immediate(list: &mut Attributes, value: &[u8]) {
    expression(list, "immediate", |data| {
        data.number(1, REGISTER);
        data.nest(2, |inner| inner.put(1, value));
    });
}

fn verdict(list: &mut Attributes, code: u32) {
    expression(list, "immediate", |data| {
        data.number(1, 0);
        data.nest(2, |inner| inner.nest(2, |verdict| verdict.number(1, code)));
    });
}

/// Compares an address: `place` is its offset in the header of IPv4 and of IPv6.
fn match_address(list: &mut Attributes, place: (u32, u32), range: Range, operation: u32) {
    let (family, offset, address) = match range.address {
        IpAddr::V4(address) => (IPV4, place.0, address.octets().to_vec()),
        IpAddr::V6(address) => (IPV6, place.1, address.octets().to_vec()),
    };
    load_meta(list, 15);
    compare(list, EQUAL, &[family]);
    load(list, 1, offset, address.len());
    let bits = (0u8..).take(address.len()).map(|byte| {
        let own = range.length.saturating_sub(byte * 8).min(8);
        u8::MAX.checked_shl(u32::from(8 - own)).unwrap_or(0)
    });
    let bits: Vec<u8> = bits.collect();
    let net: Vec<u8> = address
        .iter()
        .zip(&bits)
        .map(|(byte, bits)| byte & bits)
        .collect();
    mask(list, &bits);
    compare(list, operation, &net);
}

fn interface(name: &str) -> [u8; 16] {
    let mut bytes = [0; 16];
    for (slot, byte) in bytes.iter_mut().take(15).zip(name.bytes()) {
        *slot = byte;
    }
    bytes
}

fn put_step(list: &mut Attributes, step: &Step<'_>) {
    match step {
        Step::From(name) => {
            load_meta(list, 6);
            compare(list, EQUAL, &interface(name));
        }
        Step::NotFrom(name) => {
            load_meta(list, 6);
            compare(list, UNEQUAL, &interface(name));
        }
        Step::Protocol(protocol) => {
            load_meta(list, 16);
            compare(list, EQUAL, &[*protocol]);
        }
        Step::Source(range) => match_address(list, (12, 8), *range, EQUAL),
        Step::Target(range) => match_address(list, (16, 24), *range, EQUAL),
        Step::NotTarget(address) => {
            let length = if address.is_ipv4() { 32 } else { 128 };
            match_address(
                list,
                (16, 24),
                Range {
                    address: *address,
                    length,
                },
                UNEQUAL,
            );
        }
        Step::TargetPort(port) => {
            load(list, 2, 2, 2);
            compare(list, EQUAL, &port.to_be_bytes());
        }
        Step::Opens | Step::Continues => {
            load(list, 2, 13, 1);
            mask(list, &[0x12]);
            let operation = if matches!(step, Step::Opens) {
                EQUAL
            } else {
                UNEQUAL
            };
            compare(list, operation, &[0x02]);
        }
        Step::NotKnown => {
            load_meta(list, 3);
            compare(list, UNEQUAL, &KNOWN.to_ne_bytes());
        }
        Step::Mark(mark) => {
            immediate(list, &mark.to_ne_bytes());
            expression(list, "meta", |data| {
                data.number(2, 3);
                data.number(3, REGISTER);
            });
        }
        Step::Proxy(port) => {
            immediate(list, &port.to_be_bytes());
            expression(list, "tproxy", |data| {
                data.number(1, 0);
                data.number(3, REGISTER);
            });
        }
        Step::Accept => verdict(list, 1),
        Step::Drop => verdict(list, 0),
    }
}

/// Marked packets are local, whatever their address (ip-rule(8), ip-route(8)). Runs in the engine's
/// network namespace; what is there already stays.
pub fn route_marked() -> Result<(), Failure> {
    let socket = Netlink::open(None)?;
    let exclusive = 0x400 | 0x200;
    for family in [2u8, 10] {
        let mut rule = Messages::default();
        // RTM_NEWRULE: table ROUTES, FR_ACT_TO_TBL; FRA_PRIORITY, FRA_FWMARK.
        rule.add(
            32,
            (exclusive, Answer::Wanted),
            &[family, 0, 0, 0, ROUTES, 0, 0, 1, 0, 0, 0, 0],
            |message| {
                message.put(6, &100u32.to_ne_bytes());
                message.put(10, &MARK.to_ne_bytes());
            },
        );
        socket.request(&rule, "add the policy rule", Some(Errno::EXIST))?;
        let mut route = Messages::default();
        // RTM_NEWROUTE: table ROUTES, RTPROT_STATIC, RT_SCOPE_HOST, RTN_LOCAL; RTA_OIF is lo.
        route.add(
            24,
            (exclusive, Answer::Wanted),
            &[family, 0, 0, 0, ROUTES, 4, 254, 2, 0, 0, 0, 0],
            |message| {
                message.put(4, &1u32.to_ne_bytes());
            },
        );
        socket.request(&route, "add the policy route", Some(Errno::EXIST))?;
    }
    Ok(())
}
