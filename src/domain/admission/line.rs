//! Those who wait for room, in a fair order.
//!
//! Users take turns: the first server of each comes before the second of anybody who came at the same time, so that one
//! who asks for ten does not keep the others waiting. A place in the order is given once, when somebody joins.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Verdict;
use crate::domain::names::{GroupName, ServerKey, Username};

/// How many of the last who got in say how fast the line moves.
const PACE_OF: usize = 16;

/// Somebody's place in the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// How many are before them.
    pub ahead: usize,
    /// How long it takes, if the line goes on as it did; `None` as long as nobody knows.
    pub estimate: Option<Duration>,
}

impl Place {
    /// What they read.
    #[must_use]
    pub fn sentence(self) -> String {
        let before = match self.ahead {
            0 => "you are next".to_owned(),
            ahead => format!("{ahead} before you"),
        };
        match self.estimate.map(|time| time.as_secs()) {
            None => format!("Waiting for a free place: {before}"),
            Some(seconds @ 0..=90) => {
                format!(
                    "Waiting for a free place: {before}, about {} seconds",
                    (seconds + 1).div_ceil(10) * 10
                )
            }
            Some(seconds) => {
                format!("Waiting for a free place: {before}, about {} minutes", seconds.div_ceil(60))
            }
        }
    }

    /// Whether this is worth a line more than being told `told` before: each halving is, so that a long wait does not fill
    /// the page.
    #[must_use]
    pub const fn is_news(self, told: Option<usize>) -> bool {
        match told {
            None => true,
            Some(told) => self.ahead < told && (self.ahead == 0 || self.ahead <= told / 2),
        }
    }
}

/// Turn of the user, then order of arrival.
type Order = (u64, u64);

#[derive(Debug)]
struct Waiting<T> {
    key: ServerKey,
    groups: Arc<[GroupName]>,
    ticket: T,
}

#[derive(Debug, Default, Clone, Copy)]
struct Turns {
    last: u64,
    waiting: usize,
}

/// Those who wait, each with a ticket.
#[derive(Debug)]
pub struct Line<T> {
    waiting: BTreeMap<Order, Waiting<T>>,
    places: HashMap<ServerKey, Order>,
    users: HashMap<Username, Turns>,
    /// The turn of the last one who got in.
    turn: u64,
    arrivals: u64,
    admitted: VecDeque<Instant>,
}

impl<T> Default for Line<T> {
    fn default() -> Self {
        Self {
            waiting: BTreeMap::new(),
            places: HashMap::new(),
            users: HashMap::new(),
            turn: 0,
            arrivals: 0,
            admitted: VecDeque::new(),
        }
    }
}

/// Who got in, and the ticket.
pub type Next<T> = (ServerKey, Arc<[GroupName]>, T);

impl<T> Line<T> {
    /// Joins the line; who is in it already keeps the place and gets a new ticket. How many are ahead.
    pub fn join(&mut self, key: ServerKey, groups: Arc<[GroupName]>, ticket: T) -> usize {
        let order = self.places.get(&key).copied().unwrap_or_else(|| self.new_order(&key));
        self.places.insert(key.clone(), order);
        self.waiting.insert(order, Waiting { key, groups, ticket });
        self.waiting.range(..order).count()
    }

    fn new_order(&mut self, key: &ServerKey) -> Order {
        let theirs = self.users.entry(key.user.clone()).or_default();
        theirs.last = if theirs.waiting == 0 { self.turn } else { self.turn.max(theirs.last + 1) };
        theirs.waiting += 1;
        self.arrivals += 1;
        (theirs.last, self.arrivals)
    }

    /// Leaves the line; nothing happens for who is not in it.
    pub fn leave(&mut self, key: &ServerKey) {
        if let Some(order) = self.places.get(key).copied() {
            self.take(order);
        }
    }

    fn take(&mut self, order: Order) -> Option<Next<T>> {
        let Waiting { key, groups, ticket } = self.waiting.remove(&order)?;
        self.places.remove(&key);
        if let Some(theirs) = self.users.get_mut(&key.user) {
            theirs.waiting = theirs.waiting.saturating_sub(1);
            if theirs.waiting == 0 {
                self.users.remove(&key.user);
            }
        }
        Some((key, groups, ticket))
    }

    /// Takes the first one for whom there is room. Who waits for something of their own, such as their group's share,
    /// does not hold up those behind.
    pub fn next(
        &mut self,
        now: Instant,
        judge: impl Fn(&ServerKey, &[GroupName]) -> Verdict,
    ) -> Option<Next<T>> {
        let mut found = None;
        for (order, waiting) in &self.waiting {
            match judge(&waiting.key, &waiting.groups) {
                Verdict::Admit => {
                    found = Some(*order);
                    break;
                }
                verdict if verdict.is_for_all() => break,
                _ => {}
            }
        }
        let order = found?;
        self.turn = self.turn.max(order.0);
        self.admitted.push_back(now);
        if self.admitted.len() > PACE_OF {
            self.admitted.pop_front();
        }
        self.take(order)
    }

    /// Whether nobody waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Removes those whose ticket is no longer good.
    pub fn sweep(&mut self, is_good: impl Fn(&T) -> bool) {
        let bad: Vec<Order> =
            self.waiting.iter().filter(|(_, one)| !is_good(&one.ticket)).map(|(order, _)| *order).collect();
        for order in bad {
            self.take(order);
        }
    }

    /// Everybody's place and ticket, in order.
    pub fn places(&self, now: Instant) -> impl Iterator<Item = (Place, &T)> {
        let places = self.waiting.values().enumerate();
        places.map(move |(ahead, waiting)| {
            (Place { ahead, estimate: self.estimate(ahead, now) }, &waiting.ticket)
        })
    }

    /// How long somebody behind so many waits.
    #[must_use]
    pub fn estimate(&self, ahead: usize, now: Instant) -> Option<Duration> {
        let first = self.admitted.front()?;
        let counted = u32::try_from(self.admitted.len()).ok()?;
        let turns = u32::try_from(ahead).ok()?.checked_add(1)?;
        (now.saturating_duration_since(*first) / counted).checked_mul(turns)
    }
}

#[cfg(test)]
mod tests;
