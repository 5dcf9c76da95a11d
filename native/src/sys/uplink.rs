//! System calls of the uplink that rustix does not wrap: datagrams with their original destination, local
//! address or error, and socket options by number.

use rustix::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};
use rustix::io::Errno;
use std::mem::{MaybeUninit, size_of, zeroed};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

pub(super) fn result(value: libc::c_int) -> Result<(), Errno> {
    if value < 0 { Err(last_errno()) } else { Ok(()) }
}

pub(super) fn last_errno() -> Errno {
    Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::IO)
}

pub(super) fn length<T>() -> libc::socklen_t {
    libc::socklen_t::try_from(size_of::<T>()).unwrap_or(0)
}

/// A descriptor that the process was started with. Never for one that is owned already.
pub fn inherited(number: i32) -> Result<OwnedFd, Errno> {
    // SAFETY: F_SETFD only reads its integers; it fails when the descriptor is not open.
    result(unsafe { libc::fcntl(number, libc::F_SETFD, libc::FD_CLOEXEC) })?;
    // SAFETY: it is open, and the caller says that nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}

/// Sets an option whose value is an int (see socket(7), ip(7), ipv6(7), packet(7)).
pub fn set_option(fd: impl AsFd, level: i32, name: i32, value: i32) -> Result<(), Errno> {
    // SAFETY: the value is an int that outlives the call, and its size is given.
    result(unsafe {
        libc::setsockopt(
            fd.as_fd().as_raw_fd(),
            level,
            name,
            (&raw const value).cast(),
            length::<libc::c_int>(),
        )
    })
}

/// Keeps everything but echo replies from a raw ICMPv6 socket (ICMP6_FILTER, RFC 3542, 3.2).
pub fn only_echo_replies(fd: impl AsFd) -> Result<(), Errno> {
    let mut blocked = [u32::MAX; 8];
    blocked[129 >> 5] &= !(1 << (129 & 31));
    // SAFETY: the filter is eight words, as icmp6_filter is, and outlives the call.
    result(unsafe {
        libc::setsockopt(
            fd.as_fd().as_raw_fd(),
            libc::IPPROTO_ICMPV6,
            1,
            (&raw const blocked).cast(),
            length::<[u32; 8]>(),
        )
    })
}

/// A datagram's length, its sender, and what its control messages said of its destination.
pub struct Datagram {
    pub length: usize,
    pub from: SocketAddr,
    /// The original destination (IP_RECVORIGDSTADDR, IPV6_RECVORIGDSTADDR).
    pub destination: Option<SocketAddr>,
    /// The local address (IP_PKTINFO, IPV6_RECVPKTINFO).
    pub local: Option<IpAddr>,
}

#[repr(align(16))]
struct Control([u8; 256]);

/// Takes one datagram with its control messages, without waiting.
pub fn receive(fd: impl AsFd, buffer: &mut [u8]) -> Result<Datagram, Errno> {
    // SAFETY: sockaddr_storage and msghdr are plain data, for which zeroes are valid.
    let (mut name, mut header) = unsafe { (zeroed::<libc::sockaddr_storage>(), zeroed::<libc::msghdr>()) };
    let mut control = Control([0; 256]);
    let mut part = libc::iovec {
        iov_base: buffer.as_mut_ptr().cast(),
        iov_len: buffer.len(),
    };
    header.msg_name = (&raw mut name).cast();
    header.msg_namelen = length::<libc::sockaddr_storage>();
    header.msg_iov = &raw mut part;
    header.msg_iovlen = 1;
    header.msg_control = control.0.as_mut_ptr().cast();
    header.msg_controllen = control.0.len() as _;
    // SAFETY: every pointer of the header is to memory of the length given, alive across the call.
    let got = unsafe { libc::recvmsg(fd.as_fd().as_raw_fd(), &raw mut header, libc::MSG_DONTWAIT) };
    let Ok(length) = usize::try_from(got) else {
        return Err(last_errno());
    };
    let mut datagram = Datagram {
        length,
        from: address_of(&name).ok_or(Errno::AFNOSUPPORT)?,
        destination: None,
        local: None,
    };
    // SAFETY: the header is the kernel's answer, its control buffer is alive and aligned for cmsghdr.
    let mut next = unsafe { libc::CMSG_FIRSTHDR(&raw const header) };
    while !next.is_null() {
        // SAFETY: CMSG_FIRSTHDR and CMSG_NXTHDR give whole headers within the control buffer.
        let (level, kind, data) = unsafe {
            (
                (*next).cmsg_level,
                (*next).cmsg_type,
                libc::CMSG_DATA(next).cast_const(),
            )
        };
        // SAFETY: the kernel wrote a message of the type's own structure; read_unaligned copies it.
        unsafe { note(&mut datagram, (level, kind), data) };
        // SAFETY: as for CMSG_FIRSTHDR.
        next = unsafe { libc::CMSG_NXTHDR(&raw const header, next) };
    }
    Ok(datagram)
}

/// Reads one control message.
///
/// # Safety
/// `data` must point to the structure that the kernel writes for the message's level and type.
unsafe fn note(datagram: &mut Datagram, kind: (i32, i32), data: *const u8) {
    match kind {
        (libc::SOL_IP, libc::IP_ORIGDSTADDR) => {
            // SAFETY: the message carries a sockaddr_in.
            let address = unsafe { data.cast::<libc::sockaddr_in>().read_unaligned() };
            datagram.destination = Some(v4(&address));
        }
        (libc::SOL_IPV6, libc::IPV6_ORIGDSTADDR) => {
            // SAFETY: the message carries a sockaddr_in6.
            let address = unsafe { data.cast::<libc::sockaddr_in6>().read_unaligned() };
            datagram.destination = Some(v6(&address));
        }
        (libc::SOL_IP, libc::IP_PKTINFO) => {
            // SAFETY: the message carries an in_pktinfo.
            let info = unsafe { data.cast::<libc::in_pktinfo>().read_unaligned() };
            datagram.local = Some(IpAddr::V4(Ipv4Addr::from(info.ipi_spec_dst.s_addr.to_ne_bytes())));
        }
        (libc::SOL_IPV6, libc::IPV6_PKTINFO) => {
            // SAFETY: the message carries an in6_pktinfo.
            let info = unsafe { data.cast::<libc::in6_pktinfo>().read_unaligned() };
            datagram.local = Some(IpAddr::V6(Ipv6Addr::from(info.ipi6_addr.s6_addr)));
        }
        _ => {}
    }
}

/// An error that belongs to a datagram sent before (IP_RECVERR, IPV6_RECVERR).
pub struct DatagramError {
    /// How much of the datagram's payload came with it.
    pub length: usize,
    /// Who reported it; none: this host.
    pub router: Option<IpAddr>,
    /// ICMP type and code.
    pub reason: (u8, u8),
}

/// Takes one error from a socket's error queue, without waiting.
pub fn receive_error(fd: impl AsFd, buffer: &mut [u8]) -> Result<DatagramError, Errno> {
    // SAFETY: msghdr is plain data, for which zeroes are valid.
    let mut header = unsafe { zeroed::<libc::msghdr>() };
    let mut control = Control([0; 256]);
    let mut part = libc::iovec {
        iov_base: buffer.as_mut_ptr().cast(),
        iov_len: buffer.len(),
    };
    header.msg_iov = &raw mut part;
    header.msg_iovlen = 1;
    header.msg_control = control.0.as_mut_ptr().cast();
    header.msg_controllen = control.0.len() as _;
    let flags = libc::MSG_ERRQUEUE | libc::MSG_DONTWAIT;
    // SAFETY: every pointer of the header is to memory of the length given, alive across the call.
    let got = unsafe { libc::recvmsg(fd.as_fd().as_raw_fd(), &raw mut header, flags) };
    let Ok(length) = usize::try_from(got) else {
        return Err(last_errno());
    };
    // SAFETY: the header is the kernel's answer, its control buffer is alive and aligned for cmsghdr.
    let first = unsafe { libc::CMSG_FIRSTHDR(&raw const header) };
    if first.is_null() {
        return Err(Errno::BADMSG);
    }
    // SAFETY: a header that CMSG_FIRSTHDR gives is whole.
    let (level, kind, size) = unsafe { ((*first).cmsg_level, (*first).cmsg_type, (*first).cmsg_len) };
    let wanted = size_of::<libc::sock_extended_err>() + size_of::<libc::sockaddr_in>();
    let errors = matches!(
        (level, kind),
        (libc::SOL_IP, libc::IP_RECVERR) | (libc::SOL_IPV6, libc::IPV6_RECVERR)
    );
    if !errors || size < wanted {
        return Err(Errno::BADMSG);
    }
    // SAFETY: the message carries a sock_extended_err and, behind it, the offender's socket address.
    let (error, offender) = unsafe {
        let data = libc::CMSG_DATA(first);
        let mut name = MaybeUninit::<libc::sockaddr_storage>::zeroed();
        let behind = size.saturating_sub(libc::CMSG_LEN(0) as usize + 16).min(28);
        std::ptr::copy_nonoverlapping(data.add(16), name.as_mut_ptr().cast::<u8>(), behind);
        (
            data.cast::<libc::sock_extended_err>().read_unaligned(),
            name.assume_init(),
        )
    };
    // SO_EE_ORIGIN_ICMP and SO_EE_ORIGIN_ICMP6; otherwise this host could not deliver it.
    let (router, reason) = if error.ee_origin == 2 || error.ee_origin == 3 {
        (
            address_of(&offender).map(|address| address.ip()),
            (error.ee_type, error.ee_code),
        )
    } else if level == libc::SOL_IP {
        (None, (3, 1))
    } else {
        (None, (1, 3))
    };
    Ok(DatagramError {
        length,
        router,
        reason,
    })
}

/// Sends one datagram to an address, from a given local address (IP_PKTINFO), without waiting.
pub fn send_from(fd: impl AsFd, data: &[u8], to: SocketAddr, local: Option<IpAddr>) -> Result<(), Errno> {
    let (mut name, name_length) = storage_of(to);
    // SAFETY: msghdr is plain data, for which zeroes are valid.
    let mut header: libc::msghdr = unsafe { zeroed() };
    let mut control = Control([0; 256]);
    let mut part = libc::iovec {
        iov_base: data.as_ptr().cast_mut().cast(),
        iov_len: data.len(),
    };
    header.msg_name = (&raw mut name).cast();
    header.msg_namelen = name_length;
    header.msg_iov = &raw mut part;
    header.msg_iovlen = 1;
    match local {
        Some(IpAddr::V4(address)) => {
            let info = libc::in_pktinfo {
                ipi_ifindex: 0,
                ipi_spec_dst: libc::in_addr {
                    s_addr: u32::from_ne_bytes(address.octets()),
                },
                ipi_addr: libc::in_addr { s_addr: 0 },
            };
            attach(&mut header, &mut control, (libc::SOL_IP, libc::IP_PKTINFO), info);
        }
        Some(IpAddr::V6(address)) => {
            let info = libc::in6_pktinfo {
                ipi6_addr: libc::in6_addr {
                    s6_addr: address.octets(),
                },
                ipi6_ifindex: 0,
            };
            attach(
                &mut header,
                &mut control,
                (libc::SOL_IPV6, libc::IPV6_PKTINFO),
                info,
            );
        }
        None => {}
    }
    // SAFETY: every pointer of the header is to memory of the length given, alive across the call.
    let sent = unsafe {
        libc::sendmsg(
            fd.as_fd().as_raw_fd(),
            &raw const header,
            libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL,
        )
    };
    if sent < 0 { Err(last_errno()) } else { Ok(()) }
}

/// Puts one control message into the header.
fn attach<T>(header: &mut libc::msghdr, control: &mut Control, kind: (i32, i32), value: T) {
    let size = u32::try_from(size_of::<T>()).unwrap_or(0);
    header.msg_control = control.0.as_mut_ptr().cast();
    // SAFETY: CMSG_SPACE only computes; the two users' structures fit into the control buffer many
    // times, and it is aligned for cmsghdr.
    unsafe {
        header.msg_controllen = libc::CMSG_SPACE(size) as _;
        let message = libc::CMSG_FIRSTHDR(header);
        (*message).cmsg_level = kind.0;
        (*message).cmsg_type = kind.1;
        (*message).cmsg_len = libc::CMSG_LEN(size) as _;
        libc::CMSG_DATA(message).cast::<T>().write_unaligned(value);
    }
}

fn v4(address: &libc::sockaddr_in) -> SocketAddr {
    let ip = Ipv4Addr::from(address.sin_addr.s_addr.to_ne_bytes());
    SocketAddrV4::new(ip, u16::from_be(address.sin_port)).into()
}

fn v6(address: &libc::sockaddr_in6) -> SocketAddr {
    let ip = Ipv6Addr::from(address.sin6_addr.s6_addr);
    SocketAddrV6::new(ip, u16::from_be(address.sin6_port), 0, address.sin6_scope_id).into()
}

fn address_of(name: &libc::sockaddr_storage) -> Option<SocketAddr> {
    let family = i32::from(name.ss_family);
    if family == libc::AF_INET {
        // SAFETY: the family says that the storage holds a sockaddr_in.
        return Some(v4(unsafe { &*(&raw const *name).cast::<libc::sockaddr_in>() }));
    }
    if family == libc::AF_INET6 {
        // SAFETY: the family says that the storage holds a sockaddr_in6.
        return Some(v6(unsafe { &*(&raw const *name).cast::<libc::sockaddr_in6>() }));
    }
    None
}

fn storage_of(address: SocketAddr) -> (libc::sockaddr_storage, libc::socklen_t) {
    let mut storage = MaybeUninit::<libc::sockaddr_storage>::zeroed();
    match address {
        SocketAddr::V4(address) => {
            let value = libc::sockaddr_in {
                sin_family: u16::try_from(libc::AF_INET).unwrap_or(0),
                sin_port: address.port().to_be(),
                sin_addr: libc::in_addr {
                    s_addr: u32::from_ne_bytes(address.ip().octets()),
                },
                sin_zero: [0; 8],
            };
            // SAFETY: the storage is larger than and aligned for every socket address.
            unsafe { storage.as_mut_ptr().cast::<libc::sockaddr_in>().write(value) };
            // SAFETY: zeroes were valid, and so is what was written over them.
            (unsafe { storage.assume_init() }, length::<libc::sockaddr_in>())
        }
        SocketAddr::V6(address) => {
            let value = libc::sockaddr_in6 {
                sin6_family: u16::try_from(libc::AF_INET6).unwrap_or(0),
                sin6_port: address.port().to_be(),
                sin6_flowinfo: 0,
                sin6_addr: libc::in6_addr {
                    s6_addr: address.ip().octets(),
                },
                sin6_scope_id: address.scope_id(),
            };
            // SAFETY: the storage is larger than and aligned for every socket address.
            unsafe { storage.as_mut_ptr().cast::<libc::sockaddr_in6>().write(value) };
            // SAFETY: zeroes were valid, and so is what was written over them.
            (unsafe { storage.assume_init() }, length::<libc::sockaddr_in6>())
        }
    }
}
