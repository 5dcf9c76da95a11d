//! The names of one network, as the engine last told them: for everybody on it, and for single clients.
//! Keys are names in lower-case wire form, so looking up never has to interpret a client's bytes.

use super::Upstream;
use serde::Deserialize;
use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A name in wire form: length-prefixed labels with the root's zero at the end (RFC 1035, 3.1).
pub type WireName = Box<[u8]>;
type Names = HashMap<WireName, Vec<IpAddr>>;

/// Reads the `names` message of docs/native.md; what else is in that message is ignored.
#[derive(Debug, Default, Deserialize)]
#[serde(from = "Told")]
pub struct Table {
    names: Names,
    clients: HashMap<IpAddr, Names>,
    reverse: HashMap<IpAddr, Vec<WireName>>,
    /// Clients with resolvers of their own, as told, and as they may be asked.
    told: HashMap<IpAddr, Vec<IpAddr>>,
    resolvers: HashMap<IpAddr, Vec<Upstream>>,
    /// Whether questions that the table does not answer go to the client's own or the host's resolvers.
    pub forward: bool,
}

/// What the table has for a name.
#[derive(Debug, PartialEq, Eq)]
pub enum Found {
    Addresses(Vec<IpAddr>),
    /// The name was an address written backwards (PTR).
    Names(Vec<WireName>),
    Unknown,
}

#[derive(Deserialize)]
struct Told {
    #[serde(default)]
    names: BTreeMap<String, Vec<IpAddr>>,
    #[serde(default)]
    clients: BTreeMap<IpAddr, BTreeMap<String, Vec<IpAddr>>>,
    #[serde(default)]
    resolvers: BTreeMap<IpAddr, Vec<IpAddr>>,
    #[serde(default)]
    forward: bool,
}

impl From<Told> for Table {
    fn from(told: Told) -> Self {
        let reverse = reversed(&told.names);
        let clients = told.clients.into_iter();
        Self {
            names: encoded(told.names),
            clients: clients
                .map(|(client, names)| (client.to_canonical(), encoded(names)))
                .collect(),
            reverse,
            told: told
                .resolvers
                .into_iter()
                .map(|(client, servers)| (client.to_canonical(), servers))
                .collect(),
            resolvers: HashMap::new(),
            forward: told.forward,
        }
    }
}

impl Table {
    /// Decides which of the clients' own resolvers are asked, and from where: None, never. Until it is
    /// called none is, and the host's are not asked in their place.
    pub fn judge(&mut self, way: impl Fn(IpAddr, IpAddr) -> Option<Upstream>) {
        let judged = |(client, servers): (&IpAddr, &Vec<IpAddr>)| {
            let mut ways: Vec<Upstream> = Vec::new();
            for server in servers {
                ways.extend(way(*client, server.to_canonical()).filter(|found| !ways.contains(found)));
            }
            ways.truncate(super::resolvers::SERVERS);
            (*client, ways)
        };
        self.resolvers = self.told.iter().map(judged).collect();
    }

    /// The client's own resolvers; None: the host's are asked.
    pub fn resolvers_of(&self, client: IpAddr) -> Option<Vec<Upstream>> {
        let client = client.to_canonical();
        self.told.get(&client)?;
        Some(self.resolvers.get(&client).cloned().unwrap_or_default())
    }

    /// Looks up a name in wire form, in any case of letters, for a client with this address. Names of the
    /// network win over those that only this client sees.
    pub fn find(&self, client: IpAddr, name: &[u8]) -> Found {
        let name: WireName = name.to_ascii_lowercase().into();
        let own = self.clients.get(&client.to_canonical());
        if let Some(addresses) = self
            .names
            .get(&name)
            .or_else(|| own.and_then(|names| names.get(&name)))
        {
            return Found::Addresses(addresses.clone());
        }
        if name.ends_with(b"\x09localhost\x00") && is_whole_label(&name) {
            return Found::Addresses(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]);
        }
        match address_of(&name) {
            Some(address) => self.names_of(address, own),
            None => Found::Unknown,
        }
    }

    fn names_of(&self, address: IpAddr, own: Option<&Names>) -> Found {
        if address.is_loopback() {
            return Found::Names(encode("localhost").into_iter().collect());
        }
        if let Some(names) = self.reverse.get(&address) {
            return Found::Names(names.clone());
        }
        let mut names: Vec<WireName> = own
            .into_iter()
            .flatten()
            .filter(|(_, addresses)| addresses.contains(&address))
            .map(|(name, _)| name.clone())
            .collect();
        if names.is_empty() {
            return Found::Unknown;
        }
        names.sort_by(|a, b| (looks_like_id(a), a).cmp(&(looks_like_id(b), b)));
        Found::Names(names)
    }
}

/// The wire form of a name, in lower case. None for what DNS cannot carry; nobody can ask for it either.
pub fn encode(name: &str) -> Option<WireName> {
    let name = name.strip_suffix('.').unwrap_or(name);
    let mut wire = Vec::with_capacity(name.len() + 2);
    for label in name.split('.') {
        let length = u8::try_from(label.len())
            .ok()
            .filter(|length| (1..=63).contains(length))?;
        wire.push(length);
        wire.extend(label.bytes().map(|byte| byte.to_ascii_lowercase()));
    }
    wire.push(0);
    (wire.len() <= super::message::NAME_LIMIT).then(|| wire.into())
}

fn encoded(names: BTreeMap<String, Vec<IpAddr>>) -> Names {
    let names = names.into_iter();
    names
        .filter_map(|(name, addresses)| {
            let addresses = addresses.iter().map(IpAddr::to_canonical).collect();
            Some((encode(&name)?, addresses))
        })
        .collect()
}

/// Every address's names; abbreviated container ids come last, so that the first one reads well.
fn reversed(names: &BTreeMap<String, Vec<IpAddr>>) -> HashMap<IpAddr, Vec<WireName>> {
    let mut reverse: HashMap<IpAddr, Vec<WireName>> = HashMap::new();
    for (name, addresses) in names {
        let Some(wire) = encode(name) else { continue };
        for address in addresses {
            reverse
                .entry(address.to_canonical())
                .or_default()
                .push(wire.clone());
        }
    }
    for names in reverse.values_mut() {
        names.sort_by_key(|name| looks_like_id(name));
    }
    reverse
}

fn looks_like_id(name: &[u8]) -> bool {
    matches!(name, [12, id @ .., 0] if id.len() == 12 && id.iter().all(u8::is_ascii_hexdigit))
}

/// Whether the name is `localhost` or ends in a label of its own that says so.
fn is_whole_label(name: &[u8]) -> bool {
    let mut rest = name;
    while let Some((&length, after)) = rest.split_first() {
        if rest == b"\x09localhost\x00" {
            return true;
        }
        rest = after.get(usize::from(length)..).unwrap_or_default();
    }
    false
}

/// The address in a name below in-addr.arpa or ip6.arpa (RFC 1035, 3.5; RFC 3596, 2.5).
fn address_of(name: &[u8]) -> Option<IpAddr> {
    let labels: Vec<&str> = labels(name)?;
    match labels.as_slice() {
        [d, c, b, a, "in-addr", "arpa"] => {
            let text = format!("{a}.{b}.{c}.{d}");
            text.parse::<Ipv4Addr>().ok().map(IpAddr::V4)
        }
        [nibbles @ .., "ip6", "arpa"] if nibbles.len() == 32 => {
            let mut bits: u128 = 0;
            for nibble in nibbles.iter().rev() {
                let digit = nibble
                    .chars()
                    .next()
                    .filter(|_| nibble.len() == 1)?
                    .to_digit(16)?;
                bits = bits << 4 | u128::from(digit);
            }
            Some(IpAddr::V6(Ipv6Addr::from(bits)).to_canonical())
        }
        _ => None,
    }
}

fn labels(name: &[u8]) -> Option<Vec<&str>> {
    let mut found = Vec::new();
    let mut rest = name;
    loop {
        let (&length, after) = rest.split_first()?;
        if length == 0 {
            return Some(found);
        }
        let (label, next) = after.split_at_checked(usize::from(length))?;
        found.push(std::str::from_utf8(label).ok()?);
        rest = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        serde_json::from_str(
            r#"{"op":"names","network":1,"forward":true,
                "names":{"web":["172.18.0.2","fd00::2"],"Web.Example":["172.18.0.2"],"0123456789ab":["172.18.0.2"],"db":["172.18.0.3"]},
                "clients":{"172.18.0.2":{"cache":["172.19.0.4"],"db":["172.19.0.9"]}}}"#,
        )
        .expect("a table")
    }

    fn find(client: &str, name: &str) -> Found {
        table().find(client.parse().expect("address"), &encode(name).expect("name"))
    }

    #[test]
    fn names_are_found_in_any_case_and_for_the_right_client_only() {
        let address = |text: &str| text.parse::<IpAddr>().expect("address");
        let web = Found::Addresses(vec![address("172.18.0.2"), address("fd00::2")]);
        assert_eq!(find("172.18.0.9", "WEB."), web);
        assert_eq!(find("172.18.0.9", "cache"), Found::Unknown);
        assert_eq!(
            find("172.18.0.2", "cache"),
            Found::Addresses(vec![address("172.19.0.4")])
        );
        assert_eq!(
            find("172.18.0.2", "db"),
            Found::Addresses(vec![address("172.18.0.3")])
        );
        assert_eq!(find("172.18.0.2", "eb"), Found::Unknown);
        assert_eq!(find("172.18.0.2", "web.lan"), Found::Unknown);
    }

    #[test]
    fn localhost_is_the_asker_itself_and_no_suffix_of_a_label() {
        assert!(matches!(find("172.18.0.2", "LocalHost"), Found::Addresses(_)));
        assert!(matches!(find("172.18.0.2", "a.localhost"), Found::Addresses(_)));
        assert_eq!(find("172.18.0.2", "notlocalhost"), Found::Unknown);
        let mut trick = b"\x0fabcde".to_vec();
        trick.extend_from_slice(b"\x09localhost\x00");
        assert_eq!(
            table().find(IpAddr::V4(Ipv4Addr::UNSPECIFIED), &trick),
            Found::Unknown
        );
    }

    #[test]
    fn addresses_have_names_with_the_abbreviated_id_last() {
        let Found::Names(names) = find("172.18.0.9", "2.0.18.172.in-addr.arpa") else {
            unreachable!("no names");
        };
        let text: Vec<_> = ["web", "web.example", "0123456789ab"]
            .iter()
            .map(|name| encode(name))
            .collect();
        assert!(names.iter().all(|name| text.contains(&Some(name.clone()))));
        assert_eq!(names.last(), encode("0123456789ab").as_ref());
        let six = format!("2.{}0.0.d.f.ip6.arpa", "0.".repeat(27));
        assert_eq!(
            find("172.18.0.9", &six),
            Found::Names(encode("web").into_iter().collect())
        );
        assert_eq!(find("172.18.0.9", "4.0.19.172.in-addr.arpa"), Found::Unknown);
        assert!(matches!(
            find("172.18.0.2", "4.0.19.172.in-addr.arpa"),
            Found::Names(_)
        ));
        assert_eq!(find("172.18.0.2", "1.2.3.in-addr.arpa"), Found::Unknown);
    }

    #[test]
    fn names_that_dns_cannot_carry_are_left_out() {
        for name in ["", "a..b", &"x".repeat(64), &"x.".repeat(128)] {
            assert_eq!(encode(name), None, "{name}");
        }
        assert!(encode(&"x".repeat(63)).is_some());
    }
}
