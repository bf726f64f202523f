//! The ids of audio sources and of speakers, and the lists that assign them. It decides nothing about either.

use alloc::vec::Vec;
use core::ops::{Deref, DerefMut, Index, IndexMut};

/// An audio source of the attribution that assigned the id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub(crate) struct AudioSourceId(u32);

/// A speaker of the attribution that assigned the id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub(crate) struct SpeakerId(u32);

/// An id that a list assigns: the position of the item.
pub(crate) trait ListId: Copy {
    fn of(place: u32) -> Self;

    fn index(self) -> usize;
}

impl ListId for AudioSourceId {
    fn of(place: u32) -> Self {
        Self(place)
    }

    fn index(self) -> usize {
        self.0 as usize
    }
}

impl ListId for SpeakerId {
    fn of(place: u32) -> Self {
        Self(place)
    }

    fn index(self) -> usize {
        self.0 as usize
    }
}

/// An item of a [`List`].
pub(crate) trait Listed {
    type Id: ListId;
}

/// A list that only grows: the id of an item stays valid. Ids of a state that was read are checked by
/// [`Self::contains`].
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub(crate) struct List<T>(Vec<T>);

impl<T: Listed> List<T> {
    pub(super) const fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds an item. `None` when ids are used up.
    pub(super) fn push(&mut self, item: T) -> Option<T::Id> {
        let place = u32::try_from(self.0.len()).ok()?;
        self.0.push(item);
        Some(T::Id::of(place))
    }

    /// The ids of all items so far.
    pub(super) fn ids(&self) -> impl Iterator<Item = T::Id> + use<T> {
        (0_u32..).take(self.0.len()).map(T::Id::of)
    }

    /// The first item that fits.
    pub(super) fn find(&self, fits: impl FnMut(&T) -> bool) -> Option<T::Id> {
        let place = self.0.iter().position(fits)?;
        u32::try_from(place).ok().map(T::Id::of)
    }

    #[cfg(feature = "serde")]
    pub(super) fn contains(&self, id: T::Id) -> bool {
        id.index() < self.0.len()
    }
}

impl<T: Listed> Index<T::Id> for List<T> {
    type Output = T;

    fn index(&self, id: T::Id) -> &T {
        debug_assert!(id.index() < self.0.len(), "the id of another list");
        &self.0[id.index()]
    }
}

impl<T: Listed> IndexMut<T::Id> for List<T> {
    fn index_mut(&mut self, id: T::Id) -> &mut T {
        debug_assert!(id.index() < self.0.len(), "the id of another list");
        &mut self.0[id.index()]
    }
}

impl<T> Deref for List<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T> DerefMut for List<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.0
    }
}
