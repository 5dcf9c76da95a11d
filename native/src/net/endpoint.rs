//! One endpoint: a veth pair between a bridge and a process's network namespace, with its addresses,
//! routes and host ports. It is made whole or not at all.

use super::address::{self, Cidr};
use super::link::{self, End};
use super::namespace::{self, Space, Visited};
use super::netlink::Netlink;
use super::network::Network;
use super::publish::Published;
use super::request::Attach;
use crate::error::{Failure, Kind};
use crate::runtime::create::start_time as start_time_of;
use rustix::fd::{AsFd, OwnedFd};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The loopback is the first link of every namespace.
const LOOPBACK: u32 = 1;

pub struct Endpoint {
    pub id: String,
    /// The network's index.
    pub network: u32,
    /// Names the bridge's end of its pair.
    pub serial: u32,
    pub pidfd: OwnedFd,
    pub plan: Plan,
    pub ports: Vec<Published>,
}

/// What is wanted inside, checked.
pub struct Plan {
    interface: String,
    mac: Option<[u8; 6]>,
    pub addresses: Vec<Cidr>,
    gateways: Vec<IpAddr>,
    sysctls: Vec<(String, String)>,
}

impl Plan {
    pub fn check(request: &Attach) -> Result<Self, Failure> {
        address::check_interface(&request.interface)?;
        let mac = request.mac.as_deref().filter(|mac| !mac.is_empty());
        let sysctls = request
            .sysctls
            .iter()
            .map(|(name, value)| Ok((sysctl_path(name, &request.interface)?, value.clone())));
        Ok(Self {
            interface: request.interface.clone(),
            mac: mac.map(address::parse_mac).transpose()?,
            addresses: request
                .addresses
                .iter()
                .map(|text| Cidr::parse(text))
                .collect::<Result<_, _>>()?,
            gateways: request.gateways.clone(),
            sysctls: sysctls.collect::<Result<_, Failure>>()?,
        })
    }
}

/// The path below /proc/sys/net of a sysctl of the interface: `net.ipv4.conf.IFNAME.log_martians`.
fn sysctl_path(name: &str, interface: &str) -> Result<String, Failure> {
    let refuse = || {
        Failure::new(
            Kind::Invalid,
            format!("{name:?} is not a sysctl of the interface (net.ipv4.conf.IFNAME.name)"),
        )
    };
    let parts: Vec<&str> = name.split('.').collect();
    let plain = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    match parts.as_slice() {
        [
            "net",
            family @ ("ipv4" | "ipv6" | "mpls"),
            kind @ ("conf" | "neigh"),
            link,
            last,
        ] if plain(last) && (*link == "IFNAME" || *link == interface) => {
            Ok(format!("{family}/{kind}/{interface}/{last}"))
        }
        _ => Err(refuse()),
    }
}

/// A descriptor for the process that had this pid at that start time.
pub fn watch(pid: i32, start_time: u64) -> Result<OwnedFd, Failure> {
    let gone = || Failure::new(Kind::NotFound, format!("process {pid} has ended"));
    let target = Pid::from_raw(pid).filter(|_| pid > 0).ok_or_else(gone)?;
    let pidfd = rustix::process::pidfd_open(target, PidfdFlags::empty()).map_err(|errno| match errno {
        Errno::SRCH | Errno::INVAL => gone(),
        errno => Failure::errno(format!("cannot watch process {pid}"), errno),
    })?;
    match start_time_of(pid) {
        Ok(found) if found == start_time => Ok(pidfd),
        _ => Err(gone()),
    }
}

pub fn link_name(serial: u32) -> String {
    format!("pe{serial:x}")
}

/// Makes the link and everything inside.
pub fn connect(
    space: &mut Space,
    pidfd: &OwnedFd,
    plan: &Plan,
    (serial, network): (u32, &Network),
) -> Result<(), Failure> {
    let mut visited = namespace::of_process(pidfd.as_fd())?;
    if namespace::identity(visited.fd.as_fd())? == namespace::identity(space.fd.as_fd())? {
        return Err(Failure::new(
            Kind::Invalid,
            "the process is in the engine's own network namespace",
        ));
    }
    let name = link_name(serial);
    let ours = End {
        name: &name,
        bridge: Some(network.bridge),
        up: true,
        ..End::default()
    };
    let theirs = End {
        name: &plan.interface,
        mac: plan.mac,
        namespace: Some(visited.fd.as_fd()),
        ..End::default()
    };
    link::add_veth(&mut space.netlink, ours, theirs, network.wanted.mtu).map_err(|errno| {
        let message = match errno {
            Errno::EXIST => format!("the container has an interface {} already", plan.interface),
            // EXFULL (br_add_if): the kernel has numbers for so many ports.
            Errno::XFULL => "the network has 1023 endpoints already: more do not fit on a bridge".to_owned(),
            _ => format!("cannot make the link {}", plan.interface),
        };
        let mut failure = Failure::errno(message, errno);
        if errno == Errno::XFULL {
            failure.kind = Kind::Unavailable;
        }
        failure
    })?;
    // Nothing passes yet: the container's end is down.
    let apart = if network.wanted.isolated {
        set_apart(space, serial, true)
    } else {
        Ok(())
    };
    let done = apart.and_then(|()| configure(&mut visited, pidfd, plan));
    if done.is_err() {
        let _ = link::remove(&mut space.netlink, &name);
    }
    done
}

/// Whether the other endpoints of the network are out of its reach.
pub fn set_apart(space: &mut Space, serial: u32, apart: bool) -> Result<(), Failure> {
    link::isolate(&mut space.netlink, &link_name(serial), apart)
        .map_err(|errno| Failure::errno("cannot set a container apart from others on its bridge", errno))
}

fn configure(visited: &mut Visited, pidfd: &OwnedFd, plan: &Plan) -> Result<(), Failure> {
    let fail = |what: &str, errno| {
        Failure::errno(
            format!("cannot set up {} in the container: {what}", plan.interface),
            errno,
        )
    };
    let netlink = &mut visited.netlink;
    let index = netlink
        .index_of(&plan.interface)
        .map_err(|errno| fail("the link", errno))?;
    set_sysctls(pidfd, plan)?;
    link::up(netlink, LOOPBACK).map_err(|errno| fail("the loopback", errno))?;
    for cidr in &plan.addresses {
        link::add_address(netlink, index, *cidr)
            .map_err(|errno| fail(&format!("the address {cidr}"), errno))?;
    }
    link::up(netlink, index).map_err(|errno| fail("the link", errno))?;
    add_routes(netlink, index, &plan.gateways)
}

/// Those of the interface, before it is up. They are written through /proc, which shows the namespace of
/// the thread that opens it.
fn set_sysctls(pidfd: &OwnedFd, plan: &Plan) -> Result<(), Failure> {
    let conf = |name: &str| format!("ipv6/conf/{}/{name}", plan.interface);
    let ipv6 = plan.addresses.iter().any(|cidr| cidr.address.is_ipv6());
    namespace::visit(pidfd.as_fd(), || {
        // A kernel without IPv6 has none of these files.
        let wanted: &[(&str, &str)] = if ipv6 {
            &[("disable_ipv6", "0"), ("accept_dad", "0"), ("accept_ra", "0")]
        } else {
            &[("disable_ipv6", "1")]
        };
        for (name, value) in wanted {
            let _ = namespace::set_sysctl(&conf(name), value);
        }
        for (path, value) in &plan.sysctls {
            namespace::set_sysctl(path, value).map_err(|errno| {
                let errno = if errno == Errno::NOENT {
                    Errno::INVAL
                } else {
                    errno
                };
                Failure::errno("cannot write a sysctl of the container's interface", errno)
                    .at(format!("/proc/sys/net/{path}"))
            })?;
        }
        Ok(())
    })
}

impl Endpoint {
    /// Sets the default routes of its container to these; none: takes away those over this link.
    pub fn route(&mut self, gateways: &[IpAddr]) -> Result<(), Failure> {
        let mut visited = namespace::of_process(self.pidfd.as_fd())?;
        let netlink = &mut visited.netlink;
        let index = netlink.index_of(&self.plan.interface).map_err(|errno| {
            Failure::errno(
                format!("cannot find {} in the container", self.plan.interface),
                errno,
            )
        })?;
        add_routes(netlink, index, gateways)?;
        let families = [
            IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        ];
        for family in families {
            if !gateways
                .iter()
                .any(|gateway| gateway.is_ipv4() == family.is_ipv4())
            {
                match link::remove_default_routes(netlink, Some(index), family) {
                    Ok(()) | Err(Errno::OPNOTSUPP | Errno::AFNOSUPPORT) => {}
                    Err(errno) => return Err(Failure::errno("cannot remove a default route", errno)),
                }
            }
        }
        self.plan.gateways = gateways.to_vec();
        Ok(())
    }
}

/// Default routes over that link take the place of those over any other.
fn add_routes(netlink: &mut Netlink, index: u32, gateways: &[IpAddr]) -> Result<(), Failure> {
    for gateway in gateways {
        link::remove_default_routes(netlink, None, *gateway)
            .and_then(|()| link::add_default_route(netlink, index, *gateway))
            .map_err(|errno| Failure::errno(format!("cannot set the default route over {gateway}"), errno))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_sysctls_of_the_interface_are_taken() {
        let path = |name| sysctl_path(name, "eth0").ok();
        assert_eq!(
            path("net.ipv4.conf.IFNAME.log_martians").as_deref(),
            Some("ipv4/conf/eth0/log_martians")
        );
        assert_eq!(
            path("net.ipv6.neigh.eth0.gc_stale_time").as_deref(),
            Some("ipv6/neigh/eth0/gc_stale_time")
        );
        for name in [
            "net.ipv4.ip_forward",
            "net.ipv4.conf.all.rp_filter",
            "kernel.hostname",
            "net.ipv4.conf.IFNAME.../x",
            "net.ipv4.conf.IFNAME.",
            "net.ipv4.conf.IFNAME.a/b",
        ] {
            assert_eq!(path(name), None, "{name}");
        }
    }
}
