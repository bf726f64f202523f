//! Lists that a process has many of: their growth, and ids for the items of a list that only grows. It knows no items.

use alloc::vec::Vec;
use core::ops::{Deref, DerefMut, Index, IndexMut};

/// Adds an item. The list grows by a quarter instead of doubling: calls grow slowly and then stay at their size.
pub(crate) fn push<T>(list: &mut Vec<T>, item: T) {
    if list.len() == list.capacity() {
        list.reserve_exact((list.len() / 4).max(2));
    }
    list.push(item);
}

/// An id that a list assigns: the position of the item.
pub(crate) trait ListId: Copy {
    fn of(place: u32) -> Self;

    fn index(self) -> usize;
}

/// Declares the id of an item of a [`List`].
macro_rules! list_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
        pub(crate) struct $name(u32);

        impl $crate::list::ListId for $name {
            fn of(place: u32) -> Self {
                Self(place)
            }

            fn index(self) -> usize {
                self.0 as usize
            }
        }
    };
}

pub(crate) use list_id;

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
    /// Adds an item. `None` when ids are used up.
    pub(crate) fn push(&mut self, item: T) -> Option<T::Id> {
        let place = u32::try_from(self.0.len()).ok()?;
        push(&mut self.0, item);
        Some(T::Id::of(place))
    }

    /// The ids of all items so far.
    pub(crate) fn ids(&self) -> impl Iterator<Item = T::Id> + use<T> {
        (0_u32..).take(self.0.len()).map(T::Id::of)
    }

    /// The first item that fits.
    pub(crate) fn find(&self, fits: impl FnMut(&T) -> bool) -> Option<T::Id> {
        let place = self.0.iter().position(fits)?;
        u32::try_from(place).ok().map(T::Id::of)
    }

    #[cfg(feature = "serde")]
    pub(crate) fn contains(&self, id: T::Id) -> bool {
        id.index() < self.0.len()
    }
}

impl<T> Default for List<T> {
    fn default() -> Self {
        Self(Vec::new())
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
