//! System calls of the uplink that rustix does not wrap: packet sockets and their filters, datagrams
//! with their original destination or local address, and socket options by number.

use rustix::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};
use rustix::io::Errno;
use std::mem::{MaybeUninit, size_of, zeroed};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

/// One instruction of a classic packet filter: code, jump if true, jump if false, operand.
pub type Instruction = (u16, u8, u8, u32);

fn result(value: libc::c_int) -> Result<(), Errno> {
    if value < 0 { Err(last_errno()) } else { Ok(()) }
}

fn last_errno() -> Errno {
    Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::IO)
}

fn length<T>() -> libc::socklen_t {
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

/// A raw packet socket on a link (packet(7)). With `protocol` 0 it only sends. The filter is in force
/// before the first frame can arrive.
pub fn packet_socket(index: u32, protocol: u16, filter: &[Instruction]) -> Result<OwnedFd, Errno> {
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
