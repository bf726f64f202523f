//! Detects echo: the speech of other participants in a participant's microphone. It works on loudness per slot and sees
//! no audio signal.
//!
//! An open microphone beside a loudspeaker picks up the other participants, softer than they are. The detector learns
//! how much softer a participant is in slots in which another one speaks; a sound that is about as soft, or softer, is
//! echo. A participant that is hardly softer than the other speaker speaks: even an echo without any cancellation is 12
//! dB softer, or more. A sound is not echo either if other participants lately spoke for a while and this microphone
//! was silent: an open microphone picks up every word.

/// The loudest echo, dB below the speaker.
const LOUDEST_DB: i32 = 12;
/// A sound that is this much softer counts as silence, dB.
const SOFTEST_DB: i32 = 40;
/// How much the level of an echo varies, dB.
const VARIES_DB: i32 = 12;
/// Time constant of learning, slots. A new echo is recognized within some three seconds.
const SLOTS: i32 = 16;
/// How long an echo outlasts its source, slots: reverberation and jitter buffers hold 0.2 s.
const TAIL: usize = 3;
/// A participant that is silent for this many slots of other participants' speech has no open microphone.
const SILENT_SLOTS: u64 = 25;
/// How long that conclusion holds, slots: one minute.
const CLOSED_SLOTS: u64 = 600;
/// Fractions of a dB.
const GRAIN: i32 = 256;

/// How much softer than others a participant is while they speak.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Coupling {
    /// In units of 1 / [`GRAIN`] dB.
    softer: i32,
    /// Loudness of the last slots in which this participant spoke, −dBov; 127 for slots without speech.
    recent: [u8; TAIL + 1],
    /// For how many slots others spoke while this participant was silent.
    silent: u64,
    /// For how many more slots there is no open microphone.
    closed: u64,
}

/// The two loudest speakers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Far([u8; 2]);

impl Default for Far {
    fn default() -> Self {
        Self([127; 2])
    }
}

impl Far {
    pub(super) fn note(&mut self, loudness: u8) {
        let [first, second] = self.0;
        self.0 = if loudness < first { [loudness, first] } else { [first, second.min(loudness)] };
    }

    /// The loudest one, or the second if the loudest is exactly this loud.
    const fn besides(&self, loudness: u8) -> u8 {
        let [first, second] = self.0;
        if loudness == first { second } else { first }
    }
}

impl Default for Coupling {
    fn default() -> Self {
        Self { softer: (LOUDEST_DB + VARIES_DB) * GRAIN, recent: [127; TAIL + 1], silent: 0, closed: 0 }
    }
}

impl Coupling {
    /// Adds a slot. Returns this participant's loudness in it and shortly before.
    pub(super) fn follow(&mut self, loudness: u8, is_speech: bool) -> u8 {
        // As one number: reading a whole word after writing single bytes is slow.
        let newest = if is_speech { loudness } else { 127 };
        self.recent = (u32::from_le_bytes(self.recent) << 8 | u32::from(newest)).to_le_bytes();
        self.loudness()
    }

    /// Whether the participant's sound in the slot is an echo of others. Learns from it. `span`: slots per sample.
    pub(super) fn is_echo(&mut self, loudness: u8, span: u64, far: &Far) -> bool {
        let far = far.besides(self.loudness());
        self.closed = self.closed.saturating_sub(1);
        if loudness < 127 {
            self.silent = 0;
        } else if far < 127 {
            self.silent = self.silent.saturating_add(1);
        }
        // A sample with little sound marks only one slot.
        if self.silent >= SILENT_SLOTS.max(3 * span) {
            self.closed = CLOSED_SLOTS;
        }
        if far >= 127 {
            return false;
        }
        let softer_db = i32::from(loudness) - i32::from(far);
        let is_echo =
            loudness < 127 && self.closed == 0 && softer_db * GRAIN >= self.softer.saturating_sub(VARIES_DB * GRAIN);
        if softer_db >= LOUDEST_DB {
            self.softer += (softer_db.min(SOFTEST_DB) * GRAIN).saturating_sub(self.softer) / SLOTS;
        }
        is_echo
    }

    fn loudness(&self) -> u8 {
        self.recent.into_iter().fold(127, u8::min)
    }
}
