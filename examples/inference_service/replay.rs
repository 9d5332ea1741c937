//! Remembers the requests that were answered, so that each is answered once.

use std::collections::{HashMap, HashSet, VecDeque};

use twinseal::KeyId;

use crate::signature_header::Nonce;

/// The nonces of the requests that are young enough to be repeated.
///
/// A request older than the window is refused for its age, so its nonce can be forgotten. A request
/// that cannot be remembered is refused: forgetting another nonce early would let that request in
/// again. Each client has a limit of its own, so that no client can use up another's.
///
/// The cache belongs to one process. Two replicas would both answer the same request. A request
/// from before a restart is refused for its age (`started`). If answering twice does harm, keep the
/// nonces in a store that all replicas share.
#[derive(Debug)]
pub(crate) struct ReplayCache {
    /// Seconds that a timestamp may differ from the clock.
    window: u64,
    per_client: usize,
    started: u64,
    clients: HashMap<KeyId, Seen>,
    /// The highest time so far: old requests stay refused when the clock is set back.
    latest: u64,
}

#[derive(Debug, Default)]
struct Seen {
    nonces: HashSet<Nonce>,
    /// The same with the time at which they may be forgotten, in that order.
    order: VecDeque<(u64, Nonce)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    OutsideWindow,
    Seen,
    Full,
}

impl ReplayCache {
    pub(crate) fn new(window: u64, per_client: usize, now: u64) -> Self {
        Self { window, per_client, started: now, clients: HashMap::new(), latest: now }
    }

    /// Whether a timestamp is acceptable now.
    pub(crate) fn check_time(&mut self, timestamp: u64, now: u64) -> Result<(), Refused> {
        self.latest = self.latest.max(now);
        let is_near = timestamp.abs_diff(self.latest) <= self.window;
        if is_near && timestamp >= self.started { Ok(()) } else { Err(Refused::OutsideWindow) }
    }

    /// Lets a request in once. Call it after its signature was verified: otherwise anyone could
    /// exhaust a client's limit, or use up the nonce of a request that is still on its way. The
    /// time is checked again, because the body may have taken long.
    pub(crate) fn admit(
        &mut self,
        client: KeyId,
        nonce: Nonce,
        timestamp: u64,
        now: u64,
    ) -> Result<(), Refused> {
        self.check_time(timestamp, now)?;
        let seen = self.clients.entry(client).or_default();
        while seen.order.front().is_some_and(|(end, _)| *end < self.latest) {
            if let Some((_, old)) = seen.order.pop_front() {
                seen.nonces.remove(&old);
            }
        }
        if seen.nonces.contains(&nonce) {
            return Err(Refused::Seen);
        }
        if seen.nonces.len() >= self.per_client {
            return Err(Refused::Full);
        }
        seen.nonces.insert(nonce);
        // The timestamp is at most a window ahead, and acceptable for a window after it.
        seen.order.push_back((self.latest + 2 * self.window, nonce));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALICE: KeyId = KeyId::from_bytes([1; 16]);
    const BOB: KeyId = KeyId::from_bytes([2; 16]);

    #[test]
    fn a_nonce_is_let_in_once_for_as_long_as_its_timestamp_is_acceptable() {
        for timestamp in [995, 1000, 1005] {
            let mut cache = ReplayCache::new(5, 10, 900);
            assert_eq!(cache.admit(ALICE, [7; 16], timestamp, 1000), Ok(()));
            assert_eq!(cache.admit(BOB, [7; 16], timestamp, 1000), Ok(()));
            for now in 990..1030 {
                assert!(cache.admit(ALICE, [7; 16], timestamp, now).is_err(), "{now}");
            }
            // The nonce itself is forgotten then, and free for another request.
            assert_eq!(cache.admit(ALICE, [7; 16], 1030, 1030), Ok(()));
        }
    }

    #[test]
    fn the_window_is_exact_and_begins_with_the_process() {
        let mut cache = ReplayCache::new(5, 10, 997);
        for (timestamp, result) in [
            (996, Err(Refused::OutsideWindow)),
            (997, Ok(())),
            (1005, Ok(())),
            (1006, Err(Refused::OutsideWindow)),
            (u64::MAX, Err(Refused::OutsideWindow)),
        ] {
            assert_eq!(cache.check_time(timestamp, 1000), result, "{timestamp}");
        }
        // Set back to 990, it would accept 990 if the cache had not seen 1000.
        assert_eq!(ReplayCache::new(5, 10, 0).check_time(990, 990), Ok(()));
        let mut cache = ReplayCache::new(5, 10, 0);
        assert_eq!(cache.check_time(1000, 1000), Ok(()));
        assert_eq!(cache.check_time(990, 990), Err(Refused::OutsideWindow));
    }

    #[test]
    fn nothing_is_forgotten_to_make_room_and_clients_do_not_share() {
        let mut cache = ReplayCache::new(5, 2, 0);
        for (nonce, result) in [(1, Ok(())), (2, Ok(())), (3, Err(Refused::Full))] {
            assert_eq!(cache.admit(ALICE, [nonce; 16], 1000, 1000), result);
        }
        assert_eq!(cache.admit(ALICE, [1; 16], 1000, 1000), Err(Refused::Seen));
        assert_eq!(cache.admit(BOB, [3; 16], 1000, 1000), Ok(()));
        assert_eq!(cache.admit(ALICE, [3; 16], 1011, 1011), Ok(()));
    }
}
