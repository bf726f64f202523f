//! What a microphone hears of somebody else.
//!
//! An open microphone beside a loudspeaker hears the others, softer than they are. In slots in which somebody else speaks
//! it is learned by how much softer this one is then; what is about as soft, or softer, is taken for echo. Who is hardly
//! softer than the other one speaks: an echo that is not canceled at all is 12 dB softer, or more. Nor is it the echo of
//! anybody where somebody else lately spoke for a while and nothing was heard: an open microphone hears every word.

/// The loudest echo, dB below the one who speaks.
const LOUDEST_DB: i32 = 12;
/// What is softer than this is as good as silence, dB.
const SOFTEST_DB: i32 = 40;
/// An echo varies by so much, dB.
const VARIES_DB: i32 = 12;
/// How slowly it is learned: in so many slots. What begins is found to be an echo within some three seconds.
const SLOTS: i32 = 16;
/// An echo lasts for so many slots longer than what it is of: rooms and jitter buffers keep 0.2 s.
const TAIL: usize = 3;
/// Who says nothing for so many slots of what others say has no open microphone.
const SILENT_SLOTS: u64 = 25;
/// That is so for a minute.
const CLOSED_SLOTS: u64 = 600;
/// Fractions of a dB.
const GRAIN: i32 = 256;

/// How much softer than others somebody is while they speak.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Coupling {
    /// Of a dB, [`GRAIN`] each.
    softer: i32,
    /// The loudness of the last slots in which this one spoke, −dBov; 127 for the others.
    recent: [u8; TAIL + 1],
    /// For so many slots others spoke and nothing was heard here.
    silent: u64,
    /// For so many slots more there is no open microphone.
    closed: u64,
}

/// The two loudest who speak.
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

    /// The loudest but for one who is as loud as this.
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
    /// Takes a slot. How loud this one was in it and shortly before.
    pub(super) fn follow(&mut self, loudness: u8, is_speech: bool) -> u8 {
        // As one number: what is written byte by byte is slow to read as a whole.
        let newest = if is_speech { loudness } else { 127 };
        self.recent = (u32::from_le_bytes(self.recent) << 8 | u32::from(newest)).to_le_bytes();
        self.loudness()
    }

    /// Whether what this one says in the slot is an echo of others. Learns from it. `span`: how many slots a sample has.
    pub(super) fn is_echo(&mut self, loudness: u8, span: u64, far: &Far) -> bool {
        let far = far.besides(self.loudness());
        self.closed = self.closed.saturating_sub(1);
        if loudness < 127 {
            self.silent = 0;
        } else if far < 127 {
            self.silent = self.silent.saturating_add(1);
        }
        // Of a sample with little sound one slot is told to have it.
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
