//! A stream of which nothing comes: has its sender paused, or is the network out?

/// Where nothing else passes, the path is checked every 2.5 s by libwebrtc, and every 4 to 6 s by RFC 7675 (Firefox: 5 s).
/// The longest of these, and a look of a second.
const LONGEST_UNHEARD_MS: f64 = 7_000.0;
/// When a network comes back, what was sent comes at once, and not this much later than anything else, ms.
const RETURNS_WITHIN_MS: f64 = 1_000.0;

/// Tells by what else comes over the path, where the sender itself says nothing.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Standstill {
    /// How long nothing has come over the path at all, ms, in whole intervals.
    unreported_ms: f64,
    /// How long it is that something came over the path and nothing of the stream, ms.
    heard_ms: Option<f64>,
    /// It began as an outage, or the other end sends.
    is_outage: bool,
    /// It is a rest: what becomes of the path is no matter.
    rests: bool,
}

impl Standstill {
    /// Takes note of an interval in which nothing of the stream came. `path_carries` says whether anything else did,
    /// `is_sent` that the other end goes on sending. Returns whether the stream rests.
    pub(super) fn rests(&mut self, span_ms: f64, path_carries: Option<bool>, is_sent: bool) -> bool {
        if self.rests {
            return true;
        }
        let Some(carries) = path_carries.filter(|_| !is_sent) else {
            self.is_outage |= is_sent;
            return false;
        };
        if carries && self.unreported_ms > LONGEST_UNHEARD_MS {
            *self = Self { is_outage: true, ..Self::default() };
        }
        self.unreported_ms = if carries { 0.0 } else { self.unreported_ms + span_ms };
        self.heard_ms = match self.heard_ms {
            Some(heard_ms) => Some(heard_ms + span_ms),
            // Of a long look something came somewhere in it; that it was its last moment is not to be thought.
            None => carries.then_some((span_ms - 2.0 * RETURNS_WITHIN_MS).max(0.0)),
        };
        self.rests = self.heard_ms >= Some(RETURNS_WITHIN_MS);
        self.rests
    }

    /// Whether the network was out, or something was sent that did not come.
    pub(super) const fn is_outage(&self) -> bool {
        self.is_outage
    }
}
