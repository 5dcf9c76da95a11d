//! The only packets that the uplink reads or writes itself: first segments (SYN), echo requests, and the
//! answers to them. Everything comes from containers, so nothing is believed; what is odd is dropped.

use crate::sys::packet::Instruction;
use std::net::{IpAddr, SocketAddr};

pub const ETHERTYPE_IPV4: u16 = 0x0800;
pub const ETHERTYPE_IPV6: u16 = 0x86dd;
pub const ETHERNET: usize = 14;
const TCP: u8 = 6;
const UDP: u8 = 17;
pub const ICMP: u8 = 1;
pub const ICMPV6: u8 = 58;

/// Where a connection or datagram comes from and what it was sent to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Flow {
    pub client: SocketAddr,
    pub server: SocketAddr,
}

/// What the packet sockets are there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sighting<'a> {
    Syn(Flow),
    Echo(Echo<'a>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Echo<'a> {
    pub client: IpAddr,
    pub server: IpAddr,
    pub id: u16,
    pub sequence: u16,
    pub hops: u8,
    pub payload: &'a [u8],
}

/// Passes first segments, echo requests and fragments of ICMP that are addressed to this host, over IPv4
/// (bpf(4) code; offsets are of the Ethernet frame).
pub const FILTER_IPV4: &[Instruction] = &[
    (0x20, 0, 0, 0xffff_f004), // packet type
    (0x15, 0, 14, 0),          // for this host
    (0x28, 0, 0, 20),          // flags and fragment offset
    (0x45, 13, 0, 0x3fff),     // a fragment
    (0x30, 0, 0, 23),          // protocol
    (0x15, 0, 5, 6),           // TCP
    (0xb1, 0, 0, 14),          // x = header length
    (0x50, 0, 0, 27),          // TCP flags
    (0x54, 0, 0, 0x17),        // FIN, SYN, RST, ACK
    (0x15, 0, 6, 0x02),        // SYN alone
    (0x06, 0, 0, 0x0004_0000),
    (0x15, 0, 4, 1),  // ICMP
    (0xb1, 0, 0, 14), // x = header length
    (0x50, 0, 0, 14), // type
    (0x15, 0, 1, 8),  // echo request
    (0x06, 0, 0, 0x0004_0000),
    (0x06, 0, 0, 0),
    (0x30, 0, 0, 23), // a fragment's protocol
    (0x15, 0, 1, 1),  // ICMP
    (0x06, 0, 0, 0x0004_0000),
    (0x06, 0, 0, 0),
];

/// The same over IPv6; extension headers other than a fragment's are not looked through.
pub const FILTER_IPV6: &[Instruction] = &[
    (0x20, 0, 0, 0xffff_f004), // packet type
    (0x15, 0, 10, 0),          // for this host
    (0x30, 0, 0, 20),          // next header
    (0x15, 0, 4, 6),           // TCP
    (0x30, 0, 0, 67),          // TCP flags
    (0x54, 0, 0, 0x17),        // FIN, SYN, RST, ACK
    (0x15, 0, 5, 0x02),        // SYN alone
    (0x06, 0, 0, 0x0004_0000),
    (0x15, 0, 4, 58),  // ICMPv6
    (0x30, 0, 0, 54),  // type
    (0x15, 0, 1, 128), // echo request
    (0x06, 0, 0, 0x0004_0000),
    (0x06, 0, 0, 0),
    (0x15, 0, 3, 44), // a fragment
    (0x30, 0, 0, 54), // its next header
    (0x15, 0, 1, 58), // ICMPv6
    (0x06, 0, 0, 0x0004_0000),
    (0x06, 0, 0, 0),
];

fn word(data: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes([*data.get(at)?, *data.get(at + 1)?]))
}

/// The addresses, the protocol and the payload of an IP packet without options or extensions.
fn network_layer(packet: &[u8]) -> Option<(IpAddr, IpAddr, u8, u8, &[u8])> {
    match packet.first()? >> 4 {
        4 => {
            let total = usize::from(word(packet, 2)?);
            // Options may route by source (RFC 7126): a packet with any is dropped. So are fragments.
            if packet[0] & 15 != 5 || total < 20 || word(packet, 6)? & 0x3fff != 0 {
                return None;
            }
            let source: [u8; 4] = packet.get(12..16)?.try_into().ok()?;
            let target: [u8; 4] = packet.get(16..20)?.try_into().ok()?;
            let payload = packet.get(20..total)?;
            Some((
                source.into(),
                target.into(),
                *packet.get(9)?,
                *packet.get(8)?,
                payload,
            ))
        }
        6 => {
            let length = usize::from(word(packet, 4)?);
            let source: [u8; 16] = packet.get(8..24)?.try_into().ok()?;
            let target: [u8; 16] = packet.get(24..40)?.try_into().ok()?;
            let payload = packet.get(40..40 + length)?;
            Some((
                source.into(),
                target.into(),
                *packet.get(6)?,
                *packet.get(7)?,
                payload,
            ))
        }
        _ => None,
    }
}

/// Reads an Ethernet frame. None: not well-formed, or nothing the uplink serves.
pub fn parse(frame: &[u8]) -> Option<Sighting<'_>> {
    let (client, server, protocol, hops, payload) = network_layer(frame.get(ETHERNET..)?)?;
    match (protocol, client.is_ipv4()) {
        (TCP, _) => {
            let header = usize::from(payload.get(12)? >> 4) * 4;
            if header < 20 || payload.len() < header || payload.get(13)? & 0x17 != 0x02 {
                return None;
            }
            let (from, to) = (word(payload, 0)?, word(payload, 2)?);
            if from == 0 || to == 0 {
                return None;
            }
            Some(Sighting::Syn(Flow {
                client: SocketAddr::new(client, from),
                server: SocketAddr::new(server, to),
            }))
        }
        (ICMP, true) | (ICMPV6, false) => {
            let request = if protocol == ICMP { 8 } else { 128 };
            if *payload.first()? != request || *payload.get(1)? != 0 {
                return None;
            }
            Some(Sighting::Echo(Echo {
                client,
                server,
                id: word(payload, 4)?,
                sequence: word(payload, 6)?,
                hops,
                payload: payload.get(8..)?,
            }))
        }
        _ => None,
    }
}

/// The ones' complement sum of RFC 1071 over several parts, each but the last of even length.
fn sum(parts: &[&[u8]]) -> u16 {
    let mut total: u64 = 0;
    for part in parts {
        let mut pairs = part.chunks_exact(2);
        for pair in &mut pairs {
            total += u64::from(u16::from_be_bytes([pair[0], pair[1]]));
        }
        if let [last] = pairs.remainder() {
            total += u64::from(*last) << 8;
        }
    }
    while total >> 16 != 0 {
        total = (total & 0xffff) + (total >> 16);
    }
    !u16::try_from(total).unwrap_or(0)
}

fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}

/// The checksum of a transport header and its data, with the pseudo header of RFC 793 or RFC 8200.
fn transport_sum(source: IpAddr, target: IpAddr, protocol: u8, data: &[u8]) -> u16 {
    let length = u32::try_from(data.len()).unwrap_or(0).to_be_bytes();
    sum(&[&octets(source), &octets(target), &length, &[0, protocol], data])
}

/// The frame of a first segment, as it goes in again: for the hardware address given, with a whole
/// checksum (between virtual links it is only begun), and without padding.
pub fn readdress(frame: &[u8], to: [u8; 6]) -> Option<Vec<u8>> {
    let packet = frame.get(ETHERNET..)?;
    let (source, target, _, _, payload) = network_layer(packet)?;
    let header = if source.is_ipv4() { 20 } else { 40 };
    let mut segment = payload.to_vec();
    segment.get_mut(16..18)?.fill(0);
    let check = transport_sum(source, target, TCP, &segment);
    segment.get_mut(16..18)?.copy_from_slice(&check.to_be_bytes());
    let mut out = Vec::with_capacity(ETHERNET + header + segment.len());
    out.extend_from_slice(&to);
    out.extend_from_slice(frame.get(6..ETHERNET + header)?);
    out.append(&mut segment);
    Some(out)
}

/// An IP packet around a transport segment. The kernel fills in IPv4's checksum and identification.
fn wrap(source: IpAddr, target: IpAddr, protocol: u8, segment: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(40 + segment.len());
    match (source, target) {
        (IpAddr::V4(source), IpAddr::V4(target)) => {
            let total = u16::try_from(20 + segment.len()).ok()?;
            out.extend_from_slice(&[0x45, 0]);
            out.extend_from_slice(&total.to_be_bytes());
            out.extend_from_slice(&[0, 0, 0, 0, 64, protocol, 0, 0]);
            out.extend_from_slice(&source.octets());
            out.extend_from_slice(&target.octets());
            let check = sum(&[&out]);
            out[10..12].copy_from_slice(&check.to_be_bytes());
        }
        (IpAddr::V6(source), IpAddr::V6(target)) => {
            let length = u16::try_from(segment.len()).ok()?;
            out.extend_from_slice(&[0x60, 0, 0, 0]);
            out.extend_from_slice(&length.to_be_bytes());
            out.extend_from_slice(&[protocol, 64]);
            out.extend_from_slice(&source.octets());
            out.extend_from_slice(&target.octets());
        }
        _ => return None,
    }
    out.extend_from_slice(segment);
    Some(out)
}

/// The reset that answers a first segment (RFC 9293, 3.10.7.1), as an IP packet.
pub fn reset(frame: &[u8]) -> Option<Vec<u8>> {
    let (client, server, _, _, payload) = network_layer(frame.get(ETHERNET..)?)?;
    let header = usize::from(payload.get(12)? >> 4) * 4;
    let sequence = u32::from_be_bytes(payload.get(4..8)?.try_into().ok()?);
    let data = u32::try_from(payload.len().checked_sub(header)?).ok()?;
    let acknowledged = sequence.wrapping_add(1).wrapping_add(data);
    let mut segment = Vec::with_capacity(20);
    segment.extend_from_slice(payload.get(2..4)?);
    segment.extend_from_slice(payload.get(0..2)?);
    segment.extend_from_slice(&[0; 4]);
    segment.extend_from_slice(&acknowledged.to_be_bytes());
    segment.extend_from_slice(&[0x50, 0x14, 0, 0, 0, 0, 0, 0]);
    let check = transport_sum(server, client, TCP, &segment);
    segment[16..18].copy_from_slice(&check.to_be_bytes());
    wrap(server, client, TCP, &segment)
}

/// Why something cannot be reached, in the terms of ICMP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unreachable {
    Network,
    Host,
    Port,
    Prohibited,
}

impl Unreachable {
    /// Type and code of RFC 792 and RFC 4443.
    const fn code(self, v4: bool) -> (u8, u8) {
        match (self, v4) {
            (Self::Network, true) => (3, 0),
            (Self::Host, true) => (3, 1),
            (Self::Port, true) => (3, 3),
            (Self::Prohibited, true) => (3, 13),
            (Self::Network, false) => (1, 0),
            (Self::Host, false) => (1, 3),
            (Self::Port, false) => (1, 4),
            (Self::Prohibited, false) => (1, 1),
        }
    }
}

/// The ICMP error, from `router`, that answers an IP packet of `client`.
fn unreachable(router: IpAddr, client: IpAddr, why: Unreachable, packet: &[u8]) -> Option<Vec<u8>> {
    error(router, client, why.code(client.is_ipv4()), packet)
}

/// An ICMP error of any type and code.
fn error(router: IpAddr, client: IpAddr, (kind, code): (u8, u8), packet: &[u8]) -> Option<Vec<u8>> {
    let v4 = client.is_ipv4();
    let quoted = packet.get(..packet.len().min(if v4 { 548 } else { 1232 }))?;
    let mut segment = vec![kind, code, 0, 0, 0, 0, 0, 0];
    segment.extend_from_slice(quoted);
    let check = if v4 {
        sum(&[&segment])
    } else {
        transport_sum(router, client, ICMPV6, &segment)
    };
    segment[2..4].copy_from_slice(&check.to_be_bytes());
    wrap(router, client, if v4 { ICMP } else { ICMPV6 }, &segment)
}

/// The ICMP error that answers a frame.
pub fn unreachable_frame(router: IpAddr, why: Unreachable, frame: &[u8]) -> Option<Vec<u8>> {
    let packet = frame.get(ETHERNET..)?;
    let (client, ..) = network_layer(packet)?;
    unreachable(router, client, why, packet)
}

/// The ICMP error that answers a datagram of which only the addresses are known.
pub fn unreachable_datagram(router: IpAddr, why: Unreachable, flow: Flow) -> Option<Vec<u8>> {
    let mut header = Vec::with_capacity(8);
    header.extend_from_slice(&flow.client.port().to_be_bytes());
    header.extend_from_slice(&flow.server.port().to_be_bytes());
    header.extend_from_slice(&[0, 8, 0, 0]);
    let packet = wrap(flow.client.ip(), flow.server.ip(), UDP, &header)?;
    unreachable(router, flow.client.ip(), why, &packet)
}

/// An echo message (RFC 792, RFC 4443) without its checksum's pseudo header for IPv4.
fn echo(kind: u8, id: u16, sequence: u16, payload: &[u8]) -> Vec<u8> {
    let mut segment = vec![kind, 0, 0, 0];
    segment.extend_from_slice(&id.to_be_bytes());
    segment.extend_from_slice(&sequence.to_be_bytes());
    segment.extend_from_slice(payload);
    segment
}

/// The echo request that goes out; the kernel adds ICMPv6's checksum.
pub fn echo_request(v4: bool, id: u16, sequence: u16, payload: &[u8]) -> Vec<u8> {
    let mut segment = echo(if v4 { 8 } else { 128 }, id, sequence, payload);
    let check = sum(&[&segment]);
    segment[2..4].copy_from_slice(&check.to_be_bytes());
    segment
}

/// The answer to an echo request, as an IP packet.
pub fn echo_reply(
    server: IpAddr,
    client: IpAddr,
    (id, sequence): (u16, u16),
    payload: &[u8],
) -> Option<Vec<u8>> {
    let v4 = client.is_ipv4();
    let mut segment = echo(if v4 { 0 } else { 129 }, id, sequence, payload);
    let check = if v4 {
        sum(&[&segment])
    } else {
        transport_sum(server, client, ICMPV6, &segment)
    };
    segment[2..4].copy_from_slice(&check.to_be_bytes());
    wrap(server, client, if v4 { ICMP } else { ICMPV6 }, &segment)
}

/// The error that `router` gave for an echo request, as the container expects it.
pub fn echo_error(
    router: IpAddr,
    (client, server): (IpAddr, IpAddr),
    (id, sequence): (u16, u16),
    reason: (u8, u8),
) -> Option<Vec<u8>> {
    let v4 = client.is_ipv4();
    let request = echo_request(v4, id, sequence, &[]);
    let packet = wrap(client, server, if v4 { ICMP } else { ICMPV6 }, &request)?;
    error(router, client, reason, &packet)
}

/// The id and sequence of an echo request that an error quotes.
pub fn read_request(v4: bool, message: &[u8]) -> Option<(u16, u16)> {
    let request = if v4 { 8 } else { 128 };
    if *message.first()? != request {
        return None;
    }
    Some((word(message, 4)?, word(message, 6)?))
}

/// What a host's socket gave for an echo: id, sequence and payload. Raw IPv4 sockets give the IP header.
pub fn read_reply(v4: bool, raw: bool, message: &[u8]) -> Option<(u16, u16, &[u8])> {
    let message = if v4 && raw {
        message.get(usize::from(message.first()? & 15) * 4..)?
    } else {
        message
    };
    if *message.first()? != if v4 { 0 } else { 129 } {
        return None;
    }
    Some((word(message, 4)?, word(message, 6)?, message.get(8..)?))
}

#[cfg(test)]
#[path = "frame_tests.rs"]
mod tests;
