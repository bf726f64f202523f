//! Stores all conferences of a fleet by slot and finds them by id. It does not decide when one is over.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::hash::BuildHasher as _;

use hashbrown::{DefaultHashBuilder, HashTable};

use super::entry::Entry;

/// A slab of entries and an index by id. No output depends on the order of either.
#[derive(Clone, Debug, Default)]
pub(super) struct Slab {
    slots: Vec<Option<Box<Entry>>>,
    free: Vec<u32>,
    index: HashTable<u32>,
    hasher: DefaultHashBuilder,
}

impl Slab {
    pub(super) fn len(&self) -> usize {
        self.index.len()
    }

    pub(super) fn find(&self, id: &str) -> Option<u32> {
        self.index.find(self.hasher.hash_one(id), |&slot| id_of(&self.slots, slot) == Some(id)).copied()
    }

    pub(super) fn get(&self, slot: u32) -> Option<&Entry> {
        self.slots.get(slot as usize)?.as_deref()
    }

    pub(super) fn get_mut(&mut self, slot: u32) -> Option<&mut Entry> {
        self.slots.get_mut(slot as usize)?.as_deref_mut()
    }

    /// Adds an entry with a new id. `None` if the slot numbers are exhausted.
    pub(super) fn add(&mut self, entry: Entry) -> Option<u32> {
        let hash = self.hasher.hash_one(&*entry.id);
        let slot = match self.free.pop() {
            Some(slot) => slot,
            None => {
                let slot = u32::try_from(self.slots.len()).ok()?;
                self.slots.push(None);
                slot
            }
        };
        *self.slots.get_mut(slot as usize)? = Some(Box::new(entry));
        let (slots, hasher) = (&self.slots, &self.hasher);
        self.index.insert_unique(hash, slot, |&slot| hasher.hash_one(id_of(slots, slot).unwrap_or("")));
        Some(slot)
    }

    pub(super) fn remove(&mut self, slot: u32) -> Option<Entry> {
        let hash = self.hasher.hash_one(&*self.get(slot)?.id);
        if let Ok(entry) = self.index.find_entry(hash, |&other| other == slot) {
            entry.remove();
        }
        self.free.push(slot);
        self.slots.get_mut(slot as usize)?.take().map(|entry| *entry)
    }

    /// All entries, ordered by id.
    pub(super) fn sorted(&self) -> Vec<&Entry> {
        let mut entries: Vec<&Entry> = self.slots.iter().flatten().map(|entry| &**entry).collect();
        entries.sort_unstable_by(|a, b| a.id.cmp(&b.id));
        entries
    }
}

fn id_of(slots: &[Option<Box<Entry>>], slot: u32) -> Option<&str> {
    Some(&slots.get(slot as usize)?.as_ref()?.id)
}
