//! Who starts and who runs: counted of all, of each user, of each group.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use crate::domain::names::{GroupName, ServerKey, Username};

/// How far a server inside is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// On its way up.
    Starting,
    /// Up.
    Running,
}

/// How many there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Occupancy {
    /// Starting.
    pub starting: usize,
    /// Starting or running.
    pub active: usize,
}

impl Occupancy {
    fn add(&mut self, stage: Stage) {
        self.active += 1;
        self.starting += usize::from(stage == Stage::Starting);
    }

    fn remove(&mut self, stage: Stage) {
        self.active = self.active.saturating_sub(1);
        self.starting = self.starting.saturating_sub(usize::from(stage == Stage::Starting));
    }
}

#[derive(Debug)]
struct Inside {
    groups: Arc<[GroupName]>,
    stage: Stage,
}

/// Everybody who is inside.
#[derive(Debug, Default)]
pub struct Room {
    inside: HashMap<ServerKey, Inside>,
    all: Occupancy,
    users: HashMap<Username, Occupancy>,
    groups: HashMap<GroupName, Occupancy>,
}

impl Room {
    /// Lets a server in, or notes how far it is by now. It counts for the groups that its owner is in at this moment.
    pub fn enter(&mut self, key: ServerKey, groups: Arc<[GroupName]>, stage: Stage) {
        self.leave(&key);
        self.all.add(stage);
        self.users.entry(key.user.clone()).or_default().add(stage);
        for group in groups.iter() {
            self.groups.entry(group.clone()).or_default().add(stage);
        }
        self.inside.insert(key, Inside { groups, stage });
    }

    /// Lets a server out; nothing happens if it is not inside.
    pub fn leave(&mut self, key: &ServerKey) {
        let Some(Inside { groups, stage }) = self.inside.remove(key) else { return };
        self.all.remove(stage);
        take(&mut self.users, &key.user, stage);
        for group in groups.iter() {
            take(&mut self.groups, group, stage);
        }
    }

    /// How many there are.
    #[must_use]
    pub const fn all(&self) -> Occupancy {
        self.all
    }

    /// How many servers of this user there are.
    #[must_use]
    pub fn of_user(&self, user: &Username) -> usize {
        self.users.get(user).map_or(0, |count| count.active)
    }

    /// How many servers of this group's members there are.
    #[must_use]
    pub fn of_group(&self, group: &GroupName) -> Occupancy {
        self.groups.get(group).copied().unwrap_or_default()
    }
}

/// One less; what nobody is in any more is forgotten.
fn take<K: Hash + Eq>(counts: &mut HashMap<K, Occupancy>, of: &K, stage: Stage) {
    if let Some(count) = counts.get_mut(of) {
        count.remove(stage);
        if count.active == 0 {
            counts.remove(of);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::names::ServerName;

    proptest! {
        #[test]
        fn the_counts_are_those_of_who_is_inside(
            steps in proptest::collection::vec((0_usize..3, 0_usize..3, 0_usize..3, 0_usize..4), 0..60),
        ) {
            let mut room = Room::default();
            let mut model: HashMap<ServerKey, (Vec<GroupName>, Stage)> = HashMap::new();
            for (user, server, what, groups) in steps {
                let key = ServerKey::new(
                    Username::from_stored(format!("u{user}")),
                    ServerName::from_stored(format!("s{server}")),
                );
                let groups: Vec<_> =
                    (0..groups).map(|group| GroupName::from_stored(format!("g{group}"))).collect();
                let stage = [Stage::Starting, Stage::Running].get(what).copied();
                match stage {
                    Some(stage) => {
                        room.enter(key.clone(), Arc::from(groups.as_slice()), stage);
                        model.insert(key, (groups, stage));
                    }
                    None => {
                        room.leave(&key);
                        model.remove(&key);
                    }
                }
                let starting = |(_, stage): &&(Vec<GroupName>, Stage)| *stage == Stage::Starting;
                let all = Occupancy { starting: model.values().filter(starting).count(), active: model.len() };
                prop_assert_eq!(room.all(), all);
                for user in 0..3 {
                    let user = Username::from_stored(format!("u{user}"));
                    let theirs = model.keys().filter(|key| key.user == user).count();
                    prop_assert_eq!(room.of_user(&user), theirs);
                }
                for group in 0..4 {
                    let group = GroupName::from_stored(format!("g{group}"));
                    let members = model.values().filter(|(groups, _)| groups.contains(&group)).count();
                    prop_assert_eq!(room.of_group(&group).active, members);
                }
            }
        }
    }
}
