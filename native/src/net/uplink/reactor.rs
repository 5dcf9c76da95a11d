//! The one poll loop's mechanics: which descriptor an event belongs to, and the slots that give each
//! connection a number which no later connection can be mistaken for. It knows no protocol.

use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::fd::{AsFd, OwnedFd};
use rustix::io::Errno;
use std::time::Duration;

/// What a descriptor is to the uplink.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    Control,
    /// A packet socket on the bridge.
    Frames,
    /// The transparent listener.
    Listener,
    /// The transparent UDP socket.
    Datagrams,
    /// The container's side of a connection, and the other.
    Inner,
    Outer,
    FlowInner,
    FlowOuter,
    Ping,
    PortTcp,
    PortUdp,
}

const SOURCES: [Source; 11] = [
    Source::Control,
    Source::Frames,
    Source::Listener,
    Source::Datagrams,
    Source::Inner,
    Source::Outer,
    Source::FlowInner,
    Source::FlowOuter,
    Source::Ping,
    Source::PortTcp,
    Source::PortUdp,
];

/// A slot and how often it was used before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key {
    pub index: u32,
    serial: u32,
}

impl Key {
    /// The key of something that is there for good.
    pub const fn fixed(index: u32) -> Self {
        Self { index, serial: 0 }
    }
}

/// Serial numbers have 24 bits in an event.
const SERIALS: u32 = 0x00ff_ffff;

/// Packs a source and a key into the 64 bits that epoll gives back.
fn pack(source: Source, key: Key) -> u64 {
    let kind = SOURCES.iter().position(|one| *one == source).unwrap_or(0);
    let kind = u64::try_from(kind).unwrap_or(0);
    kind << 56 | u64::from(key.serial & SERIALS) << 32 | u64::from(key.index)
}

fn unpack(value: u64) -> Option<(Source, Key)> {
    let source = *SOURCES.get(usize::try_from(value >> 56).ok()?)?;
    let index = u32::try_from(value & 0xffff_ffff).ok()?;
    let serial = u32::try_from((value >> 32) & u64::from(SERIALS)).ok()?;
    Some((source, Key { index, serial }))
}

/// Numbered places. A key of something that is gone finds nothing.
pub struct Slots<T> {
    slots: Vec<(u32, Option<T>)>,
    free: Vec<u32>,
}

impl<T> Default for Slots<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Slots<T> {
    pub const fn new() -> Self {
        Self {
            slots: Vec::new(),
            free: Vec::new(),
        }
    }

    pub fn insert(&mut self, value: T) -> Key {
        if let Some(index) = self.free.pop()
            && let Some(slot) = self.slots.get_mut(index as usize)
        {
            slot.1 = Some(value);
            return Key {
                index,
                serial: slot.0,
            };
        }
        let index = u32::try_from(self.slots.len()).unwrap_or(u32::MAX);
        self.slots.push((0, Some(value)));
        Key { index, serial: 0 }
    }

    pub fn get_mut(&mut self, key: Key) -> Option<&mut T> {
        let slot = self.slots.get_mut(key.index as usize)?;
        if slot.0 == key.serial {
            slot.1.as_mut()
        } else {
            None
        }
    }

    pub fn remove(&mut self, key: Key) -> Option<T> {
        let slot = self.slots.get_mut(key.index as usize)?;
        if slot.0 != key.serial {
            return None;
        }
        let value = slot.1.take()?;
        slot.0 = slot.0.wrapping_add(1) & SERIALS;
        self.free.push(key.index);
        Some(value)
    }

    /// Makes something else of what is there.
    pub fn update(&mut self, key: Key, change: impl FnOnce(T) -> T) {
        if let Some(slot) = self.slots.get_mut(key.index as usize)
            && slot.0 == key.serial
        {
            slot.1 = slot.1.take().map(change);
        }
    }

    pub fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// Everything that is there, with its key.
    pub fn iter(&self) -> impl Iterator<Item = (Key, &T)> {
        (0u32..).zip(&self.slots).filter_map(|(index, (serial, value))| {
            let key = Key {
                index,
                serial: *serial,
            };
            value.as_ref().map(|value| (key, value))
        })
    }
}

/// Readiness of a descriptor, as the loop's users want it told.
#[derive(Debug, Clone, Copy, Default)]
pub struct Ready {
    pub readable: bool,
    pub writable: bool,
    /// The other end said that it sends no more, or is gone.
    pub hung: bool,
    pub failed: bool,
}

pub struct Reactor {
    epoll: OwnedFd,
}

impl Reactor {
    pub fn new() -> Result<Self, Errno> {
        Ok(Self {
            epoll: epoll::create(epoll::CreateFlags::CLOEXEC)?,
        })
    }

    /// Watches for incoming data only; told again and again while there is some.
    pub fn watch(&self, fd: impl AsFd, source: Source, key: Key) -> Result<(), Errno> {
        let data = EventData::new_u64(pack(source, key));
        epoll::add(&self.epoll, fd, data, EventFlags::IN)
    }

    /// Stops or resumes what `watch` began.
    pub fn pause(&self, fd: impl AsFd, token: (Source, Key), paused: Paused) -> Result<(), Errno> {
        let flags = if paused == Paused::Yes {
            EventFlags::empty()
        } else {
            EventFlags::IN
        };
        epoll::modify(&self.epoll, fd, EventData::new_u64(pack(token.0, token.1)), flags)
    }

    /// Watches a stream in both directions; told once for each change.
    pub fn watch_stream(&self, fd: impl AsFd, source: Source, key: Key) -> Result<(), Errno> {
        let flags = EventFlags::IN | EventFlags::OUT | EventFlags::RDHUP | EventFlags::ET;
        epoll::add(&self.epoll, fd, EventData::new_u64(pack(source, key)), flags)
    }

    /// Waits for events; an interrupted wait gives none.
    pub fn wait(&self, events: &mut Vec<epoll::Event>, timeout: Option<Duration>) -> Result<(), Errno> {
        let timeout = timeout.map(crate::time::timespec);
        events.clear();
        let space = rustix::buffer::spare_capacity(events);
        match epoll::wait(&self.epoll, space, timeout.as_ref()) {
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(errno) => Err(errno),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paused {
    Yes,
    No,
}

/// Whose event it is and what happened.
pub fn read(event: &epoll::Event) -> Option<(Source, Key, Ready)> {
    let data = event.data;
    let flags = event.flags;
    let (source, key) = unpack(data.u64())?;
    let failed = flags.contains(EventFlags::ERR);
    let hung = failed || flags.intersects(EventFlags::RDHUP | EventFlags::HUP);
    let ready = Ready {
        readable: hung || flags.contains(EventFlags::IN),
        writable: failed || flags.intersects(EventFlags::OUT | EventFlags::HUP),
        hung,
        failed,
    };
    Some((source, key, ready))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_of_something_gone_finds_nothing_in_the_reused_slot() {
        let mut slots = Slots::new();
        let first = slots.insert('a');
        assert_eq!(slots.remove(first), Some('a'));
        let second = slots.insert('b');
        assert_eq!(first.index, second.index);
        assert_eq!(slots.get_mut(first), None);
        assert_eq!(slots.get_mut(second), Some(&mut 'b'));
        assert_eq!(slots.len(), 1);
    }

    #[test]
    fn tokens_survive_packing() {
        for source in SOURCES {
            let key = Key {
                index: 0xfedc_ba98,
                serial: 0x00ab_cdef,
            };
            assert_eq!(unpack(pack(source, key)), Some((source, key)));
        }
    }
}
