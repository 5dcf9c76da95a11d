//! The host's resolvers: which they are, read again whenever their files change, and in which order to
//! ask them. It opens no sockets.

use super::Upstream;
use rustix::net::{AddressFamily, SocketType};
use std::collections::HashMap;
use std::fs::{File, Metadata};
use std::io::Read;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV6};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const RESOLV_CONF: &str = "/etc/resolv.conf";
/// systemd-resolved's list of the servers behind its stub.
const BEHIND_STUB: &str = "/run/systemd/resolve/resolv.conf";
pub const PORT: u16 = 53;
/// More servers than this are not asked; the C library stops at three.
pub const SERVERS: usize = 8;
/// For this long a server that did not answer is asked last.
const DOUBT: Duration = Duration::from_secs(30);
const FILE_LIMIT: u64 = 64 << 10;

/// Where the servers come from.
enum Source {
    Files {
        main: PathBuf,
        behind_stub: PathBuf,
    },
    #[cfg(test)]
    Fixed,
}

/// See [`Resolvers::order`].
pub struct Resolvers {
    source: Source,
    stamps: [Option<Stamp>; 2],
    servers: Vec<SocketAddr>,
    rotate: bool,
    turn: usize,
    doubted: HashMap<Upstream, Instant>,
}

/// Tells one state of a file from another.
#[derive(PartialEq, Eq)]
struct Stamp(u64, u64, i64, i64, u64);

impl Resolvers {
    /// Those of this machine, read at the first question.
    pub fn of_host() -> Self {
        Self::from_files(RESOLV_CONF.into(), BEHIND_STUB.into())
    }

    pub fn from_files(main: PathBuf, behind_stub: PathBuf) -> Self {
        Self::new(Source::Files { main, behind_stub }, Vec::new())
    }

    #[cfg(test)]
    pub fn fixed(servers: Vec<SocketAddr>) -> Self {
        Self::new(Source::Fixed, servers)
    }

    fn new(source: Source, servers: Vec<SocketAddr>) -> Self {
        Self {
            source,
            stamps: [None, None],
            servers,
            rotate: false,
            turn: 0,
            doubted: HashMap::new(),
        }
    }

    /// The servers in the order in which to ask: as listed (or from the next one on, with the option
    /// `rotate`), those that lately did not answer last.
    pub fn order(&mut self, now: Instant) -> Vec<Upstream> {
        self.refresh();
        let mut order: Vec<Upstream> = self.servers.iter().copied().map(Upstream::Outside).collect();
        if self.rotate && !order.is_empty() {
            self.turn = (self.turn + 1) % order.len();
            order.rotate_left(self.turn);
        }
        self.sorted(order, now)
    }

    /// Other servers than the host's, in the order in which to ask.
    pub fn sorted(&mut self, mut servers: Vec<Upstream>, now: Instant) -> Vec<Upstream> {
        self.doubted.retain(|_, until| *until > now);
        servers.sort_by_key(|server| self.doubted.contains_key(server));
        servers
    }

    pub fn doubt(&mut self, server: Upstream, now: Instant) {
        self.doubted.insert(server, now + DOUBT);
    }

    pub fn trust(&mut self, server: Upstream) {
        self.doubted.remove(&server);
    }

    fn refresh(&mut self) {
        let (main, behind_stub) = match &self.source {
            Source::Files { main, behind_stub } => (main, behind_stub),
            #[cfg(test)]
            Source::Fixed => return,
        };
        let stamps = [stamp(main), stamp(behind_stub)];
        if stamps == self.stamps && !self.servers.is_empty() {
            return;
        }
        let listed = parse(&read(main));
        let mut servers = listed.servers;
        // What is listed nowhere is asked of this machine itself, as the C library does.
        if servers.is_empty() {
            servers.push(SocketAddr::new(Ipv4Addr::LOCALHOST.into(), PORT));
        }
        if servers.iter().any(is_stub) {
            for server in parse(&read(behind_stub)).servers {
                if !servers.contains(&server) {
                    servers.push(server);
                }
            }
        }
        servers.truncate(SERVERS);
        self.servers = servers;
        self.rotate = listed.rotate;
        self.stamps = stamps;
        self.doubted
            .retain(|server, _| matches!(server, Upstream::Inside(_)));
    }
}

struct Listed {
    servers: Vec<SocketAddr>,
    rotate: bool,
}

/// Reads resolv.conf(5): `nameserver` and `options rotate`. Search lists are the clients' own business.
fn parse(text: &str) -> Listed {
    let mut listed = Listed {
        servers: Vec::new(),
        rotate: false,
    };
    for line in text.lines() {
        let mut words = line.split_ascii_whitespace();
        match words.next() {
            Some("nameserver") => {
                if let Some(server) = words.next().and_then(server)
                    && !listed.servers.contains(&server)
                {
                    listed.servers.push(server);
                }
            }
            Some("options") => listed.rotate |= words.any(|word| word == "rotate"),
            _ => {}
        }
    }
    listed
}

/// An address, for a link-local one with its interface (`fe80::1%eth0`).
fn server(text: &str) -> Option<SocketAddr> {
    let (address, scope) = text.split_once('%').unwrap_or((text, ""));
    match address.parse::<IpAddr>().ok()? {
        IpAddr::V6(address) if !scope.is_empty() => {
            let index = scope.parse().ok().or_else(|| interface_index(scope))?;
            Some(SocketAddrV6::new(address, PORT, 0, index).into())
        }
        address => Some(SocketAddr::new(address, PORT)),
    }
}

fn interface_index(name: &str) -> Option<u32> {
    let socket = rustix::net::socket(AddressFamily::INET, SocketType::DGRAM, None).ok()?;
    rustix::net::netdevice::name_to_index(socket, name).ok()
}

fn is_stub(server: &SocketAddr) -> bool {
    matches!(server.ip(), IpAddr::V4(address) if matches!(address.octets(), [127, 0, 0, 53 | 54]))
}

fn stamp(path: &Path) -> Option<Stamp> {
    let data: Metadata = std::fs::metadata(path).ok()?;
    Some(Stamp(
        data.dev(),
        data.ino(),
        data.ctime(),
        data.ctime_nsec(),
        data.size(),
    ))
}

fn read(path: &Path) -> String {
    let mut bytes = Vec::new();
    // A file that is missing or unreadable lists nothing; the caller has a default.
    if let Ok(file) = File::open(path)
        && file.metadata().is_ok_and(|data| data.is_file())
        && file.take(FILE_LIMIT).read_to_end(&mut bytes).is_err()
    {
        bytes.clear();
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(servers: &[SocketAddr]) -> Vec<String> {
        servers.iter().map(|server| server.ip().to_string()).collect()
    }

    fn asked(servers: &[Upstream]) -> Vec<String> {
        let address = |server: &Upstream| match server {
            Upstream::Outside(address) | Upstream::Inside(address) => address.ip().to_string(),
        };
        servers.iter().map(address).collect()
    }

    #[test]
    fn servers_are_read_with_comments_options_and_nonsense_around_them() {
        let text = "# nameserver 9.9.9.9\n;x\nsearch lan\nnameserver 10.0.0.1 # why\n nameserver\t::1\nnameserver example\nnameserver 10.0.0.1\noptions ndots:2 rotate\n";
        let listed = parse(text);
        assert_eq!(addresses(&listed.servers), ["10.0.0.1", "::1"]);
        assert!(listed.rotate);
        assert_eq!(addresses(&parse("nameserver fe80::1%lo\n").servers), ["fe80::1"]);
        assert!(parse("nameserver fe80::1%nosuchlink\n").servers.is_empty());
    }

    #[test]
    fn changed_files_count_at_once_and_the_stub_has_its_servers_behind_it() {
        let dir = std::env::temp_dir().join(format!("pinnace-resolvers-{}", std::process::id()));
        std::fs::create_dir_all(&dir).expect("a directory");
        let (main, behind) = (dir.join("main"), dir.join("behind"));
        std::fs::write(&behind, "nameserver 10.9.9.9\n").expect("write");
        let mut resolvers = Resolvers::from_files(main.clone(), behind);
        let now = Instant::now();
        assert_eq!(asked(&resolvers.order(now)), ["127.0.0.1"]);
        std::fs::write(&main, "nameserver 127.0.0.53\n").expect("write");
        assert_eq!(asked(&resolvers.order(now)), ["127.0.0.53", "10.9.9.9"]);
        std::fs::write(&main, "nameserver 10.0.0.1\nnameserver 10.0.0.2\n").expect("write");
        let order = resolvers.order(now);
        assert_eq!(asked(&order), ["10.0.0.1", "10.0.0.2"]);
        resolvers.doubt(order[0], now);
        assert_eq!(asked(&resolvers.order(now)), ["10.0.0.2", "10.0.0.1"]);
        assert_eq!(asked(&resolvers.order(now + DOUBT)), ["10.0.0.1", "10.0.0.2"]);
        std::fs::remove_dir_all(&dir).expect("remove");
    }
}
