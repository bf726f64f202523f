//! Counts what a reader did not read: members, types, words and log events that it does not know. It reads no values.

use alloc::string::String;
use alloc::vec::Vec;

use crate::hash::fnv1a_64;

/// Maximum number of different names in a table; occurrences of further ones are counted together. A report of a
/// library with names of its own has some thirty.
const MAX_NAMES: usize = 64;

/// Maximum length of a stored name, bytes: the longest name of the spec has 34. A longer name is cut.
const MAX_NAME: usize = 64;

/// At most half full.
const SLOTS: usize = 2 * MAX_NAMES;

/// Names, and how often each occurred: a table of bounded size.
///
/// A name that is in the table costs a hash and no allocation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NameCounts {
    names: Vec<(String, u64)>,
    /// For each hash, one more than the index of the name; 0 for none. Empty before the first name.
    slots: Vec<u8>,
    others: u64,
}

const _: () = assert!(MAX_NAMES < u8::MAX as usize);

impl NameCounts {
    /// Counts an occurrence of a name.
    pub(crate) fn add(&mut self, name: &str) {
        let name = cut(name);
        if self.slots.is_empty() {
            self.slots.resize(SLOTS, 0);
        }
        // Only the remainder is used.
        let mut slot = fnv1a_64(name.as_bytes()) as usize % SLOTS;
        while let Some(index) = self.slots.get(slot).and_then(|&index| usize::from(index).checked_sub(1)) {
            match self.names.get_mut(index) {
                Some((known, count)) if known == name => return *count += 1,
                _ => slot = (slot + 1) % SLOTS,
            }
        }
        if self.names.len() >= MAX_NAMES {
            self.others += 1;
            return;
        }
        self.names.push((name.into(), 1));
        if let Some(index) = self.slots.get_mut(slot) {
            *index = self.names.len() as u8;
        }
    }

    /// Each name with its number of occurrences, in the order of first occurrence. Names from the input are untrusted
    /// text, at most 64 bytes long.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, u64)> {
        self.names.iter().map(|(name, count)| (name.as_str(), *count))
    }

    /// The number of occurrences of names beyond the size of the table.
    #[must_use]
    pub const fn others(&self) -> u64 {
        self.others
    }

    /// The number of all occurrences.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.names.iter().map(|&(_, count)| count).sum::<u64>() + self.others
    }

    /// Whether nothing was counted.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.names.is_empty()
    }
}

/// What a reader did not read because it does not know the name.
///
/// Members that browsers write and no figure needs (addresses, certificates, …) are known, and not counted here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unread {
    /// Members of entries of known types, by occurrence; in a webrtc-internals dump, by series.
    pub members: NameCounts,
    /// Types, by entry. An entry without any type is not among them.
    pub types: NameCounts,
    /// Values that are no word of a member with a fixed set of words, by occurrence: `dtlsState: hanging`. Fillers
    /// (`unknown`, empty) are not among them.
    pub values: NameCounts,
    /// Kinds of log events, by event.
    pub events: NameCounts,
}

/// The first [`MAX_NAME`] bytes, or a few less, so that no character is cut.
fn cut(name: &str) -> &str {
    name.get(..name.floor_char_boundary(MAX_NAME)).unwrap_or("")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::format;

    #[test]
    fn a_table_is_bounded_and_loses_no_count() {
        let mut names = NameCounts::default();
        for round in 0..3 {
            for number in 0..1_000 {
                names.add(&format!("name{number}"));
            }
            assert_eq!(names.total(), 1_000 * (round + 1));
        }
        assert_eq!(names.iter().len(), MAX_NAMES);
        assert!(names.iter().all(|(_, count)| count == 3), "{names:?}");
        assert_eq!(names.others(), 3 * (1_000 - MAX_NAMES as u64));
    }

    #[test]
    fn a_long_name_is_cut_between_characters() {
        let mut names = NameCounts::default();
        names.add(&"é".repeat(500));
        names.add(&format!("x{}", "é".repeat(500)));
        assert_eq!(names.iter().map(|(name, _)| name.len()).collect::<Vec<_>>(), [64, 63]);
    }
}
