//! The engine's network namespace, and short visits to others. A thread that may come back to its first
//! network namespace needs rights there that a rootless engine has not, so each visit is a thread of its
//! own that ends; sockets made on it stay in the namespace visited (network_namespaces(7)).

use super::link;
use super::netlink::Netlink;
use crate::error::{Failure, Kind};
use crate::sys;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::thread::{ThreadNameSpaceType, UnshareFlags};

/// Stack of a visiting thread.
const STACK: usize = 128 * 1024;
const SELF: &str = "/proc/thread-self/ns/net";
/// Must be so, or packets would be dropped or bypass the uplink.
const REQUIRED: &[(&str, &str)] = &[
    ("ipv4/conf/all/rp_filter", "0"),
    ("ipv4/conf/default/rp_filter", "0"),
    ("ipv4/ip_forward", "0"),
];
/// Wanted where the kernel has them.
const WANTED: &[(&str, &str)] = &[
    ("ipv4/conf/lo/rp_filter", "0"),
    ("ipv4/conf/all/accept_redirects", "0"),
    ("ipv4/conf/all/send_redirects", "0"),
    ("ipv4/conf/default/send_redirects", "0"),
    ("ipv4/conf/default/arp_filter", "0"),
    ("ipv4/ip_local_port_range", "1024 65535"),
    ("ipv4/ip_unprivileged_port_start", "0"),
    ("ipv4/tcp_rmem", "4096 131072 33554432"),
    ("ipv4/tcp_wmem", "4096 65536 33554432"),
    ("ipv4/tcp_max_syn_backlog", "8192"),
    ("ipv4/tcp_tw_reuse", "1"),
    ("core/somaxconn", "8192"),
    ("bridge/bridge-nf-call-iptables", "0"),
    ("bridge/bridge-nf-call-ip6tables", "0"),
    ("bridge/bridge-nf-call-arptables", "0"),
    // Ports of a bridge need no address of their own.
    ("ipv6/conf/default/addr_gen_mode", "1"),
    ("ipv6/conf/all/disable_ipv6", "0"),
    ("ipv6/conf/default/disable_ipv6", "0"),
    ("ipv6/conf/all/forwarding", "0"),
    ("ipv6/conf/all/accept_dad", "0"),
    ("ipv6/conf/default/accept_dad", "0"),
    ("ipv6/conf/all/accept_ra", "0"),
    ("ipv6/conf/default/accept_ra", "0"),
];

/// The engine's own namespace.
pub struct Space {
    pub fd: OwnedFd,
    pub netlink: Netlink,
    /// Another socket, for removals.
    pub spare: Option<Netlink>,
}

impl Space {
    /// Makes the namespace: loopback up, nothing routed, source addresses not judged.
    pub fn create() -> Result<Self, Failure> {
        on_thread(|| {
            sys::shim::unshare(UnshareFlags::NEWNET)
                .map_err(|errno| Failure::errno("cannot make the engine's network namespace", errno))?;
            let fd = open(SELF)?;
            for (name, value) in REQUIRED {
                require_sysctl(name, value)?;
            }
            for (name, value) in WANTED {
                let _ = set_sysctl(name, value);
            }
            let mut netlink = open_netlink()?;
            link::up(&mut netlink, 1).map_err(|errno| {
                Failure::errno("cannot set the loopback of the engine's namespace up", errno)
            })?;
            Ok(Self {
                fd,
                netlink,
                spare: Some(open_netlink()?),
            })
        })?
    }
}

/// Runs `work` on a thread inside the network namespace of a process.
pub fn visit<T: Send>(
    pidfd: BorrowedFd<'_>,
    work: impl FnOnce() -> Result<T, Failure> + Send,
) -> Result<T, Failure> {
    on_thread(|| {
        enter(pidfd)?;
        work()
    })?
}

/// Moves the calling thread into the network namespace of a process, for good.
pub fn enter(pidfd: BorrowedFd<'_>) -> Result<(), Failure> {
    rustix::thread::move_into_thread_name_spaces(pidfd, ThreadNameSpaceType::NETWORK).map_err(|errno| {
        match errno {
            Errno::SRCH => Failure::new(Kind::NotFound, "the process has ended"),
            errno => Failure::errno("cannot enter the network namespace", errno),
        }
    })
}

/// A netlink socket and the identity of the namespace that a process is in.
pub struct Visited {
    pub netlink: Netlink,
    pub fd: OwnedFd,
}

/// Looks at a process's namespace. Refuses the one that this process itself is in: the host's.
pub fn of_process(pidfd: BorrowedFd<'_>) -> Result<Visited, Failure> {
    let own = open(SELF)?;
    let visited = visit(pidfd, || {
        Ok(Visited {
            netlink: open_netlink()?,
            fd: open(SELF)?,
        })
    })?;
    if identity(own.as_fd())? == identity(visited.fd.as_fd())? {
        return Err(Failure::new(
            Kind::Invalid,
            "the process is in the host's network namespace",
        ));
    }
    Ok(visited)
}

/// True when the process is in the network namespace of this one: the host's.
pub fn is_own(pid: i32) -> Result<bool, Failure> {
    let stat = |path: &str| {
        rustix::fs::stat(path)
            .map_err(|errno| Failure::errno("cannot look at a network namespace", errno).at(path))
    };
    let (own, other) = (stat("/proc/self/ns/net")?, stat(&format!("/proc/{pid}/ns/net"))?);
    Ok((own.st_dev, own.st_ino) == (other.st_dev, other.st_ino))
}

pub fn identity(fd: BorrowedFd<'_>) -> Result<(u64, u64), Failure> {
    let stat =
        rustix::fs::fstat(fd).map_err(|errno| Failure::errno("cannot look at a network namespace", errno))?;
    Ok((stat.st_dev, stat.st_ino))
}

fn open(path: &str) -> Result<OwnedFd, Failure> {
    rustix::fs::open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
        .map_err(|errno| Failure::errno("cannot open the network namespace", errno).at(path))
}

fn open_netlink() -> Result<Netlink, Failure> {
    Netlink::open().map_err(|errno| Failure::errno("cannot make a netlink socket", errno))
}

fn on_thread<T: Send>(work: impl FnOnce() -> T + Send) -> Result<T, Failure> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new()
            .stack_size(STACK)
            .spawn_scoped(scope, work)
            .map_err(|error| {
                let errno = Errno::from_io_error(&error).unwrap_or(Errno::AGAIN);
                Failure::errno("cannot start a thread", errno)
            })?;
        thread
            .join()
            .map_err(|_| Failure::new(Kind::Internal, "a visit to a network namespace failed"))
    })
}

/// Writes a sysctl of the calling thread's network namespace; the name is a path below /proc/sys/net.
pub fn set_sysctl(name: &str, value: &str) -> Result<(), Errno> {
    let path = format!("/proc/sys/net/{name}");
    let file = rustix::fs::open(path, OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())?;
    rustix::io::write(&file, value.as_bytes()).map(|_| ())
}

/// As [`set_sysctl`], but a file that cannot be written may also have the value already.
fn require_sysctl(name: &str, value: &str) -> Result<(), Failure> {
    let path = format!("/proc/sys/net/{name}");
    match set_sysctl(name, value) {
        Err(errno) if std::fs::read_to_string(&path).is_ok_and(|text| text.trim() == value) => {
            let _ = errno;
            Ok(())
        }
        result => result.map_err(|errno| {
            Failure::errno(
                "cannot prepare the engine's network namespace: cannot write",
                errno,
            )
            .at(path)
        }),
    }
}
