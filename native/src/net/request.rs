//! The requests of the control socket, read and checked before anything is done (docs/native.md, "net").

use super::address::{self, Cidr};
use crate::error::{Failure, Kind};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::IpAddr;

#[derive(Deserialize)]
#[serde(tag = "op", rename_all = "kebab-case")]
pub enum Request {
    Network(Network),
    RemoveNetwork {
        id: String,
    },
    Attach(Attach),
    Route {
        endpoint: String,
        gateways: Vec<IpAddr>,
    },
    Publish(Publish),
    Detach {
        endpoint: String,
    },
    Names(Names),
    Hello,
    Dial(Dial),
    State,
    Stop {
        #[serde(default)]
        force: bool,
    },
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Network {
    pub id: String,
    pub bridge: String,
    pub subnets: Vec<Subnet>,
    #[serde(default)]
    pub internal: bool,
    #[serde(default)]
    pub isolated: bool,
    pub mtu: Option<u32>,
    #[serde(default)]
    pub host_loopback: bool,
}

#[derive(Deserialize)]
pub struct Subnet {
    pub cidr: String,
    pub gateway: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Attach {
    pub network: String,
    pub endpoint: String,
    pub pid: i32,
    pub start_time: u64,
    pub interface: String,
    pub mac: Option<String>,
    pub addresses: Vec<String>,
    #[serde(default)]
    pub gateways: Vec<IpAddr>,
    #[serde(default)]
    pub sysctls: BTreeMap<String, String>,
}

#[derive(Deserialize)]
pub struct Publish {
    pub network: String,
    pub endpoint: String,
    pub ports: Vec<Port>,
}

#[derive(Deserialize, Serialize, Clone, Copy, PartialEq, Eq, Debug)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    Tcp,
    Udp,
}

impl Protocol {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        }
    }
}

/// One host port and what it leads to.
#[derive(Deserialize, Serialize, Clone, PartialEq, Eq, Debug)]
#[serde(rename_all = "camelCase")]
pub struct Port {
    pub protocol: Protocol,
    pub host_address: IpAddr,
    /// 0: any that is free.
    #[serde(default)]
    pub host_port: u16,
    pub address: IpAddr,
    pub port: u16,
}

#[derive(Deserialize, Serialize, Clone, Default)]
pub struct Names {
    #[serde(skip_serializing)]
    pub network: String,
    pub names: BTreeMap<String, Vec<IpAddr>>,
    #[serde(default)]
    pub clients: BTreeMap<IpAddr, BTreeMap<String, Vec<IpAddr>>>,
    /// Client → the servers that are asked for it instead of the host's.
    #[serde(default)]
    pub resolvers: BTreeMap<IpAddr, Vec<IpAddr>>,
    #[serde(default)]
    pub forward: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Dial {
    pub pid: i32,
    pub start_time: u64,
    pub port: u16,
    #[serde(default = "loopbacks")]
    pub addresses: Vec<IpAddr>,
}

fn loopbacks() -> Vec<IpAddr> {
    vec![
        IpAddr::V4(std::net::Ipv4Addr::LOCALHOST),
        IpAddr::V6(std::net::Ipv6Addr::LOCALHOST),
    ]
}

/// Reads one line.
pub fn parse(line: &[u8]) -> Result<Request, Failure> {
    serde_json::from_slice(line)
        .map_err(|error| Failure::new(Kind::Invalid, format!("the request cannot be read: {error}")))
}

/// A network's request, checked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wanted {
    pub id: String,
    pub bridge: String,
    pub subnets: Vec<(Cidr, Option<IpAddr>)>,
    pub internal: bool,
    pub isolated: bool,
    pub mtu: u32,
    pub host_loopback: bool,
}

impl Wanted {
    pub fn check(request: Network) -> Result<Self, Failure> {
        let invalid = |message: String| Failure::new(Kind::Invalid, message);
        address::check_interface(&request.bridge)?;
        let mtu = request.mtu.unwrap_or(1500);
        if !(68..=65535).contains(&mtu) {
            return Err(invalid(format!("an MTU of {mtu} is not possible (68 to 65535)")));
        }
        let mut subnets: Vec<(Cidr, Option<IpAddr>)> = Vec::new();
        for subnet in &request.subnets {
            let cidr = Cidr::parse(&subnet.cidr)?;
            let gateway = match subnet.gateway.as_deref() {
                None | Some("") => None,
                Some(text) => Some(address::parse_address(text)?),
            };
            if gateway.is_some_and(|gateway| !cidr.contains(gateway)) {
                return Err(invalid(format!("the gateway of {cidr} lies outside it")));
            }
            if subnets.iter().any(|(other, _)| other.overlaps(&cidr)) {
                return Err(invalid(format!(
                    "the subnet {cidr} overlaps another of the network"
                )));
            }
            if cidr.address.is_ipv6() && mtu < 1280 {
                return Err(invalid(format!("IPv6 needs an MTU of at least 1280, not {mtu}")));
            }
            subnets.push((cidr, gateway));
        }
        Ok(Self {
            id: request.id,
            bridge: request.bridge,
            subnets,
            internal: request.internal,
            isolated: request.isolated,
            mtu,
            host_loopback: request.host_loopback,
        })
    }

    /// The bridge's own addresses: each gateway with its subnet's prefix.
    pub fn gateways(&self) -> Vec<Cidr> {
        let cidr = |(subnet, gateway): &(Cidr, Option<IpAddr>)| {
            gateway.map(|address| Cidr {
                address,
                prefix: subnet.prefix,
            })
        };
        self.subnets.iter().filter_map(cidr).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_request_of_the_contract_is_understood() {
        let requests = [
            r#"{"op":"network","id":"n","bridge":"br0","subnets":[{"cidr":"172.18.0.0/16","gateway":"172.18.0.1"}],"internal":false,"mtu":1500,"hostLoopback":true}"#,
            r#"{"op":"remove-network","id":"n"}"#,
            r#"{"op":"attach","network":"n","endpoint":"e","pid":1,"startTime":2,"interface":"eth0","mac":"02:42:ac:12:00:02","addresses":["172.18.0.2/16"],"gateways":["172.18.0.1"],"sysctls":{}}"#,
            r#"{"op":"route","endpoint":"e","gateways":[]}"#,
            r#"{"op":"publish","network":"n","endpoint":"e","ports":[{"protocol":"tcp","hostAddress":"::","hostPort":0,"address":"172.18.0.2","port":80}]}"#,
            r#"{"op":"detach","endpoint":"e"}"#,
            r#"{"op":"names","network":"n","names":{"web":["172.18.0.2"]},"clients":{"172.18.0.2":{"db":["172.19.0.4"]}},"resolvers":{"172.18.0.2":["192.0.2.53"]},"forward":true}"#,
            r#"{"op":"dial","pid":1,"startTime":2,"port":80,"addresses":["127.0.0.1"]}"#,
            r#"{"op":"hello"}"#,
            r#"{"op":"state"}"#,
            r#"{"op":"stop","force":true}"#,
            r#"{"op":"stop"}"#,
        ];
        for text in requests {
            assert!(parse(text.as_bytes()).is_ok(), "{text}");
        }
        for text in [
            "",
            "{}",
            "[]",
            r#"{"op":"fly"}"#,
            r#"{"op":"dial","pid":1,"startTime":2,"port":70000}"#,
        ] {
            assert!(parse(text.as_bytes()).is_err(), "{text}");
        }
    }

    fn network(cidrs: &[(&str, Option<&str>)], mtu: u32) -> Result<Wanted, Failure> {
        Wanted::check(Network {
            id: "n".to_owned(),
            bridge: "br0".to_owned(),
            subnets: cidrs
                .iter()
                .map(|(cidr, gateway)| Subnet {
                    cidr: (*cidr).to_owned(),
                    gateway: gateway.map(str::to_owned),
                })
                .collect(),
            internal: false,
            isolated: false,
            mtu: Some(mtu),
            host_loopback: false,
        })
    }

    #[test]
    fn impossible_networks_are_refused() {
        assert!(network(&[("10.0.0.0/8", Some("10.0.0.1")), ("fd00::/64", None)], 1500).is_ok());
        assert!(network(&[("10.0.0.0/8", Some("11.0.0.1"))], 1500).is_err());
        assert!(network(&[("10.0.0.0/8", None), ("10.1.0.0/16", None)], 1500).is_err());
        assert!(network(&[("10.0.0.0/8", None)], 10).is_err());
        assert!(network(&[("fd00::/64", None)], 1000).is_err());
    }

    proptest! {
        #[test]
        fn no_line_makes_the_reader_fail_otherwise_than_with_an_error(line in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&line);
        }
    }
}
