//! Addresses as requests write them: CIDRs and hardware addresses. Pure.

use crate::error::{Failure, Kind};
use std::net::IpAddr;

/// An address with its prefix: `172.18.0.2/16`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cidr {
    pub address: IpAddr,
    pub prefix: u8,
}

impl Cidr {
    pub fn parse(text: &str) -> Result<Self, Failure> {
        let wrong = || {
            Failure::new(
                Kind::Invalid,
                format!("{text:?} is not an address with a prefix length"),
            )
        };
        let (address, prefix) = text.split_once('/').ok_or_else(wrong)?;
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let prefix: u8 = prefix.parse().map_err(|_| wrong())?;
        if prefix > bits(address) {
            return Err(wrong());
        }
        Ok(Self { address, prefix })
    }

    /// True when the address lies in this subnet.
    pub fn contains(&self, other: IpAddr) -> bool {
        match (self.address, other) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(self.prefix)).unwrap_or(0);
                (own.to_bits() ^ other.to_bits()) & mask == 0
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(self.prefix)).unwrap_or(0);
                (own.to_bits() ^ other.to_bits()) & mask == 0
            }
            _ => false,
        }
    }

    /// True when the two subnets have an address in common.
    pub fn overlaps(&self, other: &Self) -> bool {
        if self.prefix <= other.prefix {
            self.contains(other.address)
        } else {
            other.contains(self.address)
        }
    }
}

impl std::fmt::Display for Cidr {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}/{}", self.address, self.prefix)
    }
}

const fn bits(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

/// A plain address.
pub fn parse_address(text: &str) -> Result<IpAddr, Failure> {
    text.parse()
        .map_err(|_| Failure::new(Kind::Invalid, format!("{text:?} is not an IP address")))
}

/// A unicast hardware address: `02:42:ac:12:00:02`.
pub fn parse_mac(text: &str) -> Result<[u8; 6], Failure> {
    let wrong = |why: &str| Failure::new(Kind::Invalid, format!("{text:?} is not {why} hardware address"));
    let mut mac = [0u8; 6];
    let mut parts = text.split([':', '-']);
    for byte in &mut mac {
        let part = parts
            .next()
            .filter(|part| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_hexdigit()));
        *byte = part
            .and_then(|part| u8::from_str_radix(part, 16).ok())
            .ok_or_else(|| wrong("a"))?;
    }
    if parts.next().is_some() {
        return Err(wrong("a"));
    }
    if mac[0] & 1 == 1 || mac == [0; 6] {
        return Err(wrong("a unicast"));
    }
    Ok(mac)
}

/// A stable local hardware address for what has this address (as Docker: 02:42 and the IPv4 address).
pub fn mac_of(address: IpAddr) -> [u8; 6] {
    let tail = match address {
        IpAddr::V4(address) => address.octets(),
        IpAddr::V6(address) => {
            // FNV-1a: any stable mixture will do.
            let hash = address.octets().iter().fold(0x811c_9dc5_u32, |hash, byte| {
                (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193)
            });
            hash.to_be_bytes()
        }
    };
    [0x02, 0x42, tail[0], tail[1], tail[2], tail[3]]
}

/// What the kernel takes as an interface name, and what cannot be mistaken in a path of /proc/sys.
pub fn check_interface(name: &str) -> Result<(), Failure> {
    let allowed = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'/' | b':' | b'%' | b'"' | b'\\');
    let fits = (1..=15).contains(&name.len()) && name.bytes().all(allowed);
    if !fits || matches!(name, "." | ".." | "lo" | "all" | "default") {
        return Err(Failure::new(
            Kind::Invalid,
            format!("{name:?} cannot be the name of an interface (1 to 15 plain characters)"),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cidrs_know_what_they_contain() {
        let net = Cidr::parse("172.18.0.0/16").expect("cidr");
        assert!(net.contains("172.18.255.1".parse().expect("address")));
        assert!(!net.contains("172.19.0.1".parse().expect("address")));
        assert!(!net.contains("fd00::1".parse().expect("address")));
        let all = Cidr::parse("0.0.0.0/0").expect("cidr");
        assert!(all.contains("1.2.3.4".parse().expect("address")));
        assert!(all.overlaps(&net) && net.overlaps(&all));
        let six = Cidr::parse("fd00:1::/64").expect("cidr");
        assert!(six.contains("fd00:1::9".parse().expect("address")));
        assert!(!six.overlaps(&net));
        assert!(!six.overlaps(&Cidr::parse("fd00:2::/64").expect("cidr")));
        for text in [
            "",
            "1.2.3.4",
            "1.2.3.4/33",
            "fd00::/129",
            "x/8",
            "1.2.3.4/-1",
            "1.2.3/8",
        ] {
            assert!(Cidr::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn hardware_addresses_are_unicast() {
        assert_eq!(
            parse_mac("02:42:AC:12:00:02").expect("mac"),
            [2, 0x42, 0xac, 0x12, 0, 2]
        );
        for text in [
            "",
            "02:42:ac:12:00",
            "02:42:ac:12:00:02:03",
            "01:00:00:00:00:00",
            "00:00:00:00:00:00",
            "+2:42:ac:12:00:02",
        ] {
            assert!(parse_mac(text).is_err(), "{text}");
        }
        assert_eq!(
            mac_of("172.18.0.1".parse().expect("address")),
            [2, 0x42, 172, 18, 0, 1]
        );
    }

    #[test]
    fn interface_names_are_plain() {
        for name in ["eth0", "br-0123456789ab", "docker0"] {
            assert!(check_interface(name).is_ok(), "{name}");
        }
        for name in [
            "",
            "lo",
            "..",
            "a/b",
            "a b",
            "0123456789abcdef",
            "all",
            "%d",
            "a\n",
        ] {
            assert!(check_interface(name).is_err(), "{name}");
        }
    }
}
