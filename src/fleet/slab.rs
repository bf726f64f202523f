//! Stores all conferences of a fleet by key and finds them by id. It does not decide when one is over.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::hash::BuildHasher as _;

use hashbrown::{DefaultHashBuilder, HashTable};
use slotmap::{SlotMap, new_key_type};

use super::entry::FleetEntry;

new_key_type! {
    /// The key of a conference in its [`Slab`]. The key of a removed conference finds nothing, also when its place is used
    /// again.
    pub(super) struct EntryKey;
}

/// The conferences, and an index by id. Nothing is output in the order of either.
#[derive(Clone, Debug, Default)]
pub(super) struct Slab {
    entries: SlotMap<EntryKey, Box<FleetEntry>>,
    index: HashTable<EntryKey>,
    hasher: DefaultHashBuilder,
}

impl Slab {
    pub(super) fn len(&self) -> usize {
        self.index.len()
    }

    pub(super) fn find(&self, id: &str) -> Option<EntryKey> {
        self.index.find(self.hasher.hash_one(id), |&key| id_of(&self.entries, key) == Some(id)).copied()
    }

    pub(super) fn get(&self, key: EntryKey) -> Option<&FleetEntry> {
        self.entries.get(key).map(|entry| &**entry)
    }

    pub(super) fn get_mut(&mut self, key: EntryKey) -> Option<&mut FleetEntry> {
        self.entries.get_mut(key).map(|entry| &mut **entry)
    }

    /// Adds a conference whose id [`find`](Self::find) does not know.
    pub(super) fn add(&mut self, entry: FleetEntry) -> EntryKey {
        let hash = self.hasher.hash_one(&*entry.id);
        let key = self.entries.insert(Box::new(entry));
        let (entries, hasher) = (&self.entries, &self.hasher);
        self.index.insert_unique(hash, key, |&key| hasher.hash_one(id_of(entries, key).unwrap_or("")));
        key
    }

    pub(super) fn remove(&mut self, key: EntryKey) -> Option<FleetEntry> {
        let entry = self.entries.remove(key)?;
        if let Ok(found) = self.index.find_entry(self.hasher.hash_one(&*entry.id), |&other| other == key) {
            found.remove();
        }
        Some(*entry)
    }

    /// Every conference, by id.
    pub(super) fn sorted(&self) -> Vec<&FleetEntry> {
        let mut entries: Vec<&FleetEntry> = self.entries.values().map(|entry| &**entry).collect();
        entries.sort_unstable_by(|a, b| a.id.cmp(&b.id));
        entries
    }
}

fn id_of(entries: &SlotMap<EntryKey, Box<FleetEntry>>, key: EntryKey) -> Option<&str> {
    Some(&entries.get(key)?.id)
}
