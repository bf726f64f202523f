//! The known speech of one participant in the window and after it, as stretches of equal slots. It lays out samples,
//! and does not decide what they mean for the floor.

use core::num::NonZeroU16;

use smallvec::SmallVec;

use super::level::{Fraction, Sound};
#[cfg(feature = "serde")]
use super::slots::LAST_SLOT;
use super::slots::{Block, Mask, SLOT_MS, mask};

/// A slot with this much speech is a speech slot, ms.
pub(super) const SPEECH_IN_SLOT: u8 = 30;
/// Loudness of silence, or unknown, −dBov.
pub(super) const SILENT: u8 = 127;
/// No sample covers the slot: its speech is unknown.
const UNKNOWN: u8 = u8::MAX;
/// Passed slots are dropped when there are this many: one by one would move the others for each sample.
pub(super) const STALE_SLOTS: u64 = 8;

/// Consecutive slots with equal speech and loudness.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Stretch {
    slots: u16,
    /// Speech in each slot, ms, or [`UNKNOWN`].
    speech_ms: u8,
    /// −dBov; [`SILENT`] for silence or unknown. In decided slots it means nothing.
    loudness: u8,
}

impl Stretch {
    const fn is_known(self) -> bool {
        self.speech_ms != UNKNOWN
    }

    const fn is_like(self, other: Self) -> bool {
        self.speech_ms == other.speech_ms && self.loudness == other.loudness
    }

    /// Two samples that share a slot: the one with more speech counts, and the louder one.
    fn with(self, speech_ms: u8, loudness: u8) -> Self {
        let speech_ms = if self.is_known() { self.speech_ms.max(speech_ms) } else { speech_ms };
        Self { speech_ms, loudness: self.loudness.min(loudness), ..self }
    }
}

/// The stretches of a participant, and the last sample.
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct SpeechTrack {
    /// Without gaps, the last one ends at `end`. Slots before and after them are unknown.
    stretches: SmallVec<[Stretch; 8]>,
    end: u64,
    /// Slots of all stretches.
    length: u16,
    /// One more than the duration of the last sample, slots; `None` before the first.
    span: Option<NonZeroU16>,
    /// The speech of the last sample.
    before: Fraction,
}

/// Known slots of a block with equal speech and loudness.
#[derive(Clone, Copy, Debug)]
pub(super) struct SpeechPiece {
    /// Indices in the block.
    pub(super) from: u64,
    pub(super) to: u64,
    pub(super) speech_ms: u8,
    pub(super) loudness: u8,
}

impl SpeechPiece {
    pub(super) const fn mask(self) -> Mask {
        mask(self.from, self.to)
    }

    pub(super) const fn slots(self) -> u64 {
        self.to - self.from
    }

    pub(super) const fn is_speech(self) -> bool {
        self.speech_ms >= SPEECH_IN_SLOT
    }

    /// Whether all of it is speech.
    pub(super) const fn is_full(self) -> bool {
        self.speech_ms as u64 == SLOT_MS
    }
}

/// A sample: the slots from `from` to `to`, of which those from `open` on are undecided.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sample {
    pub(super) from: u64,
    pub(super) to: u64,
    pub(super) open: u64,
    pub(super) span_ms: u64,
    pub(super) sound: Sound,
    /// Speech outside of these slots does not count.
    pub(super) counts: (u64, u64),
}

impl SpeechTrack {
    /// Duration of the last sample, slots; `None` before the first.
    pub(super) fn span(&self) -> Option<u64> {
        self.span.map(|span| u64::from(span.get()) - 1)
    }

    /// At most some hundred slots.
    pub(super) fn set_span(&mut self, span: Option<u64>) {
        self.span = span.and_then(|span| NonZeroU16::new(u16::try_from(span).unwrap_or(u16::MAX).saturating_add(1)));
    }

    /// Whether valid input could have produced these stretches: at most `most` slots that end by `newest`.
    #[cfg(feature = "serde")]
    pub(super) fn is_possible(&self, most: u64, longest: u64, newest: u64) -> bool {
        let length = self.stretches.iter().map(|stretch| u64::from(stretch.slots)).sum::<u64>();
        let is_valid = |stretch: &Stretch| {
            stretch.slots > 0
                && stretch.loudness <= SILENT
                && (!stretch.is_known() || stretch.speech_ms <= SLOT_MS as u8)
        };
        self.stretches.iter().all(is_valid)
            && length == u64::from(self.length)
            && length <= most.min(self.end)
            && self.end <= newest.min(LAST_SLOT)
            && self.span().is_none_or(|span| span <= longest)
    }

    pub(super) fn clear(&mut self) {
        self.stretches.clear();
        (self.end, self.length) = (0, 0);
    }

    fn base(&self) -> u64 {
        self.end.saturating_sub(u64::from(self.length))
    }

    /// Drops the slots before one, or most of them.
    fn drop_before(&mut self, slot: u64) {
        let mut stale = slot.saturating_sub(self.base());
        if stale < STALE_SLOTS {
            return;
        }
        if stale >= u64::from(self.length) {
            self.clear();
            return;
        }
        // Less than the length.
        self.length -= stale as u16;
        let mut passed = 0;
        for stretch in &mut self.stretches {
            let slots = u64::from(stretch.slots);
            if slots > stale {
                stretch.slots -= stale as u16;
                break;
            }
            (stale, passed) = (stale - slots, passed + 1);
        }
        self.stretches.drain(..passed);
    }

    /// Distributes a sample over its slots: at its end if speech began in it, else from its beginning. `next` is the
    /// first undecided slot, `oldest` the first one of the window.
    pub(super) fn add(&mut self, sample: Sample, next: u64, oldest: u64) {
        self.drop_before(oldest);
        let Sample { from, to, span_ms, sound, .. } = sample;
        let permille = sound.speech.permille();
        let before = core::mem::replace(&mut self.before, sound.speech).permille();
        self.set_span(Some(to - from));
        if permille == 0 {
            self.put(sample.open, to, 0, SILENT, next);
            return;
        }
        let (counts_from, counts_to) = sample.counts;
        let total_ms = (to - from) * SLOT_MS;
        let speech_ms = (span_ms.min(total_ms.max(SLOT_MS)) * u64::from(permille)).div_ceil(1000);
        let speech_ms = if span_ms < total_ms { total_ms * u64::from(permille) / 1000 } else { speech_ms };
        let begins = before < permille / 2;
        // One slot at most is partly speech. Speech is no longer than the slots, so the values are at most `SLOT_MS`.
        let (full, part_ms) = (speech_ms / SLOT_MS, (speech_ms % SLOT_MS) as u8);
        let part = u64::from(part_ms > 0);
        let parts = if begins {
            let quiet = to.saturating_sub(full + part);
            [(from, quiet, 0), (quiet, quiet + part, part_ms), (quiet + part, to, SLOT_MS as u8)]
        } else {
            let end = from + full;
            [(from, end, SLOT_MS as u8), (end, end + part, part_ms), (end + part, to, 0)]
        };
        for (first, last, speech_ms) in parts {
            let (first, last) = (first.max(sample.open), last.min(to));
            if first >= last {
                continue;
            }
            if speech_ms == 0 || counts_from <= first && last <= counts_to {
                let loudness = if speech_ms > 0 { sound.loudness.min(SILENT) } else { SILENT };
                self.put(first, last, speech_ms, loudness, next);
                continue;
            }
            self.put(first, last.min(counts_from), 0, SILENT, next);
            self.put(first.max(counts_from), last.min(counts_to), speech_ms, sound.loudness.min(SILENT), next);
            self.put(first.max(counts_from).max(counts_to), last, 0, SILENT, next);
        }
    }

    /// Adds equal slots to what is known of them.
    fn put(&mut self, from: u64, to: u64, speech_ms: u8, loudness: u8, next: u64) {
        if from >= to {
            return;
        }
        if self.stretches.is_empty() {
            (self.end, self.length) = (from, 0);
        }
        if from < self.end {
            self.change(from, to, |stretch| stretch.with(speech_ms, loudness));
            return;
        }
        if from > self.end {
            self.push(from - self.end, UNKNOWN, SILENT, next);
        }
        self.push(to - from, speech_ms, loudness, next);
    }

    /// Appends equal slots. The loudness of decided slots means nothing.
    fn push(&mut self, slots: u64, speech_ms: u8, loudness: u8, next: u64) {
        if slots == 0 {
            return;
        }
        // Far below 2¹⁶: the window and the slots that wait.
        let added = u16::try_from(slots).unwrap_or(u16::MAX);
        let is_decided = self.end <= next;
        match self.stretches.last_mut() {
            Some(last) if last.speech_ms == speech_ms && (is_decided || last.loudness == loudness) => {
                (last.slots, last.loudness) = (last.slots.saturating_add(added), loudness);
            }
            _ => self.stretches.push(Stretch { slots: added, speech_ms, loudness }),
        }
        self.end += slots;
        self.length = self.length.saturating_add(added);
    }

    /// Changes slots, of which some may be before or after all stretches.
    fn change(&mut self, from: u64, to: u64, change: impl Fn(Stretch) -> Stretch) {
        if from >= to {
            return;
        }
        self.push(to.saturating_sub(self.end), UNKNOWN, SILENT, 0);
        let missing = self.base().saturating_sub(from);
        if missing > 0 {
            let slots = u16::try_from(missing).unwrap_or(u16::MAX);
            self.stretches.insert(0, Stretch { slots, speech_ms: UNKNOWN, loudness: SILENT });
            self.length = self.length.saturating_add(slots);
        }
        let (last, first) = (self.split(to), self.split(from));
        let last = if first.1 { last.0 + 1 } else { last.0 };
        for stretch in self.stretches.iter_mut().take(last).skip(first.0) {
            *stretch = change(*stretch);
        }
        self.stretches.dedup_by(|stretch, before| {
            let is_like = before.is_like(*stretch);
            if is_like {
                before.slots = before.slots.saturating_add(stretch.slots);
            }
            is_like
        });
    }

    /// The index of the stretch that begins at a slot, and whether one was split for it.
    fn split(&mut self, slot: u64) -> (usize, bool) {
        let (mut index, mut start) = (self.stretches.len(), self.end);
        while start > slot && index > 0 {
            index -= 1;
            let Some(stretch) = self.stretches.get_mut(index) else { break };
            let slots = stretch.slots;
            start = start.saturating_sub(u64::from(slots));
            if start < slot {
                // Less than the stretch has.
                let head = ((slot - start) as u16).min(slots);
                stretch.slots = head;
                let tail = Stretch { slots: slots - head, ..*stretch };
                self.stretches.insert(index + 1, tail);
                return (index + 1, true);
            }
        }
        (index, false)
    }

    /// Discards speech from a slot on, where it is known.
    pub(super) fn discard(&mut self, from: u64) {
        if from < self.end && !self.stretches.is_empty() {
            self.change(from.max(self.base()), self.end, |stretch| {
                if stretch.is_known() { Stretch { speech_ms: 0, loudness: SILENT, ..stretch } } else { stretch }
            });
        }
    }

    /// Discards speech in these slots of a block.
    pub(super) fn discard_in(&mut self, block: Block, mut slots: Mask) {
        while slots != 0 {
            let from = u64::from(slots.trailing_zeros());
            let to = from + u64::from((slots >> from).trailing_ones());
            self.change(block.first + from, block.first + to, |stretch| Stretch {
                speech_ms: 0,
                loudness: SILENT,
                ..stretch
            });
            slots &= !mask(from, to);
        }
    }

    /// Adds the speech of another track from a slot on.
    pub(super) fn merge(&mut self, other: &Self, oldest: u64) {
        self.set_span(self.span().max(other.span()));
        self.drop_before(oldest);
        let mut start = other.base();
        for stretch in &other.stretches {
            let end = start + u64::from(stretch.slots);
            if stretch.is_known() {
                self.put(start.max(oldest), end, stretch.speech_ms, stretch.loudness, 0);
            }
            start = end;
        }
    }

    /// Index and start of the stretch that contains a slot, or of the first one after it.
    fn find(&self, slot: u64) -> (usize, u64) {
        let (mut index, mut start) = (self.stretches.len(), self.end);
        for stretch in self.stretches.iter().rev() {
            if start <= slot {
                break;
            }
            (index, start) = (index - 1, start.saturating_sub(u64::from(stretch.slots)));
        }
        (index, start)
    }

    /// The known slots of a block.
    pub(super) fn pieces(&self, block: Block) -> SpeechPieces<'_> {
        let (index, start) = self.find(block.first);
        SpeechPieces { rest: self.stretches.get(index..).unwrap_or_default().iter(), start, block }
    }

    /// Whether all slots of a block are known to be silent.
    pub(super) fn is_silent(&self, block: Block) -> bool {
        let Some(last) = self.stretches.last() else { return false };
        last.speech_ms == 0
            && last.loudness == SILENT
            && self.end >= block.end()
            && self.end <= block.first + u64::from(last.slots)
    }

    /// Speech from one slot to another, ms, and the number of known slots.
    pub(super) fn sums(&self, from: u64, to: u64) -> (u64, u64) {
        let (mut speech_ms, mut known, mut end) = (0, 0, self.end);
        for stretch in self.stretches.iter().rev() {
            let start = end.saturating_sub(u64::from(stretch.slots));
            let slots = end.min(to).saturating_sub(start.max(from));
            if stretch.is_known() {
                speech_ms += slots * u64::from(stretch.speech_ms);
                known += slots;
            }
            if start <= from {
                break;
            }
            end = start;
        }
        (speech_ms, known)
    }

    /// The first slot from `slot` on at the end of a window without any known slot.
    pub(super) fn unknown_for(&self, window: u64, slot: u64) -> u64 {
        let (mut start, mut found) = (self.base(), slot);
        for stretch in &self.stretches {
            let end = start + u64::from(stretch.slots);
            if stretch.is_known() && start <= found && end + window > found + 1 {
                found = end + window - 1;
            }
            start = end;
        }
        found
    }
}

/// The known slots of a block, in order.
#[derive(Clone, Debug)]
pub(super) struct SpeechPieces<'a> {
    rest: core::slice::Iter<'a, Stretch>,
    start: u64,
    block: Block,
}

impl Iterator for SpeechPieces<'_> {
    type Item = SpeechPiece;

    fn next(&mut self) -> Option<SpeechPiece> {
        loop {
            if self.start >= self.block.end() {
                return None;
            }
            let &Stretch { slots, speech_ms, loudness } = self.rest.next()?;
            let (start, end) = (self.start, self.start + u64::from(slots));
            self.start = end;
            if speech_ms != UNKNOWN && end > self.block.first {
                let (from, to) = (start.max(self.block.first), end.min(self.block.end()));
                let (from, to) = (from - self.block.first, to - self.block.first);
                return Some(SpeechPiece { from, to, speech_ms, loudness });
            }
        }
    }
}
