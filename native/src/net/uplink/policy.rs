//! Where a container may connect to, decided on the destination's address alone. It opens nothing.

use crate::error::{Failure, Kind};
use crate::net::dns::{self, Table, Upstream};
use serde::Deserialize;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// An address range, written `address/length`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Range {
    pub address: IpAddr,
    pub length: u8,
}

impl TryFrom<String> for Range {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let wrong = || format!("{text} is not an address range");
        let (address, length) = text.split_once('/').ok_or_else(wrong)?;
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let length: u8 = length.parse().map_err(|_| wrong())?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        if length > most {
            return Err(wrong());
        }
        Ok(Self { address, length })
    }
}

impl Range {
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(ours), IpAddr::V4(theirs)) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(self.length)).unwrap_or(0);
                u32::from(ours) & mask == u32::from(theirs) & mask
            }
            (IpAddr::V6(ours), IpAddr::V6(theirs)) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(self.length)).unwrap_or(0);
                u128::from(ours) & mask == u128::from(theirs) & mask
            }
            _ => false,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Subnet {
    pub cidr: Range,
    pub gateway: Option<IpAddr>,
}

/// One network as the supervisor describes it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Network {
    pub index: u16,
    pub bridge: String,
    /// The pair through which a first segment comes back: sent into the first, seen on the second.
    pub reinject: [String; 2],
    pub subnets: Vec<Subnet>,
    #[serde(default)]
    pub internal: bool,
    #[serde(default)]
    pub host_loopback: bool,
    #[serde(default = "ethernet")]
    pub mtu: usize,
    /// The other networks of the engine.
    #[serde(default)]
    pub others: Vec<Range>,
}

/// What becomes of a new connection, datagram or echo request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Goes to this address of the host's world.
    Forward(SocketAddr),
    /// As if nothing listened there.
    Refuse,
    /// As if a router forbade it.
    Prohibit,
    /// No answer at all: it is not the uplink's.
    Ignore,
}

const fn ethernet() -> usize {
    1500
}

impl Network {
    /// Takes a new description. What the links and sockets were made for cannot change.
    pub fn change(&mut self, new: Self) -> Result<(), Failure> {
        let fixed = |network: &Self| {
            (
                network.index,
                network.bridge.clone(),
                network.reinject.clone(),
                network.subnets.clone(),
            )
        };
        if fixed(self) != fixed(&new) {
            let message = format!(
                "the network of {} cannot change its links or subnets",
                self.bridge
            );
            return Err(Failure::new(Kind::Conflict, message));
        }
        *self = new;
        Ok(())
    }

    pub fn gateways(&self) -> impl Iterator<Item = IpAddr> {
        self.subnets.iter().filter_map(|subnet| subnet.gateway)
    }

    pub fn is_gateway(&self, address: IpAddr) -> bool {
        self.gateways().any(|gateway| gateway == address)
    }

    /// Whether the address may be a container's.
    pub fn is_client(&self, address: IpAddr) -> bool {
        self.subnets.iter().any(|subnet| subnet.cidr.contains(address)) && !self.is_gateway(address)
    }

    /// A client's own resolvers are asked as the client could ask them, and from its side where they are
    /// its neighbours.
    pub fn judge_resolvers(&self, table: &mut Table) {
        table.judge(|client, server| {
            let server = SocketAddr::new(server, dns::PORT);
            match self.judge(client, server) {
                Verdict::Forward(to) => Some(Upstream::Outside(to)),
                Verdict::Ignore if self.is_client(client) && self.is_client(server.ip()) => {
                    Some(Upstream::Inside(server))
                }
                _ => None,
            }
        });
    }

    /// Judges a packet from `client` to `server`.
    pub fn judge(&self, client: IpAddr, server: SocketAddr) -> Verdict {
        if !self.is_client(client) || server.port() == 0 {
            return Verdict::Ignore;
        }
        let address = server.ip();
        if self.is_gateway(address) {
            if !self.host_loopback || self.internal {
                return Verdict::Refuse;
            }
            let loopback: IpAddr = match address {
                IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
                IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
            };
            return Verdict::Forward(SocketAddr::new(loopback, server.port()));
        }
        if self.subnets.iter().any(|subnet| subnet.cidr.contains(address)) || is_group(address) {
            return Verdict::Ignore;
        }
        let ours = self.others.iter().any(|range| range.contains(address));
        if self.internal || ours || !is_public_enough(address) {
            return Verdict::Prohibit;
        }
        Verdict::Forward(server)
    }
}

/// Multicast and broadcast: meant for the bridge, never for the uplink.
fn is_group(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_multicast() || address.is_broadcast(),
        IpAddr::V6(address) => address.is_multicast(),
    }
}

/// Not the host itself in any notation, and meaningful beyond one link.
fn is_public_enough(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            let first = address.octets()[0];
            // "This network" (RFC 1122, 3.2.1.3) is the host itself to Linux; 240/4 is reserved.
            first != 0 && first != 127 && first < 240
        }
        IpAddr::V6(address) => {
            let upper = address.segments();
            // ::/96 holds the unspecified address, loopback and the v4-compatible ones (RFC 4291).
            let compatible = upper[..6].iter().all(|part| *part == 0);
            // Links are not told apart by an address alone (RFC 4007).
            let link_local = upper[0] & 0xffc0 == 0xfe80;
            !compatible && !link_local && address.to_ipv4_mapped().is_none()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(text: &str) -> Network {
        serde_json::from_str(text).expect("a network")
    }

    fn sample() -> Network {
        network(
            r#"{"index":0,"bridge":"b","reinject":["x","y"],"hostLoopback":true,"others":["172.19.0.0/16","fd01::/64"],
            "subnets":[{"cidr":"172.18.0.0/16","gateway":"172.18.0.1"},{"cidr":"fd00::/64","gateway":"fd00::1"}]}"#,
        )
    }

    fn judge(network: &Network, server: &str) -> Verdict {
        let server: SocketAddr = server.parse().expect("an address");
        let client = if server.is_ipv4() { "172.18.0.2" } else { "fd00::2" };
        network.judge(client.parse().expect("an address"), server)
    }

    #[test]
    fn the_host_s_loopback_is_prohibited_in_every_notation() {
        let network = sample();
        for server in [
            "127.0.0.1:80",
            "127.9.9.9:80",
            "0.0.0.0:80",
            "0.1.2.3:80",
            "240.0.0.1:80",
            "[::1]:80",
            "[::]:80",
            "[::ffff:127.0.0.1]:80",
            "[::127.0.0.1]:80",
            "[fe80::1]:80",
        ] {
            assert_eq!(judge(&network, server), Verdict::Prohibit, "{server}");
        }
    }

    #[test]
    fn the_gateway_is_the_host_s_loopback_only_when_allowed() {
        let mut network = sample();
        let loopback = |text: &str| Verdict::Forward(text.parse().expect("an address"));
        assert_eq!(judge(&network, "172.18.0.1:80"), loopback("127.0.0.1:80"));
        assert_eq!(judge(&network, "[fd00::1]:80"), loopback("[::1]:80"));
        network.host_loopback = false;
        assert_eq!(judge(&network, "172.18.0.1:80"), Verdict::Refuse);
    }

    #[test]
    fn other_networks_are_prohibited_and_neighbours_are_not_the_uplink_s() {
        let network = sample();
        assert_eq!(judge(&network, "172.19.3.3:80"), Verdict::Prohibit);
        assert_eq!(judge(&network, "[fd01::9]:80"), Verdict::Prohibit);
        for server in [
            "172.18.0.9:80",
            "172.18.255.255:80",
            "224.0.0.1:80",
            "255.255.255.255:80",
            "[ff02::1]:80",
        ] {
            assert_eq!(judge(&network, server), Verdict::Ignore, "{server}");
        }
        assert!(matches!(judge(&network, "192.0.2.1:443"), Verdict::Forward(_)));
        assert!(matches!(
            judge(&network, "[2001:db8::1]:443"),
            Verdict::Forward(_)
        ));
    }

    #[test]
    fn forged_clients_and_internal_networks_get_nothing() {
        let mut network = sample();
        let server: SocketAddr = "192.0.2.1:443".parse().expect("an address");
        for client in ["172.18.0.1", "10.0.0.1", "127.0.0.1"] {
            assert_eq!(
                network.judge(client.parse().expect("an address"), server),
                Verdict::Ignore
            );
        }
        network.internal = true;
        assert_eq!(judge(&network, "192.0.2.1:443"), Verdict::Prohibit);
        assert_eq!(judge(&network, "172.18.0.1:80"), Verdict::Refuse);
    }

    #[test]
    fn ranges_with_impossible_lengths_are_errors() {
        for text in ["1.2.3.4", "1.2.3.4/33", "::/129", "x/8", "1.2.3.4/-1"] {
            assert!(Range::try_from(text.to_owned()).is_err(), "{text}");
        }
    }
}
