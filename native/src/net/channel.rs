//! The line between the supervisor and an uplink: JSON messages with descriptors over a unix
//! SOCK_SEQPACKET pair. A message that is too large for one packet travels in a memory file. It knows
//! nothing of what the messages mean.

use crate::error::{Failure, Kind};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::MemfdFlags;
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketFlags, SocketType,
};
use serde_json::{Value, json};
use std::fs::File;
use std::io::{IoSlice, IoSliceMut, Read, Seek, SeekFrom, Write};
use std::mem::MaybeUninit;

/// Larger messages go through a memory file: a packet must fit into the socket's buffer.
const PACKET: usize = 32 * 1024;
/// Nothing legitimate is larger.
const FILE_LIMIT: u64 = 64 << 20;
/// Descriptors of one message.
const DESCRIPTORS: usize = 4;

/// One end.
pub struct Channel {
    fd: OwnedFd,
}

/// What a receive gave.
pub enum Received {
    Message(Value, Vec<OwnedFd>),
    /// Nothing is there now.
    Nothing,
    /// The other end is gone.
    End,
}

impl Channel {
    /// Both ends, non-blocking and close-on-exec.
    pub fn pair() -> Result<(Self, OwnedFd), Failure> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let (ours, theirs) = rustix::net::socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)
            .map_err(|errno| Failure::errno("cannot make the uplink's channel", errno))?;
        Ok((Self { fd: ours }, theirs))
    }

    /// The end that a process was started with.
    pub fn from_fd(fd: OwnedFd) -> Self {
        Self { fd }
    }

    /// Sends one message. AGAIN: the other end does not read; PIPE: it is gone.
    pub fn send(&self, message: &Value, fds: &[BorrowedFd<'_>]) -> Result<(), Errno> {
        let text = message.to_string();
        if text.len() <= PACKET {
            return self.send_packet(text.as_bytes(), fds);
        }
        let mut file = File::from(rustix::fs::memfd_create("pinnace-message", MemfdFlags::CLOEXEC)?);
        file.write_all(text.as_bytes())
            .map_err(|error| errno_of(&error))?;
        let mut all = vec![file.as_fd()];
        all.extend_from_slice(fds);
        self.send_packet(json!({"op": "in-file"}).to_string().as_bytes(), &all)
    }

    fn send_packet(&self, data: &[u8], fds: &[BorrowedFd<'_>]) -> Result<(), Errno> {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS + 1))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        if !fds.is_empty() && !control.push(SendAncillaryMessage::ScmRights(fds)) {
            return Err(Errno::INVAL);
        }
        let flags = SendFlags::NOSIGNAL;
        rustix::io::retry_on_intr(|| {
            rustix::net::sendmsg(&self.fd, &[IoSlice::new(data)], &mut control, flags).map(|_| ())
        })
    }

    /// Takes one message, without waiting when the descriptor is non-blocking.
    pub fn receive(&self) -> Result<Received, Failure> {
        let failed = |errno| Failure::errno("cannot read the uplink's channel", errno);
        let mut data = vec![0u8; PACKET];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS + 1))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let flags = RecvFlags::CMSG_CLOEXEC;
        let result = rustix::io::retry_on_intr(|| {
            rustix::net::recvmsg(&self.fd, &mut [IoSliceMut::new(&mut data)], &mut control, flags)
        });
        let result = match result {
            Ok(result) => result,
            Err(Errno::AGAIN) => return Ok(Received::Nothing),
            Err(Errno::CONNRESET) => return Ok(Received::End),
            Err(errno) => return Err(failed(errno)),
        };
        let mut fds: Vec<OwnedFd> = Vec::new();
        for message in control.drain() {
            if let RecvAncillaryMessage::ScmRights(received) = message {
                fds.extend(received);
            }
        }
        if result.bytes == 0 {
            return Ok(Received::End);
        }
        if result.flags.contains(ReturnFlags::TRUNC) {
            return Err(Failure::new(Kind::Invalid, "a message is larger than a packet"));
        }
        let message = parse(&data[..result.bytes])?;
        if message.get("op").and_then(Value::as_str) != Some("in-file") {
            return Ok(Received::Message(message, fds));
        }
        if fds.is_empty() {
            return Err(Failure::new(
                Kind::Invalid,
                "a message in a file came without one",
            ));
        }
        let text = read_file(fds.remove(0))?;
        Ok(Received::Message(parse(&text)?, fds))
    }
}

impl AsFd for Channel {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

fn parse(text: &[u8]) -> Result<Value, Failure> {
    serde_json::from_slice(text).map_err(|error| {
        Failure::new(
            Kind::Invalid,
            format!("a message of the channel is not JSON: {error}"),
        )
    })
}

fn read_file(fd: OwnedFd) -> Result<Vec<u8>, Failure> {
    let failed =
        |error: std::io::Error| Failure::errno("cannot read a message's memory file", errno_of(&error));
    let mut file = File::from(fd);
    file.seek(SeekFrom::Start(0)).map_err(failed)?;
    let mut text = Vec::new();
    file.take(FILE_LIMIT).read_to_end(&mut text).map_err(failed)?;
    Ok(text)
}

fn errno_of(error: &std::io::Error) -> Errno {
    Errno::from_io_error(error).unwrap_or(Errno::IO)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_of_any_size_arrive_whole_with_their_descriptors() {
        let (ours, theirs) = Channel::pair().expect("pair");
        let theirs = Channel::from_fd(theirs);
        for size in [1, PACKET - 20, PACKET + 1, 1 << 20] {
            let message = json!({"op": "names", "text": "x".repeat(size)});
            let (reader, _writer) = rustix::pipe::pipe().expect("pipe");
            ours.send(&message, &[reader.as_fd()]).expect("send");
            match theirs.receive().expect("receive") {
                Received::Message(received, fds) => {
                    assert_eq!(received, message);
                    assert_eq!(fds.len(), 1);
                }
                _ => unreachable!("no message"),
            }
        }
        assert!(matches!(theirs.receive().expect("receive"), Received::Nothing));
        drop(ours);
        assert!(matches!(theirs.receive().expect("receive"), Received::End));
    }
}
