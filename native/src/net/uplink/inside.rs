//! Everything that belongs to the engine's network namespace. One thread lives there and makes sockets;
//! the poll loop, which stays in the host's namespace, uses them (a socket keeps the namespace in which it
//! was made). No decision is taken here.

use super::frame::{self, ETHERTYPE_IPV4, ETHERTYPE_IPV6};
use super::policy::Network;
use super::{confine, firewall};
use crate::error::{Failure, Kind};
use crate::net::dns::Neighbourhood;
use crate::sys::{packet, uplink as sys};
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use rustix::net::{AddressFamily, Protocol, SendFlags, SocketFlags, SocketType, ipproto, sockopt};
use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::{Duration, Instant};

/// Sockets of each kind that lie ready.
const READY: usize = 32;
/// How long the poll loop waits for one when none is ready, which is so in a storm only. Making one takes
/// microseconds, but the thread must get its turn.
const PATIENCE: Duration = Duration::from_millis(500);
/// Connections that wait to be accepted. The kernel caps it at its somaxconn.
const BACKLOG: i32 = 4096;
/// Room for a burst of first segments: each takes about 1 KiB with its bookkeeping.
const FRAMES_BUFFER: usize = 8 << 20;
const DATAGRAMS_BUFFER: usize = 4 << 20;

/// What the pool holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pooled {
    Tcp,
    Udp,
}

/// The sockets of the engine's namespace. Those of IPv6 are missing where the kernel has none.
pub struct Inside {
    /// First segments and echo requests.
    pub frames: Vec<OwnedFd>,
    pub listeners: Vec<OwnedFd>,
    pub datagrams: Vec<OwnedFd>,
    /// The gateways' port 53.
    pub dns_udp: Vec<OwnedFd>,
    pub dns_tcp: Vec<OwnedFd>,
    entry: OwnedFd,
    exit: [u8; 6],
    raw_ipv4: OwnedFd,
    raw_ipv6: Option<OwnedFd>,
    pool: Arc<Pool>,
}

impl Inside {
    /// Enters the namespace with a thread of its own and makes everything there.
    pub fn start(namespace: OwnedFd, network: Network) -> Result<Self, Failure> {
        let (sender, receiver) = mpsc::channel();
        let pool = Arc::new(Pool::default());
        let shared = Arc::clone(&pool);
        let build = move || match prepare(&namespace, &network, &shared) {
            Ok(inside) => {
                drop(namespace);
                let confined = confine::inside();
                if sender.send(confined.map(|()| inside)).is_ok() {
                    shared.fill_forever();
                }
            }
            Err(failure) => drop(sender.send(Err(failure))),
        };
        std::thread::Builder::new()
            .name("inside".to_owned())
            .stack_size(256 * 1024)
            .spawn(build)
            .map_err(|error| Failure::new(Kind::Unavailable, format!("cannot start a thread: {error}")))?;
        let ended = |_| Failure::new(Kind::Internal, "the thread of the engine's namespace ended");
        receiver.recv().map_err(ended)?
    }

    /// A socket of the namespace for an address of this family, not bound to anything.
    pub fn take(&self, kind: Pooled, address: IpAddr) -> Result<OwnedFd, Errno> {
        self.pool.take(kind, address)
    }

    /// Makes sockets of the namespace for the name server's thread.
    pub fn neighbourhood(&self) -> Neighbourhood {
        let pool = Arc::clone(&self.pool);
        Box::new(move |kind, address| {
            let stream = kind == SocketType::STREAM;
            pool.take(if stream { Pooled::Tcp } else { Pooled::Udp }, address)
        })
    }

    /// Puts a first segment back. The kernel answers the container when a listener takes it.
    pub fn put_back(&self, segment: &[u8]) -> Result<(), Errno> {
        let frame = frame::readdress(segment, self.exit).ok_or(Errno::INVAL)?;
        rustix::net::send(&self.entry, &frame, SendFlags::DONTWAIT).map(drop)
    }

    /// Sends an IP packet of our own making to a container. Losing one is like losing it on a wire.
    pub fn send_packet(&self, packet: Option<Vec<u8>>, client: IpAddr) {
        let Some(packet) = packet else { return };
        let socket = match client {
            IpAddr::V4(_) => Some(&self.raw_ipv4),
            IpAddr::V6(_) => self.raw_ipv6.as_ref(),
        };
        if let Some(socket) = socket {
            let to = SocketAddr::new(client, 0);
            let _lost = rustix::net::sendto(socket, &packet, SendFlags::DONTWAIT, &to);
        }
    }
}

/// Socket queues by kind and family.
#[derive(Default)]
struct Pool {
    queues: Mutex<[VecDeque<OwnedFd>; 4]>,
    wanted: Condvar,
    filled: Condvar,
}

const fn queue_of(kind: Pooled, v4: bool) -> usize {
    match (kind, v4) {
        (Pooled::Tcp, true) => 0,
        (Pooled::Tcp, false) => 1,
        (Pooled::Udp, true) => 2,
        (Pooled::Udp, false) => 3,
    }
}

impl Pool {
    fn lock(&self) -> MutexGuard<'_, [VecDeque<OwnedFd>; 4]> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, kind: Pooled, address: IpAddr) -> Result<OwnedFd, Errno> {
        let index = queue_of(kind, address.is_ipv4());
        let mut queues = self.lock();
        let deadline = Instant::now() + PATIENCE;
        loop {
            let queue = queues.get_mut(index).ok_or(Errno::INVAL)?;
            if queue.len() <= READY / 2 {
                self.wanted.notify_one();
            }
            if let Some(socket) = queue.pop_front() {
                return Ok(socket);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Errno::MFILE);
            }
            queues = self
                .filled
                .wait_timeout(queues, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    /// Makes sockets whenever half of a kind are used.
    fn fill_forever(&self) {
        let kinds = [
            (Pooled::Tcp, true),
            (Pooled::Tcp, false),
            (Pooled::Udp, true),
            (Pooled::Udp, false),
        ];
        // A kernel without IPv6 has no such sockets, and nobody asks for them.
        let mut exists = [true; 4];
        loop {
            let mut made = Ok(());
            for (kind, v4) in kinds {
                match self.fill(kind, v4) {
                    Ok(()) => {}
                    Err(Errno::AFNOSUPPORT) => exists[queue_of(kind, v4)] = false,
                    Err(errno) => made = Err(errno),
                }
            }
            if made.is_err() {
                // Out of descriptors or memory: not again at once.
                std::thread::sleep(Duration::from_millis(20));
                continue;
            }
            let queues = self.lock();
            let short = queues
                .iter()
                .zip(exists)
                .any(|(queue, exists)| exists && queue.len() <= READY / 2);
            if !short {
                drop(self.wanted.wait(queues));
            }
        }
    }

    fn fill(&self, kind: Pooled, v4: bool) -> Result<(), Errno> {
        let index = queue_of(kind, v4);
        let missing = self
            .lock()
            .get(index)
            .map_or(0, |queue| READY.saturating_sub(queue.len()));
        for _ in 0..missing {
            let socket = pooled_socket(kind, v4)?;
            if let Some(queue) = self.lock().get_mut(index) {
                queue.push_back(socket);
            }
            self.filled.notify_one();
        }
        Ok(())
    }
}

const FLAGS: SocketFlags = SocketFlags::NONBLOCK.union(SocketFlags::CLOEXEC);

fn socket(v4: bool, kind: SocketType, protocol: Option<Protocol>) -> Result<OwnedFd, Errno> {
    let family = if v4 {
        AddressFamily::INET
    } else {
        AddressFamily::INET6
    };
    let fd = rustix::net::socket_with(family, kind, FLAGS, protocol)?;
    if !v4 && kind != SocketType::RAW {
        sockopt::set_ipv6_v6only(&fd, true)?;
    }
    Ok(fd)
}

/// May be bound to, and receive for, addresses that are not this host's (ip(7), ipv6(7)).
fn set_transparent(fd: &OwnedFd, v4: bool) -> Result<(), Errno> {
    sockopt::set_socket_reuseaddr(fd, true)?;
    if v4 {
        sys::set_option(fd, libc::SOL_IP, libc::IP_TRANSPARENT, 1)
    } else {
        sys::set_option(fd, libc::SOL_IPV6, libc::IPV6_TRANSPARENT, 1)
    }
}

fn pooled_socket(kind: Pooled, v4: bool) -> Result<OwnedFd, Errno> {
    match kind {
        Pooled::Tcp => {
            let fd = socket(v4, SocketType::STREAM, None)?;
            sockopt::set_tcp_nodelay(&fd, true)?;
            Ok(fd)
        }
        Pooled::Udp => {
            let fd = socket(v4, SocketType::DGRAM, None)?;
            set_transparent(&fd, v4)?;
            Ok(fd)
        }
    }
}

fn any(v4: bool, port: u16) -> SocketAddr {
    let address: IpAddr = if v4 {
        Ipv4Addr::UNSPECIFIED.into()
    } else {
        Ipv6Addr::UNSPECIFIED.into()
    };
    SocketAddr::new(address, port)
}

fn transparent_listener(v4: bool, port: u16) -> Result<OwnedFd, Errno> {
    let fd = socket(v4, SocketType::STREAM, None)?;
    set_transparent(&fd, v4)?;
    sockopt::set_tcp_nodelay(&fd, true)?;
    rustix::net::bind(&fd, &any(v4, port))?;
    rustix::net::listen(&fd, BACKLOG)?;
    Ok(fd)
}

fn transparent_datagrams(v4: bool, port: u16) -> Result<OwnedFd, Errno> {
    let fd = socket(v4, SocketType::DGRAM, None)?;
    set_transparent(&fd, v4)?;
    if v4 {
        sys::set_option(&fd, libc::SOL_IP, libc::IP_RECVORIGDSTADDR, 1)?;
    } else {
        sys::set_option(&fd, libc::SOL_IPV6, libc::IPV6_RECVORIGDSTADDR, 1)?;
    }
    enlarge(&fd, DATAGRAMS_BUFFER);
    rustix::net::bind(&fd, &any(v4, port))?;
    Ok(fd)
}

/// A receive buffer as large as may be: beyond the system's limit where that is allowed.
fn enlarge(fd: &OwnedFd, size: usize) {
    if sockopt::set_socket_recv_buffer_size_force(fd, size).is_err() {
        let _smaller = sockopt::set_socket_recv_buffer_size(fd, size);
    }
}

fn dns_socket(kind: SocketType, gateway: IpAddr) -> Result<OwnedFd, Errno> {
    let fd = socket(gateway.is_ipv4(), kind, None)?;
    sockopt::set_socket_reuseaddr(&fd, true)?;
    // The address may still be on its way to the bridge.
    if gateway.is_ipv4() {
        sockopt::set_ip_freebind(&fd, true)?;
    } else {
        sockopt::set_ipv6_freebind(&fd, true)?;
    }
    rustix::net::bind(&fd, &SocketAddr::new(gateway, 53))?;
    if kind == SocketType::STREAM {
        rustix::net::listen(&fd, 256)?;
    }
    Ok(fd)
}

/// Leaves out what the kernel lacks IPv6 for.
fn both<T>(make: impl Fn(bool) -> Result<T, Errno>, what: &str) -> Result<Vec<T>, Failure> {
    let failed = |errno| Failure::errno(format!("cannot make the uplink's {what}"), errno);
    let mut made = vec![make(true).map_err(failed)?];
    match make(false) {
        Ok(one) => made.push(one),
        Err(Errno::AFNOSUPPORT) => {}
        Err(errno) => return Err(failed(errno)),
    }
    Ok(made)
}

/// Settings of the namespace that the data path rests on. The file shown is that of this thread's
/// namespace. A missing one (no bridge netfilter, no IPv6) needs no setting.
fn tune(network: &Network) {
    let mut settings = vec![
        ("net/ipv4/tcp_max_syn_backlog".to_owned(), "8192"),
        ("net/core/somaxconn".to_owned(), "4096"),
        ("net/ipv4/ip_local_port_range".to_owned(), "1024 65535"),
        // The way to a container has no bottleneck to probe for; pacing (bbr) only costs timers. With it
        // a stream to a container was at half the speed.
        ("net/ipv4/tcp_congestion_control".to_owned(), "reno"),
        // The poll loop, without capabilities, binds to destinations of any port.
        ("net/ipv4/ip_unprivileged_port_start".to_owned(), "0"),
        ("net/bridge/bridge-nf-call-iptables".to_owned(), "0"),
        ("net/bridge/bridge-nf-call-ip6tables".to_owned(), "0"),
    ];
    for link in ["all", "default", &network.bridge, &network.reinject[1]] {
        settings.push((format!("net/ipv4/conf/{link}/rp_filter"), "0"));
    }
    for (name, value) in settings {
        let _absent = std::fs::write(format!("/proc/sys/{name}"), value);
    }
}

fn link_index(fd: &OwnedFd, name: &str) -> Result<u32, Failure> {
    rustix::net::netdevice::name_to_index(fd, name)
        .map_err(|errno| Failure::errno(format!("there is no link {name}"), errno))
}

fn prepare(namespace: &OwnedFd, network: &Network, pool: &Arc<Pool>) -> Result<Inside, Failure> {
    use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
    move_into_link_name_space(
        rustix::fd::AsFd::as_fd(namespace),
        Some(LinkNameSpaceType::Network),
    )
    .map_err(|errno| Failure::errno("cannot enter the engine's network namespace", errno))?;
    tune(network);
    let failed =
        |what: &'static str| move |errno| Failure::errno(format!("cannot make the uplink's {what}"), errno);
    let port = firewall::port(network.index);
    // Listeners first: from its first packet on, a rule finds them.
    let listeners = both(|v4| transparent_listener(v4, port), "transparent listeners")?;
    let datagrams = both(|v4| transparent_datagrams(v4, port), "transparent UDP sockets")?;
    let (mut dns_udp, mut dns_tcp) = (Vec::new(), Vec::new());
    for gateway in network.gateways() {
        dns_udp.push(dns_socket(SocketType::DGRAM, gateway).map_err(failed("DNS socket"))?);
        dns_tcp.push(dns_socket(SocketType::STREAM, gateway).map_err(failed("DNS socket"))?);
    }
    let raw = Some(ipproto::RAW);
    let raw_ipv4 = socket(true, SocketType::RAW, raw).map_err(failed("raw socket"))?;
    let raw_ipv6 = if listeners.len() > 1 {
        Some(socket(false, SocketType::RAW, raw).map_err(failed("raw socket"))?)
    } else {
        None
    };
    let bridge = link_index(&raw_ipv4, &network.bridge)?;
    let entry = link_index(&raw_ipv4, &network.reinject[0])?;
    let exit = packet::hardware_address(&raw_ipv4, &network.reinject[1])
        .map_err(|errno| Failure::errno(format!("there is no link {}", network.reinject[1]), errno))?;
    let entry = packet::open(entry, 0, &[]).map_err(failed("packet socket"))?;
    let sight = |v4: bool| {
        let (kind, filter) = if v4 {
            (ETHERTYPE_IPV4, frame::FILTER_IPV4)
        } else {
            (ETHERTYPE_IPV6, frame::FILTER_IPV6)
        };
        let fd = packet::open(bridge, kind, filter)?;
        enlarge(&fd, FRAMES_BUFFER);
        Ok(fd)
    };
    let frames = both(sight, "packet sockets")?;
    firewall::route_marked()?;
    firewall::install(network)?;
    Ok(Inside {
        frames,
        listeners,
        datagrams,
        dns_udp,
        dns_tcp,
        entry,
        exit,
        raw_ipv4,
        raw_ipv6,
        pool: Arc::clone(pool),
    })
}
