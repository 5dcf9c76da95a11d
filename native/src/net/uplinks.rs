//! The supervisor's side of the uplinks: what they are told, what they say, and their restarts. It never
//! waits for one.

use super::address::Cidr;
use super::keeper::{Event, Parcel};
use super::publish;
use super::supervisor::{Counting, Outcome, Supervisor};
use crate::error::{Failure, Kind};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// How long `state` waits for uplinks that do not answer.
const COUNTING: Duration = Duration::from_millis(300);

impl Supervisor {
    /// The subnets of every other network.
    pub fn others(&self, index: u32) -> Vec<Cidr> {
        let others = self.networks.values().filter(|network| network.index != index);
        let subnets = others.flat_map(|network| network.wanted.subnets.iter().map(|(cidr, _)| *cidr));
        subnets.collect()
    }

    pub fn configure(&mut self, index: u32) {
        let others = self.others(index);
        if let Some(network) = self.networks.get_mut(&index) {
            let parcel = network.configuration(&self.shared, &others);
            network.keeper.post(parcel);
        }
    }

    /// The other networks must know this one's subnets.
    pub fn configure_others(&mut self, index: u32) {
        let others: Vec<u32> = self
            .networks
            .keys()
            .copied()
            .filter(|other| *other != index)
            .collect();
        for other in others {
            self.configure(other);
        }
    }

    /// Starts a network's uplink with everything that it must know.
    pub fn start_uplink(&mut self, index: u32) -> Result<(), Failure> {
        let others = self.others(index);
        let Some(network) = self.networks.get_mut(&index) else {
            return Ok(());
        };
        let mut first = vec![network.configuration(&self.shared, &others)];
        first.extend(network.names_parcel());
        let endpoints = self
            .endpoints
            .values()
            .filter(|endpoint| endpoint.network == index);
        first.extend(endpoints.flat_map(|endpoint| endpoint.ports.iter().map(publish::Published::listen)));
        network.keeper.start(first)
    }

    pub fn post(&mut self, index: u32, parcels: Vec<Parcel>) {
        if let Some(network) = self.networks.get_mut(&index) {
            for parcel in parcels {
                network.keeper.post(parcel);
            }
        }
    }

    pub fn state(&mut self, client: u64) -> Outcome {
        for network in self.networks.values_mut() {
            if network.keeper.pid().is_some() {
                network.asked = network.asked.saturating_add(1);
                network.keeper.post(Parcel::plain(json!({"op": "state"})));
            }
        }
        self.counting.push(Counting {
            client,
            until: Instant::now() + COUNTING,
        });
        self.finish_counting();
        Outcome::Later
    }

    /// Answers `state` when every uplink has, or when it is time.
    pub fn finish_counting(&mut self) {
        let complete = self.networks.values().all(|network| network.asked == 0);
        let now = Instant::now();
        let due: Vec<Counting> = self
            .counting
            .extract_if(.., |counting| complete || now >= counting.until)
            .collect();
        if !due.is_empty() {
            let value = self.describe();
            self.completed.extend(
                due.into_iter()
                    .map(|counting| (counting.client, Ok(value.clone()))),
            );
        }
        if self.counting.is_empty() {
            self.networks.values_mut().for_each(|network| network.asked = 0);
        }
    }

    fn describe(&self) -> Value {
        let networks = self.networks.values().map(|network| {
            let endpoints = || {
                self.endpoints
                    .values()
                    .filter(|endpoint| endpoint.network == network.index)
            };
            let ports = endpoints().flat_map(|endpoint| {
                endpoint.ports.iter().map(|published| {
                    let mut value = json!(published.port);
                    value["endpoint"] = json!(endpoint.id);
                    value
                })
            });
            json!({
                "id": network.wanted.id,
                "uplinkPid": network.keeper.pid(),
                "endpoints": endpoints().map(|endpoint| endpoint.id.as_str()).collect::<Vec<_>>(),
                "ports": ports.collect::<Vec<_>>(),
                "connections": network.counts.0,
                "flows": network.counts.1,
            })
        });
        json!({"networks": networks.collect::<Vec<_>>()})
    }

    /// What an uplink has to say.
    pub fn hear(&mut self, index: u32) {
        let Some(network) = self.networks.get_mut(&index) else {
            return;
        };
        for event in network.keeper.receive() {
            match event {
                Event::Message(message) => self.take_message(index, &message),
                Event::Ended(how) => self.uplink_ended(index, &how),
            }
        }
    }

    fn take_message(&mut self, index: u32, message: &Value) {
        let Some(network) = self.networks.get_mut(&index) else {
            return;
        };
        if let Some(connections) = message.get("connections").and_then(Value::as_u64) {
            let flows = message.get("flows").and_then(Value::as_u64).unwrap_or(0);
            network.counts = (connections, flows);
            network.asked = network.asked.saturating_sub(1);
            self.finish_counting();
            return;
        }
        let Some(error) = message.get("error") else {
            network.served = true;
            let waiting = std::mem::take(&mut network.waiting);
            self.completed
                .extend(waiting.into_iter().map(|(client, _)| (client, Ok(json!({})))));
            return;
        };
        let text = |name: &str| error.get(name).and_then(Value::as_str).unwrap_or("unknown");
        let reason = format!("{} ({})", text("message"), text("errno"));
        self.refuse_network(index, &format!("the uplink cannot serve it: {reason}"));
    }

    /// A network that never was served goes away with the answer; another one stays as it is.
    fn refuse_network(&mut self, index: u32, why: &str) {
        let Some(network) = self.networks.get_mut(&index) else {
            return;
        };
        let message = format!("network {} is not served: {why}", network.wanted.id);
        let waiting = std::mem::take(&mut network.waiting);
        let served = network.served;
        let failure = Failure::new(Kind::Unavailable, message);
        self.completed.extend(
            waiting
                .into_iter()
                .map(|(client, _)| (client, Err(failure.clone()))),
        );
        if !served {
            self.forget_network(index, None);
        }
    }

    fn uplink_ended(&mut self, index: u32, how: &str) {
        if let Some(network) = self.networks.get_mut(&index) {
            network.asked = 0;
            network.counts = (0, 0);
            if !network.served {
                self.refuse_network(index, &format!("its uplink ended at its start ({how})"));
            }
        }
        self.finish_counting();
    }

    /// What is due by now: restarts, uplinks that are stuck, answers that cannot wait longer.
    pub fn tick(&mut self, now: Instant) {
        let indexes: Vec<u32> = self.networks.keys().copied().collect();
        for index in indexes {
            let Some(network) = self.networks.get_mut(&index) else {
                continue;
            };
            if network.keeper.stuck_at().is_some_and(|at| now >= at) {
                let how = network.keeper.end();
                self.uplink_ended(index, &how);
                continue;
            }
            if network.waiting.iter().any(|(_, until)| now >= *until) {
                self.refuse_network(index, "its uplink does not answer");
                continue;
            }
            if network.keeper.again.is_some_and(|at| now >= at) {
                // A failure plans the next try.
                let _ = self.start_uplink(index);
            }
        }
        self.finish_counting();
    }

    /// When [`Self::tick`] has something to do.
    pub fn next_tick(&self) -> Option<Instant> {
        let networks = self.networks.values().flat_map(|network| {
            let waiting = network.waiting.iter().map(|(_, until)| *until);
            waiting
                .chain(network.keeper.again)
                .chain(network.keeper.stuck_at())
        });
        networks
            .chain(self.counting.iter().map(|counting| counting.until))
            .min()
    }
}
