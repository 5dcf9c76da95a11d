//! Questions on their way to the host's resolvers, or to a client's own. Equal questions to the same
//! servers share one flight; each attempt has a
//! socket, a source port and an id of its own, so that an answer can only be forged by guessing both. It
//! never looks into an answer beyond its header and question.
//!
//! A flight asks the first server, after two seconds the next one (still listening to the first), and
//! ends after less than the five seconds that a C library waits. A server that refuses or fails is left
//! at once. A truncated answer is asked for again by TCP where somebody can take more than it holds.

use super::attempt::{Attempt, By, Outcome};
use super::message::{self, PLAIN_LIMIT, Question};
use super::resolvers::Resolvers;
use super::{Neighbourhood, Upstream};
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use std::collections::hash_map::RandomState;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::BuildHasher;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// A server has this long before the next one is asked too.
const TRY: Duration = Duration::from_secs(2);
/// A flight ends then: before the client's library gives up (five seconds) and asks anew.
const WHOLE: Duration = Duration::from_millis(4800);
/// Flights at a time; the oldest gives way.
const FLIGHTS: usize = 1024;
/// Clients of one flight.
const WAITERS: usize = 512;

/// Who asked, so that the answer finds back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The index of the socket, and the client's address.
    Datagram(usize, SocketAddr),
    Stream(u64),
}

/// One client's wish for an answer.
#[derive(Debug, PartialEq, Eq)]
pub struct Waiter {
    pub origin: Origin,
    pub id: u16,
}

/// Every flight, and what has landed.
pub struct Forwarder {
    resolvers: Resolvers,
    neighbourhood: Neighbourhood,
    /// Epoll data of an attempt is this plus its number.
    tag: u64,
    flights: BTreeMap<u64, Flight>,
    by_question: HashMap<Errand, u64>,
    attempts: HashMap<u64, Attempt>,
    timers: BTreeSet<(Instant, u64)>,
    next: u64,
    /// A random function (keyed by the kernel) of the attempt's number gives ids that nobody can guess.
    secret: RandomState,
    /// Answers to hand out; without bytes: the flight gave way.
    pub landed: Vec<(Waiter, Option<Vec<u8>>)>,
}

/// The client's own servers, if it has any, and its message without the id.
type Errand = (Option<Vec<Upstream>>, Vec<u8>);

struct Flight {
    errand: Errand,
    /// The client's message as it came.
    message: Vec<u8>,
    waiters: Vec<Waiter>,
    servers: Vec<Upstream>,
    tries: usize,
    /// The numbers of its attempts that may still be answered.
    live: Vec<u64>,
    next_at: Instant,
    ends_at: Instant,
    /// The best of the bad answers, for the case that no good one comes.
    last: Option<Vec<u8>>,
}

impl Forwarder {
    pub fn new(resolvers: Resolvers, neighbourhood: Neighbourhood, tag: u64) -> Self {
        Self {
            resolvers,
            neighbourhood,
            tag,
            flights: BTreeMap::new(),
            by_question: HashMap::new(),
            attempts: HashMap::new(),
            timers: BTreeSet::new(),
            next: 0,
            secret: RandomState::new(),
            landed: Vec::new(),
        }
    }

    /// When `tick` is due.
    pub fn wake(&self) -> Option<Instant> {
        self.timers.first().map(|(at, _)| *at)
    }

    /// Starts or joins a flight for a client's message, which has been read as a question; `own` are the
    /// servers to ask instead of the host's.
    pub fn ask(
        &mut self,
        epoll: &OwnedFd,
        (message, own): (&[u8], Option<Vec<Upstream>>),
        waiter: Waiter,
        now: Instant,
    ) {
        let errand: Errand = (own, message.get(2..).unwrap_or_default().to_vec());
        if let Some(id) = self.by_question.get(&errand) {
            if let Some(flight) = self.flights.get_mut(id)
                && flight.waiters.len() < WAITERS
                && !flight.waiters.contains(&waiter)
            {
                flight.waiters.push(waiter);
            }
            return;
        }
        if self.flights.len() >= FLIGHTS
            && let Some((&oldest, _)) = self.flights.first_key_value()
        {
            self.land(oldest, None);
        }
        self.next += 1;
        let id = self.next;
        let servers = match &errand.0 {
            Some(own) => self.resolvers.sorted(own.clone(), now),
            None => self.resolvers.order(now),
        };
        let flight = Flight {
            errand: errand.clone(),
            message: message.to_vec(),
            waiters: vec![waiter],
            servers,
            tries: 0,
            live: Vec::new(),
            next_at: now,
            ends_at: now + WHOLE,
            last: None,
        };
        self.timers.insert((flight.wake(), id));
        self.by_question.insert(errand, id);
        self.flights.insert(id, flight);
        self.try_next(epoll, id, now);
    }

    /// Whether this epoll data is one of its attempts'.
    pub fn ready(&mut self, epoll: &OwnedFd, number: u64, now: Instant) {
        let Some(attempt) = self.attempts.get_mut(&number) else {
            return;
        };
        let (flight, server) = (attempt.flight, attempt.server);
        let Some(of) = self.flights.get(&flight) else {
            self.attempts.remove(&number);
            return;
        };
        let Ok(question) = message::read(&of.message) else {
            return;
        };
        match attempt.advance(epoll, self.tag + number, &question) {
            Outcome::Waiting => {}
            Outcome::Failed => {
                self.resolvers.doubt(server, now);
                self.drop_attempt(number);
                self.after_failure(epoll, flight, now);
            }
            Outcome::Answered(answer) => self.answered(epoll, number, answer, now),
        }
    }

    /// Asks the next server where one was silent, and ends what is too old.
    pub fn tick(&mut self, epoll: &OwnedFd, now: Instant) {
        while let Some(&(at, id)) = self.timers.first() {
            if at > now {
                return;
            }
            let Some(flight) = self.flights.get(&id) else {
                self.timers.pop_first();
                continue;
            };
            let over = flight.ends_at <= now;
            for attempt in flight.live.iter().filter_map(|number| self.attempts.get(number)) {
                self.resolvers.doubt(attempt.server, now);
            }
            if over {
                self.give_up(id);
            } else {
                self.try_next(epoll, id, now);
            }
        }
    }

    fn answered(&mut self, epoll: &OwnedFd, number: u64, answer: Vec<u8>, now: Instant) {
        let Some(attempt) = self.attempts.get(&number) else {
            return;
        };
        let (id, server, by_stream) = (attempt.flight, attempt.server, attempt.is_stream());
        let Some(flight) = self.flights.get_mut(&id) else {
            return;
        };
        if message::is_failure(&answer) {
            flight.last.get_or_insert(answer);
            self.drop_attempt(number);
            self.after_failure(epoll, id, now);
            return;
        }
        self.resolvers.trust(server);
        if message::is_truncated(&answer) && !by_stream && flight.wants_more() {
            flight.last = Some(answer);
            self.drop_attempt(number);
            if self.start(epoll, id, server, By::Stream).is_err() {
                self.give_up(id);
            }
            return;
        }
        self.land(id, Some(answer));
    }

    fn after_failure(&mut self, epoll: &OwnedFd, id: u64, now: Instant) {
        let Some(flight) = self.flights.get(&id) else {
            return;
        };
        if flight.tries < flight.servers.len() {
            self.try_next(epoll, id, now);
        } else if flight.live.is_empty() {
            self.give_up(id);
        }
    }

    /// Asks servers until one takes the question, each at most once here.
    fn try_next(&mut self, epoll: &OwnedFd, id: u64, now: Instant) {
        let count = self.flights.get(&id).map_or(0, |flight| flight.servers.len());
        for _ in 0..count {
            let Some(flight) = self.flights.get_mut(&id) else {
                return;
            };
            self.timers.remove(&(flight.wake(), id));
            let server = flight.servers[flight.tries % count];
            flight.tries += 1;
            flight.next_at = now + TRY;
            self.timers.insert((flight.wake(), id));
            match self.start(epoll, id, server, By::Datagram) {
                Ok(()) => return,
                Err(_) => self.resolvers.doubt(server, now),
            }
        }
        if self.flights.get(&id).is_some_and(|flight| flight.live.is_empty()) {
            self.give_up(id);
        }
    }

    fn start(&mut self, epoll: &OwnedFd, id: u64, server: Upstream, by: By) -> Result<(), Errno> {
        let Some(flight) = self.flights.get_mut(&id) else {
            return Ok(());
        };
        self.next += 1;
        let number = self.next;
        let [high, low, ..] = self.secret.hash_one(number).to_ne_bytes();
        let attempt = Attempt::start(
            id,
            server,
            (by, &self.neighbourhood),
            ([high, low], &flight.message),
        )?;
        attempt.watch(epoll, self.tag + number)?;
        flight.live.push(number);
        self.attempts.insert(number, attempt);
        Ok(())
    }

    fn drop_attempt(&mut self, number: u64) {
        if let Some(attempt) = self.attempts.remove(&number)
            && let Some(flight) = self.flights.get_mut(&attempt.flight)
        {
            flight.live.retain(|live| *live != number);
        }
    }

    /// Ends a flight with the best that there is.
    fn give_up(&mut self, id: u64) {
        let Some(flight) = self.flights.get_mut(&id) else {
            return;
        };
        let answer = flight
            .last
            .take()
            .filter(|answer| message::holds_question(answer));
        let answer = answer.or_else(|| {
            let question = message::read(&flight.message).ok()?;
            Some(question.failure(message::SERVER_FAILURE))
        });
        self.land(id, answer);
    }

    fn land(&mut self, id: u64, answer: Option<Vec<u8>>) {
        let Some(flight) = self.flights.remove(&id) else {
            return;
        };
        self.timers.remove(&(flight.wake(), id));
        self.by_question.remove(&flight.errand);
        for number in &flight.live {
            self.attempts.remove(number);
        }
        let question = message::read(&flight.message).ok();
        for waiter in flight.waiters {
            let answer = match (&answer, &question) {
                (Some(answer), Some(question)) => Some(fitted(answer, question, &waiter)),
                _ => None,
            };
            self.landed.push((waiter, answer));
        }
    }
}

impl Flight {
    fn wake(&self) -> Instant {
        self.next_at.min(self.ends_at)
    }

    /// Whether anybody could take more than a truncated datagram holds.
    fn wants_more(&self) -> bool {
        let by_stream = |waiter: &Waiter| matches!(waiter.origin, Origin::Stream(_));
        self.waiters.iter().any(by_stream)
            || message::read(&self.message).is_ok_and(|question| question.limit() > PLAIN_LIMIT)
    }
}

/// The answer with the client's id, cut down to what the client takes.
fn fitted(answer: &[u8], question: &Question<'_>, waiter: &Waiter) -> Vec<u8> {
    let mut answer = match waiter.origin {
        Origin::Datagram(..) if answer.len() > question.limit() => question.truncated(),
        Origin::Stream(_) if message::is_truncated(answer) => question.failure(message::SERVER_FAILURE),
        _ => answer.to_vec(),
    };
    answer[..2].copy_from_slice(&waiter.id.to_be_bytes());
    answer
}
