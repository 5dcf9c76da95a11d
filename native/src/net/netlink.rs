//! Requests to the kernel's rtnetlink (rtnetlink(7)): one socket, one request at a time, each answered
//! before the call returns. The socket belongs to the network namespace in which it was made.

use netlink_packet_core::{NLM_F_ACK, NLM_F_REQUEST, NetlinkHeader, NetlinkMessage, NetlinkPayload};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::link::{LinkAttribute, LinkMessage};
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};

/// Length of a message's header and of an ifinfomsg up to the index's end.
const HEADER: usize = 16;
const NLMSG_ERROR: u16 = 2;

pub struct Netlink {
    fd: OwnedFd,
    sequence: u32,
}

impl Netlink {
    /// A socket in the calling thread's network namespace.
    pub fn open() -> Result<Self, Errno> {
        let fd = rustix::net::socket_with(
            AddressFamily::NETLINK,
            SocketType::RAW,
            SocketFlags::CLOEXEC,
            // NETLINK_ROUTE is number 0.
            None,
        )?;
        Ok(Self { fd, sequence: 0 })
    }

    /// Carries out one request; the kernel's errno when it refuses.
    pub fn request(&mut self, message: RouteNetlinkMessage, flags: u16) -> Result<(), Errno> {
        self.exchange(message, flags | NLM_F_REQUEST | NLM_F_ACK)
            .map(|_| ())
    }

    /// The index of an interface. NODEV: there is none of that name.
    pub fn index_of(&mut self, name: &str) -> Result<u32, Errno> {
        let mut message = LinkMessage::default();
        message.attributes.push(LinkAttribute::IfName(name.to_owned()));
        let answer = self.exchange(RouteNetlinkMessage::GetLink(message), NLM_F_REQUEST)?;
        // ifinfomsg: family, padding, type, then the index.
        let index = answer.get(4..8).and_then(|bytes| bytes.first_chunk::<4>());
        index.map(|bytes| u32::from_ne_bytes(*bytes)).ok_or(Errno::IO)
    }

    fn exchange(&mut self, message: RouteNetlinkMessage, flags: u16) -> Result<Vec<u8>, Errno> {
        self.sequence = self.sequence.wrapping_add(1);
        let mut message = NetlinkMessage::new(NetlinkHeader::default(), NetlinkPayload::from(message));
        message.header.flags = flags;
        message.header.sequence_number = self.sequence;
        message.finalize();
        let mut bytes = vec![0u8; message.buffer_len()];
        message.serialize(&mut bytes);
        rustix::io::retry_on_intr(|| rustix::net::send(&self.fd, &bytes, SendFlags::empty()))?;
        let mut answer = vec![0u8; 32 * 1024];
        loop {
            let (count, _) = rustix::io::retry_on_intr(|| {
                rustix::net::recv(&self.fd, &mut answer[..], RecvFlags::empty())
            })?;
            // An answer to a request that was given up on is not ours.
            if let Some(result) = find(&answer[..count], self.sequence) {
                return result;
            }
        }
    }
}

/// The answer to the request of that sequence number: its payload, or the errno of an error message.
fn find(mut bytes: &[u8], sequence: u32) -> Option<Result<Vec<u8>, Errno>> {
    while bytes.len() >= HEADER {
        let word = |at: usize| bytes.get(at..at + 4).and_then(|part| part.first_chunk::<4>());
        let length = usize::try_from(u32::from_ne_bytes(*word(0)?)).ok()?;
        let payload = bytes.get(HEADER..length)?;
        if u32::from_ne_bytes(*word(8)?) == sequence {
            if u16::from_ne_bytes([bytes[4], bytes[5]]) != NLMSG_ERROR {
                return Some(Ok(payload.to_vec()));
            }
            let code = i32::from_ne_bytes(*payload.first_chunk::<4>()?);
            return Some(if code == 0 {
                Ok(Vec::new())
            } else {
                Err(Errno::from_raw_os_error(code.wrapping_neg()))
            });
        }
        bytes = bytes.get(length.next_multiple_of(4)..)?;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(sequence: u32, kind: u16, payload: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        bytes.extend(u32::try_from(16 + payload.len()).expect("length").to_ne_bytes());
        bytes.extend(kind.to_ne_bytes());
        bytes.extend(0u16.to_ne_bytes());
        bytes.extend(sequence.to_ne_bytes());
        bytes.extend(0u32.to_ne_bytes());
        bytes.extend(payload);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }

    #[test]
    fn answers_are_found_by_their_number() {
        let mut bytes = message(6, NLMSG_ERROR, &(-1i32).to_ne_bytes());
        bytes.extend(message(7, NLMSG_ERROR, &(-17i32).to_ne_bytes()));
        assert_eq!(find(&bytes, 7), Some(Err(Errno::EXIST)));
        assert_eq!(find(&bytes, 8), None);
        assert_eq!(
            find(&message(7, NLMSG_ERROR, &0i32.to_ne_bytes()), 7),
            Some(Ok(Vec::new()))
        );
        assert_eq!(find(&message(7, 16, b"abc"), 7), Some(Ok(b"abc".to_vec())));
        for cut in 0..bytes.len() {
            let _ = find(&bytes[..cut], 7);
        }
    }
}
