//! A persistent map from segment to node: a changed copy shares nearly everything
//! with the original.
//!
//! Two levels: a vector of shards, each a small hash table. A copy clones the
//! vector and one shard, both only pointers. The number of shards grows with the
//! map, so a shard holds at most [`FULL`] entries on average. Finding costs one
//! hash, as in a plain table.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use hashbrown::HashTable;

/// Entries per shard at which the number of shards grows.
const FULL: usize = 64;
const GROWTH: usize = 16;

#[derive(Debug)]
struct Entry<V> {
    segment: Arc<[u8]>,
    value: Arc<V>,
}

// Not derived: that would ask for `V: Clone`.
impl<V> Clone for Entry<V> {
    fn clone(&self) -> Self {
        Self { segment: Arc::clone(&self.segment), value: Arc::clone(&self.value) }
    }
}

type Shard<V> = Arc<HashTable<Entry<V>>>;

#[derive(Debug)]
pub(crate) struct Children<V> {
    hasher: RandomState,
    /// A power of two of them, or none.
    shards: Vec<Shard<V>>,
    len: usize,
}

impl<V> Default for Children<V> {
    fn default() -> Self {
        Self { hasher: RandomState::new(), shards: Vec::new(), len: 0 }
    }
}

impl<V> Clone for Children<V> {
    fn clone(&self) -> Self {
        Self { hasher: self.hasher.clone(), shards: self.shards.clone(), len: self.len }
    }
}

impl<V> Children<V> {
    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub(crate) fn get(&self, segment: &[u8]) -> Option<&Arc<V>> {
        if self.shards.is_empty() {
            return None;
        }
        let hash = self.hasher.hash_one(segment);
        let shard = self.shards.get(place(hash, self.shards.len()))?;
        shard.find(hash, |entry| *entry.segment == *segment).map(|entry| &entry.value)
    }

    pub(crate) fn insert(&mut self, segment: &[u8], value: Arc<V>) {
        if self.len >= FULL * self.shards.len() {
            self.grow();
        }
        let hash = self.hasher.hash_one(segment);
        let Some(shard) = shard_of(&mut self.shards, hash) else { return };
        if let Some(entry) = shard.find_mut(hash, |entry| *entry.segment == *segment) {
            entry.value = value;
            return;
        }
        let hasher = &self.hasher;
        shard.insert_unique(hash, Entry { segment: segment.into(), value }, |entry| {
            hasher.hash_one(&*entry.segment)
        });
        self.len += 1;
    }

    pub(crate) fn remove(&mut self, segment: &[u8]) {
        let hash = self.hasher.hash_one(segment);
        let Some(shard) = shard_of(&mut self.shards, hash) else { return };
        if let Ok(entry) = shard.find_entry(hash, |entry| *entry.segment == *segment) {
            entry.remove();
            self.len -= 1;
        }
    }

    /// In no order.
    pub(crate) fn values(&self) -> impl Iterator<Item = &V> {
        self.shards.iter().flat_map(|shard| shard.iter()).map(|entry| &*entry.value)
    }

    fn grow(&mut self) {
        let count = (self.shards.len() * GROWTH).max(1);
        let mut tables: Vec<HashTable<Entry<V>>> = Vec::new();
        tables.resize_with(count, HashTable::new);
        let hasher = &self.hasher;
        for entry in self.shards.iter().flat_map(|shard| shard.iter()) {
            let hash = hasher.hash_one(&*entry.segment);
            if let Some(table) = tables.get_mut(place(hash, count)) {
                table.insert_unique(hash, entry.clone(), |entry| hasher.hash_one(&*entry.segment));
            }
        }
        self.shards = tables.into_iter().map(Arc::new).collect();
    }
}

/// The shard for a hash, copied first if another map has it too.
fn shard_of<V>(shards: &mut [Shard<V>], hash: u64) -> Option<&mut HashTable<Entry<V>>> {
    let at = place(hash, shards.len());
    shards.get_mut(at).map(Arc::make_mut)
}

/// The index for a hash among a power of two of shards. From the middle of the
/// hash: the tables use its ends.
fn place(hash: u64, count: usize) -> usize {
    usize::try_from((hash >> 24) & 0xffff_ffff).unwrap_or(0) & count.saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_changed_copy_leaves_the_original_as_it_was() {
        let mut first = Children::default();
        for number in 0..2000_u32 {
            first.insert(&number.to_be_bytes(), Arc::new(number));
        }
        let mut second = first.clone();
        second.insert(&7_u32.to_be_bytes(), Arc::new(0));
        second.remove(&8_u32.to_be_bytes());
        let value = |map: &Children<u32>, key: u32| map.get(&key.to_be_bytes()).map(|value| **value);
        assert_eq!((value(&first, 7), value(&first, 8)), (Some(7), Some(8)));
        assert_eq!((value(&second, 7), value(&second, 8), value(&second, 9)), (Some(0), None, Some(9)));
        assert_eq!((first.values().count(), second.values().count()), (2000, 1999));
    }

    #[test]
    fn a_copy_shares_all_but_one_shard() {
        let mut first = Children::default();
        for number in 0..10_000_u32 {
            first.insert(&number.to_be_bytes(), Arc::new(number));
        }
        let mut second = first.clone();
        second.insert(b"new", Arc::new(0));
        let shared = first.shards.iter().zip(&second.shards).filter(|(a, b)| Arc::ptr_eq(a, b)).count();
        assert_eq!((first.shards.len(), shared), (256, 255));
        assert!(first.shards.iter().all(|shard| shard.len() < 2 * FULL + 20), "the shards are even");
    }

    proptest! {
        #[test]
        fn it_behaves_as_a_plain_map(steps in prop::collection::vec((0..200_u8, any::<bool>()), 0..600)) {
            let (mut ours, mut plain) = (Children::default(), HashMap::new());
            for (number, (key, inserts)) in steps.into_iter().enumerate() {
                if inserts {
                    ours.insert(&[key], Arc::new(number));
                    plain.insert(key, number);
                } else {
                    ours.remove(&[key]);
                    plain.remove(&key);
                }
                prop_assert_eq!(ours.get(&[key]).map(|value| **value), plain.get(&key).copied());
            }
            prop_assert_eq!(ours.is_empty(), plain.is_empty());
            prop_assert_eq!(ours.values().count(), plain.len());
        }
    }
}
