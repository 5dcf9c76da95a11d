//! What parent and child say to each other while a container is made: single messages on a
//! SEQPACKET socket, with at most one descriptor each. The first byte is the kind.

use crate::error::{Failure, Kind};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketFlags, SocketType,
};
use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;

const MAX_MESSAGE: usize = 16 * 1024;

/// What a message means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Word {
    /// Child: it is in its cgroup; the body holds the indices of the hierarchies that refused.
    Joined = b'J',
    /// Parent: the id maps are written.
    Mapped = b'M',
    /// Parent: the cgroup is limited and the runtime's hooks have run.
    Go = b'G',
    /// Parent: run the program.
    Start = b'S',
    /// Child: here is the pidfd of the process that goes on in my place.
    Successor = b'D',
    /// Child: here is the pty's master.
    Pty = b'P',
    /// Child: everything is set up.
    Ready = b'R',
    /// Child: execve comes next; a closed socket after this is success.
    Exec = b'X',
    /// Child: it failed; the body is a Failure.
    Failed = b'E',
}

const WORDS: [Word; 9] = [
    Word::Joined,
    Word::Mapped,
    Word::Go,
    Word::Start,
    Word::Successor,
    Word::Pty,
    Word::Ready,
    Word::Exec,
    Word::Failed,
];

/// One received message.
pub struct Message {
    pub word: Word,
    pub body: Vec<u8>,
    pub fd: Option<OwnedFd>,
}

/// The two connected ends.
pub fn pair() -> Result<(OwnedFd, OwnedFd), Failure> {
    rustix::net::socketpair(
        AddressFamily::UNIX,
        SocketType::SEQPACKET,
        SocketFlags::CLOEXEC,
        None,
    )
    .map_err(|errno| Failure::errno("cannot make a socket pair", errno))
}

pub fn send(socket: impl AsFd, word: Word) -> Result<(), Errno> {
    send_all(socket.as_fd(), word, b"", None)
}

pub fn send_bytes(socket: impl AsFd, word: Word, body: &[u8]) -> Result<(), Errno> {
    send_all(socket.as_fd(), word, body, None)
}

pub fn send_fd(socket: impl AsFd, word: Word, fd: BorrowedFd<'_>) -> Result<(), Errno> {
    send_all(socket.as_fd(), word, b"", Some(fd))
}

/// Sends a failure; the receiver gets it back from [`expect`] as an error.
pub fn send_failure(socket: impl AsFd, failure: &Failure) -> Result<(), Errno> {
    let mut body = failure.kind.name().as_bytes().to_vec();
    body.push(0);
    body.extend(
        failure
            .errno
            .map_or(0, Errno::raw_os_error)
            .to_string()
            .as_bytes(),
    );
    body.push(0);
    if let Some(path) = &failure.path {
        body.extend(path.as_os_str().as_bytes());
    }
    body.push(0);
    body.extend(failure.message.as_bytes());
    body.truncate(MAX_MESSAGE - 1);
    send_all(socket.as_fd(), Word::Failed, &body, None)
}

fn send_all(
    socket: BorrowedFd<'_>,
    word: Word,
    body: &[u8],
    fd: Option<BorrowedFd<'_>>,
) -> Result<(), Errno> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    let fds;
    if let Some(fd) = fd {
        fds = [fd];
        control.push(SendAncillaryMessage::ScmRights(&fds));
    }
    let head = [word as u8];
    let parts = [IoSlice::new(&head), IoSlice::new(body)];
    loop {
        match rustix::net::sendmsg(socket, &parts, &mut control, SendFlags::NOSIGNAL) {
            Err(Errno::INTR) => {}
            other => return other.map(|_sent| ()),
        }
    }
}

/// The next message; None when the other side has closed.
pub fn receive(socket: impl AsFd) -> Result<Option<Message>, Failure> {
    let mut bytes = vec![0; MAX_MESSAGE];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let received = loop {
        let mut parts = [IoSliceMut::new(&mut bytes)];
        match rustix::net::recvmsg(&socket, &mut parts, &mut control, RecvFlags::CMSG_CLOEXEC) {
            // A peer that ended with words of ours unread resets the socket, and the kernel says so
            // (once) before it hands out the peer's last words.
            Err(Errno::INTR | Errno::CONNRESET) => {}
            Err(Errno::PIPE) => return Ok(None),
            other => {
                break other
                    .map_err(|errno| Failure::errno("cannot receive from the container's init", errno))?;
            }
        }
    };
    let mut fd = None;
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(mut fds) = message {
            fd = fds.next();
        }
    }
    bytes.truncate(received.bytes);
    let Some((first, body)) = bytes.split_first() else {
        return Ok(None);
    };
    let word = WORDS
        .into_iter()
        .find(|word| *word as u8 == *first)
        .ok_or_else(|| Failure::new(Kind::Internal, "an unknown message from the container's init"))?;
    Ok(Some(Message {
        word,
        body: body.to_vec(),
        fd,
    }))
}

/// The failure that a [`Word::Failed`] message carries.
pub fn failure_of(body: &[u8]) -> Failure {
    let mut parts = body.splitn(4, |byte| *byte == 0);
    let mut next = || parts.next().unwrap_or_default();
    let (kind, errno, path, message) = (next(), next(), next(), next());
    let mut failure = Failure::new(kind_named(kind), String::from_utf8_lossy(message));
    let errno: i32 = std::str::from_utf8(errno)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(0);
    if errno != 0 {
        failure.errno = Some(Errno::from_raw_os_error(errno));
    }
    if !path.is_empty() {
        failure = failure.at(std::ffi::OsStr::from_bytes(path));
    }
    failure
}

fn kind_named(name: &[u8]) -> Kind {
    const KINDS: [Kind; 8] = [
        Kind::NotFound,
        Kind::Conflict,
        Kind::Invalid,
        Kind::Forbidden,
        Kind::Unavailable,
        Kind::NotImplemented,
        Kind::Cancelled,
        Kind::Internal,
    ];
    KINDS
        .into_iter()
        .find(|kind| kind.name().as_bytes() == name)
        .unwrap_or(Kind::Internal)
}

/// Waits for one word; a failure of the other side, or its end, is an error.
pub fn expect(socket: impl AsFd, wanted: Word) -> Result<Message, Failure> {
    match receive(socket)? {
        Some(message) if message.word == wanted => Ok(message),
        Some(message) if message.word == Word::Failed => Err(failure_of(&message.body)),
        Some(message) => Err(Failure::new(
            Kind::Internal,
            format!("expected {wanted:?}, but init said {:?}", message.word),
        )),
        None => Err(Failure::new(
            Kind::Internal,
            "the other side ended while the container was made",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_crosses_the_socket_whole() -> Result<(), Failure> {
        let (here, there) = pair()?;
        let sent = Failure::errno("exec: \"x\"", Errno::ACCESS).at("/bin/x");
        send_failure(&here, &sent).map_err(|errno| Failure::errno("send", errno))?;
        let got = expect(&there, Word::Exec).err();
        assert_eq!(got.map(|failure| failure.to_json()), Some(sent.to_json()));
        Ok(())
    }

    #[test]
    fn a_closed_socket_is_an_error_that_says_so() -> Result<(), Failure> {
        let (here, there) = pair()?;
        drop(here);
        assert!(expect(&there, Word::Ready).is_err());
        Ok(())
    }
}
