//! What the supervisor knows, and the requests it carries out: networks, endpoints, host ports, names. It
//! is called from one thread, by the poll loop in `server.rs`; what is to do with uplinks is in `uplinks.rs`.

use super::dial::Streams;
use super::endpoint::{self, Endpoint, Plan};
use super::janitor::Janitor;
use super::keeper::Parcel;
use super::link;
use super::namespace::Space;
use super::network::Network;
use super::publish;
use super::request::{Attach, Names, Port, Publish, Request, Wanted};
use super::start::Record;
use crate::error::{Failure, Kind};
use rustix::fd::OwnedFd;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// How long an uplink may take to serve a network.
const START: Duration = Duration::from_secs(10);
/// Networks at once: each has a port number of its own in the uplinks' range.
const NETWORKS: u32 = 4096;

/// The result of a request.
pub enum Outcome {
    Answer(Value),
    /// The answer comes later, through `completed`.
    Later,
    /// The supervisor is to end after this answer.
    End,
}

/// A `state` request whose counts are not complete.
pub struct Counting {
    pub client: u64,
    pub until: Instant,
}

pub struct Supervisor {
    pub space: Space,
    /// The namespace's descriptor, as it goes to uplinks.
    pub shared: Rc<OwnedFd>,
    /// By index.
    pub networks: BTreeMap<u32, Network>,
    /// By serial number.
    pub endpoints: BTreeMap<u32, Endpoint>,
    pub streams: Streams,
    /// Late answers.
    pub completed: Vec<(u64, Result<Value, Failure>)>,
    pub counting: Vec<Counting>,
    pub janitor: Janitor,
    /// Who serves, for those who ask.
    identity: Record,
    next_index: u32,
    next_serial: u32,
    next_key: u64,
}

fn done() -> Outcome {
    Outcome::Answer(json!({}))
}

impl Supervisor {
    pub fn new(mut space: Space, identity: Record) -> Result<Self, Failure> {
        let spare = space.spare.take();
        let spare =
            spare.ok_or_else(|| Failure::new(Kind::Internal, "the namespace has no second socket"))?;
        let janitor = Janitor::start(spare)?;
        let shared = rustix::io::fcntl_dupfd_cloexec(&space.fd, 3)
            .map_err(|errno| Failure::errno("cannot copy a descriptor", errno))?;
        Ok(Self {
            space,
            shared: Rc::new(shared),
            networks: BTreeMap::new(),
            endpoints: BTreeMap::new(),
            streams: Streams::default(),
            completed: Vec::new(),
            counting: Vec::new(),
            janitor,
            identity,
            next_index: 0,
            next_serial: 0,
            next_key: 0,
        })
    }

    /// Carries out a request; `dial` is the server's, since it takes the connection.
    pub fn handle(&mut self, client: u64, request: Request) -> Result<Outcome, Failure> {
        match request {
            Request::Network(network) => self.network(client, Wanted::check(network)?),
            Request::RemoveNetwork { id } => self.remove_network(client, &id),
            Request::Attach(attach) => self.attach(&attach),
            Request::Route { endpoint, gateways } => self.route(&endpoint, &gateways),
            Request::Publish(publish) => self.publish(&publish),
            Request::Detach { endpoint } => {
                let Some(serial) = self.serial_of(&endpoint) else {
                    return Ok(done());
                };
                self.detach(serial, Some(client));
                Ok(Outcome::Later)
            }
            Request::Names(names) => self.names(names),
            Request::Hello => Ok(Outcome::Answer(json!(self.identity))),
            Request::State => Ok(self.state(client)),
            Request::Stop { force } => self.stop(force),
            Request::Dial(_) => Err(Failure::new(Kind::Internal, "a stream is not a request")),
        }
    }

    fn index_of(&self, id: &str) -> Result<u32, Failure> {
        let found = self.networks.values().find(|network| network.wanted.id == id);
        found
            .map(|network| network.index)
            .ok_or_else(|| Failure::new(Kind::NotFound, format!("there is no network {id}")))
    }

    fn serial_of(&self, endpoint: &str) -> Option<u32> {
        let found = self.endpoints.values().find(|known| known.id == endpoint);
        found.map(|known| known.serial)
    }

    fn network(&mut self, client: u64, wanted: Wanted) -> Result<Outcome, Failure> {
        self.check_overlap(&wanted)?;
        let until = Instant::now() + START;
        if let Ok(index) = self.index_of(&wanted.id) {
            let Some(network) = self.networks.get_mut(&index) else {
                return Ok(done());
            };
            if network.wanted == wanted && network.served {
                return Ok(done());
            }
            let same = network.wanted == wanted;
            // An uplink is bound to its gateways: with others it starts anew.
            let rebound = network.wanted.subnets != wanted.subnets;
            if network.wanted.isolated != wanted.isolated {
                for endpoint in self.endpoints.values().filter(|one| one.network == index) {
                    endpoint::set_apart(&mut self.space, endpoint.serial, wanted.isolated)?;
                }
            }
            network.change(&mut self.space, wanted)?;
            if rebound {
                network.keeper.kill();
                self.start_uplink(index)?;
            } else if !same {
                self.configure(index);
            }
            if !same {
                self.configure_others(index);
            }
            if let Some(network) = self.networks.get_mut(&index) {
                network.waiting.push((client, until));
            }
            return Ok(Outcome::Later);
        }
        let index = self.free_index()?;
        let mut network = Network::create(&mut self.space, wanted, index)?;
        network.waiting.push((client, until));
        self.networks.insert(index, network);
        if let Err(failure) = self.start_uplink(index) {
            self.forget_network(index, None);
            return Err(failure);
        }
        self.configure_others(index);
        Ok(Outcome::Later)
    }

    /// The next number, not the lowest: the links of a removed network may still be there.
    fn free_index(&mut self) -> Result<u32, Failure> {
        for _ in 0..NETWORKS {
            let index = self.next_index;
            self.next_index = (index + 1) % NETWORKS;
            if !self.networks.contains_key(&index) {
                return Ok(index);
            }
        }
        Err(Failure::new(
            Kind::Unavailable,
            format!("there are {NETWORKS} networks already"),
        ))
    }

    fn check_overlap(&self, wanted: &Wanted) -> Result<(), Failure> {
        for network in self
            .networks
            .values()
            .filter(|network| network.wanted.id != wanted.id)
        {
            for (theirs, _) in &network.wanted.subnets {
                if let Some((own, _)) = wanted.subnets.iter().find(|(own, _)| own.overlaps(theirs)) {
                    return Err(Failure::new(
                        Kind::Conflict,
                        format!(
                            "the subnet {own} overlaps {theirs} of network {}",
                            network.wanted.id
                        ),
                    ));
                }
            }
        }
        Ok(())
    }

    pub fn forget_network(&mut self, index: u32, client: Option<u64>) {
        if let Some(network) = self.networks.remove(&index) {
            self.janitor.remove(network.destroy(), client);
            self.configure_others(index);
        }
    }

    fn remove_network(&mut self, client: u64, id: &str) -> Result<Outcome, Failure> {
        let index = self.index_of(id)?;
        let used = self
            .endpoints
            .values()
            .filter(|endpoint| endpoint.network == index);
        let used: Vec<&str> = used.map(|endpoint| endpoint.id.as_str()).collect();
        if !used.is_empty() {
            return Err(Failure::new(
                Kind::Conflict,
                format!("network {id} has endpoints: {}", used.join(", ")),
            ));
        }
        self.forget_network(index, Some(client));
        Ok(Outcome::Later)
    }

    fn attach(&mut self, request: &Attach) -> Result<Outcome, Failure> {
        let plan = Plan::check(request)?;
        let index = self.index_of(&request.network)?;
        let pidfd = endpoint::watch(request.pid, request.start_time)?;
        if let Some(serial) = self.serial_of(&request.endpoint) {
            // Its interface's name must be free, so this one removal is waited for.
            self.let_go(serial);
            link::remove(&mut self.space.netlink, &endpoint::link_name(serial))
                .map_err(|errno| Failure::errno("cannot remove the endpoint's earlier link", errno))?;
        }
        let Some(network) = self.networks.get(&index) else {
            return Err(Failure::new(Kind::NotFound, "the network is gone"));
        };
        self.next_serial = self.next_serial.wrapping_add(1);
        let serial = self.next_serial;
        endpoint::connect(&mut self.space, &pidfd, &plan, (serial, network))?;
        let endpoint = Endpoint {
            id: request.endpoint.clone(),
            network: index,
            serial,
            pidfd,
            plan,
            ports: Vec::new(),
        };
        self.endpoints.insert(serial, endpoint);
        Ok(done())
    }

    fn endpoint(&mut self, id: &str) -> Result<&mut Endpoint, Failure> {
        let serial = self.serial_of(id);
        serial
            .and_then(|serial| self.endpoints.get_mut(&serial))
            .ok_or_else(|| Failure::new(Kind::NotFound, format!("there is no endpoint {id}")))
    }

    fn route(&mut self, endpoint: &str, gateways: &[IpAddr]) -> Result<Outcome, Failure> {
        self.endpoint(endpoint)?.route(gateways)?;
        Ok(done())
    }

    /// The endpoint's host ports become exactly these; one that it has already is kept as it is.
    fn publish(&mut self, request: &Publish) -> Result<Outcome, Failure> {
        let index = self.index_of(&request.network)?;
        let mut next_key = self.next_key;
        let endpoint = self.endpoint(&request.endpoint)?;
        if endpoint.network != index {
            return Err(Failure::new(
                Kind::NotFound,
                format!(
                    "endpoint {} is not on network {}",
                    request.endpoint, request.network
                ),
            ));
        }
        let has = |port: &Port| endpoint.ports.iter().any(|own| &own.port == port);
        let wanted: Vec<_> = request.ports.iter().filter(|port| !has(port)).cloned().collect();
        let bound = publish::bind_all(&wanted, &mut next_key)?;
        let mut parcels = Vec::new();
        let (keep, close): (Vec<_>, Vec<_>) = std::mem::take(&mut endpoint.ports)
            .into_iter()
            .partition(|own| request.ports.contains(&own.port));
        parcels.extend(close.into_iter().map(publish::Published::close));
        parcels.extend(bound.iter().map(publish::Published::listen));
        endpoint.ports = keep;
        endpoint.ports.extend(bound);
        let ports: Vec<_> = endpoint.ports.iter().map(|published| &published.port).collect();
        let answer = json!({"ports": ports});
        self.next_key = next_key;
        self.post(index, parcels);
        Ok(Outcome::Answer(answer))
    }

    /// Takes an endpoint away: its link, its host ports, its connections. The client is answered when the
    /// link is gone.
    pub fn detach(&mut self, serial: u32, client: Option<u64>) {
        self.let_go(serial);
        self.janitor.remove(vec![endpoint::link_name(serial)], client);
    }

    /// Forgets an endpoint; only its link is left.
    fn let_go(&mut self, serial: u32) {
        let Some(endpoint) = self.endpoints.remove(&serial) else {
            return;
        };
        let mut parcels: Vec<Parcel> = endpoint
            .ports
            .into_iter()
            .map(publish::Published::close)
            .collect();
        let addresses: Vec<IpAddr> = endpoint.plan.addresses.iter().map(|cidr| cidr.address).collect();
        parcels.push(Parcel::plain(
            json!({"op": "endpoint-gone", "addresses": addresses}),
        ));
        self.post(endpoint.network, parcels);
    }

    /// Answers the clients whose links are gone.
    pub fn take_removals(&mut self) {
        let done = self.janitor.finished().into_iter();
        self.completed
            .extend(done.map(|(client, result)| (client, result.map(|()| json!({})))));
    }

    fn names(&mut self, names: Names) -> Result<Outcome, Failure> {
        let index = self.index_of(&names.network)?;
        if let Some(network) = self.networks.get_mut(&index) {
            network.names = Some(names);
            if let Some(parcel) = network.names_parcel() {
                network.keeper.post(parcel);
            }
        }
        Ok(done())
    }

    fn stop(&mut self, force: bool) -> Result<Outcome, Failure> {
        if !force && !self.endpoints.is_empty() {
            return Err(Failure::new(
                Kind::Conflict,
                format!("{} endpoints are attached", self.endpoints.len()),
            ));
        }
        self.tear_down();
        Ok(Outcome::End)
    }

    /// Ends every uplink. The links end with the namespace, which ends with this process.
    pub fn tear_down(&mut self) {
        self.endpoints.clear();
        for network in std::mem::take(&mut self.networks).into_values() {
            network.destroy();
        }
    }
}
