//! Decides whether a stream without packets has paused or suffers from a network outage. It reads the activity of the
//! path, not the media.

/// The longest time between checks of a path without other traffic, plus a sample of a second. libwebrtc checks every
/// 2.5 s, RFC 7675 every 4 to 6 s (Firefox: 5 s).
const MAX_IDLE_PATH_MS: f64 = 7_000.0;
/// When a network recovers, sent packets arrive at once, and not this much later than other traffic, ms.
const RETURNS_WITHIN_MS: f64 = 1_000.0;

/// Distinguishes a pause from an outage by the other traffic of the path, if the sender reports nothing.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct PauseOrOutage {
    /// How long nothing has arrived over the path at all, ms, in whole intervals.
    unreported_ms: f64,
    /// How long ago the path first carried other traffic without the stream, ms.
    path_active_ms: Option<f64>,
    /// It began as an outage, or the remote endpoint sends.
    is_outage: bool,
    /// It is a rest: the state of the path no longer matters.
    rests: bool,
}

impl PauseOrOutage {
    /// Takes an interval without packets of the stream. `path_carries` says whether other packets arrived, `is_sent`
    /// that the remote endpoint is still sending. Returns whether the stream rests.
    pub(super) fn rests(&mut self, span_ms: f64, path_carries: Option<bool>, is_sent: bool) -> bool {
        if self.rests {
            return true;
        }
        let Some(carries) = path_carries.filter(|_| !is_sent) else {
            self.is_outage |= is_sent;
            return false;
        };
        if carries && self.unreported_ms > MAX_IDLE_PATH_MS {
            *self = Self { is_outage: true, ..Self::default() };
        }
        self.unreported_ms = if carries { 0.0 } else { self.unreported_ms + span_ms };
        self.path_active_ms = match self.path_active_ms {
            Some(path_active_ms) => Some(path_active_ms + span_ms),
            // In a long interval, other traffic arrived at an unknown time; assume it was not the last moment.
            None => carries.then_some((span_ms - 2.0 * RETURNS_WITHIN_MS).max(0.0)),
        };
        self.rests = self.path_active_ms >= Some(RETURNS_WITHIN_MS);
        self.rests
    }

    /// Whether the network was out, or sent packets did not arrive.
    pub(super) const fn is_outage(&self) -> bool {
        self.is_outage
    }
}
