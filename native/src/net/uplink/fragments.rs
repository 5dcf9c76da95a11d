//! Echo requests and replies that are larger than the network's MTU: put together from the fragments that
//! containers send, and taken apart again on the way back (RFC 791, 3.2; RFC 8200, 4.5). Pieces that
//! overlap end their packet (RFC 5722); memory is bounded, whatever comes.

use super::frame::{ETHERNET, ICMP, ICMPV6};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Packets that are incomplete at a time; the oldest gives way.
const PACKETS: usize = 16;
const LARGEST: usize = 65_535;
/// Pieces of one packet: the largest at the smallest MTU of IPv6, and some.
const PIECES: usize = 1500;
/// Pieces come together or not at all.
const PATIENCE: Duration = Duration::from_secs(2);
const FRAGMENT_HEADER: u8 = 44;

/// Who sends what to whom, as the header has it.
type Name = Vec<u8>;

struct Piece<'a> {
    name: Name,
    /// The link's and the network's header, as of a packet that is whole.
    head: Vec<u8>,
    offset: usize,
    more: bool,
    data: &'a [u8],
}

struct Packet {
    name: Name,
    head: Option<Vec<u8>>,
    data: Vec<u8>,
    /// Start and end of what is there, in order.
    ranges: Vec<(usize, usize)>,
    length: Option<usize>,
    since: Instant,
}

/// What is incomplete.
#[derive(Default)]
pub struct Fragments {
    packets: VecDeque<Packet>,
}

impl Fragments {
    /// Takes an Ethernet frame. Some: the whole packet, in a frame, of which it was the last piece.
    pub fn take(&mut self, frame: &[u8], now: Instant) -> Option<Vec<u8>> {
        let piece = read(frame)?;
        self.packets
            .retain(|packet| now.duration_since(packet.since) < PATIENCE);
        let place = self.packets.iter().position(|packet| packet.name == piece.name);
        let place = place.unwrap_or_else(|| {
            if self.packets.len() >= PACKETS {
                self.packets.pop_front();
            }
            self.packets.push_back(Packet {
                name: piece.name.clone(),
                head: None,
                data: Vec::new(),
                ranges: Vec::new(),
                length: None,
                since: now,
            });
            self.packets.len() - 1
        });
        let packet = self.packets.get_mut(place)?;
        if packet.add(piece).is_none() {
            self.packets.remove(place);
            return None;
        }
        if packet.length.is_none_or(|length| packet.ranges != [(0, length)]) {
            return None;
        }
        self.packets.remove(place)?.whole()
    }
}

impl Packet {
    /// None: the piece does not fit what is there.
    fn add(&mut self, piece: Piece<'_>) -> Option<()> {
        let end = piece.offset + piece.data.len();
        let odd = piece.more && (piece.data.is_empty() || !piece.data.len().is_multiple_of(8));
        let beyond = self.length.is_some_and(|length| end > length);
        if odd || beyond || end > LARGEST || self.ranges.len() >= PIECES {
            return None;
        }
        if !piece.more {
            if self.length.is_some() || end < self.data.len() {
                return None;
            }
            self.length = Some(end);
        }
        let at = self.ranges.partition_point(|(start, _)| *start < piece.offset);
        let overlaps = |range: Option<&(usize, usize)>| {
            range.is_some_and(|(start, stop)| *start < end && *stop > piece.offset)
        };
        if overlaps(self.ranges.get(at)) || overlaps(at.checked_sub(1).and_then(|at| self.ranges.get(at))) {
            return None;
        }
        if self.data.len() < end {
            self.data.resize(end, 0);
        }
        self.data.get_mut(piece.offset..end)?.copy_from_slice(piece.data);
        self.ranges.insert(at, (piece.offset, end));
        // Neighbours become one, so that a packet that is whole has one range.
        for left in [at, at.wrapping_sub(1)] {
            if let (Some((start, stop)), Some((next, last))) = (
                self.ranges.get(left).copied(),
                self.ranges.get(left.wrapping_add(1)).copied(),
            ) && stop == next
            {
                self.ranges.remove(left + 1);
                self.ranges[left] = (start, last);
            }
        }
        if piece.offset == 0 {
            self.head = Some(piece.head);
        }
        Some(())
    }

    fn whole(self) -> Option<Vec<u8>> {
        let mut frame = self.head?;
        let v4 = frame.get(ETHERNET)? >> 4 == 4;
        let (place, header) = if v4 { (ETHERNET + 2, 20) } else { (ETHERNET + 4, 0) };
        let length = u16::try_from(header + self.data.len()).ok()?;
        frame
            .get_mut(place..place + 2)?
            .copy_from_slice(&length.to_be_bytes());
        frame.extend_from_slice(&self.data);
        Some(frame)
    }
}

fn word(data: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes([*data.get(at)?, *data.get(at + 1)?]))
}

/// A fragment of an ICMP message. None: it is something else.
fn read(frame: &[u8]) -> Option<Piece<'_>> {
    let packet = frame.get(ETHERNET..)?;
    match packet.first()? >> 4 {
        4 => {
            let (total, field) = (usize::from(word(packet, 2)?), word(packet, 6)?);
            let fragment = field & 0x3fff != 0 && packet[0] & 15 == 5;
            if !fragment || *packet.get(9)? != ICMP {
                return None;
            }
            let mut head = frame.get(..ETHERNET + 20)?.to_vec();
            head.get_mut(ETHERNET + 6..ETHERNET + 8)?.fill(0);
            Some(Piece {
                name: [packet.get(12..20)?, packet.get(4..6)?].concat(),
                head,
                offset: usize::from(field & 0x1fff) * 8,
                more: field & 0x2000 != 0,
                data: packet.get(20..total)?,
            })
        }
        6 => {
            let (length, field) = (usize::from(word(packet, 4)?), word(packet, 42)?);
            if *packet.get(6)? != FRAGMENT_HEADER || *packet.get(40)? != ICMPV6 {
                return None;
            }
            let mut head = frame.get(..ETHERNET + 40)?.to_vec();
            *head.get_mut(ETHERNET + 6)? = ICMPV6;
            Some(Piece {
                name: [packet.get(8..40)?, packet.get(44..48)?].concat(),
                head,
                offset: usize::from(field & 0xfff8),
                more: field & 1 != 0,
                data: packet.get(48..40 + length)?,
            })
        }
        _ => None,
    }
}

/// An IP packet of our own making, in pieces of at most `mtu` bytes; `id` tells them from those of others.
pub fn split(packet: Vec<u8>, mtu: usize, id: u16) -> Vec<Vec<u8>> {
    if packet.len() <= mtu {
        return vec![packet];
    }
    let v4 = packet.first().is_some_and(|byte| byte >> 4 == 4);
    let (header, extra) = if v4 { (20, 0) } else { (40, 8) };
    let room = mtu.saturating_sub(header + extra) & !7;
    let Some((head, data)) = packet.split_at_checked(header).filter(|_| room > 0) else {
        return Vec::new();
    };
    let count = data.len().div_ceil(room);
    let piece = |(index, part): (usize, &[u8])| {
        let offset = u16::try_from(index * room).ok()?;
        let more = index + 1 < count;
        let length = u16::try_from(if v4 { header } else { extra } + part.len()).ok()?;
        let mut out = head.to_vec();
        if v4 {
            out[2..4].copy_from_slice(&length.to_be_bytes());
            out[4..6].copy_from_slice(&id.to_be_bytes());
            out[6..8].copy_from_slice(&((offset / 8) | if more { 0x2000 } else { 0 }).to_be_bytes());
        } else {
            out[4..6].copy_from_slice(&length.to_be_bytes());
            let next = std::mem::replace(&mut out[6], FRAGMENT_HEADER);
            out.extend_from_slice(&[next, 0]);
            out.extend_from_slice(&(offset | u16::from(more)).to_be_bytes());
            out.extend_from_slice(&u32::from(id).to_be_bytes());
        }
        out.extend_from_slice(part);
        Some(out)
    };
    data.chunks(room).enumerate().filter_map(piece).collect()
}

#[cfg(test)]
mod tests {
    use super::super::frame::{self, Sighting, echo_reply, parse};
    use super::*;
    use proptest::prelude::*;

    fn frames(packet: Vec<u8>, mtu: usize) -> Vec<Vec<u8>> {
        let framed = |packet: Vec<u8>| [vec![0; ETHERNET], packet].concat();
        split(packet, mtu, 7).into_iter().map(framed).collect()
    }

    /// An echo request as a container's kernel makes it.
    fn request(v4: bool, payload: &[u8]) -> Vec<u8> {
        let (client, server) = if v4 {
            ("10.1.0.2", "192.0.2.9")
        } else {
            ("fd00::2", "2001:db8::9")
        };
        let address = |text: &str| text.parse().expect("an address");
        let reply = echo_reply(address(client), address(server), (5, 6), payload);
        let mut packet = reply.expect("a packet");
        let kind = if v4 { 20 } else { 40 };
        packet[kind] = if v4 { 8 } else { 128 };
        packet
    }

    #[test]
    fn pieces_in_any_order_become_the_packet() {
        let now = Instant::now();
        let payload: Vec<u8> = (0..65_000u32).map(|n| n.to_le_bytes()[0]).collect();
        for v4 in [true, false] {
            for size in [1473, 3000, 65_000] {
                let mut pieces = frames(request(v4, &payload[..size]), 1500);
                assert!(pieces.iter().all(|piece| piece.len() <= ETHERNET + 1500));
                for turn in 0..3 {
                    let mut fragments = Fragments::default();
                    pieces.rotate_left(turn);
                    pieces.reverse();
                    let mut done: Vec<_> = pieces.iter().filter_map(|one| fragments.take(one, now)).collect();
                    assert_eq!((done.len(), fragments.packets.len()), (1, 0));
                    let whole = done.pop().expect("a packet");
                    let Some(Sighting::Echo(echo)) = parse(&whole) else {
                        unreachable!("no echo request of {size}");
                    };
                    assert_eq!((echo.id, echo.sequence, echo.payload), (5, 6, &payload[..size]));
                }
            }
        }
    }

    #[test]
    fn overlaps_end_a_packet_and_what_is_incomplete_is_forgotten() {
        let now = Instant::now();
        let pieces = frames(request(true, &[1; 5000]), 1500);
        let mut fragments = Fragments::default();
        assert_eq!(fragments.take(&pieces[0], now), None);
        assert_eq!(fragments.take(&pieces[0], now), None);
        assert!(fragments.packets.is_empty());
        fragments.take(&pieces[0], now);
        fragments.take(&frames(request(false, &[1; 5000]), 1500)[1], now + PATIENCE);
        assert_eq!(fragments.packets.len(), 1);
        for id in 0..100u16 {
            let packet = request(true, &[1; 5000]);
            let piece = [vec![0; ETHERNET], split(packet, 1500, id).swap_remove(1)].concat();
            fragments.take(&piece, now + PATIENCE);
        }
        assert_eq!(fragments.packets.len(), PACKETS);
    }

    proptest! {
        #[test]
        fn no_frame_makes_it_fail(frames in prop::collection::vec((any::<bool>(), any::<u16>(), any::<u8>(), prop::collection::vec(any::<u8>(), 0..200)), 0..40)) {
            let mut fragments = Fragments::default();
            for (v4, field, last, data) in frames {
                let mut frame = [vec![0; ETHERNET], request(v4, &data)].concat();
                let at = ETHERNET + if v4 { 6 } else { 42 };
                frame[at..at + 2].copy_from_slice(&(field % 400).to_be_bytes());
                if !v4 {
                    frame[ETHERNET + 6] = FRAGMENT_HEADER;
                    frame[ETHERNET + 40] = ICMPV6;
                }
                frame[ETHERNET + 3] ^= last & 3;
                if let Some(whole) = fragments.take(&frame, Instant::now()) {
                    let _ = frame::parse(&whole);
                }
                prop_assert!(fragments.packets.len() <= PACKETS);
            }
        }
    }
}
