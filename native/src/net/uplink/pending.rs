//! How many connections are not joined yet, in all and by container, so that neither a scan nor a flood
//! of one container takes what the others need. It holds no connection.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::IpAddr;

/// Those begun by containers. Beyond, the oldest gives way.
pub const PENDING: usize = 4096;
/// Of them, those of one container: beyond, its segments wait for their repetition.
const EACH: usize = 1024;

#[derive(Default)]
pub struct Pending {
    total: usize,
    each: HashMap<IpAddr, usize>,
}

impl Pending {
    pub const fn total(&self) -> usize {
        self.total
    }

    /// Whether the container may begin another.
    pub fn allows(&self, container: IpAddr) -> bool {
        self.each.get(&container).is_none_or(|own| *own < EACH)
    }

    pub fn begin(&mut self, container: IpAddr) {
        self.total += 1;
        *self.each.entry(container).or_default() += 1;
    }

    pub fn end(&mut self, container: IpAddr) {
        self.total = self.total.saturating_sub(1);
        if let Entry::Occupied(mut entry) = self.each.entry(container) {
            *entry.get_mut() = entry.get().saturating_sub(1);
            if *entry.get() == 0 {
                entry.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_container_cannot_take_every_place_and_an_ended_one_leaves_nothing() {
        let mut pending = Pending::default();
        let [greedy, modest] = [IpAddr::from([10, 0, 0, 2]), IpAddr::from([10, 0, 0, 3])];
        let mut begun = 0;
        while pending.allows(greedy) {
            pending.begin(greedy);
            begun += 1;
        }
        assert!(begun < PENDING);
        assert!(pending.allows(modest));
        for _ in 0..begun {
            pending.end(greedy);
        }
        assert_eq!(pending.total(), 0);
        assert!(pending.each.is_empty());
    }
}
