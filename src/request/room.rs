//! Which requests of one signer were let in.

use std::collections::BTreeSet;

use super::{RequestId, RequestTime};

/// The ids that one signer spent, or all those who do not sign.
#[derive(Default)]
pub(super) struct Room {
    /// All are later than the floor. In the order of their times, so that those to drop are the first
    /// ones. No order in which they come makes this slow.
    ids: BTreeSet<(RequestTime, RequestId)>,
    /// The greatest time of all ids that were dropped. What is not later may be one of them.
    floor: Option<RequestTime>,
}

impl Room {
    /// How many ids one [`insert`](Self::insert) drops: more than one, so that their number goes down,
    /// and few, so that no request waits for long.
    const DROPS: usize = 8;

    /// Whether a request of this time may have been dropped.
    pub(super) fn may_have_dropped(&self, time: RequestTime) -> bool {
        self.floor.is_some_and(|floor| time <= floor)
    }

    pub(super) fn contains(&self, time: RequestTime, id: RequestId) -> bool {
        self.ids.contains(&(time, id))
    }

    /// Whether there is no space for another id, and none can be made by dropping one that is before
    /// `earliest`.
    pub(super) fn is_full(&self, capacity: usize, earliest: RequestTime) -> bool {
        self.ids.len() >= capacity && self.ids.first().is_none_or(|(time, _)| *time >= earliest)
    }

    /// Adds an id, and drops some that are before `earliest`.
    pub(super) fn insert(&mut self, time: RequestTime, id: RequestId, earliest: RequestTime) {
        for _ in 0..Self::DROPS {
            let oldest = self.ids.first().map(|(time, _)| *time);
            if oldest.is_none_or(|oldest| oldest >= earliest) {
                break;
            }
            self.ids.pop_first();
            self.floor = oldest;
        }
        self.ids.insert((time, id));
    }
}
