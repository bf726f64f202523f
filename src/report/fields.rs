//! Bit sets of numeric members. They hold no values.

use super::Num;

/// A set of numeric members.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub(crate) struct Fields([u64; 2]);

impl Fields {
    pub(crate) const NONE: Self = Self([0; 2]);

    /// The set of these members.
    pub(crate) const fn of(members: &[Num]) -> Self {
        let mut fields = Self::NONE;
        let mut index = 0;
        while index < members.len() {
            fields = fields.with(members[index]);
            index += 1;
        }
        fields
    }

    pub(crate) const fn has(self, field: Num) -> bool {
        let (word, bit) = place(field);
        self.0[word] & bit != 0
    }

    pub(crate) const fn with(mut self, field: Num) -> Self {
        let (word, bit) = place(field);
        self.0[word] |= bit;
        self
    }

    /// Like [`Self::with`], in place: reads and writes one word instead of both.
    pub(crate) const fn insert(&mut self, field: Num) {
        let (word, bit) = place(field);
        self.0[word] |= bit;
    }

    pub(crate) const fn and(self, other: Self) -> Self {
        Self([self.0[0] & other.0[0], self.0[1] & other.0[1]])
    }

    pub(crate) const fn or(self, other: Self) -> Self {
        Self([self.0[0] | other.0[0], self.0[1] | other.0[1]])
    }

    /// The set difference.
    pub(crate) const fn without(self, other: Self) -> Self {
        Self([self.0[0] & !other.0[0], self.0[1] & !other.0[1]])
    }

    pub(crate) const fn is_empty(self) -> bool {
        self.0[0] | self.0[1] == 0
    }

    pub(crate) const fn len(self) -> usize {
        (self.0[0].count_ones() + self.0[1].count_ones()) as usize
    }

    /// The number of members before `field`.
    pub(crate) const fn before(self, field: Num) -> usize {
        let (word, bit) = place(field);
        let first = if word == 0 { 0 } else { self.0[0].count_ones() };
        (first + (self.0[word] & (bit - 1)).count_ones()) as usize
    }

    /// Calls the function for each member, in the order of the table. Faster than [`Self::iter`].
    #[inline]
    pub(crate) fn for_each(self, mut work: impl FnMut(Num)) {
        for (base, mut word) in [0, 64].into_iter().zip(self.0) {
            while word != 0 {
                if let Some(&field) = Num::ALL.get(base + word.trailing_zeros() as usize) {
                    work(field);
                }
                word &= word - 1;
            }
        }
    }

    /// Splits off two subsets: the members for which the first result is true, and those for which the second is. The
    /// function receives their indices in the table, in order.
    #[inline]
    pub(crate) fn partition(self, mut ask: impl FnMut(usize) -> [bool; 2]) -> [Self; 2] {
        let [mut first, mut second] = [Self::NONE; 2];
        for (index, mut word) in self.0.into_iter().enumerate() {
            let (mut yes, mut also) = (0, 0);
            while word != 0 {
                let bit = word.trailing_zeros();
                let [is_first, is_second] = ask(index * 64 + bit as usize);
                yes |= u64::from(is_first) << bit;
                also |= u64::from(is_second) << bit;
                word &= word - 1;
            }
            (first.0[index], second.0[index]) = (yes, also);
        }
        [first, second]
    }

    /// The members, in the order of the table.
    pub(crate) fn iter(self) -> impl Iterator<Item = Num> + use<> {
        let Self([mut low, mut high]) = self;
        core::iter::from_fn(move || {
            let (word, base) = if low != 0 { (&mut low, 0) } else { (&mut high, 64) };
            let index = base + word.trailing_zeros() as usize;
            *word &= word.wrapping_sub(1);
            Num::ALL.get(index).copied()
        })
    }
}

/// The word and the bit of a member.
const fn place(field: Num) -> (usize, u64) {
    (field as usize / 64, 1 << (field as usize % 64))
}
