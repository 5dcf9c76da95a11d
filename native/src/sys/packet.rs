//! Packet sockets (packet(7)), their filters, and links' hardware addresses: what rustix does not wrap.

use super::uplink::{length, result};
use rustix::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};
use rustix::io::Errno;
use std::mem::zeroed;

/// One instruction of a classic packet filter: code, jump if true, jump if false, operand.
pub type Instruction = (u16, u8, u8, u32);

/// A raw packet socket on a link (packet(7)). With `protocol` 0 it only sends. The filter is in force
/// before the first frame can arrive.
pub fn open(index: u32, protocol: u16, filter: &[Instruction]) -> Result<OwnedFd, Errno> {
    let kind = libc::SOCK_RAW | libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC;
    // SAFETY: socket takes plain integers; protocol 0 receives nothing before bind.
    let fd = unsafe { libc::socket(libc::AF_PACKET, kind, 0) };
    result(fd)?;
    // SAFETY: the descriptor is new and owned by nobody else.
    let fd = unsafe { OwnedFd::from_raw_fd(fd) };
    if !filter.is_empty() {
        attach_filter(&fd, filter)?;
    }
    // SAFETY: sockaddr_ll is plain data, for which zeroes are valid.
    let mut address: libc::sockaddr_ll = unsafe { zeroed() };
    address.sll_family = u16::try_from(libc::AF_PACKET).unwrap_or(0);
    address.sll_protocol = protocol.to_be();
    address.sll_ifindex = i32::try_from(index).map_err(|_| Errno::INVAL)?;
    // SAFETY: the address is a whole sockaddr_ll that outlives the call.
    result(unsafe {
        libc::bind(
            fd.as_raw_fd(),
            (&raw const address).cast(),
            length::<libc::sockaddr_ll>(),
        )
    })?;
    Ok(fd)
}

fn attach_filter(fd: &OwnedFd, filter: &[Instruction]) -> Result<(), Errno> {
    let mut program: Vec<libc::sock_filter> = filter
        .iter()
        .map(|(code, jt, jf, k)| libc::sock_filter {
            code: *code,
            jt: *jt,
            jf: *jf,
            k: *k,
        })
        .collect();
    let header = libc::sock_fprog {
        len: u16::try_from(program.len()).map_err(|_| Errno::INVAL)?,
        filter: program.as_mut_ptr(),
    };
    // SAFETY: the header points to a program of the given length; the kernel copies both in the call.
    result(unsafe {
        libc::setsockopt(
            fd.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_ATTACH_FILTER,
            (&raw const header).cast(),
            length::<libc::sock_fprog>(),
        )
    })
}

/// The hardware address of a link in the socket's network namespace (netdevice(7)).
pub fn hardware_address(fd: impl AsFd, name: &str) -> Result<[u8; 6], Errno> {
    // SAFETY: ifreq is plain data, for which zeroes are valid.
    let mut request: libc::ifreq = unsafe { zeroed() };
    if name.len() >= request.ifr_name.len() {
        return Err(Errno::INVAL);
    }
    for (slot, byte) in request.ifr_name.iter_mut().zip(name.bytes()) {
        *slot = libc::c_char::from_ne_bytes([byte]);
    }
    // SAFETY: SIOCGIFHWADDR reads the name and writes the address into the request, which outlives it.
    result(unsafe { libc::ioctl(fd.as_fd().as_raw_fd(), libc::SIOCGIFHWADDR, &raw mut request) })?;
    // SAFETY: after success the union holds a hardware address.
    let address = unsafe { request.ifr_ifru.ifru_hwaddr };
    let mut bytes = [0u8; 6];
    for (byte, value) in bytes.iter_mut().zip(address.sa_data) {
        *byte = value.to_ne_bytes()[0];
    }
    Ok(bytes)
}
